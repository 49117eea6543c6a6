/* SPDX-License-Identifier: Apache-2.0 */
#include "study/dimension.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/vectors.h"

enum { CONCEPT_MALE = 8507, CONCEPT_FEMALE = 8532, CONCEPT_DEPRIVATION = 35812882 };

enum { MOST_STANDARD_IDS = 8 };
/* What UK ethnic categories are mapped to in OMOP's Race vocabulary, by the groups of the census (Chinese is
   Asian there), and SNOMED's "Mixed racial group"; listed so that nothing hangs on a source's hierarchy. Then
   the Ethnicity vocabulary. */
static const struct standard_level {
    const char *label;
    int32_t ids[MOST_STANDARD_IDS];
} ethnic_groups[] = {{"white", {8527, 38003614}},
                     {"asian", {8515, 38003574, 38003575, 38003579, 38003589, 38003590}},
                     {"black", {8516, 38003598, 38003599, 38003600}},
                     {"mixed", {4212311}}},
  hispanic[] = {{"hispanic or latino", {38003563}}, {"not hispanic or latino", {38003564}}};

struct dimension_kind {
    const char *name;
    void (*parse)(struct spec *s, struct dimension *d);
    enum status (*levels)(const struct dimension *d, const struct study_site *site,
                          const struct index_rows *rows, uint16_t *out, struct err *e);
};

static void set_labels(struct spec *s, struct dimension *d, const char *const *labels, size_t n)
{
    d->labels = arena_array(s->scope->arena, n, sizeof *d->labels);
    d->n_levels = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        d->labels[i] = arena_strdup(s->scope->arena, labels[i]);
}

/* sex */

static void parse_sex(struct spec *s, struct dimension *d)
{
    set_labels(s, d, (const char *const[]){"male", "female", "other or unknown"}, 3);
}

/* Male 0, female 1, others 2, without a branch that half of people would mispredict. */
VECTORS static void sex_of(const int32_t *restrict gender, const uint32_t *restrict person, size_t n,
                           uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t g = gender[person[i]];
        out[i] = (uint16_t)((g != CONCEPT_MALE) + ((g != CONCEPT_MALE) & (g != CONCEPT_FEMALE)));
    }
}

static enum status sex_levels(const struct dimension *d, const struct study_site *site,
                              const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)d, (void)e;
    sex_of(store_persons(site->store)->gender, rows->person, rows->n, out);
    return ST_OK;
}

/* age_band */

uint16_t band_of(const double *cuts, size_t n_cuts, double x)
{
    uint16_t i = 0;
    while (i < n_cuts && x >= cuts[i])
        i++;
    return i;
}

const char **band_labels(struct arena *a, const double *cuts, size_t n_cuts, bool whole)
{
    const char **out = arena_array(a, n_cuts + 2, sizeof *out);
    for (size_t i = 0; i <= n_cuts; i++) {
        if (i == n_cuts)
            out[i] = n_cuts ? arena_printf(a, "%g and over", cuts[i - 1]) : arena_strdup(a, "all");
        else if (whole && i)
            out[i] = arena_printf(a, cuts[i] - 1 > cuts[i - 1] ? "%g-%g" : "%g", cuts[i - 1], cuts[i] - 1);
        else if (whole && cuts[0] > 1)
            out[i] = arena_printf(a, "0-%g", cuts[0] - 1);
        else if (i)
            out[i] = arena_printf(a, "%g to under %g", cuts[i - 1], cuts[i]);
        else
            out[i] = arena_printf(a, "under %g", cuts[0]);
    }
    out[n_cuts + 1] = arena_strdup(a, "unknown");
    return out;
}

static void parse_cuts(struct spec *s, struct dimension *d, double least, double most, bool whole)
{
    d->cuts = spec_ascending(s, "cuts", least, most, &d->n_cuts);
    d->labels = band_labels(s->scope->arena, d->cuts, d->n_cuts, whole);
    d->n_levels = (uint32_t)d->n_cuts + 2;
}

