/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole studies over small synthetic sites: many sites equal their pooled rows bit for bit, whatever their
 * order; and single analyses beside naive oracles that read the store person by person and day by day.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "sites.h"
#include "stats/series.h"
#include "study/parts.h"
#include "study/person_time.h"

static const char *const models[] = {"cox",        "fine_gray", "regression", "comparative_effect",
                                     "risk_model", NULL};

static int make(void **state)
{
    *state = sites_make();
    return 0;
}

static int destroy(void **state)
{
    sites_free(*state);
    return 0;
}

static void assert_same(struct result *a, struct result *b)
{
    struct js *x = result_to_json(a), *y = result_to_json(b);
    assert_true(js_equal(x, y));
    js_free(x);
    js_free(y);
    result_free(a);
    result_free(b);
}

static void many_sites_equal_the_pooled_rows_bit_for_bit(void **state)
{
    const struct sites *s = *state;
    struct study *study = truth_study(models, false);
    for (size_t n = 2; n <= N_SITES; n += n - 1)
        assert_same(run_over(study, s->site, n, 0), run_over(study, &s->pooled[n], 1, 0));
    study_free(study);
}

static void the_order_of_sites_does_not_change_a_bit(void **state)
{
    const struct sites *s = *state;
    /* So few persons leave the logistic model's levels without events. */
    struct study *study = truth_study((const char *const[]){"regression", NULL}, false);
    for (size_t first = 1; first < N_SITES; first += 2)
        assert_same(run_over(study, s->site, N_SITES, 0), run_over(study, s->site, N_SITES, first));
    study_free(study);
}

static const struct result_table *table(const struct result *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_tables; i++)
        if (strcmp(r->tables[i].name, name) == 0)
            return &r->tables[i];
    fail_msg("no table %s", name);
    return NULL;
}

static const struct cohort_rows *rows_of(const struct study *study, const struct site *site, const char *name)
{
    for (size_t i = 0; i < study_n_cohorts(study); i++)
        if (strcmp(study_cohort_name(study, i), name) == 0)
            return study_site_cohort(site, i);
    fail_msg("no cohort %s", name);
    return NULL;
}

static struct site *open_site(const struct study *study, struct store *store)
{
    struct site *site;
    struct err e;
    if (study_site_open(study, store, NULL, &site, &e) != ST_OK)
        fail_msg("%s", e.text);
    return site;
}

/* One baseline for all sites: the pooled model, whatever the cut; rows are added up in another order. */
static void cox_on_a_common_grid_is_the_pooled_model(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of("{\"kind\": \"cox\", \"name\": \"t\", \"cohort\": \"hypertension\", "
                                   "\"outcome\": \"tia\", \"baseline\":"
                                   " \"common\", \"horizon_days\": 1825, \"covariates\": [\"sex\", "
                                   "{\"number\": \"age\", \"per\": 10}]}");
    for (size_t n = 2; n <= N_SITES; n += n - 1) {
        struct result *cut = run_over(study, s->site, n, 0), *whole = run_over(study, &s->pooled[n], 1, 0);
        assert_int_equal(cut->n_tables, 3);
        for (uint32_t t = 0; t < cut->n_tables; t++)
            for (uint64_t i = 0; i < cut->tables[t].n_cells; i++) {
                double a = cut->tables[t].cells[i].value, b = whole->tables[t].cells[i].value;
                assert_true((isnan(a) && isnan(b)) || fabs(a - b) <= 1e-10 * fabs(b));
            }
        assert_string_equal(cut->tables[2].title, whole->tables[2].title);
        result_free(cut);
        result_free(whole);
    }
    study_free(study);
}

