/* SPDX-License-Identifier: Apache-2.0
 *
 * pathways: which treatments people take after entry, in which order and combination. The order of steps is
 * the definition (after TreatmentPatterns, docs/analyses/pathways.md):
 *
 *   1. records of a treatment at most era_gap_days apart become one era; eras under min_era_days are dropped;
 *   2. time is cut wherever an era starts or ends; a stretch with several eras is a combination;
 *   3. a combination under combination_days is a switch, not a combination, and is dropped, as is a single
 *      treatment for less than min_post_combination_days right after a combination;
 *   4. equal neighbours become one, later repeats are dropped, and the path is cut to max_length.
 *
 * With few treatments and a short path every possible path has its place in the vector, so paths add up over
 * sites like any other count.
 */
#include <stdlib.h>
#include <string.h>

#include "study/members.h"
#include "study/tables.h"

enum { MOST_TREATMENTS = 5, MOST_LENGTH = 4, MOST_PATHS = 200000 };

struct pathways {
    const char *name;
    size_t cohort, n, length, n_paths;
    const char *labels[MOST_TREATMENTS];
    struct concept_list concepts[MOST_TREATMENTS];
    struct day_window window;
    int32_t era_gap, min_era, combination, post_combination;
};

static void read_treatment(struct spec *s, const struct js *j, size_t i, struct pathways *c)
{
    static const char *const allowed[] = {"name", "concepts", "descendants", NULL};
    const char *path = arena_printf(s->scope->arena, "%s.treatments[%zu]", s->path, i);
    struct spec t = spec_open(j, path, s->scope, allowed, s->e);
    c->labels[i] = spec_need_text(&t, "name");
    c->concepts[i] = spec_concepts(&t, true);
    spec_join(s, spec_done(&t));
}

/* Paths of up to `length` of the states 1 ... 2^n - 1, the empty one included. */
static size_t count_paths(size_t n, size_t length)
{
    size_t states = ((size_t)1 << n) - 1, paths = 1, power = 1;
    for (size_t i = 0; i < length; i++) {
        power *= states;
        paths += power;
    }
    return paths;
}

static enum status pathways_parse(const struct js *specification, const struct analysis_scope *scope,
                                  void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind",
                                          "cohort",
                                          "treatments",
                                          "window",
                                          "era_gap_days",
                                          "min_era_days",
                                          "combination_days",
                                          "min_post_combination_days",
                                          "max_length",
                                          NULL};
    struct pathways *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    const struct js *list = spec_array(&s, "treatments", MOST_TREATMENTS, true, &c->n);
    for (size_t i = 0; i < c->n && spec_goes_on(&s); i++)
        read_treatment(&s, js_at(list, i), i, c);
    c->window = spec_window(&s, "window", (struct day_window){0, 1825});
    c->era_gap = (int32_t)spec_int(&s, "era_gap_days", 0, 3650, 30);
    c->min_era = (int32_t)spec_int(&s, "min_era_days", 0, 3650, 0);
    c->combination = (int32_t)spec_int(&s, "combination_days", 0, 3650, 30);
    c->post_combination = (int32_t)spec_int(&s, "min_post_combination_days", 0, 3650, 30);
    c->length = (size_t)spec_int(&s, "max_length", 1, MOST_LENGTH, 3);
    c->n_paths = count_paths(c->n, c->length);
    if (s.status == ST_OK && c->n_paths > MOST_PATHS)
        spec_fault(&s, "max_length", "with %zu treatments makes more than %d paths", c->n, MOST_PATHS);
    *spec = c;
    return spec_done(&s);
}

static enum status pathways_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    *n = ((const struct pathways *)spec)->n_paths;
    return spec_no_parameters(parameters, e);
}

struct era {
    uint32_t row;
    uint32_t treatment; /* or, as a stretch of time, the set of treatments */
    int32_t start, end;
};

struct eras {
    struct era *v;
    size_t n, capacity;
    uint32_t treatment; /* of the scan that is under way */
};

static void add_record(void *context, const struct event *event)
{
    struct eras *e = context;
    GROW(e->v, e->n + 1, e->capacity);
    e->v[e->n++] = (struct era){(uint32_t)event->row, e->treatment, event->day, event->end};
}

/* Of one row: in the order of treatments and days. */
static bool comes_before(const struct era *x, const struct era *y)
{
    if (x->treatment != y->treatment)
        return x->treatment < y->treatment;
    return x->start != y->start ? x->start < y->start : x->end < y->end;
}

static int compare_eras(const void *a, const void *b)
{
    return comes_before(a, b) ? -1 : comes_before(b, a);
}

static void order_row(struct era *e, size_t n)
{
    enum { FEW = 64 };
    if (n > FEW) {
        qsort(e, n, sizeof *e, compare_eras);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct era x = e[i];
        size_t j = i;
        for (; j > 0 && comes_before(&x, &e[j - 1]); j--)
            e[j] = e[j - 1];
        e[j] = x;
    }
}

