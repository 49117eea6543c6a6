/* SPDX-License-Identifier: Apache-2.0
 *
 * Person-time: calendar intervals and ages on their own, and the denominator, incidence and prevalence calls
 * of IncidencePrevalence's own tests (../shared/data/stats/omop_incidence, skipped where absent).
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
#include "base/file.h"
#include "stats/interval.h"
#include "study/person_time.h"

static int32_t day_of(const char *text)
{
    int32_t day = DATE_NONE;
    date_parse(slice_of(text), &day);
    return day;
}

static void ages_turn_on_the_birthday_and_leap_days_on_the_28th(void **unused)
{
    (void)unused;
    assert_int_equal(age_on(day_of("1980-05-10"), day_of("2000-05-09")), 19);
    assert_int_equal(age_on(day_of("1980-05-10"), day_of("2000-05-10")), 20);
    assert_int_equal(age_on(day_of("1980-02-29"), day_of("2001-02-28")), 21);
    assert_int_equal(age_on(day_of("1980-02-29"), day_of("2001-02-27")), 20);
    assert_int_equal(birthday(day_of("1980-02-29"), 21), day_of("2001-02-28"));
    assert_int_equal(birthday(day_of("1980-02-29"), 20), day_of("2000-02-29"));
}

static void calendars_have_whole_intervals_or_cut_ones(void **unused)
{
    (void)unused;
    struct arena *a = arena_new();
    struct calendar c = calendar_of(a, day_of("2020-01-15"), day_of("2020-04-30"), INTERVAL_MONTHS, true);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.start[0], day_of("2020-02-01"));
    assert_string_equal(c.labels[2], "2020-04");
    c = calendar_of(a, day_of("2020-01-15"), day_of("2020-04-30"), INTERVAL_MONTHS, false);
    assert_int_equal(c.n, 4);
    assert_int_equal(c.start[0], day_of("2020-01-15"));
    c = calendar_of(a, day_of("2020-01-01"), day_of("2020-12-31"), INTERVAL_WEEKS, true);
    assert_int_equal(c.start[0], day_of("2020-01-06"));
    assert_int_equal(c.n, 51);
    c = calendar_of(a, day_of("2019-11-01"), day_of("2020-12-31"), INTERVAL_QUARTERS, true);
    assert_int_equal(c.n, 4);
    assert_string_equal(c.labels[3], "2020-Q4");
    c = calendar_of(a, day_of("2019-11-01"), day_of("2020-12-30"), INTERVAL_YEARS, true);
    assert_int_equal(c.n, 0);
    c = calendar_of(a, day_of("2019-11-01"), day_of("2020-12-30"), INTERVAL_OVERALL, true);
    assert_int_equal(c.n, 1);
    assert_int_equal(calendar_find(&c, day_of("2020-12-31")), 1);
    arena_free(a);
}

/* The reference's tables: columns of values, a column of one value may be a scalar. */
struct reference {
    struct js **lines;
    size_t n, capacity;
    struct js *tables; /* id -> columns */
};

static void read_lines(const char *name, void (*take)(struct reference *, struct js *), struct reference *out)
{
    char path[512];
    struct buf text;
    struct err e;
    const char *shared = getenv("ACCORD_SHARED");
    snprintf(path, sizeof path, "%s/data/stats/omop_incidence/%s", shared ? shared : SOURCE_DIR "/../shared",
             name);
    if (!file_exists(path))
        return;
    buf_init(&text, 64 << 20);
    assert_int_equal(file_read(path, &text, &e), ST_OK);
    for (char *line = strtok(text.p, "\n"); line; line = strtok(NULL, "\n")) {
        struct js *j;
        assert_int_equal(js_parse(slice_of(line), name, &j, &e), ST_OK);
        take(out, j);
    }
    buf_deinit(&text);
}

static void take_table(struct reference *r, struct js *j)
{
    js_put(r->tables, js_get_str(j, "id"), js_share(js_get(j, "columns")));
    js_free(j);
}

