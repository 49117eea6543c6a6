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

static void add_step(struct cohort_plan *p, const struct plan_step *more)
{
    struct plan_step *step = find_step(p, more->path);
    if (!step) {
        GROW(p->steps, p->n + 1, p->capacity);
        p->steps[p->n++] = *more;
        return;
    }
    step->estimate += more->estimate;
    step->rows += more->rows;
    step->bytes += more->bytes;
    step->events += more->events;
}

void plan_note_fetch(struct cohort_plan *p, const struct criterion *c, const struct plan_step *more)
{
    struct plan_step named = *more, *step = find_step(p, c->path);
    named.path = c->path;
    named.what = criterion_specs[c->type].noun;
    if (step) /* as a custom era's exposures, by concept and by source concept */
        step->runs += more->runs;
    add_step(p, &named);
}

void plan_add(struct cohort_plan *p, const struct cohort_plan *part)
{
    for (size_t i = 0; i < part->n; i++)
        add_step(p, &part->steps[i]); /* every range counts the same runs */
}

void plan_deinit(struct cohort_plan *p)
{
    free(p->steps);
    *p = (struct cohort_plan){0};
}
