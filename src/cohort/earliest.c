/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way to the entry events of a cohort that keeps one event per person, the earliest, and looks at
 * nothing of it but its day: no sorting, one number per person. A third of the published cohorts enter so.
 *
 * Rows are walked run by run. Per person the earliest day that lies in a period of observation is kept; with
 * First it is the earliest day of all that has to. A bitmap says who has a day, so the days need no clearing.
 */
#include <stdlib.h>

#include "base/date.h"
#include "cohort/engine.h"
#include "cohort/plan.h"

struct earliest {
    const struct engine *g;
    const struct criterion *c;
    const struct person_set *candidates;
    bool observed; /* only days that lie in a period of observation count */
    struct first_days days;
    uint64_t runs, rows;
};

bool earliest_applies(const struct cohort_definition *d, unsigned needs)
{
    const struct criterion *c = &d->primary[0];
    return d->n_primary == 1 && d->primary_limit == LIMIT_FIRST && needs == 0 && c->n_attributes == 0 &&
           !c->has_source_set && !c->adjustment && !c->period && !c->nested &&
           criterion_specs[c->type].table != STORE_N_TABLES;
}

static bool observed(const struct engine *g, uint32_t person, int32_t day, uint32_t *period)
{
    const struct store_periods *p = g->periods;
    for (uint32_t k = p->offset[person]; k < p->offset[person + 1]; k++) {
        *period = k;
        if (day >= p->start[k] && day <= p->end[k] && (int64_t)day - g->d->prior_days >= p->start[k] &&
            (int64_t)day + g->d->post_days <= p->end[k])
            return true;
    }
    return false;
}

static void offer(struct earliest *x, uint32_t person, int32_t day)
{
    uint64_t bit = (uint64_t)1 << (person & 63), *word = &x->days.has[person >> 6];
    uint32_t period;
    if (((*word & bit) && x->days.day[person] <= day) || !person_set_has(x->candidates, person))
        return;
    if (x->observed && !observed(x->g, person, day, &period))
        return;
    *word |= bit;
    x->days.day[person] = day;
}

static enum status walk_run(struct earliest *x, const struct store_run *r, struct err *e)
{
    enum store_table t = criterion_specs[x->c->type].table;
    int32_t person[BLOCK], start[BLOCK];
    enum status s = ST_OK;
    for (uint64_t at = 0; s == ST_OK && at < r->n;) {
        /* whole blocks of the store decode fastest: end where one ends */
        uint64_t first = r->first + at, n = BLOCK - first % STORE_BLOCK_ROWS;
        n = n < r->n - at ? n : r->n - at;
        s = store_read_i32(x->g->store, t, COL_PERSON, first, n, person, e);
        if (s == ST_OK)
            s = store_read_i32(x->g->store, t, COL_START, first, n, start, e);
        for (uint64_t i = 0; s == ST_OK && i < n; i++)
            offer(x, (uint32_t)person[i], start[i]);
        at += n;
    }
    return s;
}

static void collect(const struct earliest *x, struct events *out)
{
    const struct store_periods *p = x->g->periods;
    size_t n_words = (size_t)x->g->persons->n / 64 + 1, n = 0;
    for (size_t w = 0; w < n_words; w++)
        n += (size_t)__builtin_popcountll(x->days.has[w]);
    events_reserve(out, n);
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = x->days.has[w]; left; left &= left - 1) {
            uint32_t person = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left), period;
            if (!observed(x->g, person, x->days.day[person], &period))
                continue;
            out->person[out->n] = person;
            out->start[out->n] = x->days.day[person];
            out->op_start[out->n] = p->start[period];
            out->op_end[out->n++] = p->end[period];
        }
}

static enum status walk(struct earliest *x, struct err *e)
{
    const struct engine *g = x->g;
    enum store_table t = criterion_specs[x->c->type].table;
    const struct id_set *set = x->c->has_set ? engine_set(g, x->c->set) : NULL;
    const struct store_run *all;
    struct store_run run;
    uint32_t n;
    enum status s = ST_OK;
    x->days.has = xcalloc((size_t)g->persons->n / 64 + 1, sizeof *x->days.has);
    x->days.day = xmalloc(g->persons->n * sizeof *x->days.day);
    store_runs(g->store, t, &all, &n);
    for (size_t i = 0; s == ST_OK && i < (set ? set->n : n); i++) {
        if (!set)
            run = all[i];
        else if (!store_run_find(g->store, t, set->ids[i], &run))
            continue;
        s = walk_run(x, &run, e);
        x->rows += run.n;
        x->runs++;
    }
    return s;
}

enum status first_days_find(const struct engine *g, const struct criterion *c,
                            const struct person_set *candidates, struct first_days *out, struct err *e)
{
    struct earliest x = {.g = g, .c = c, .candidates = candidates};
    enum status s = walk(&x, e);
    *out = x.days;
    return s;
}

void first_days_deinit(struct first_days *d)
{
    free(d->has);
    free(d->day);
}

enum status earliest_events(const struct engine *g, struct events *out, struct err *e)
{
    struct person_set everybody = {0};
    struct earliest x = {.g = g, .c = &g->d->primary[0], .candidates = &everybody};
    x.observed = !x.c->first;
    events_init(out, NEED_PERIOD);
    enum status s = walk(&x, e);
    if (s == ST_OK)
        collect(&x, out);
    if (s == ST_OK && g->plan)
        plan_note_fetch(g->plan, x.c, x.runs, x.rows, x.rows * 8, out->n);
    first_days_deinit(&x.days);
    return s;
}