static void parse_age(struct spec *s, struct dimension *d)
{
    static const double decades[] = {18, 30, 40, 50, 60, 70, 80};
    parse_cuts(s, d, 1, 120, true);
    for (size_t i = 0; i < d->n_cuts; i++)
        if (d->cuts[i] != floor(d->cuts[i]))
            spec_fault(s, "cuts", "element %zu: ages are whole years", i);
    if (d->n_cuts || s->status != ST_OK)
        return;
    d->n_cuts = sizeof decades / sizeof *decades;
    d->cuts = arena_array(s->scope->arena, d->n_cuts, sizeof *d->cuts);
    memcpy(d->cuts, decades, sizeof decades);
    d->labels = band_labels(s->scope->arena, d->cuts, d->n_cuts, true);
    d->n_levels = (uint32_t)d->n_cuts + 2;
}

/* band[0] is of those whose age is not known, band[1 + years] of others, band[1 + most] of `most` years and more.
 */
VECTORS static void bands_of(const int16_t *restrict age, size_t n, int32_t most,
                             const int32_t *restrict band, uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t years = age[i];
        years = years > most ? most : years;
        years = years < -1 ? -1 : years;
        out[i] = (uint16_t)band[(uint32_t)(years + 1)];
    }
}

static enum status age_levels(const struct dimension *d, const struct study_site *site,
                              const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    enum { AGES = 256 };
    int16_t *age = xmalloc((rows->n + 1) * sizeof *age);
    int32_t band[AGES + 2]; /* see bands_of */
    ages_at_start(store_persons(site->store), rows, age);
    for (int years = 0; years < AGES; years++)
        band[1 + years] = band_of(d->cuts, d->n_cuts, years);
    band[1 + AGES] = (int32_t)d->n_cuts; /* cuts end at 120 */
    band[0] = (int32_t)d->n_cuts + 1;
    bands_of(age, rows->n, AGES, band, out);
    free(age);
    return ST_OK;
}

/* deprivation */

static void parse_deprivation(struct spec *s, struct dimension *d, uint32_t groups)
{
    int32_t *id = arena_alloc(s->scope->arena, sizeof *id);
    *id = (int32_t)spec_int(s, "concept", 1, INT32_MAX, CONCEPT_DEPRIVATION);
    d->concepts = (struct concept_list){id, 1, false};
    d->n_levels = groups + 1;
    d->labels = arena_array(s->scope->arena, groups + 1, sizeof *d->labels);
    for (uint32_t i = 0; i < groups; i++)
        d->labels[i] = arena_printf(s->scope->arena, "%u%s", i + 1,
                                    i == 0            ? " (most deprived)"
                                    : i + 1 == groups ? " (least deprived)"
                                                      : "");
    d->labels[groups] = "unknown";
}

static void parse_quintile(struct spec *s, struct dimension *d)
{
    parse_deprivation(s, d, 5);
}

static void parse_decile(struct spec *s, struct dimension *d)
{
    parse_deprivation(s, d, 10);
}

/* Tenths into 5 or 10 groups. In whole steps of 2^-52, which every number from 1 to 10 is made of: compilers do
 * not make vectors of a choice by comparing doubles again. */
VECTORS static void groups_of(const double *restrict value, size_t n, uint32_t groups, uint16_t *restrict out)
{
    int32_t unknown = (int32_t)groups, shift = groups == 5;
    for (size_t i = 0; i < n; i++) {
        double within = ((value[i] >= 1) & (value[i] <= 10)) ? value[i] : 0.5; /* NaN is not */
        int64_t steps = (int64_t)(within * 0x1p52), part = steps & (((int64_t)1 << 52) - 1);
        int32_t group = ((int32_t)(steps >> 52) - 1) >> shift;
        out[i] = (uint16_t)(part ? unknown : group);
    }
}

static enum status deprivation_levels(const struct dimension *d, const struct study_site *site,
                                      const struct index_rows *rows, uint16_t *out, struct err *e)
{
    uint32_t groups = d->n_levels - 1;
    double *value = xmalloc((rows->n + 1) * sizeof *value);
    enum status st =
        events_latest_value(site, &d->concepts, rows, (struct day_window){-SPEC_UNBOUNDED, 0}, value, e);
    if (st == ST_OK)
        groups_of(value, rows->n, groups, out);
    free(value);
    return st;
}

/* Levels that are lists of ids: ethnicity, hispanic, care_site, region. The last two are "other" and
 * "unknown".
 */