static void a_crosstab_counts_each_person_once(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of("{\"kind\": \"crosstab\", \"name\": \"t\", \"cohort\": \"hypertension\","
                                   " \"by\": [\"sex\", {\"by\": \"age_band\", \"cuts\": [50, 65]}]}");
    struct site *site = open_site(study, s->pooled[5]);
    const struct cohort_rows *rows = rows_of(study, site, "hypertension");
    const struct store_persons *p = store_persons(s->pooled[5]);
    int64_t naive[4][5] = {{0}};
    for (size_t i = 0; i < rows->n; i++) {
        if (i && rows->person[i] == rows->person[i - 1])
            continue;
        uint32_t who = rows->person[i];
        int sex = p->gender[who] == 8507 ? 1 : p->gender[who] == 8532 ? 2 : 3;
        int y, m, d, age;
        date_parts(rows->start[i], &y, &m, &d);
        age = y - p->birth_year[who] -
              (m < p->birth_month[who] || (m == p->birth_month[who] && d < p->birth_day[who]));
        int band = age < 50 ? 1 : age < 65 ? 2 : 3;
        naive[0][0]++;
        naive[sex][0]++;
        naive[0][band]++;
        naive[sex][band]++;
    }
    struct result *r = run_over(study, &s->pooled[5], 1, 0);
    const struct result_table *t = table(r, "t");
    assert_int_equal(t->n_cells, 20);
    assert_true(naive[0][0] > 100);
    for (uint64_t i = 0; i < t->n_cells; i++)
        assert_int_equal(t->cells[i].persons, naive[t->cells[i].at[0]][t->cells[i].at[1]]);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

enum { NAIVE_YEARS = 4 };
struct naive {
    int64_t days[NAIVE_YEARS], events[NAIVE_YEARS], persons[NAIVE_YEARS], again;
};

/* Whether a person is in the cohort on a day, with entry from `from` on and observed by the period from entry to
   then; everybody is where there is no cohort. */
static bool in_target(const struct cohort_rows *target, uint32_t person, int32_t from, int32_t observed,
                      int32_t day)
{
    for (size_t i = 0; target && i < target->n; i++)
        if (target->person[i] == person && target->start[i] >= from && target->start[i] >= observed &&
            target->start[i] <= day && day <= target->end[i])
            return true;
    return !target;
}

/* Day by day: at risk on a day when observed, and more than the wash-out after the end of every earlier
   outcome. `again`: days at risk of persons who were not at risk on a day in between. */
static void naive_incidence(const struct store *store, const struct cohort_rows *target,
                            const struct cohort_rows *outcome, int32_t from, int32_t to, int32_t washout,
                            struct naive *out)
{
    const struct store_periods *periods = store_periods(store);
    for (uint32_t p = 0; p < store_persons(store)->n; p++) {
        bool seen[NAIVE_YEARS] = {false};
        int32_t last = INT32_MAX;
        for (uint32_t o = periods->offset[p]; o < periods->offset[p + 1]; o++)
            for (int32_t day = from; day <= to; day++) {
                if (day < periods->start[o] || day > periods->end[o] ||
                    !in_target(target, p, from, periods->start[o], day))
                    continue;
                bool at_risk = true, event = false;
                for (size_t i = 0; i < outcome->n; i++) {
                    if (outcome->person[i] != p)
                        continue;
                    at_risk &= outcome->start[i] >= day || day > outcome->end[i] + washout;
                    event |= outcome->start[i] == day;
                }
                int year = date_year(day) - date_year(from);
                out->days[year] += at_risk;
                out->events[year] += at_risk && event;
                out->again += at_risk && last < day - 1;
                last = at_risk ? day : last;
                seen[year] |= at_risk;
            }
        for (int year = 0; year < NAIVE_YEARS; year++)
            out->persons[year] += seen[year];
    }
}

static void check_incidence(struct store *store, const char *outcome, const char *target, const char *risk,
                            int32_t washout)
{
    char spec[512];
    snprintf(spec, sizeof spec,
             "{\"kind\": \"incidence\", \"name\": \"t\", \"outcome\": \"%s\", \"from\": \"2018-01-01\","
             " \"to\": \"2021-12-31\", %s}",
             outcome, risk);
    struct study *study = study_of(spec);
    struct site *site = open_site(study, store);
    struct naive naive = {0};
    int64_t all = 0;
    naive_incidence(store, target ? rows_of(study, site, target) : NULL, rows_of(study, site, outcome),
                    date_of(2018, 1, 1), date_of(2021, 12, 31), washout, &naive);
    struct result *r = run_over(study, &store, 1, 0);
    const struct result_table *t = table(r, "t");
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const uint32_t *at = t->cells[i].at;
        if (at[1] || (t->n_dimensions > 2 && at[2]))
            continue;
        assert_true(fabs(t->cells[i].denominator - (double)naive.days[at[0]] / 365.25) < 1e-9);
        assert_int_equal((int64_t)t->cells[i].numerator, naive.events[at[0]]);
        assert_int_equal(t->cells[i].persons, naive.persons[at[0]]);
        all += naive.events[at[0]];
    }
    assert_true(target ? naive.again > 5 : all > 5);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

/* Cut at birthdays; with one span for everybody, which are added up together; and with one for some and several
   for others. */
static void incidence_equals_a_count_day_by_day(void **state)
{
    const struct sites *s = *state;
    struct store *store = s->pooled[2];
    check_incidence(store, "zoster", NULL,
                    "\"washout_days\": 400, \"repeated_events\": true,"
                    " \"by\": [\"sex\", {\"by\": \"age_band\", \"cuts\": [20, 40, 60]}]",
                    400);
    check_incidence(store, "zoster", NULL,
                    "\"washout_days\": 400, \"repeated_events\": true, \"by\": [\"sex\"]", 400);
    check_incidence(store, "zoster", NULL, "\"washout_days\": null, \"by\": [\"sex\"]", 100000);
    check_incidence(store, "tia", "health_check",
                    "\"cohort\": \"health_check\", \"washout_days\": null, \"by\": [\"sex\"]", 100000);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_those_of_the_sorted_values(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"descriptive\", \"name\": \"t\", \"cohort\": \"hypertension\", \"number\":"
                 " {\"number\": \"measurement\", \"name\": \"systolic\", \"concepts\": [3004249], \"range\": "
                 "[0, 1000],"
                 " \"window\": [null, null]}, \"resolution\": 0.0001, \"quantiles\": [0.1, 0.5, 0.77], "
                 "\"bins\": [100, 140, 200]}");
    struct site *site = open_site(study, s->pooled[3]);
    const struct cohort_rows *rows = rows_of(study, site, "hypertension");
    struct index_rows index;
    struct err e;
    index_rows_init(rows, &index);
    double *value = calloc(index.n + 1, sizeof *value);
    int32_t id = 3004249;
    struct study_site view = {.store = s->pooled[3], .end_person = store_persons(s->pooled[3])->n};
    assert_int_equal(events_latest_value(&view, &(struct concept_list){&id, 1, true}, &index,
                                         (struct day_window){-SPEC_UNBOUNDED, SPEC_UNBOUNDED}, value, &e),
                     ST_OK);
    size_t n = 0;
    double sum = 0;
    for (size_t i = 0; i < index.n; i++)
        if (!isnan(value[i])) {
            value[n++] = value[i];
            sum += value[n - 1];
        }
    qsort(value, n, sizeof *value, ascending);
    struct result *r = run_over(study, s->site, 3, 0);
    const struct result_table *t = table(r, "t_quantiles");
    static const double shares[] = {0.1, 0.5, 0.77};
    assert_true(n > 100);
    for (int q = 0; q < 3; q++) {
        double h = (double)(n - 1) * shares[q];
        size_t low = (size_t)h;
        double expected = value[low] + (h - (double)low) * (value[low + 1 < n ? low + 1 : low] - value[low]);
        assert_true(fabs(t->cells[q].value - expected) < 1e-6);
        int64_t below = 0, above = 0;
        for (size_t i = 0; i < n; i++) {
            below += value[i] < t->cells[q].value - 1e-6;
            above += value[i] > t->cells[q].value + 1e-6;
        }
        assert_int_equal(t->cells[q].below, below);
        assert_int_equal(t->cells[q].above, above);
    }
    assert_true(fabs(table(r, "t_moments")->cells[0].value - sum / (double)n) < 1e-9);
    free(value);
    index_rows_deinit(&index);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

static void assert_same_sums(const struct site *site, const struct js *parameters, const struct sums *whole)
{
    struct sums parts;
    struct err e;
    enum { FEW = 64 };
    assert_int_equal(study_local_by(site, parameters, FEW, &parts, &e), ST_OK);
    assert_int_equal(parts.n, whole->n);
    assert_memory_equal(parts.v, whole->v, whole->n * sizeof *whole->v);
    sums_deinit(&parts);
}

static void ranges_of_persons_add_up_bit_for_bit(void **state)
{
    const struct sites *s = *state;
    struct study *study = truth_study(models, false);
    struct pool *pool = pool_new(3);
    struct site *site;
    struct err e;
    assert_int_equal(study_site_open(study, s->pooled[3], pool, &site, &e), ST_OK);
    struct study_run *run = study_run_new(study);
    for (int round = 0; round < 3 && !study_run_finished(run); round++) {
        struct sums whole;
        assert_int_equal(study_local(site, study_run_parameters(run), &whole, &e), ST_OK);
        assert_same_sums(site, study_run_parameters(run), &whole);
        assert_int_equal(study_run_advance(run, &whole, &e), ST_OK);
        sums_deinit(&whole);
    }
    study_run_free(run);
    study_site_close(site);
    study_free(study);
    pool_free(pool);
}

/* A node opens the site anew in each round; one that stays open keeps what it has read. */
static void what_a_site_keeps_does_not_show(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"descriptive\", \"name\": \"t\", \"cohort\": \"hypertension\", \"number\":"
                 " {\"number\": \"measurement\", \"name\": \"systolic\", \"concepts\": [3004249], \"range\": "
                 "[0, 1000], \"window\": [null, null]}, \"resolution\": 0.0001, \"quantiles\": [0.1, 0.5], "
                 "\"bins\": [100, 140, 200], \"by\": [\"sex\"]}");
    struct site *site = open_site(study, s->pooled[3]);
    struct study_run *run = study_run_new(study);
    struct err e;
    int rounds = 0;
    for (; !study_run_finished(run); rounds++) {
        struct sums sums;
        struct site *fresh = open_site(study, s->pooled[3]);
        assert_int_equal(study_local(site, study_run_parameters(run), &sums, &e), ST_OK);
        assert_same_sums(site, study_run_parameters(run), &sums);
        assert_same_sums(fresh, study_run_parameters(run), &sums);
        assert_int_equal(study_run_advance(run, &sums, &e), ST_OK);
        study_site_close(fresh);
        sums_deinit(&sums);
    }
    assert_int_equal(rounds, 3);
    study_run_free(run);
    study_site_close(site);
    study_free(study);
}

/* A stratum is described as a cohort of its own would be. */
static void strata_are_described_one_by_one(void **state)
{
    static const int32_t sexes[] = {8507, 8532};
    const struct sites *s = *state;
    struct study *study = study_of(
        "{\"kind\": \"descriptive\", \"name\": \"t\", \"cohort\": \"hypertension\", \"number\": {\"number\":"
        " \"age\"}, \"quantiles\": [0.3], \"bins\": [0, 50, 200], \"by\": [\"sex\"]}");
    struct store *store = s->pooled[3];
    struct site *site = open_site(study, store);
    struct index_rows index;
    index_rows_init(rows_of(study, site, "hypertension"), &index);
    struct result *r = run_over(study, s->site, 3, 0);
    double *age = calloc(index.n + 1, sizeof *age);
    for (size_t k = 0; k < 2; k++) {
        size_t n = 0;
        double under = 0;
        for (size_t i = 0; i < index.n; i++) {
            uint32_t p = index.person[i];
            if (store_persons(store)->gender[p] == sexes[k])
                age[n++] = age_on(person_birth(store_persons(store), p), index.start[i]);
        }
        qsort(age, n, sizeof *age, ascending);
        for (size_t i = 0; i < n; i++)
            under += age[i] < 50;
        double h = (double)(n - 1) * 0.3;
        size_t low = (size_t)h;
        double expected = age[low] + (h - (double)low) * (age[low + 1] - age[low]);
        assert_true(n > 20);
        assert_true(fabs(table(r, "t_quantiles")->cells[k].value - expected) < 1e-9);
        assert_int_equal(table(r, "t_moments")->cells[2 * k].persons, n);
        assert_int_equal(table(r, "t_histogram")->cells[2 * k].persons, (int64_t)under);
    }
    free(age);
    index_rows_deinit(&index);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

enum { DOMAINS = 2, FEWEST = 40 };
static const enum store_table domain_tables[DOMAINS] = {STORE_CONDITION, STORE_DRUG};

/* Persons with a row of the run from a year before their first entry to its day. */
static int64_t naive_share(const struct store *store, enum store_table t, const struct store_run *run,
                           const struct cohort_rows *rows)
{
    int32_t *person = calloc(run->n, sizeof *person), *day = calloc(run->n, sizeof *day);
    int64_t n = 0;
    struct err e;
    assert_int_equal(store_read_i32(store, t, COL_PERSON, run->first, run->n, person, &e), ST_OK);
    assert_int_equal(store_read_i32(store, t, COL_START, run->first, run->n, day, &e), ST_OK);
    for (size_t i = 0; i < rows->n; i++) {
        bool with = false;
        if (i && rows->person[i] == rows->person[i - 1])
            continue;
        for (uint64_t k = 0; k < run->n; k++)
            with |= (uint32_t)person[k] == rows->person[i] && day[k] <= rows->start[i] &&
                    day[k] >= rows->start[i] - 365;
        n += with;
    }
    free(person);
    free(day);
    return n;
}

static void all_concepts_of_domains_are_found_and_counted(void **state)
{
    static const char *const names[DOMAINS] = {"condition", "drug"};
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"characterisation\", \"name\": \"t\", \"cohort\": \"hypertension\","
                 " \"domains\": [\"condition\", \"drug\"], \"min_persons\": 40}");
    struct store *store = s->pooled[3];
    struct site *site = open_site(study, store);
    const struct cohort_rows *rows = rows_of(study, site, "hypertension");
    struct result *r = run_over(study, s->site, 3, 1);
    const struct result_table *t = table(r, "t_shares");
    uint32_t n = 0, left_out = 0;
    for (int d = 0; d < DOMAINS; d++) {
        const struct store_run *runs;
        uint32_t n_runs;
        store_runs(store, domain_tables[d], &runs, &n_runs);
        for (uint32_t i = 0; i < n_runs; i++) {
            char label[40];
            uint32_t at = 0;
            snprintf(label, sizeof label, "%s %d", names[d], runs[i].concept_id);
            while (at < t->n_cells && strcmp(t->dimensions[0].levels[at].label, label) != 0)
                at++;
            bool expected = runs[i].concept_id > 0 && runs[i].persons >= FEWEST;
            assert_int_equal(at < t->n_cells, expected);
            left_out += !expected;
            n += expected;
            if (expected)
                assert_int_equal((int64_t)t->cells[at].numerator,
                                 naive_share(store, domain_tables[d], &runs[i], rows));
        }
    }
    assert_int_equal(t->n_cells, n);
    assert_true(n > 10 && left_out > 0);
    assert_same(r, run_over(study, &s->pooled[3], 1, 0));
    study_site_close(site);
    study_free(study);
}

/* What the store's runs say is not said again by every range: too few persons stay too few. */
static void a_search_for_concepts_counts_nobody_twice(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of("{\"kind\": \"characterisation\", \"name\": \"t\", \"cohort\":"
                                   " \"hypertension\", \"domains\": \"all\", \"roll_up\": true}");
    struct site *site = open_site(study, s->pooled[3]);
    struct study_run *run = study_run_new(study);
    struct sums whole;
    struct err e;
    while (!study_run_finished(run)) {
        assert_int_equal(study_local(site, study_run_parameters(run), &whole, &e), ST_OK);
        assert_same_sums(site, study_run_parameters(run), &whole);
        assert_int_equal(study_run_advance(run, &whole, &e), ST_OK);
        sums_deinit(&whole);
    }
    study_run_free(run);
    study_site_close(site);
    study_free(study);
}

/* Persons with a row of the concept or of one below it, from a year before their first entry to its day. */
static int64_t naive_rolled_up(const struct store *store, enum store_table t, int32_t concept,
                               const struct cohort_rows *rows)
{
    const int32_t *below;
    uint32_t n_below;
    bool *with = calloc(rows->n + 1, sizeof *with);
    int64_t n = 0;
    store_descendants(store, concept, &below, &n_below);
    for (uint32_t b = 0; b <= n_below; b++) {
        struct store_run run;
        if (!store_run_find(store, t, b < n_below ? below[b] : concept, &run))
            continue;
        for (size_t i = 0; i < rows->n; i++) {
            struct cohort_rows one = {.n = 1, .person = rows->person + i, .start = rows->start + i};
            bool first = i == 0 || rows->person[i] != rows->person[i - 1];
            if (first && !with[i])
                with[i] = naive_share(store, t, &run, &one) > 0;
        }
    }
    for (size_t i = 0; i < rows->n; i++)
        n += with[i];
    free(with);
    return n;
}

static void rolled_up_concepts_count_their_descendants(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of("{\"kind\": \"characterisation\", \"name\": \"t\", \"cohort\": \"zoster\","
                                   " \"domains\": [\"condition\"], \"roll_up\": true, \"min_persons\": 10}");
    struct store *store = s->pooled[2];
    struct site *site = open_site(study, store);
    const struct cohort_rows *rows = rows_of(study, site, "zoster");
    struct result *r = run_over(study, &store, 1, 0);
    const struct result_table *t = table(r, "t_shares");
    uint32_t above = 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        int32_t id = (int32_t)strtol(t->dimensions[0].levels[t->cells[i].at[0]].label + 10, NULL, 10);
        struct store_run run;
        above += !store_run_find(store, STORE_CONDITION, id, &run);
        assert_int_equal((int64_t)t->cells[i].numerator, naive_rolled_up(store, STORE_CONDITION, id, rows));
    }
    assert_true(above > 0 && t->n_cells > above);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

static void the_top_are_those_that_most_have(void **state)
{
    enum { TOP = 5 };
    static const char all[] =
        "{\"kind\": \"characterisation\", \"name\": \"t\", \"cohort\": \"hypertension\","
        " \"by\": [\"sex\"], \"domains\": \"all\"%s}";
    const struct sites *s = *state;
    char few[200], every[200];
    snprintf(few, sizeof few, all, ", \"top\": 5");
    snprintf(every, sizeof every, all, "");
    struct study *study = study_of(few), *whole = study_of(every);
    struct result *r = run_over(study, s->site, 3, 0), *w = run_over(whole, s->site, 3, 0);
    const struct result_table *t = table(r, "t_shares"), *u = table(w, "t_shares");
    enum { SEXES = 3 };
    assert_int_equal(t->n_cells, SEXES + TOP);
    double least = INFINITY;
    for (uint64_t k = SEXES; k < t->n_cells; k++)
        least = fmin(least, t->cells[k].numerator);
    uint64_t next = SEXES; /* in the order of the whole, which tells no rank */
    for (uint64_t i = SEXES; i < u->n_cells; i++) {
        bool shown = next < t->n_cells &&
                     strcmp(t->dimensions[0].levels[next].label, u->dimensions[0].levels[i].label) == 0;
        assert_true(shown ? t->cells[next].numerator == u->cells[i].numerator
                          : u->cells[i].numerator <= least);
        next += shown;
    }
    assert_int_equal(next, t->n_cells);
    result_free(r);
    result_free(w);
    study_free(study);
    study_free(whole);
}

static void nothing_found_is_a_table_without_rows(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"characterisation\", \"name\": \"t\", \"cohort\": \"hypertension\","
                 " \"by\": [\"sex\"], \"domains\": \"all\", \"min_persons\": 1000000000}");
    struct result *r = run_over(study, s->site, 2, 0);
    assert_int_equal(table(r, "t_shares")->n_cells, 3);
    result_free(r);
    study_free(study);
}

