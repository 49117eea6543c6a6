/* SPDX-License-Identifier: Apache-2.0
 *
 * The pairs of published needs and offers that share a code, worked out in memory from the projections
 * `signal` and `code`; match.h gives the formula. Signals of a closed body stand under each of its
 * successors.
 */
#ifndef ACCORD_GOVERN_PAIRS_H
#define ACCORD_GOVERN_PAIRS_H

#include "govern/items.h"

struct signal_row {
    const char *id, *stage; /* stage may be NULL */
    const char **body;      /* that it stands under now */
    const char **name;      /* of its codes: "scheme:code", ascending */
    int64_t *code;          /* and each as a number, to compare by */
    size_t n_bodies, n_codes;
    int64_t rank, population;
    bool need;
    bool taken; /* a project names it */
};

struct pair {
    const struct signal_row *need, *offer;
    const char *needs_body, *offers_body;
    double share, points;
};

struct pairs {
    struct pair *v;
    size_t n, capacity;
};

struct signal_rows {
    struct signal_row *v;
    size_t n, capacity;
};

/* Every published need and offer in order of id; texts are arena memory. */
MUST_CHECK enum status signals_load(struct db *d, struct arena *a, struct signal_rows *out, struct err *e);
/* The pairs in which the body takes part (xmalloc'ed). */
void pairs_of_body(const struct signal_rows *s, const char *body, struct pairs *out);
/* The `most` best pairs whose need no project names, best first. */
void pairs_best(const struct signal_rows *s, size_t most, struct pairs *out);

#endif