static void parse_group(struct spec *s, const struct js *j, size_t i, const char *ids_key,
                        struct dimension *d)
{
    const char *const allowed[] = {"label", ids_key, NULL};
    char *path = arena_printf(s->scope->arena, "%s.levels[%zu]", s->path, i);
    struct spec level = spec_open(j, path, s->scope, allowed, s->e);
    d->labels[i] = spec_need_text(&level, "label");
    const struct js *ids = spec_array(&level, ids_key, 10000, true, &d->groups[i].n);
    d->groups[i].ids = arena_array(s->scope->arena, d->groups[i].n, sizeof(int64_t));
    for (size_t k = 0; k < d->groups[i].n; k++) {
        d->groups[i].ids[k] = js_int(js_at(ids, k));
        if (!js_is(js_at(ids, k), JS_INTEGER))
            spec_fault(&level, ids_key, "element %zu: expected a whole number", k);
    }
    spec_join(s, spec_done(&level));
}

static void alloc_groups(struct spec *s, struct dimension *d, size_t n)
{
    d->n_levels = (uint32_t)n + 2;
    d->labels = arena_array(s->scope->arena, n + 2, sizeof *d->labels);
    d->groups = arena_array(s->scope->arena, n + 1, sizeof *d->groups);
    d->labels[n] = "other";
    d->labels[n + 1] = "unknown";
}

static bool parse_groups(struct spec *s, struct dimension *d, const char *ids_key, bool required)
{
    size_t n;
    const struct js *levels = spec_array(s, "levels", MAX_LEVELS - 2, required, &n);
    if (!levels)
        return false;
    alloc_groups(s, d, n);
    for (size_t i = 0; i < n && spec_goes_on(s); i++)
        parse_group(s, js_at(levels, i), i, ids_key, d);
    return true;
}

static void standard_groups(struct spec *s, struct dimension *d, const struct standard_level *levels,
                            size_t n)
{
    if (parse_groups(s, d, "concepts", false))
        return;
    alloc_groups(s, d, n);
    for (size_t i = 0; i < n; i++) {
        d->labels[i] = levels[i].label;
        d->groups[i].ids = arena_array(s->scope->arena, MOST_STANDARD_IDS, sizeof(int64_t));
        while (d->groups[i].n < MOST_STANDARD_IDS && levels[i].ids[d->groups[i].n]) {
            d->groups[i].ids[d->groups[i].n] = levels[i].ids[d->groups[i].n];
            d->groups[i].n++;
        }
    }
}

static void parse_ethnicity(struct spec *s, struct dimension *d)
{
    standard_groups(s, d, ethnic_groups, sizeof ethnic_groups / sizeof *ethnic_groups);
}

static void parse_hispanic(struct spec *s, struct dimension *d)
{
    standard_groups(s, d, hispanic, sizeof hispanic / sizeof *hispanic);
}

