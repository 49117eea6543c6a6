/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct plan_step *find_step(struct cohort_plan *p, const char *path)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->steps[i].path, path) == 0)
            return &p->steps[i];
    return NULL;
}

void plan_note_fetch(struct cohort_plan *p, const struct criterion *c, uint64_t runs, uint64_t rows,
                     uint64_t bytes, uint64_t events)
{
    struct plan_step *step = find_step(p, c->path);
    if (step) { /* as a custom era's exposures, by concept and by source concept */
        step->runs += runs;
        step->rows += rows;
        step->bytes += bytes;
        step->events += events;
        return;
    }
    GROW(p->steps, p->n + 1, p->capacity);
    p->steps[p->n++] = (struct plan_step){c->path, criterion_specs[c->type].noun, runs, rows, bytes, events};
}

void plan_add(struct cohort_plan *p, const struct cohort_plan *part)
{
    for (size_t i = 0; i < part->n; i++) {
        const struct plan_step *from = &part->steps[i];
        struct plan_step *step = find_step(p, from->path);
        if (!step) {
            GROW(p->steps, p->n + 1, p->capacity);
            p->steps[p->n++] = *from;
            continue;
        }
        step->bytes += from->bytes;
        step->events += from->events;
    }
}

void plan_deinit(struct cohort_plan *p)
{
    free(p->steps);
    *p = (struct cohort_plan){0};
}
