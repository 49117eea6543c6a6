/* SPDX-License-Identifier: Apache-2.0
 *
 * The attacker: what could be worked out from what is printed? For each demand it looks for another table
 * that prints the same and reaches the demanded distance, using nothing of how the pattern was made. This is
 * the release gate for every method. It fails closed: an answer the solver cannot give counts as not safe.
 */
#ifndef ACCORD_DISCLOSE_ATTACK_H
#define ACCORD_DISCLOSE_ATTACK_H

#include "disclose/protect.h"

enum finding { FOUND_SAFE, FOUND_SHORT, FOUND_EXACT };

struct attack_report {
    uint32_t n_demands, n_safe, n_short, n_exact;
    int64_t solves;
    enum finding *findings; /* by demand */
    double *low, *high;     /* what the attacker's interval surely holds, by demand; the whole interval where
                               it is short */
};

/* `hidden` and `room` as in protect_run. */
void attack_run(const struct system *s, const struct room *room, const bool *hidden,
                const struct demand *demands, uint32_t n_demands, const struct insiders *insiders,
                struct attack_report *out);
void attack_report_deinit(struct attack_report *r);

#endif