static bool below(const struct store *s, int32_t ancestor, int32_t id)
{
    const int32_t *ids;
    uint32_t n;
    store_descendants(s, ancestor, &ids, &n);
    for (uint32_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static uint16_t group_of(const struct dimension *d, const struct store *s, int64_t id, bool concepts)
{
    uint32_t n = d->n_levels - 2;
    for (uint32_t g = 0; g < n; g++)
        for (size_t k = 0; k < d->groups[g].n; k++)
            if (d->groups[g].ids[k] == id)
                return (uint16_t)g;
    for (uint32_t g = 0; concepts && g < n; g++)
        for (size_t k = 0; k < d->groups[g].n; k++)
            if (below(s, (int32_t)d->groups[g].ids[k], (int32_t)id))
                return (uint16_t)g;
    return (uint16_t)n;
}

/* Few distinct concepts occur: the last answer is kept. */
static void concept_groups(const struct dimension *d, const struct store *s, const int32_t *concept_of,
                           const struct index_rows *rows, uint16_t *out)
{
    int32_t last = NONE_I32;
    uint16_t answer = (uint16_t)(d->n_levels - 1);
    for (size_t i = 0; i < rows->n; i++) {
        int32_t id = concept_of[rows->person[i]];
        if (id != last) {
            last = id;
            answer = id == NONE_I32 || id == 0 ? (uint16_t)(d->n_levels - 1) : group_of(d, s, id, true);
        }
        out[i] = answer;
    }
}

static enum status ethnicity_levels(const struct dimension *d, const struct study_site *site,
                                    const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    concept_groups(d, site->store, store_persons(site->store)->race, rows, out);
    return ST_OK;
}

static enum status hispanic_levels(const struct dimension *d, const struct study_site *site,
                                   const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    concept_groups(d, site->store, store_persons(site->store)->ethnicity, rows, out);
    return ST_OK;
}

static void parse_ids(struct spec *s, struct dimension *d)
{
    parse_groups(s, d, "ids", true);
}

static enum status care_site_levels(const struct dimension *d, const struct study_site *site,
                                    const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    const int32_t *care_site = store_persons(site->store)->care_site;
    for (size_t i = 0; i < rows->n; i++) {
        struct store_care_site c;
        int32_t at = care_site[rows->person[i]];
        bool known = at >= 0 && store_care_site(site->store, (uint32_t)at, &c);
        out[i] = known ? group_of(d, site->store, c.id, false) : (uint16_t)(d->n_levels - 1);
    }
    return ST_OK;
}

static enum status region_levels(const struct dimension *d, const struct study_site *site,
                                 const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    const int32_t *location = store_persons(site->store)->location;
    for (size_t i = 0; i < rows->n; i++) {
        struct store_place place;
        int32_t at = location[rows->person[i]];
        bool known = at >= 0 && store_place(site->store, (uint32_t)at, &place);
        out[i] = known ? group_of(d, site->store, place.id, false) : (uint16_t)(d->n_levels - 1);
    }
    return ST_OK;
}

/* entry_year */

static void parse_year(struct spec *s, struct dimension *d)
{
    d->from = (int32_t)spec_int(s, "from", 1900, 2200, SPEC_REQUIRED_INT);
    d->to = (int32_t)spec_int(s, "to", 1900, 2200, SPEC_REQUIRED_INT);
    if (s->status != ST_OK)
        return;
    if (d->to < d->from) {
        spec_fault(s, "to", "lies before 'from'");
        return;
    }
    d->n_levels = (uint32_t)(d->to - d->from) + 3;
    d->labels = arena_array(s->scope->arena, d->n_levels, sizeof *d->labels);
    d->labels[0] = arena_printf(s->scope->arena, "before %d", d->from);
    for (int32_t y = d->from; y <= d->to; y++)
        d->labels[y - d->from + 1] = arena_printf(s->scope->arena, "%d", y);
    d->labels[d->n_levels - 1] = arena_printf(s->scope->arena, "after %d", d->to);
}

static enum status year_levels(const struct dimension *d, const struct study_site *site,
                               const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)site, (void)e;
    for (size_t i = 0; i < rows->n; i++) {
        int y = date_year(rows->start[i]);
        out[i] = (uint16_t)(y < d->from ? 0 : y > d->to ? d->n_levels - 1 : (uint32_t)(y - d->from + 1));
    }
    return ST_OK;
}

/* entry_month */

static int months_of(int year, int month)
{
    return 12 * year + month - 1;
}

/* "2012-01" as months since the year 0. */
static int32_t read_month(struct spec *s, const char *key)
{
    const char *text = spec_need_text(s, key);
    char day[11];
    int32_t date;
    if (s->status != ST_OK)
        return 0;
    snprintf(day, sizeof day, "%.7s-01", text);
    if (strlen(text) != 7 || !date_parse(slice_of(day), &date)) {
        spec_fault(s, key, "expected a month as \"2012-01\"");
        return 0;
    }
    int y, m, d;
    date_parts(date, &y, &m, &d);
    return months_of(y, m);
}

static void parse_month(struct spec *s, struct dimension *d)
{
    d->from = read_month(s, "from");
    d->to = read_month(s, "to");
    if (s->status == ST_OK && d->to < d->from)
        spec_fault(s, "to", "lies before 'from'");
    if (s->status == ST_OK && d->to - d->from + 3 > MAX_LEVELS)
        spec_fault(s, "to", "makes more than %d months", MAX_LEVELS - 2);
    if (s->status != ST_OK)
        return;
    struct arena *a = s->scope->arena;
    d->n_levels = (uint32_t)(d->to - d->from) + 3;
    d->labels = arena_array(a, d->n_levels, sizeof *d->labels);
    d->labels[0] = arena_printf(a, "before %04d-%02d", d->from / 12, d->from % 12 + 1);
    for (int32_t m = d->from; m <= d->to; m++)
        d->labels[m - d->from + 1] = arena_printf(a, "%04d-%02d", m / 12, m % 12 + 1);
    d->labels[d->n_levels - 1] = arena_printf(a, "after %04d-%02d", d->to / 12, d->to % 12 + 1);
}

VECTORS static void month_level(const int32_t *restrict year, const int32_t *restrict month, size_t n,
                                int32_t from, int32_t to, uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t m = months_of(year[i], month[i]);
        m = m < from ? from - 1 : m;
        m = m > to ? to + 1 : m;
        out[i] = (uint16_t)(m - from + 1);
    }
}

