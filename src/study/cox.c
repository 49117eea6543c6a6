/* SPDX-License-Identifier: Apache-2.0
 *
 * cox: proportional hazards, Efron's ties, stratified by site: each site has its own baseline hazard and only
 * its gradient and information leave it. That is exact, and it is the honest model where sites' base rates
 * differ; an un-stratified exact fit would have to send the risk set at each event, which shows single
 * people.
 */
#include <stdlib.h>
#include <string.h>

#include "study/followup.h"
#include "study/models.h"

struct cox {
    const char *name;
    size_t cohort;
    struct followup followup;
    struct design design;
};

static enum status cox_parse(const struct js *specification, const struct analysis_scope *scope, void **spec,
                             struct err *e)
{
    const char *allowed[16] = {"kind", "cohort", "covariates"};
    size_t n = 3;
    for (size_t i = 0; followup_members[i]; i++)
        allowed[n++] = followup_members[i];
    struct cox *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    followup_read(&s, &c->followup);
    design_read(&s, true, false, &c->design);
    *spec = c;
    return spec_done(&s);
}

static enum status cox_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct cox *c = spec;
    *n = newton_size(newton_form(c->design.p, false), !parameters);
    return parameters ? newton_check(parameters, c->design.p, e) : ST_OK;
}

static sum_t cox_bound(const void *spec, const struct js *parameters, size_t i)
{
    return newton_bound(newton_form(((const struct cox *)spec)->design.p, false), !parameters, i);
}

/* Rows by days, latest first; equal days keep the order of persons. */
struct sorted {
    const int32_t *days;
    size_t row;
};

static int latest_first(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int32_t dx = x->days[x->row], dy = y->days[y->row];
    if (dx != dy)
        return dx < dy ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static void sort_rows(size_t n, size_t p, double **x, int32_t *days, double *event, uint8_t *status)
{
    struct sorted *order = xmalloc((n + 1) * sizeof *order);
    double *sorted_x = xmalloc((n * p + 1) * sizeof *sorted_x),
           *sorted_event = xmalloc((n + 1) * sizeof *sorted_event);
    int32_t *sorted_days = xmalloc((n + 1) * sizeof *sorted_days);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct sorted){days, i};
    qsort(order, n, sizeof *order, latest_first);
    for (size_t i = 0; i < n; i++) {
        memcpy(sorted_x + i * p, *x + order[i].row * p, p * sizeof **x);
        sorted_days[i] = days[order[i].row];
        sorted_event[i] = status[order[i].row] == EVENT;
    }
    memcpy(days, sorted_days, n * sizeof *days);
    memcpy(event, sorted_event, n * sizeof *event);
    for (size_t i = 0; i < n; i++)
        status[i] = event[i] != 0;
    free(*x);
    *x = sorted_x;
    free(order);
    free(sorted_days);
    free(sorted_event);
}

static void cox_sums(const struct cox *c, const struct js *parameters, const double *x, const int32_t *days,
                     const double *event, const uint8_t *dead, size_t n, struct sums *out)
{
    size_t p = c->design.p;
    struct cox_data data = {n, p, x, days, dead, NULL};
    struct likelihood likelihood = {p, &data, cox_at, NULL};
    struct model_counts counts = {.column_rows = xcalloc(p, sizeof(int64_t)),
                                  .column_events = xcalloc(p, sizeof(int64_t))};
    model_count(&c->design, x, event, n, &counts);
    newton_local(&likelihood, parameters, &counts, out);
    free(counts.column_rows);
    free(counts.column_events);
}

static enum status cox_local(const void *spec, const struct js *parameters, const struct study_site *site,
                             struct sums *out, struct err *e)
{
    const struct cox *c = spec;
    struct index_rows rows;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    size_t most = rows.n + 1;
    int32_t *days = xmalloc(most * sizeof *days);
    uint8_t *status = xmalloc(most);
    double *event = xmalloc(most * sizeof *event), *x = NULL;
    followup_times(&c->followup, site, &rows, days, status);
    struct parallel parallel[] = {{days, sizeof *days}, {status, sizeof *status}};
    enum status st = design_matrix(&c->design, site, &rows, parallel, 2, &x, e);
    if (st == ST_OK) {
        sort_rows(rows.n, c->design.p, &x, days, event, status);
        cox_sums(c, parameters, x, days, event, status, rows.n, out);
    }
    free(x);
    free(days);
    free(status);
    free(event);
    index_rows_deinit(&rows);
    return st;
}

static enum status cox_next(const void *spec, const struct js *parameters, const struct sums *total,
                            struct js **state, struct js **next, struct err *e)
{
    const struct cox *c = spec;
    return newton_next(newton_form(c->design.p, false), c->design.terms, parameters, total, state, next, e);
}

static enum status cox_finish(const void *spec, const struct js *parameters, const struct sums *total,
                              const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)total;
    const struct cox *c = spec;
    struct fit fit;
    enum status st = newton_fit_of(state, c->design.p, into->arena, &fit, e);
    if (st == ST_OK)
        model_tables(c->name, &c->design, &fit, 1, false, "hazard ratio", into);
    return st;
}

const struct analysis cox_analysis = {
    .kind = "cox",
    .summary = "proportional hazards, Efron's ties, stratified by site",
    .template = "{\"kind\": \"cox\", \"name\": \"cox\", \"cohort\": \"target\", \"outcome\": \"outcome\","
                " \"covariates\": [\"sex\", {\"number\": \"age\", \"per\": 10, \"centre\": 60}]}",
    .output = OUTPUT_REGRESSION,
    .parse = cox_parse,
    .size = cox_size,
    .bound = cox_bound,
    .local = cox_local,
    .next = cox_next,
    .finish = cox_finish,
};