static void take_case(struct reference *r, struct js *j)
{
    GROW(r->lines, r->n + 1, r->capacity);
    r->lines[r->n++] = j;
}

static int load(void **state)
{
    struct reference *r = calloc(1, sizeof *r);
    r->tables = js_object();
    read_lines("tables.jsonl", take_table, r);
    read_lines("cases.jsonl", take_case, r);
    *state = r;
    return 0;
}

static int unload(void **state)
{
    struct reference *r = *state;
    for (size_t i = 0; i < r->n; i++)
        js_free(r->lines[i]);
    free(r->lines);
    js_free(r->tables);
    free(r);
    return 0;
}

static const struct js *table_of(const struct reference *r, const struct js *line, const char *key)
{
    const char *id = js_get_str(line, key);
    return id ? js_get(r->tables, id) : NULL;
}

static const struct js *value(const struct js *table, const char *column, size_t row)
{
    const struct js *c = js_get(table, column);
    return js_is(c, JS_ARRAY) ? js_at(c, row) : c;
}

static size_t n_rows(const struct js *table, const char *column)
{
    const struct js *c = js_get(table, column);
    return js_is(c, JS_ARRAY) ? js_size(c) : c && !js_is(c, JS_NULL) ? 1 : 0;
}

static int64_t whole(const struct js *table, const char *column, size_t row, int64_t absent)
{
    const struct js *v = value(table, column, row);
    return js_is_number(v) ? (int64_t)js_num(v) : absent;
}

static int32_t day(const struct js *table, const char *column, size_t row)
{
    const struct js *v = value(table, column, row);
    return js_is(v, JS_STRING) ? day_of(js_str(v)) : DATE_NONE;
}

static const char *text(const struct js *table, const char *column, size_t row)
{
    const char *s = js_str(value(table, column, row));
    return s ? s : "";
}

static struct denominator settings_of(const struct js *s, size_t row)
{
    struct denominator d = {.cohort = SIZE_MAX, .min_age = -1, .max_age = -1, .risk = {0, SPEC_UNBOUNDED}};
    int low, high;
    d.from = day(s, "start_date", row);
    d.to = day(s, "end_date", row);
    d.prior_days = (int32_t)whole(s, "days_prior_observation", row, 0);
    d.at_entry = strcmp(text(s, "requirements_at_entry", row), "TRUE") == 0;
    if (sscanf(text(s, "age_group", row), "%d to %d", &low, &high) == 2) {
        d.min_age = low;
        d.max_age = high;
    }
    if (sscanf(text(s, "time_at_risk", row), "%d to %d", &low, &high) == 2)
        d.risk = (struct day_window){low, high};
    else if (sscanf(text(s, "time_at_risk", row), "%d to", &low) == 1)
        d.risk.from = low;
    return d;
}

static int32_t birth_of(const struct js *person, size_t i)
{
    int64_t year = whole(person, "year_of_birth", i, 0);
    if (!year)
        return DATE_NONE;
    return date_of((int)year, (int)whole(person, "month_of_birth", i, 1),
                   (int)whole(person, "day_of_birth", i, 1));
}

static bool sex_fits(const struct js *s, size_t row, int64_t gender)
{
    const char *sex = text(s, "sex", row);
    if (gender != 8507 && gender != 8532)
        return false;
    return strcmp(sex, "Both") == 0 || (strcmp(sex, "Male") == 0) == (gender == 8507);
}

static bool expected_row(const struct js *expected, int64_t id, int64_t person, int32_t start, int32_t end)
{
    for (size_t i = 0; i < n_rows(expected, "subject_id"); i++)
        if (whole(expected, "cohort_definition_id", i, 0) == id &&
            whole(expected, "subject_id", i, 0) == person && day(expected, "cohort_start_date", i) == start &&
            day(expected, "cohort_end_date", i) == end)
            return true;
    return false;
}

