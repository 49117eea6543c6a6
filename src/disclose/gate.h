/* SPDX-License-Identifier: Apache-2.0
 *
 * The release gate: what becomes of every cell of a raw result under a policy. Inside disclose/ and for the
 * checker's view at the site; a gate holds raw facts and never leaves.
 *
 * Three steps. judge: the rule of the table's type of output decides what must be hidden and what the others
 * print as. secure: in tables whose levels add up (or are nested) further cells are hidden until no attacker
 * can work a hidden one out, and the attacker (attack.h) is asked whether that is so. A table that cannot be
 * proven safe is refused.
 */
#ifndef ACCORD_DISCLOSE_GATE_H
#define ACCORD_DISCLOSE_GATE_H

#include "disclose/policy.h"
#include "disclose/result.h"

enum cell_mark { CELL_SHOWN, CELL_PRIMARY, CELL_SECONDARY };

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
    bool whole; /* alternatives in whole numbers were asked for */
};

struct gate {
    const struct result *result;
    const struct policy *policy;
    struct verdict **verdicts; /* [table][cell] */
    struct proof *proofs;      /* [table] */
    struct arena *arena;
};

/* ST_UNSAFE where a table may not leave at all; ST_INVALID where its cells contradict its structure. */
MUST_CHECK enum status gate_run(const struct result *r, const struct policy *p, struct gate **out,
                                struct err *e);
void gate_free(struct gate *g); /* NULL is fine */

/* The checker's view (docs/formats/checks.md): every cell with its reason, those at risk first. It holds raw
   counts and stays at the site. `context` as in disclose_release; may be NULL. */
struct js *gate_view(const struct gate *g, const struct js *context);

/* judge.c: the rule of each type of output. */
MUST_CHECK enum status judge_table(const struct result_table *t, const struct policy *p,
                                   struct verdict *verdicts, struct err *e);
void verdict_hide(struct verdict *v, enum cell_mark mark, const char *rule);
/* secure.c: hides what protects the hidden counts of one table. */
MUST_CHECK enum status secure_table(const struct result_table *t, const struct policy *p,
                                    struct verdict *verdicts, struct proof *proof, struct err *e);

#endif
