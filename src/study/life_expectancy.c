/* SPDX-License-Identifier: Apache-2.0
 *
 * life_expectancy: abridged life tables by the levels of one dimension, from deaths and person-years in the
 * twenty usual bands (under 1, 1-4, 5-9, ... 90 and over). The sums are those of incidence over one interval,
 * with death as the outcome.
 */
#include <math.h>

#include "stats/life.h"
#include "study/rates.h"

enum { BANDS = 20, STRIDE = BANDS + 1 }; /* and "unknown" */

struct life_expectancy {
    struct rates rates; /* by: the groups (if any), then age */
    size_t n_groups;
    const double *ages; /* band starts to tell the expectancy at */
    size_t n_ages;
    double starts[BANDS];
};

static struct dimension life_bands(struct spec *s, double starts[BANDS])
{
    int cuts[BANDS - 1];
    starts[0] = 0;
    for (int i = 0; i < BANDS - 1; i++) {
        cuts[i] = i ? 5 * i : 1;
        starts[i + 1] = cuts[i];
    }
    return age_dimension(s, cuts, BANDS - 1);
}

static size_t band_at(const struct life_expectancy *c, double age)
{
    size_t i = 0;
    while (i < BANDS && c->starts[i] != age)
        i++;
    return i;
}

static void read_ages(struct spec *s, struct life_expectancy *c)
{
    static const double usual[] = {0, 65};
    c->ages = spec_ascending(s, "ages", 0, 90, &c->n_ages);
    for (size_t i = 0; c->ages && i < c->n_ages; i++)
        if (band_at(c, c->ages[i]) == BANDS)
            spec_fault(s, "ages", "%g is not where a band begins: expected 0, 1, 5, 10, ... 90", c->ages[i]);
    if (c->ages)
        return;
    c->ages = usual;
    c->n_ages = sizeof usual / sizeof *usual;
}

static enum status life_parse(const struct js *specification, const struct analysis_scope *scope, void **spec,
                              struct err *e)
{
    static const char *const allowed[] = {"kind", "outcome", "cohort", "from", "to", "prior_observation_days",
                                          "by",   "ages",    NULL};
    struct life_expectancy *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    struct dimension *by = arena_array(scope->arena, 2, sizeof *by);
    const struct js *group = js_get(specification, "by");
    rates_read(&s, false, &c->rates);
    c->n_groups = 1;
    if (group)
        spec_dimension(&s, group, spec_path(&s, "by"), &by[c->rates.n_by++]);
    if (s.status == ST_OK && group && dimension_is_age(&by[0]))
        spec_fault(&s, "by", "a life table is over all ages");
    if (group)
        c->n_groups = by[0].n_levels;
    by[c->rates.n_by++] = life_bands(&s, c->starts);
    read_ages(&s, c);
    c->rates.by = by;
    rates_prepare(&s, INTERVAL_OVERALL, false, &c->rates);
    *spec = c;
    return spec_done(&s);
}

static enum status life_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = rates_n_sums(&((const struct life_expectancy *)spec)->rates);
    return spec_no_parameters(parameters, e);
}

static enum status life_local(const void *spec, const struct js *parameters, const struct study_site *site,
                              struct sums *out, struct err *e)
{
    (void)parameters;
    return rates_sums(&((const struct life_expectancy *)spec)->rates, site, out, e);
}

/* Of the groups, or of everybody. */
static uint32_t group_of(const struct rates *r, uint32_t stratum)
{
    (void)r;
    return stratum % STRIDE < BANDS ? stratum / STRIDE : RATES_UNPRINTED;
}

static enum status life_members(const void *spec, const struct study_site *site, struct members *into,
                                struct err *e)
{
    const struct rates *r = &((const struct life_expectancy *)spec)->rates;
    return rates_collect(r, &(struct rates_printed){r->by, r->n_by - 1, group_of}, site, into, e);
}

/* One group's life table; people of unknown age are in none. */
struct group {
    struct life_band bands[BANDS];
    double persons, deaths;
};

static void add_group(const struct life_expectancy *c, const struct sums *total, size_t group,
                      struct group *out)
{
    for (size_t i = 0; i < BANDS; i++) {
        size_t at = (group * STRIDE + i) * RATES_N_FIGURES;
        out->bands[i].start = c->starts[i];
        out->bands[i].population += (double)sums_get_count(total, at + RATES_DAYS) / DAYS_PER_YEAR;
        out->bands[i].deaths += (double)sums_get_count(total, at + RATES_EVENTS);
        out->persons += (double)sums_get_count(total, at + RATES_PERSONS);
        out->deaths += (double)sums_get_count(total, at + RATES_EVENT_PERSONS);
    }
}

static enum status fill_group(const struct life_expectancy *c, const struct group *g,
                              struct result_cell *cells, struct err *e)
{
    struct life_row rows[BANDS];
    enum status s = stats_life(g->bands, BANDS, 0.95, rows, e);
    for (size_t i = 0; s == ST_OK && i < c->n_ages; i++) {
        const struct life_row *row = &rows[band_at(c, c->ages[i])];
        table_rests_on(&cells[i], g->persons, g->deaths);
        cells[i].value = row->expectancy.value;
        cells[i].lower = row->expectancy.lower;
        cells[i].upper = row->expectancy.upper;
    }
    return s;
}

static enum status life_finish(const void *spec, const struct js *parameters, const struct sums *total,
                               const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state;
    const struct life_expectancy *c = spec;
    const char **ages = arena_array(into->arena, c->n_ages, sizeof *ages);
    for (size_t i = 0; i < c->n_ages; i++)
        ages[i] = c->ages[i] > 0 ? arena_printf(into->arena, "at %g", c->ages[i]) : "at birth";
    struct dimension dimensions[2] = {c->rates.by[0]};
    size_t n = c->rates.n_by - 1;
    dimensions[n] = plain_dimension("age", ages, c->n_ages);
    dimensions[n].no_total = true;
    struct result_table *t = table_new(into, table_name(into, c->rates.name, ""), "Life expectancy", "years",
                                       OUTPUT_RATE, dimensions, n + 1);
    struct group all = {0};
    for (size_t g = 0; g < c->n_groups; g++)
        add_group(c, total, g, &all);
    enum status s = fill_group(c, &all, t->cells, e);
    for (size_t g = 0; s == ST_OK && n && g < c->n_groups; g++) {
        struct group one = {0};
        add_group(c, total, g, &one);
        s = fill_group(c, &one, t->cells + (g + 1) * c->n_ages, e);
    }
    return s;
}

const struct analysis life_expectancy_analysis = {
    .kind = "life_expectancy",
    .summary = "life expectancy at birth and at other ages, by one dimension",
    .template = "{\"kind\": \"life_expectancy\", \"name\": \"life\", \"outcome\": \"outcome\","
                " \"from\": \"2022-01-01\", \"to\": \"2024-12-31\", \"by\": \"sex\", \"ages\": [0, 65]}",
    .output = OUTPUT_RATE,
    .parse = life_parse,
    .size = life_size,
    .part_persons = PART_PERSONS,
    .local = life_local,
    .members = life_members,
    .finish = life_finish,
};