/* Rows of one settings row that are right; every one must be expected. */
static size_t check_periods(const struct js *person, const struct js *periods, const struct js *target,
                            const struct js *settings, size_t row, const struct js *expected)
{
    struct denominator d = settings_of(settings, row);
    int64_t id = whole(settings, "cohort_definition_id", row, 1),
            target_id = whole(settings, "target_cohort_definition_id", row, -1);
    size_t found = 0, n_targets = target && target_id >= 0 ? n_rows(target, "subject_id") : 1;
    for (size_t p = 0; p < n_rows(person, "person_id"); p++)
        for (size_t o = 0; o < n_rows(periods, "person_id"); o++)
            for (size_t t = 0; t < n_targets; t++) {
                int64_t who = whole(person, "person_id", p, 0);
                struct target_row entry = {0, 0};
                bool targeted = target && target_id >= 0;
                if (whole(periods, "person_id", o, 0) != who ||
                    !sex_fits(settings, row, whole(person, "gender_concept_id", p, 0)))
                    continue;
                if (targeted) {
                    if (whole(target, "subject_id", t, 0) != who ||
                        whole(target, "cohort_definition_id", t, 0) != target_id)
                        continue;
                    entry = (struct target_row){day(target, "cohort_start_date", t),
                                                day(target, "cohort_end_date", t)};
                }
                int32_t start, end;
                if (!denominator_span(&d, birth_of(person, p),
                                      day(periods, "observation_period_start_date", o),
                                      day(periods, "observation_period_end_date", o),
                                      targeted ? &entry : NULL, &start, &end))
                    continue;
                assert_true(expected_row(expected, id, who, start, end));
                found++;
            }
    return found;
}

static void denominators_are_those_of_the_reference(void **state)
{
    const struct reference *r = *state;
    size_t calls = 0;
    if (!r->n)
        skip();
    for (size_t i = 0; i < r->n; i++) {
        const struct js *line = r->lines[i], *person = table_of(r, line, "person"),
                        *settings = table_of(r, line, "settings"), *expected = table_of(r, line, "expected");
        if (!person)
            continue;
        size_t found = 0;
        for (size_t row = 0; row < n_rows(settings, "cohort_definition_id"); row++)
            found += check_periods(person, table_of(r, line, "observation_period"),
                                   table_of(r, line, "target"), settings, row, expected);
        assert_int_equal(found, n_rows(expected, "subject_id"));
        calls++;
    }
    assert_int_equal(calls, 156);
}

struct count {
    int32_t from, to;
    int64_t days, events, persons;
    bool seen;
};

static void count_risk(void *context, int32_t start, int32_t end, bool event)
{
    struct count *c = context;
    int32_t from = start > c->from ? start : c->from, to = end < c->to ? end : c->to;
    if (from > to)
        return;
    c->seen = true;
    c->days += to - from + 1;
    c->events += event && end >= c->from && end <= c->to;
}

