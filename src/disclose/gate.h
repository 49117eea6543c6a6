/* SPDX-License-Identifier: Apache-2.0
 *
 * The release gate: what becomes of every cell of a raw result under a policy. Inside disclose/ and for the
 * checker's view at the site; a gate holds raw facts and never leaves.
 *
 * Three steps. judge: the rule of the table's type of output decides what must be hidden and what the others
 * print as. link: tables of counts that share a dimension are laid beside each other, as a reader can.
 * secure: where levels add up (or are nested) further cells are hidden until no attacker can work a hidden
 * one out, and the attacker (attack.h) is asked whether that is so. What cannot be proven safe is refused.
 */
#ifndef ACCORD_DISCLOSE_GATE_H
#define ACCORD_DISCLOSE_GATE_H

#include "disclose/policy.h"
#include "disclose/result.h"

enum cell_mark {
    CELL_SHOWN,
    CELL_PRIMARY,   /* a rule hides it */
    CELL_SECONDARY, /* hidden to protect another */
    CELL_ABSENT,    /* no rule hides it, but there is no estimate to print */
    N_MARKS
};

struct verdict {
    enum cell_mark mark;
    const char *rule;           /* "minimum count", "complementary", ...; NULL where the cell is shown */
    double value, lower, upper; /* what will be printed; NaN where hidden or absent */
    double surely_low,
        surely_high; /* an attacker's interval of the count surely holds these; NaN = not asked */
};

/* What the attacker was asked about a table. */
struct proof {
    uint32_t demands; /* cells and differences that had to stay uncertain */
    int64_t solves;
    bool whole;      /* alternatives in whole numbers were asked for */
    uint32_t tables; /* that were one system */
};

struct gate {
    const struct result *result; /* the caller's, or that with every place where zeros are not printed */
    const struct policy *policy;
    struct verdict **verdicts; /* [table][cell] */
    const char **withheld;     /* [table]: the rule that keeps the whole of it in; NULL where it leaves */
    struct proof *proofs;      /* [table] */
    uint32_t *system;          /* [table]: the first table of the system it was secured in */
    bool has_rates;            /* some table is of rates over counts */
    struct arena *arena;
};

/* A table that may not leave is withheld, and the others leave without it; ST_INVALID where a table's cells
   contradict its structure. */
MUST_CHECK enum status gate_run(const struct result *r, const struct policy *p, struct gate **out,
                                struct err *e);
void gate_free(struct gate *g); /* NULL is fine */

/* The checker's view (docs/formats/checks.md): every cell with its reason, those at risk first. It holds raw
   counts and stays at the site. `context` as in disclose_release; may be NULL. */
struct js *gate_view(const struct gate *g, const struct js *context);

/* judge.c: the rule of each type of output. `noise` is the p-table of a policy with cell keys, else NULL.
   *withheld is the rule that keeps the whole table in, or NULL. */
MUST_CHECK enum status judge_table(const struct result_table *t, const struct policy *p,
                                   const struct ptable *noise, struct verdict *verdicts,
                                   const char **withheld, struct err *e);
void verdict_hide(struct verdict *v, enum cell_mark mark, const char *rule);
/* secure.c: whether a table's cells are counts that others can be laid beside. */
bool secure_links(const struct result_table *t);
/* Whether one such table is what it says: ST_INVALID where its levels do not add up. */
MUST_CHECK enum status secure_check(const struct gate *g, uint32_t index, struct err *e);
/* Hides what protects the hidden counts of n tables, by their places in the result, taken as one system.
   ST_INVALID where they are not one (of one table: where it contradicts itself). */
MUST_CHECK enum status secure_tables(const struct gate *g, const uint32_t *index, uint32_t n, struct err *e);

#endif