static enum status month_levels(const struct dimension *d, const struct study_site *site,
                                const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)site, (void)e;
    enum { ROWS = 512 };
    int32_t year[ROWS], month[ROWS], day[ROWS];
    for (size_t first = 0; first < rows->n; first += ROWS) {
        size_t n = rows->n - first < ROWS ? rows->n - first : ROWS;
        date_parts_all(rows->start + first, n, year, month, day);
        month_level(year, month, n, d->from, d->to, out + first);
    }
    return ST_OK;
}

/* concept, measurement, cohort */

static const struct day_window before_entry = {-SPEC_UNBOUNDED, 0};

static void parse_concept(struct spec *s, struct dimension *d)
{
    d->concepts = spec_concepts(s, true);
    d->window = spec_window(s, "window", before_entry);
    set_labels(s, d, (const char *const[]){"no", "yes"}, 2);
}

static enum status concept_levels(const struct dimension *d, const struct study_site *site,
                                  const struct index_rows *rows, uint16_t *out, struct err *e)
{
    uint8_t *any = xmalloc(rows->n + 1);
    enum status st = events_any(site, &d->concepts, rows, d->window, any, e);
    for (size_t i = 0; st == ST_OK && i < rows->n; i++)
        out[i] = any[i];
    free(any);
    return st;
}

static void parse_measurement(struct spec *s, struct dimension *d)
{
    d->concepts = spec_concepts(s, true);
    d->window = spec_window(s, "window", before_entry);
    parse_cuts(s, d, -1e12, 1e12, false);
    if (!d->n_cuts)
        spec_fault(s, "cuts", "required: where the values are cut into levels");
}

/* As band_of, cut by cut for all values: each that a value reaches is one band further. */
VECTORS static void count_cuts(const double *restrict value, size_t n, double cut, uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t)(out[i] + (value[i] >= cut));
}

VECTORS static void mark_missing(const double *restrict value, size_t n, uint16_t level,
                                 uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = value[i] == value[i] ? out[i] : level;
}

static enum status measurement_levels(const struct dimension *d, const struct study_site *site,
                                      const struct index_rows *rows, uint16_t *out, struct err *e)
{
    double *value = xmalloc((rows->n + 1) * sizeof *value);
    enum status st = events_latest_value(site, &d->concepts, rows, d->window, value, e);
    memset(out, 0, rows->n * sizeof *out);
    for (size_t c = 0; st == ST_OK && c < d->n_cuts; c++)
        count_cuts(value, rows->n, d->cuts[c], out);
    mark_missing(value, rows->n, (uint16_t)(d->n_cuts + 1), out);
    free(value);
    return st;
}

static void parse_cohort(struct spec *s, struct dimension *d)
{
    d->cohort = spec_cohort(s, "cohort", true);
    d->window = spec_window(s, "window", (struct day_window){-SPEC_UNBOUNDED, SPEC_UNBOUNDED});
    set_labels(s, d, (const char *const[]){"no", "yes"}, 2);
}

static enum status cohort_levels(const struct dimension *d, const struct study_site *site,
                                 const struct index_rows *rows, uint16_t *out, struct err *e)
{
    (void)e;
    uint8_t *any = xmalloc(rows->n + 1);
    cohort_any(&site->cohorts[d->cohort], rows, d->window, any);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = any[i];
    free(any);
    return ST_OK;
}

