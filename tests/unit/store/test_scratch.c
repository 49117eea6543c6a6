/* SPDX-License-Identifier: Apache-2.0
 * Scratch memory keeps what is put into it and does not stay resident; rows in it are sorted as in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "store/idmap.h"
#include "store/scratch.h"
#include "store/spare.h"

static uint64_t of_files_bytes(void)
{
    unsigned long all, resident, of_files;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu %lu", &all, &resident, &of_files), 3);
    fclose(f);
    return of_files * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Eight times the limit, written and read front to back and in leaps; other regions are of no matter. */
static void what_is_walked_does_not_stay_resident(void **state)
{
    (void)state;
    enum { LIMIT = 4 << 20, N = LIMIT, SLACK = 8 << 20 };
    struct err e = {0};
    uint64_t before = of_files_bytes(), most = 0;
    struct scratch *s = scratch_new("/tmp", LIMIT);
    void *p, *other;
    assert_int_equal(scratch_map(s, N * sizeof(uint64_t), &p, &e), ST_OK);
    assert_int_equal(scratch_write(s, "other", 6, &other, &e), ST_OK);
    uint64_t *v = p;
    struct looks looks = {.scratch = s};
    for (uint64_t i = 0; i < N; i++) {
        assert_true(i % 512 || v[i] == 0);
        v[i] = i * i;
        look_at(&looks, i * sizeof *v);
        if (i % 4096 == 0 && of_files_bytes() > most)
            most = of_files_bytes();
    }
    for (uint64_t i = 0, at = 0; i < N / 64; i++, at = (at + 524309) % N) { /* a prime: to every part */
        look_at(&looks, at * sizeof *v);
        assert_true(v[at] == at * at);
        if (i % 64 == 0 && of_files_bytes() > most)
            most = of_files_bytes();
    }
    assert_true(most < before + LIMIT + SLACK);
    assert_true(scratch_grow(s, 2 * N * sizeof *v, &p, &e) == ST_OK);
    v = p;
    assert_true(v[N - 1] == (uint64_t)(N - 1) * (N - 1) && v[2 * N - 1] == 0);
    assert_string_equal(other, "other");
    scratch_unmap(s, p);
    assert_string_equal(other, "other");
    scratch_free(s);
}

/* Places that rise and begin again, as persons do where another concept begins; the last is right behind the first. */
static void places_that_begin_again_are_all_counted(void **state)
{
    (void)state;
    enum { LIMIT = 16 << 20, SLACK = 24 << 20, N = 16 << 20, PLACES = 512, RISE = 8, STEP = 8192 };
    struct err e = {0};
    uint64_t before = of_files_bytes(), most = 0, sum = 0;
    struct scratch *s = scratch_new("/tmp", LIMIT);
    void *p;
    assert_int_equal(scratch_map(s, N * sizeof(uint64_t), &p, &e), ST_OK);
    const uint64_t *v = p;
    for (int64_t first = 0; first < N / RISE; first += PLACES / RISE * STEP) {
        int64_t places[PLACES];
        for (size_t i = 0; i < PLACES; i++)
            places[i] = first + (int64_t)(i / RISE) * STEP + (int64_t)(i % RISE) * (N / RISE);
        places[PLACES - 1] = first + 1;
        for (size_t from = 0, to; from < PLACES; from = to) {
            to = scratch_risen(s, places, from, PLACES, sizeof *v);
            for (size_t i = from; i < to; i++)
                sum += v[places[i]];
            most = of_files_bytes() > most ? of_files_bytes() : most;
        }
    }
    assert_int_equal(sum, 0);
    assert_true(most < before + LIMIT + SLACK);
    scratch_free(s);
}

static void no_room_is_an_error(void **state)
{
    (void)state;
    struct err e = {0};
    void *p;
    struct scratch *s = scratch_new("/nowhere", 1 << 20);
    assert_int_not_equal(scratch_map(s, 1, &p, &e), ST_OK);
    assert_null(p);
    assert_int_not_equal(scratch_write(s, "", 1, &p, &e), ST_OK);
    scratch_free(s);
    s = scratch_new("/tmp", 1 << 20);
    assert_int_equal(scratch_map(s, 0, &p, &e), ST_OK);
    assert_int_not_equal(scratch_grow(s, (size_t)1 << 60, &p, &e), ST_OK);
    scratch_free(s);
}

struct row {
    uint32_t key, at;
    uint64_t more;
};

