/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest value and any event around index rows are those that one event after the other gives, whether
 * the rows are found by person or by bits, with every kind of window.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sites.h"
#include "study/events.h"

static unsigned seed = 11;

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

/* The measurements with most rows, ascending by id. */
enum { CONCEPTS = 3 };
static size_t common_measurements(const struct store *s, int32_t *ids)
{
    const struct store_run *runs;
    uint32_t n;
    uint64_t most = UINT64_MAX;
    size_t found = 0;
    store_runs(s, STORE_MEASUREMENT, &runs, &n);
    while (found < CONCEPTS && found < n) {
        const struct store_run *best = NULL;
        for (uint32_t i = 0; i < n; i++)
            if (runs[i].n < most && (!best || runs[i].n > best->n))
                best = &runs[i];
        if (!best)
            break;
        ids[found++] = best->concept_id;
        most = best->n;
    }
    return found;
}

/* Rows of every `apart`-th person, on a day of the data. */
static struct index_rows some_rows(const struct store *s, const struct store_run *run, uint32_t apart)
{
    uint32_t n = store_persons(s)->n;
    struct index_rows rows = {.person = xcalloc(n, sizeof *rows.person),
                              .start = xcalloc(n, sizeof *rows.start),
                              .end = xcalloc(n, sizeof *rows.end)};
    for (uint32_t p = 0; p < n; p += apart) {
        rows.person[rows.n] = p;
        rows.start[rows.n++] = run->first_day + rand_r(&seed) % (run->last_day - run->first_day + 1);
    }
    return rows;
}

static void naive(const struct store *s, const int32_t *ids, size_t n_ids, const struct index_rows *rows,
                  struct day_window w, double *value, uint8_t *any)
{
    struct err e;
    int32_t *best = xcalloc(rows->n, sizeof *best);
    for (size_t i = 0; i < rows->n; i++) {
        value[i] = (double)NAN;
        any[i] = 0;
    }
    for (size_t c = 0; c < n_ids; c++) {
        struct store_run run;
        assert_true(store_run_find(s, STORE_MEASUREMENT, ids[c], &run));
        for (uint64_t r = run.first; r < run.first + run.n; r++) {
            int32_t person, day;
            double v;
            assert_int_equal(store_read_i32(s, STORE_MEASUREMENT, COL_PERSON, r, 1, &person, &e), ST_OK);
            assert_int_equal(store_read_i32(s, STORE_MEASUREMENT, COL_START, r, 1, &day, &e), ST_OK);
            assert_int_equal(store_read_f64(s, STORE_MEASUREMENT, COL_VALUE_NUMBER, r, 1, &v, &e), ST_OK);
            for (size_t i = 0; i < rows->n; i++) {
                if (rows->person[i] != (uint32_t)person || !in_window(w, rows->start[i], day))
                    continue;
                any[i] = 1;
                bool better = isnan(value[i]) || day > best[i] || (day == best[i] && v > value[i]);
                if (!isnan(v) && better) {
                    value[i] = v;
                    best[i] = day;
                }
            }
        }
    }
    free(best);
}

static void check(const struct store *s, struct index_rows *rows, struct day_window w, const int32_t *ids,
                  size_t n_ids)
{
    struct study_site site = {.store = s, .end_person = store_persons(s)->n};
    struct concept_list list = {(int32_t *)(uintptr_t)ids, n_ids, false};
    double *wanted = xcalloc(rows->n, sizeof *wanted), *found = xcalloc(rows->n, sizeof *found);
    uint8_t *any = xcalloc(rows->n, 1), *found_any = xcalloc(rows->n, 1);
    struct err e;
    naive(s, ids, n_ids, rows, w, wanted, any);
    for (int mapped = 0; mapped < 2; mapped++) { /* mapped rows are looked for by bits */
        struct index_rows own;
        index_rows_copy(rows, &own);
        if (mapped)
            index_rows_map(&own, &site);
        assert_int_equal(events_latest_value(&site, &list, &own, w, found, &e), ST_OK);
        assert_int_equal(events_any(&site, &list, &own, w, found_any, &e), ST_OK);
        for (size_t i = 0; i < rows->n; i++)
            assert_true(found[i] == wanted[i] || (isnan(found[i]) && isnan(wanted[i])));
        assert_memory_equal(found_any, any, rows->n);
        index_rows_deinit(&own);
    }
    free(found_any);
    free(any);
    free(found);
    free(wanted);
}

static void events_are_those_of_one_after_the_other(void **state)
{
    const struct day_window windows[] = {{-SPEC_UNBOUNDED, 0},
                                         {-365, 0},
                                         {0, SPEC_UNBOUNDED},
                                         {-SPEC_UNBOUNDED, SPEC_UNBOUNDED},
                                         {1, 1000},
                                         {-2000000000, 2000000000}};
    const struct store *s = ((struct sites *)*state)->site[0];
    int32_t ids[CONCEPTS];
    size_t n_ids = common_measurements(s, ids);
    struct store_run run;
    assert_true(n_ids > 0 && store_run_find(s, STORE_MEASUREMENT, ids[0], &run));
    for (uint32_t apart = 1; apart <= 10; apart += 3) {
        struct index_rows rows = some_rows(s, &run, apart);
        for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
            check(s, &rows, windows[w], ids, n_ids);
        index_rows_deinit(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events_are_those_of_one_after_the_other)};
    return cmocka_run_group_tests(tests, make, destroy);
}
