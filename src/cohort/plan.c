/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/plan.h"

#include <stdlib.h>

void plan_note_fetch(struct cohort_plan *p, const struct criterion *c, uint64_t runs, uint64_t rows,
                     uint64_t bytes, uint64_t events)
{
    GROW(p->steps, p->n + 1, p->capacity);
    p->steps[p->n++] = (struct plan_step){c->path, criterion_specs[c->type].noun, runs, rows, bytes, events};
}

void plan_deinit(struct cohort_plan *p)
{
    free(p->steps);
    *p = (struct cohort_plan){0};
}
