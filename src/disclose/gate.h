/* SPDX-License-Identifier: Apache-2.0
 *
 * The release gate: what becomes of every cell of a raw result under a policy. Inside disclose/ and for the
 * checker's view at the site; a gate holds raw facts and never leaves.
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
};

struct gate {
    const struct result *result;
    const struct policy *policy;
    struct verdict **verdicts; /* [table][cell] */
    struct arena *arena;
};

/* ST_UNSAFE where a table may not leave at all. */
MUST_CHECK enum status gate_run(const struct result *r, const struct policy *p, struct gate **out,
                                struct err *e);
void gate_free(struct gate *g); /* NULL is fine */

#endif