static int by_start(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Outcomes of a person, sorted by start, as two arrays. */
static size_t outcomes_of(const struct js *outcome, int64_t id, int64_t person, int32_t *starts,
                          int32_t *ends)
{
    int32_t pairs[200][2];
    size_t n = 0;
    for (size_t i = 0; i < n_rows(outcome, "subject_id") && n < 200; i++)
        if (whole(outcome, "cohort_definition_id", i, 0) == id &&
            whole(outcome, "subject_id", i, 0) == person) {
            pairs[n][0] = day(outcome, "cohort_start_date", i);
            pairs[n++][1] = day(outcome, "cohort_end_date", i);
        }
    qsort(pairs, n, sizeof pairs[0], by_start);
    for (size_t i = 0; i < n; i++) {
        starts[i] = pairs[i][0];
        ends[i] = pairs[i][1];
    }
    return n;
}

static int64_t id_of(const char *name)
{
    const char *digits = strrchr(name, '_');
    return digits ? strtol(digits + 1, NULL, 10) : 1;
}

/* One expected row of an incidence call, from the denominator rows in order of start. */
static void check_rate(const struct js *denominator, const struct js *outcome, const struct js *expected,
                       size_t row)
{
    const char *washout = text(expected, "outcome_washout", row);
    int32_t wash = strcmp(washout, "inf") == 0 ? INT32_MAX : (int32_t)strtol(washout, NULL, 10);
    bool repeated = strcmp(text(expected, "repeated_events", row), "TRUE") == 0;
    int64_t denominator_id = id_of(text(expected, "denominator", row)),
            outcome_id = id_of(text(expected, "outcome", row));
    struct count c = {.from = day(expected, "start", row), .to = day(expected, "end", row)};
    size_t n = n_rows(denominator, "subject_id");
    bool *used = calloc(n + 1, sizeof *used);
    for (size_t i = 0; i < n; i++) {
        int64_t person = whole(denominator, "subject_id", i, 0);
        if (used[i] || whole(denominator, "cohort_definition_id", i, 0) != denominator_id)
            continue;
        int32_t starts[200], ends[200], spans[200][2];
        size_t n_outcomes = outcomes_of(outcome, outcome_id, person, starts, ends), n_spans = 0;
        for (size_t k = i; k < n && n_spans < 200; k++) {
            if (whole(denominator, "subject_id", k, 0) != person ||
                whole(denominator, "cohort_definition_id", k, 0) != denominator_id)
                continue;
            used[k] = true;
            spans[n_spans][0] = day(denominator, "cohort_start_date", k);
            spans[n_spans++][1] = day(denominator, "cohort_end_date", k);
        }
        qsort(spans, n_spans, sizeof spans[0], by_start);
        bool stop = false;
        c.seen = false;
        for (size_t k = 0; k < n_spans && !stop; k++)
            stop = risk_spans(&(struct span){.start = spans[k][0], .end = spans[k][1]}, starts, ends,
                              n_outcomes, wash, repeated, count_risk, &c);
        c.persons += c.seen;
    }
    free(used);
    assert_int_equal(c.days, whole(expected, "person_days", row, 0));
    assert_int_equal(c.persons, whole(expected, "denominator_count", row, 0));
    assert_int_equal(c.events, whole(expected, "outcome_count", row, 0));
}

static void incidence_is_that_of_the_reference(void **state)
{
    const struct reference *r = *state;
    size_t rows = 0;
    if (!r->n)
        skip();
    for (size_t i = 0; i < r->n; i++) {
        const struct js *line = r->lines[i], *expected = table_of(r, line, "expected");
        if (strcmp(js_get_str(line, "call"), "estimateIncidence") != 0 || js_get(line, "censor"))
            continue;
        for (size_t k = 0; k < n_rows(expected, "start"); k++)
            if (strcmp(text(expected, "strata_name", k), "overall") == 0) {
                check_rate(table_of(r, line, "denominator"), table_of(r, line, "outcome"), expected, k);
                rows++;
            }
    }
    assert_true(rows > 1000);
}

/* A denominator's cohort by its name in the settings; by its last digits where these have no names. */
static int64_t denominator_of(const struct js *settings, const char *name)
{
    for (size_t i = 0; i < n_rows(settings, "cohort_name"); i++)
        if (strcmp(text(settings, "cohort_name", i), name) == 0)
            return whole(settings, "cohort_definition_id", i, 0);
    return id_of(name);
}

/* One expected row of a prevalence call: persons, or with level "record" spans. */
static void check_prevalence(const struct js *denominator, const struct js *settings,
                             const struct js *outcome, const struct js *expected, size_t row)
{
    bool records = strcmp(text(expected, "level", row), "record") == 0,
         full = strcmp(text(expected, "full_contribution", row), "TRUE") == 0;
    int64_t denominator_id = denominator_of(settings, text(expected, "denominator", row)),
            outcome_id = id_of(text(expected, "outcome", row)), present = 0, cases = 0;
    int32_t from = day(expected, "start", row), to = day(expected, "end", row);
    size_t n = n_rows(denominator, "cohort_start_date");
    bool *used = calloc(n + 1, sizeof *used);
    for (size_t i = 0; i < n; i++) {
        int64_t person = whole(denominator, "subject_id", i, 0);
        int32_t starts[200], ends[200], first, last;
        bool here = false, is_case = false;
        bool counts = !used[i] && whole(denominator, "cohort_definition_id", i, 0) == denominator_id;
        for (size_t k = i; k < n && counts; k++) {
            if (whole(denominator, "subject_id", k, 0) != person ||
                whole(denominator, "cohort_definition_id", k, 0) != denominator_id)
                continue;
            struct span span = {.start = day(denominator, "cohort_start_date", k),
                                .end = day(denominator, "cohort_end_date", k)};
            used[k] = k != i;
            if (!span_contributes(&span, from, to, full, &first, &last))
                continue;
            size_t outcomes = outcomes_of(outcome, outcome_id, person, starts, ends);
            bool event = outcome_overlaps(starts, ends, outcomes, first, last);
            present += records || !here;
            cases += event && (records || !is_case);
            here = true;
            is_case |= event;
        }
    }
    free(used);
    assert_int_equal(present, whole(expected, "denominator_count", row, 0));
    assert_int_equal(cases, whole(expected, "outcome_count", row, 0));
    if (js_get(expected, "prevalence") && present > 0) {
        struct interval i = interval_wilson((double)cases, (double)present, 0.95);
        double shown[] = {(double)cases / (double)present, i.lower, i.upper};
        const char *const columns[] = {"prevalence", "prevalence_95CI_lower", "prevalence_95CI_upper"};
        for (int k = 0; k < 3; k++) /* printed with five decimals */
            assert_true(fabs(js_num(value(expected, columns[k], row)) - shown[k]) < 0.5000001e-5);
    }
}

static void prevalence_is_that_of_the_reference(void **state)
{
    const struct reference *r = *state;
    size_t rows = 0, calls = 0;
    if (!r->n)
        skip();
    for (size_t i = 0; i < r->n; i++) {
        const struct js *line = r->lines[i], *expected = table_of(r, line, "expected");
        if (!strstr(js_get_str(line, "call"), "Prevalence"))
            continue;
        calls++;
        for (size_t k = 0; k < n_rows(expected, "start"); k++)
            if (strcmp(text(expected, "strata_name", k), "overall") == 0) {
                check_prevalence(table_of(r, line, "denominator"), table_of(r, line, "denominator_settings"),
                                 table_of(r, line, "outcome"), expected, k);
                rows++;
            }
    }
    assert_int_equal(calls, 37);
    assert_true(rows > 1000);
}

static void births_of_many_are_those_of_each(void **state)
{
    enum { N = 500 };
    static const int8_t months[] = {0, 1, 2, 2, 2, 4, 8, 12, 13, -1}, days[] = {0, 1, 28, 29, 30, 31, 32};
    static const int16_t years[] = {1900, 1999, 2000, 2004, 1, 9999, 0, INT16_MIN};
    int16_t year[N];
    int8_t month[N], day[N];
    int32_t births[BIRTHS];
    (void)state;
    for (int i = 0; i < N; i++) {
        year[i] = years[i % 8];
        month[i] = months[i % 10];
        day[i] = days[i % 7];
    }
    struct store_persons p = {.n = N, .birth_year = year, .birth_month = month, .birth_day = day};
    person_births(&p, 3, N - 3, births);
    for (uint32_t i = 3; i < N; i++)
        assert_int_equal(births[i - 3], person_birth(&p, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_turn_on_the_birthday_and_leap_days_on_the_28th),
        cmocka_unit_test(births_of_many_are_those_of_each),
        cmocka_unit_test(calendars_have_whole_intervals_or_cut_ones),
        cmocka_unit_test_setup_teardown(denominators_are_those_of_the_reference, load, unload),
        cmocka_unit_test_setup_teardown(incidence_is_that_of_the_reference, load, unload),
        cmocka_unit_test_setup_teardown(prevalence_is_that_of_the_reference, load, unload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