static int by_key(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Of equal keys the row that came first stays first. */
static void check_sort(size_t n, unsigned keys, uint64_t limit)
{
    struct err e = {0};
    struct scratch *s = scratch_new("/tmp", limit);
    struct scratch_rows r = {.scratch = s, .row_bytes = sizeof(struct row)};
    size_t *counts = xcalloc(keys, sizeof *counts);
    srand((unsigned)n + keys);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(scratch_rows_reserve(&r, 1, &e), ST_OK);
        unsigned key = keys == 1 ? 0 : (unsigned)rand() % keys;
        ((struct row *)r.rows)[r.n++] = (struct row){key, (uint32_t)i, key * 7U};
        counts[key]++;
    }
    assert_int_equal(scratch_rows_sort(&r, by_key, &e), ST_OK);
    assert_int_equal(r.n, n);
    const struct row *rows = r.rows;
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || rows[i - 1].key < rows[i].key ||
                    (rows[i - 1].key == rows[i].key && rows[i - 1].at < rows[i].at));
        assert_int_equal(rows[i].more, rows[i].key * 7U);
        counts[rows[i].key]--;
    }
    for (unsigned k = 0; k < keys; k++)
        assert_int_equal(counts[k], 0);
    free(counts);
    scratch_rows_deinit(&r);
    scratch_free(s);
}

static void rows_are_sorted_in_slices(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 255, 256, 257, 10000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned keys = 1; keys <= 1000; keys *= 10) {
            check_sort(sizes[i], keys, 1);
            check_sort(sizes[i], keys, 1 << 20);
        }
}

static void check_ids(int64_t *ids, size_t n)
{
    struct err e = {0};
    struct scratch *s = scratch_new("/tmp", 1 << 20);
    struct idmap m;
    assert_int_equal(idmap_init_sorted(&m, ids, n, s, &e), ST_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(idmap_find(&m, ids[i]), i);
        if (ids[i] < INT64_MAX && (i + 1 == n || ids[i + 1] != ids[i] + 1))
            assert_int_equal(idmap_find(&m, ids[i] + 1), IDMAP_NONE);
        if (ids[i] > INT64_MIN && (i == 0 || ids[i - 1] != ids[i] - 1))
            assert_int_equal(idmap_find(&m, ids[i] - 1), IDMAP_NONE);
    }
    assert_int_equal(idmap_find(&m, n && ids[0] == INT64_MIN ? 1 : INT64_MIN), IDMAP_NONE);
    assert_int_equal(idmap_find(&m, n && ids[n - 1] == INT64_MAX ? 1 : INT64_MAX), IDMAP_NONE);
    idmap_deinit(&m);
    scratch_free(s);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sorted_ids_are_found(void **state)
{
    (void)state;
    enum { N = 5000 };
    int64_t ids[N];
    check_ids(ids, 0);
    ids[0] = INT64_MIN;
    ids[1] = INT64_MAX;
    check_ids(ids, 1);
    check_ids(ids, 2);
    check_ids(ids + 1, 1);
    for (int i = 0; i < N; i++)
        ids[i] = i * 3 - 100;
    check_ids(ids, N);
    for (int i = 0; i < N; i++) /* all over */
        ids[i] = (int64_t)((uint64_t)(i + 1) * 0x9e3779b97f4a7c15U);
    qsort(ids, N, sizeof *ids, by_value);
    check_ids(ids, N);
    for (int i = 0; i < N; i++) /* a heap of them, and one far away */
        ids[i] = i * 1000;
    ids[N - 1] = INT64_MAX;
    check_ids(ids, N);
    ids[0] = INT64_MIN;
    check_ids(ids, N);
}

static void blocks_are_used_again(void **state)
{
    (void)state;
    enum { SMALL = 5 << 20, LARGE = 9 << 20 };
    struct spare *s = spare_new();
    uint8_t *small = spare_take(s, SMALL), *other = spare_take(s, SMALL);
    memset(small, 1, SMALL);
    memset(other, 2, SMALL);
    spare_give(s, small);
    assert_ptr_equal(spare_take(s, SMALL - 1), small);
    spare_give(s, small);
    uint8_t *large =
        spare_take(s, LARGE); /* the system clears what it gives: these are the pages of before */
    assert_int_equal(large[0], 1);
    assert_int_equal(large[SMALL - 1], 1);
    memset(large, 3, LARGE);
    assert_int_equal(other[SMALL - 1], 2);
    spare_give(s, large);
    spare_give(s, other);
    spare_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_walked_does_not_stay_resident),
        cmocka_unit_test(places_that_begin_again_are_all_counted),
        cmocka_unit_test(no_room_is_an_error),
        cmocka_unit_test(rows_are_sorted_in_slices),
        cmocka_unit_test(sorted_ids_are_found),
        cmocka_unit_test(blocks_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
