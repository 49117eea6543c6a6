/* SPDX-License-Identifier: Apache-2.0
 *
 * crosstab: persons of a cohort by up to six dimensions, each person once at the first entry, with all
 * margins.
 */
#include <stdlib.h>

#include "study/members.h"
#include "study/tables.h"

enum { MOST_CELLS = 200000 };

struct crosstab {
    const char *name, *cohort_name;
    size_t cohort, n_dimensions, n_strata;
    struct dimension *dimensions;
};

static enum status crosstab_parse(const struct js *specification, const struct analysis_scope *scope,
                                  void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind", "cohort", "by", NULL};
    struct crosstab *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    c->dimensions = spec_dimensions(&s, "by", MAX_DIMENSIONS, true, &c->n_dimensions);
    if (s.status == ST_OK) {
        c->cohort_name = scope->cohorts[c->cohort];
        c->n_strata = strata_count(c->dimensions, c->n_dimensions);
        if (c->n_strata > MOST_CELLS)
            spec_fault(&s, "by", "these dimensions make more than %d cells; take fewer or coarser ones",
                       MOST_CELLS);
    }
    *spec = c;
    return spec_done(&s);
}

static enum status crosstab_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = ((const struct crosstab *)spec)->n_strata;
    return spec_no_parameters(parameters, e);
}

static enum status crosstab_local(const void *spec, const struct js *parameters,
                                  const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    const struct crosstab *c = spec;
    struct index_rows rows;
    index_rows_view(&site->cohorts[c->cohort], &rows);
    uint32_t *stratum = xmalloc((rows.n + 1) * sizeof *stratum);
    enum status st = strata_levels(c->dimensions, c->n_dimensions, site, &rows, stratum, e);
    if (st == ST_OK)
        sums_count_each(out, 0, c->n_strata, stratum, rows.n);
    free(stratum);
    index_rows_deinit(&rows);
    return st;
}

static enum status crosstab_members(const void *spec, const struct study_site *site, struct members *into,
                                    struct err *e)
{
    const struct crosstab *c = spec;
    struct index_rows rows;
    if (!site) {
        members_table(into, c->name, c->dimensions, c->n_dimensions, NULL, NULL, 0);
        return ST_OK;
    }
    index_rows_view(&site->cohorts[c->cohort], &rows);
    uint32_t *stratum = xmalloc((rows.n + 1) * sizeof *stratum);
    enum status st = strata_levels(c->dimensions, c->n_dimensions, site, &rows, stratum, e);
    if (st == ST_OK)
        members_table(into, c->name, c->dimensions, c->n_dimensions, rows.person, stratum, rows.n);
    free(stratum);
    index_rows_deinit(&rows);
    return st;
}

static enum status crosstab_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                   const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct crosstab *c = spec;
    struct result_table *t = table_new(into, table_name(into, c->name, ""),
                                       arena_printf(into->arena, "Persons of %s", c->cohort_name), "persons",
                                       OUTPUT_COUNT, c->dimensions, c->n_dimensions);
    double *strata = arena_array(into->arena, c->n_strata, sizeof *strata);
    for (size_t i = 0; i < c->n_strata; i++)
        strata[i] = (double)sums_get_count(total, i);
    const double *cells = table_roll_up(into, t, strata);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = (int64_t)cells[i];
        t->cells[i].value = cells[i];
    }
    return ST_OK;
}

const struct analysis crosstab_analysis = {
    .kind = "crosstab",
    .summary = "persons of a cohort by sex, age, deprivation, concepts, other cohorts",
    .template =
        "{\"kind\": \"crosstab\", \"name\": \"by_age_sex\", \"cohort\": \"target\","
        " \"by\": [\"sex\", {\"by\": \"age_band\", \"cuts\": [18, 40, 65, 80]}, \"deprivation_quintile\"]}",
    .output = OUTPUT_COUNT,
    .keyed = true,
    .parse = crosstab_parse,
    .size = crosstab_size,
    .part_persons = PART_PERSONS,
    .local = crosstab_local,
    .members = crosstab_members,
    .finish = crosstab_finish,
};