static void a_segmented_series_is_that_of_the_federated_figures(void **state)
{
    enum { MONTHS = 48, CHANGE = 24, TERMS = 4 };
    const struct sites *s = *state;
    struct study *study = study_of(
        "{\"kind\": \"before_after\", \"name\": \"t\", \"measure\": \"prevalence\", \"outcome\":"
        " \"hypertension\", \"from\": \"2019-01-01\", \"to\": \"2022-12-31\", \"interval\": \"months\","
        " \"change\": \"2021-01-01\", \"segmented\": true, \"lag\": 3, \"min_age\": 30,"
        " \"reached\": {\"by\": \"cohort\", \"cohort\": \"diabetes\", \"window\": [null, null]}}");
    struct result *r = run_over(study, s->site, 3, 0);
    const struct result_table *series = table(r, "t_series"), *t = table(r, "t_segmented");
    double y[3][MONTHS];
    assert_int_equal(series->n_cells, 2 * MONTHS);
    for (uint64_t i = 0; i < series->n_cells; i++)
        y[series->cells[i].at[1]][series->cells[i].at[0]] = series->cells[i].value;
    for (int i = 0; i < MONTHS; i++)
        y[2][i] = y[1][i] - y[0][i];
    for (int k = 0; k < 3; k++) {
        struct segmented fit;
        struct err e;
        assert_int_equal(segmented_fit(y[k], MONTHS, CHANGE, 3, 0.95, &fit, &e), ST_OK);
        assert_true(t->cells[k * TERMS].value == fit.terms[SEGMENT_TREND].value);
        assert_true(t->cells[k * TERMS + 1].lower == fit.terms[SEGMENT_LEVEL_CHANGE].lower);
        assert_true(t->cells[k * TERMS + 2].upper == fit.terms[SEGMENT_TREND_CHANGE].upper);
        assert_true(t->cells[k * TERMS + 3].value == fit.trend_after.value);
        assert_true(t->cells[k * TERMS].level_persons > 20 && t->cells[k * TERMS].numerator > 5);
    }
    assert_int_equal(t->degrees_of_freedom, MONTHS - SEGMENT_TERMS);
    assert_same(r, run_over(study, &s->pooled[3], 1, 0));
    study_free(study);
}