static const struct dimension_kind kinds[] = {
    {"sex", parse_sex, sex_levels},
    {"age_band", parse_age, age_levels},
    {"deprivation_quintile", parse_quintile, deprivation_levels},
    {"deprivation_decile", parse_decile, deprivation_levels},
    {"ethnicity", parse_ethnicity, ethnicity_levels},
    {"hispanic", parse_hispanic, hispanic_levels},
    {"care_site", parse_ids, care_site_levels},
    {"region", parse_ids, region_levels},
    {"entry_year", parse_year, year_levels},
    {"entry_month", parse_month, month_levels},
    {"concept", parse_concept, concept_levels},
    {"measurement", parse_measurement, measurement_levels},
    {"cohort", parse_cohort, cohort_levels},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static void read_reference(struct spec *s, struct dimension *d)
{
    const char *label = spec_text(s, "reference", d->labels[0]);
    while (d->reference < d->n_levels && strcmp(d->labels[d->reference], label) != 0)
        d->reference++;
    if (d->reference == d->n_levels)
        spec_fault(s, "reference", "'%.40s' is not a level of %s; levels start with '%s'", label, d->name,
                   d->labels[0]);
}

enum status dimension_parse(const struct js *j, const char *path, const struct analysis_scope *scope,
                            struct dimension *out, struct err *e)
{
    static const char *const allowed[] = {"by",     "name",      "cuts",     "concept",     "levels",
                                          "from",   "to",        "concepts", "descendants", "window",
                                          "cohort", "reference", NULL};
    const char *names[N_KINDS + 1] = {NULL};
    struct js *named = NULL;
    if (js_is(j, JS_STRING)) {
        named = js_object();
        js_put_str(named, "by", js_str(j));
    }
    struct spec s = spec_open(named ? named : j, path, scope, allowed, e);
    for (int i = 0; i < N_KINDS; i++)
        names[i] = kinds[i].name;
    *out = (struct dimension){.kind = spec_choice(&s, "by", names, -1)};
    out->name = spec_text(&s, "name", kinds[out->kind].name);
    bool known = !s.faulty || strcmp(s.faulty, "by") != 0;
    if (known && spec_goes_on(&s))
        kinds[out->kind].parse(&s, out);
    if (s.status == ST_OK)
        read_reference(&s, out);
    js_free(named);
    return spec_done(&s);
}

void spec_dimension(struct spec *s, const struct js *j, const char *path, struct dimension *out)
{
    if (spec_goes_on(s))
        spec_join(s, dimension_parse(j, path, s->scope, out, s->e));
}

struct dimension *spec_dimensions(struct spec *s, const char *key, size_t most, bool required, size_t *n_out)
{
    const struct js *list = spec_array(s, key, most, required, n_out);
    struct dimension *out = arena_array(s->scope->arena, *n_out + 1, sizeof *out);
    for (size_t i = 0; i < *n_out && spec_goes_on(s); i++) {
        spec_dimension(s, js_at(list, i), arena_printf(s->scope->arena, "%s.%s[%zu]", s->path, key, i),
                       &out[i]);
        for (size_t k = 0; k < i; k++)
            if (s->status == ST_OK && strcmp(out[k].name, out[i].name) == 0)
                spec_fault(s, key, "'%s' is there twice; give one of them another \"name\"", out[i].name);
    }
    return out;
}

enum status dimension_levels(const struct dimension *d, const struct study_site *site,
                             const struct index_rows *rows, uint16_t *out, struct err *e)
{
    return kinds[d->kind].levels(d, site, rows, out, e);
}

size_t strata_count(const struct dimension *d, size_t n)
{
    size_t count = 1;
    for (size_t i = 0; i < n && count <= SUMS_MAX; i++)
        count *= d[i].n_levels;
    return count;
}

VECTORS static void add_levels(uint32_t *restrict stratum, const uint16_t *restrict level, size_t n,
                               uint32_t n_levels)
{
    for (size_t i = 0; i < n; i++)
        stratum[i] = stratum[i] * n_levels + level[i];
}

enum status strata_levels(const struct dimension *d, size_t n, const struct study_site *site,
                          const struct index_rows *rows, uint32_t *out, struct err *e)
{
    uint16_t *level = xmalloc((rows->n + 1) * sizeof *level);
    enum status st = ST_OK;
    memset(out, 0, rows->n * sizeof *out);
    for (size_t k = 0; st == ST_OK && k < n; k++) {
        st = dimension_levels(&d[k], site, rows, level, e);
        if (st == ST_OK)
            add_levels(out, level, rows->n, d[k].n_levels);
    }
    free(level);
    return st;
}

bool dimension_is_age(const struct dimension *d)
{
    return kinds[d->kind].levels == age_levels;
}

struct dimension age_dimension(struct spec *s, const int *cuts, size_t n)
{
    struct dimension d = {0};
    struct js *j = js_object(), *list = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(list, js_integer(cuts[i]));
    js_put_str(j, "by", "age_band");
    js_put(j, "cuts", list);
    if (s->status == ST_OK)
        s->status = dimension_parse(j, s->path, s->scope, &d, s->e);
    js_free(j);
    return d;
}