/* By row, counting; what a row has came treatment by treatment, and mostly in the order of days. */
static void sort_eras(struct eras *e, size_t n_rows)
{
    struct era *sorted = xrealloc_array(NULL, e->n + 1, sizeof *sorted);
    uint32_t *at = xcalloc(n_rows + 2, sizeof *at);
    for (size_t i = 0; i < e->n; i++)
        at[e->v[i].row + 2]++;
    for (size_t r = 0; r < n_rows; r++)
        at[r + 2] += at[r + 1];
    for (size_t i = 0; i < e->n; i++)
        sorted[at[e->v[i].row + 1]++] = e->v[i];
    for (size_t r = 0; r < n_rows; r++)
        order_row(sorted + at[r], at[r + 1] - at[r]);
    free(at);
    free(e->v);
    e->v = sorted;
    e->capacity = e->n + 1;
}

/* Steps 1: records to eras, in place. */
static void collapse(const struct pathways *c, size_t n_rows, struct eras *e)
{
    size_t n = 0;
    sort_eras(e, n_rows);
    for (size_t i = 0; i < e->n; i++) {
        struct era *last = n ? &e->v[n - 1] : NULL;
        if (last && last->row == e->v[i].row && last->treatment == e->v[i].treatment &&
            e->v[i].start - last->end <= c->era_gap)
            last->end = e->v[i].end > last->end ? e->v[i].end : last->end;
        else
            e->v[n++] = e->v[i];
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (e->v[i].end - e->v[i].start + 1 >= c->min_era)
            e->v[kept++] = e->v[i];
    e->n = kept;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void sort_days(int32_t *day, size_t n)
{
    enum { FEW = 64 };
    if (n > FEW)
        qsort(day, n, sizeof *day, ascending);
    for (size_t i = 1; n <= FEW && i < n; i++) {
        int32_t x = day[i];
        size_t j = i;
        for (; j > 0 && x < day[j - 1]; j--)
            day[j] = day[j - 1];
        day[j] = x;
    }
}

/* Step 2: the stretches of one person's eras, in order; `out` and `cuts` have room for 2 n. Eras of one
 * treatment do not touch each other. */
static size_t stretches(const struct era *eras, size_t n, int32_t *cuts, struct era *out)
{
    size_t count = 0;
    if (eras[0].treatment == eras[n - 1].treatment) {
        for (; count < n; count++)
            out[count] = (struct era){0, 1u << eras[count].treatment, eras[count].start, eras[count].end};
        return count;
    }
    for (size_t i = 0; i < n; i++) {
        cuts[2 * i] = eras[i].start;
        cuts[2 * i + 1] = eras[i].end + 1;
    }
    sort_days(cuts, 2 * n);
    for (size_t k = 0; k + 1 < 2 * n; k++) {
        struct era s = {.start = cuts[k], .end = cuts[k + 1] - 1};
        for (size_t i = 0; i < n; i++)
            if (eras[i].start <= s.start && s.end <= eras[i].end)
                s.treatment |= 1u << eras[i].treatment;
        if (s.treatment && s.start <= s.end)
            out[count++] = s;
    }
    return count;
}

static bool combined(uint32_t set)
{
    return (set & (set - 1)) != 0;
}

/* Steps 3 and 4: the place of a person's path. */
static size_t path_of(const struct pathways *c, const struct era *s, size_t n)
{
    size_t states = ((size_t)1 << c->n) - 1, length = 0, place = 0;
    uint32_t path[MOST_LENGTH];
    bool after_combination = false;
    for (size_t i = 0; i < n && length < c->length; i++) {
        int32_t days = s[i].end - s[i].start + 1;
        bool together = combined(s[i].treatment), seen = false;
        if (days < (together ? c->combination : after_combination ? c->post_combination : 0))
            continue;
        after_combination = together;
        for (size_t k = 0; k < length; k++)
            seen |= path[k] == s[i].treatment;
        if (!seen)
            path[length++] = s[i].treatment;
    }
    for (size_t k = 0; k < length; k++)
        place = place * states + path[k] - 1;
    return length ? count_paths(c->n, length - 1) + place : 0;
}

/* The path of every row; rows without eras have the empty one. */
static void paths_of_rows(const struct pathways *c, const struct eras *eras, uint32_t *path)
{
    struct era *found = NULL;
    int32_t *cuts = NULL;
    size_t found_room = 0, cuts_room = 0;
    for (size_t i = 0, last; i < eras->n; i = last) {
        for (last = i + 1; last < eras->n && eras->v[last].row == eras->v[i].row;)
            last++;
        GROW(found, 2 * (last - i), found_room);
        GROW(cuts, 2 * (last - i), cuts_room);
        size_t n = stretches(eras->v + i, last - i, cuts, found);
        path[eras->v[i].row] = (uint32_t)path_of(c, found, n);
    }
    free(found);
    free(cuts);
}

/* The caller frees *path, also on an error. */
static enum status find_paths(const struct pathways *c, const struct study_site *site,
                              const struct index_rows *rows, uint32_t **path, struct err *e)
{
    struct eras eras = {0};
    enum status st = ST_OK;
    *path = xcalloc(rows->n + 1, sizeof **path);
    for (size_t i = 0; st == ST_OK && i < c->n; i++) {
        eras.treatment = (uint32_t)i;
        st = events_scan(site, &c->concepts[i], rows, c->window, EVENT_END, add_record, &eras, e);
    }
    if (st == ST_OK) {
        collapse(c, rows->n, &eras);
        paths_of_rows(c, &eras, *path);
    }
    free(eras.v);
    return st;
}

static enum status pathways_local(const void *spec, const struct js *parameters,
                                  const struct study_site *site, struct sums *out, struct err *e)
{
    (void)parameters;
    const struct pathways *c = spec;
    struct index_rows rows;
    uint32_t *path;
    index_rows_view(&site->cohorts[c->cohort], &rows);
    enum status st = find_paths(c, site, &rows, &path, e);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++)
        sums_count(out, path[i], 1);
    free(path);
    index_rows_deinit(&rows);
    return st;
}

static const char *state_label(const struct pathways *c, uint32_t set, struct arena *a)
{
    const char *label = "";
    for (size_t i = 0; i < c->n; i++)
        if (set & 1u << i)
            label = arena_printf(a, "%s%s%s", label, *label ? " + " : "", c->labels[i]);
    return label;
}

static const char *path_label(const struct pathways *c, size_t place, struct arena *a)
{
    size_t states = ((size_t)1 << c->n) - 1, length = 1;
    const char *label = "";
    if (place == 0)
        return "none of them";
    while (place >= count_paths(c->n, length))
        length++;
    place -= count_paths(c->n, length - 1);
    for (size_t k = 0; k < length; k++, place /= states)
        label = arena_printf(a, "%s%s%s", state_label(c, (uint32_t)(place % states) + 1, a), k ? " > " : "",
                             label);
    return label;
}

/* Every possible path is a cell, and the total of all. */
static enum status pathways_members(const void *spec, const struct study_site *site, struct members *into,
                                    struct err *e)
{
    const struct pathways *c = spec;
    struct arena *a = arena_new();
    struct index_rows rows = {0};
    uint32_t *path = NULL;
    enum status st = ST_OK;
    const char **labels = arena_array(a, c->n_paths, sizeof *labels);
    for (size_t i = 0; i < c->n_paths; i++)
        labels[i] = path_label(c, i, a);
    struct dimension dimension = plain_dimension("path", labels, c->n_paths);
    if (site) {
        index_rows_view(&site->cohorts[c->cohort], &rows);
        st = find_paths(c, site, &rows, &path, e);
    }
    if (st == ST_OK)
        members_table(into, c->name, &dimension, 1, rows.person, path, rows.n);
    if (site)
        index_rows_deinit(&rows);
    free(path);
    arena_free(a);
    return st;
}

static enum status pathways_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                   const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    const struct pathways *c = spec;
    const char **labels = arena_array(into->arena, c->n_paths, sizeof *labels);
    double *persons = arena_array(into->arena, c->n_paths, sizeof *persons);
    size_t n = 0;
    for (size_t i = 0; i < c->n_paths; i++) {
        if (sums_get_count(total, i) == 0)
            continue;
        labels[n] = path_label(c, i, into->arena);
        persons[n++] = (double)sums_get_count(total, i);
    }
    struct dimension path = plain_dimension("path", labels, n);
    struct result_table *t = table_new(into, table_name(into, c->name, ""), "Treatment pathways", "persons",
                                       OUTPUT_COUNT, &path, 1);
    t->picture = PICTURE_PATHWAYS;
    t->found = true;
    const double *cells = table_roll_up(into, t, persons);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = (int64_t)cells[i];
        t->cells[i].value = cells[i];
    }
    return ST_OK;
}

const struct analysis pathways_analysis = {
    .kind = "pathways",
    .summary = "treatment pathways: eras, combinations and sequences after entry",
    .template =
        "{\"kind\": \"pathways\", \"name\": \"lines\", \"cohort\": \"target\", \"treatments\": ["
        "{\"name\": \"tiotropium\", \"concepts\": [1106776]}, {\"name\": \"salmeterol\", \"concepts\": "
        "[1137529]},"
        " {\"name\": \"beclometasone\", \"concepts\": [1115572]}], \"window\": [0, 1825], \"max_length\": 3}",
    .output = OUTPUT_COUNT,
    .keyed = true,
    .parse = pathways_parse,
    .size = pathways_size,
    .part_persons = 2 * PART_PERSONS, /* many runs are read for each part */
    .local = pathways_local,
    .members = pathways_members,
    .finish = pathways_finish,
};