static void prevalence_on_a_day_counts_those_with_the_disease(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of(
        "{\"kind\": \"prevalence\", \"name\": \"t\", \"outcome\": \"hypertension\", \"from\": \"2020-07-01\","
        " \"to\": \"2020-07-01\", \"interval\": \"overall\", \"min_age\": 40}");
    struct store *store = s->pooled[5];
    struct site *site = open_site(study, store);
    const struct cohort_rows *rows = rows_of(study, site, "hypertension");
    const struct store_periods *periods = store_periods(store);
    int64_t persons = 0, cases = 0;
    int32_t day = date_of(2020, 7, 1);
    for (uint32_t p = 0; p < store_persons(store)->n; p++) {
        bool present = false, sick = false;
        for (uint32_t o = periods->offset[p]; o < periods->offset[p + 1]; o++)
            present |= periods->start[o] <= day && day <= periods->end[o];
        present &= age_on(person_birth(store_persons(store), p), day) >= 40;
        for (size_t i = 0; i < rows->n; i++)
            sick |= rows->person[i] == p && rows->start[i] <= day && day <= rows->end[i];
        persons += present;
        cases += present && sick;
    }
    struct result *r = run_over(study, &s->pooled[5], 1, 0);
    const struct result_cell *cell = &table(r, "t")->cells[0];
    assert_int_equal(cell->persons, persons);
    assert_int_equal((int64_t)cell->numerator, cases);
    assert_true(cases > 50);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

/* Four people with hypertension on 1 January 2020: 1 overlaps two drugs for 61 days, 2 for 11 days, 3 repeats
   one after a gap, 4 takes nothing. */
static const char *const drug_files[] = {
    "person",
    "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_concept_"
    "id\n"
    "1,8507,1960,1,1,0,0\n2,8507,1960,1,1,0,0\n3,8532,1960,1,1,0,0\n4,8532,1960,1,1,0,0\n",
    "observation_period",
    "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_"
    "concept_id\n"
    "1,1,2019-01-01,2022-12-31,0\n2,2,2019-01-01,2022-12-31,0\n3,3,2019-01-01,2022-12-31,0\n4,4,2019-01-01,"
    "2022-12-31,0\n",
    "concept",
    "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,valid_"
    "start_date,"
    "valid_end_date,invalid_reason\n"
    "320128,Hypertension,Condition,X,X,S,h,1970-01-01,2099-12-31,\n11,a,Drug,X,X,S,a,1970-01-01,2099-12-31,\n"
    "12,b,Drug,X,X,S,b,1970-01-01,2099-12-31,\n",
    "condition_occurrence",
    "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_type_concept_id\n"
    "1,1,320128,2020-01-01,0\n2,2,320128,2020-01-01,0\n3,3,320128,2020-01-01,0\n4,4,320128,2020-01-01,0\n",
    "drug_exposure",
    "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_type_"
    "concept_id\n"
    "1,1,11,2020-01-01,2020-04-10,0\n2,1,12,2020-02-10,2020-07-19,0\n"
    "3,2,11,2020-01-01,2020-04-10,0\n4,2,12,2020-03-31,2020-07-19,0\n"
    "5,3,11,2020-01-01,2020-01-20,0\n6,3,11,2020-02-10,2020-03-01,0\n7,3,12,2020-06-01,2020-06-30,0\n"
    "8,3,11,2020-09-01,2020-09-30,0\n",
    NULL};

static void pathways_combine_long_overlaps_and_switch_on_short_ones(void **unused)
{
    (void)unused;
    struct sites *s = sites_of_files(drug_files);
    struct study *study =
        study_of("{\"kind\": \"pathways\", \"name\": \"t\", \"cohort\": \"hypertension\", \"treatments\":"
                 " [{\"name\": \"a\", \"concepts\": [11]}, {\"name\": \"b\", \"concepts\": [12]}]}");
    struct result *r = run_over(study, s->site, 1, 0);
    const struct result_table *t = table(r, "t");
    static const char *const labels[] = {"total", "none of them", "a > b", "a > a + b > b"};
    static const int64_t persons[] = {4, 1, 2, 1};
    assert_int_equal(t->n_cells, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(t->dimensions[0].levels[i].label, labels[i]);
        assert_int_equal(t->cells[i].persons, persons[i]);
    }
    result_free(r);
    study_free(study);
    sites_free(s);
}

/* Tenths of a score hold everybody once, their risk rises, and they add up to the figures of the whole. */
static void bands_of_a_score_add_up_to_its_people(void **state)
{
    enum { BANDS = 10 };
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"risk_model\", \"name\": \"t\", \"cohort\": \"hypertension\", \"outcome\": "
                 "\"tia\", \"window\": [1, 365], \"exclude_prior\": false, \"covariates\": [{\"number\": "
                 "\"age\", \"per\": 10, \"centre\": 60}]}");
    struct result *r = run_over(study, s->site, 3, 0);
    const struct result_table *t = table(r, "t_calibration"), *people = table(r, "t_people"),
                              *figures = table(r, "t_performance");
    assert_true(t->picture == PICTURE_CALIBRATION);
    for (int set = 0; set < 2; set++) {
        double persons = 0, cases = 0, predicted = 0, before = 0;
        for (int b = 0; b < BANDS; b++) {
            const struct result_cell *mean = &t->cells[(set * BANDS + b) * 2], *share = mean + 1;
            assert_true(mean->persons == share->persons && share->denominator == (double)share->persons);
            if (mean->persons == 0)
                continue;
            assert_true(mean->value > before && share->lower <= share->value && share->value <= share->upper);
            before = mean->value;
            persons += (double)mean->persons;
            cases += share->numerator;
            predicted += mean->value * (double)mean->persons;
        }
        const struct result_cell *counts = &people->cells[3 * (set + 1)];
        assert_true(persons == (double)counts[0].persons && cases == (double)counts[1].persons);
        /* Observed over expected, but for the width of a bin; the sites' keys decide who is in the test set.
         */
        assert_true(cases > (set ? 0 : 10));
        assert_true(fabs(cases / predicted / figures->cells[5 * set + 1].value - 1) < 0.02);
    }
    result_free(r);
    study_free(study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sites_equal_the_pooled_rows_bit_for_bit),
        cmocka_unit_test(the_order_of_sites_does_not_change_a_bit),
        cmocka_unit_test(cox_on_a_common_grid_is_the_pooled_model),
        cmocka_unit_test(ranges_of_persons_add_up_bit_for_bit),
        cmocka_unit_test(a_crosstab_counts_each_person_once),
        cmocka_unit_test(incidence_equals_a_count_day_by_day),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(strata_are_described_one_by_one),
        cmocka_unit_test(what_a_site_keeps_does_not_show),
        cmocka_unit_test(all_concepts_of_domains_are_found_and_counted),
        cmocka_unit_test(a_search_for_concepts_counts_nobody_twice),
        cmocka_unit_test(rolled_up_concepts_count_their_descendants),
        cmocka_unit_test(the_top_are_those_that_most_have),
        cmocka_unit_test(nothing_found_is_a_table_without_rows),
        cmocka_unit_test(a_segmented_series_is_that_of_the_federated_figures),
        cmocka_unit_test(prevalence_on_a_day_counts_those_with_the_disease),
        cmocka_unit_test(pathways_combine_long_overlaps_and_switch_on_short_ones),
        cmocka_unit_test(bands_of_a_score_add_up_to_its_people),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
