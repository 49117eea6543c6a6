/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "disclose/cellkey.h"
#include "disclose/rounding.h"

static struct ptable *make(int64_t most, double variance, int64_t skip, double stay)
{
    struct ptable *t;
    struct err e;
    struct ptable_rules r = {most, variance, skip, stay};
    assert_int_equal(ptable_make(&r, &t, &e), ST_OK);
    return t;
}

static void noise_is_as_promised(void **state)
{
    (void)state;
    struct ptable *t = make(5, 3, 2, 0);
    for (int64_t i = 1; i < ptable_rows(t); i++) {
        double sum = 0, mean = 0, variance = 0;
        for (int64_t v = -5; v <= 5; v++) {
            double p = ptable_p(t, i, v);
            assert_true(p == 0 || i + v == 0 || i + v > 2);
            sum += p;
            mean += p * (double)v;
            variance += p * (double)(v * v);
        }
        assert_true(fabs(sum - 1) < 1e-12 && fabs(mean) < 1e-9 && fabs(variance - 3) < 1e-9);
    }
    assert_int_equal(ptable_noise(t, 0, 0.99), 0);
    assert_int_equal(ptable_noise(t, 100, 0), -5);
    assert_int_equal(ptable_noise(t, 100, 0.9999999999), 5);
    ptable_free(t);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct ptable *t;
    struct err e;
    static const struct ptable_rules bad[] = {{0, 3, 2, 0}, {31, 3, 2, 0}, {5, 0, 2, 0},  {5, NAN, 2, 0},
                                              {5, 3, 5, 0}, {5, 3, 2, 1},  {2, 100, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ptable_make(&bad[i], &t, &e), ST_INVALID);
        assert_null(t);
    }
    assert_int_equal(ptable_parse(SLICE("i,j,p,v\n0,0,1,0\n1,0,0.5,-1\n"), "t", &t, &e), ST_INVALID);
    assert_int_equal(ptable_parse(SLICE("i,j,p,v\n0,0,1,-1\n"), "t", &t, &e), ST_INVALID);
    assert_int_equal(ptable_parse(SLICE("i,j,v\n0,0,1\n"), "t", &t, &e), ST_INVALID);
}

static void keys_add_up_whatever_the_order(void **state)
{
    (void)state;
    static const uint8_t secret[HASH_BYTES] = {3}, other[HASH_BYTES] = {4};
    uint32_t a = record_key(secret, SLICE("a")), b = record_key(secret, SLICE("b"));
    assert_int_equal(a, record_key(secret, SLICE("a")));
    assert_int_not_equal(a, b);
    assert_int_not_equal(a, record_key(other, SLICE("a")));
    assert_true(cell_key_u(a + b) == cell_key_u(b + a) && cell_key_u(UINT32_MAX) < 1);
}

/* --- the published vectors, where they lie ------------------------------------------------------------- */

static bool vectors(const char *name, struct buf *out)
{
    struct err e;
    char path[512];
    const char *shared = getenv("ACCORD_SHARED");
    snprintf(path, sizeof path, "%s/data/disclosure/cellkey/%s", shared ? shared : SOURCE_DIR "/../shared",
             name);
    buf_init(out, 1 << 20);
    return file_exists(path) && file_read(path, out, &e) == ST_OK;
}

static void compare(const char *name, struct ptable *made)
{
    struct buf text;
    struct ptable *theirs;
    struct err e;
    if (!vectors(name, &text)) {
        ptable_free(made);
        skip();
    }
    assert_int_equal(ptable_parse(buf_slice(&text), name, &theirs, &e), ST_OK);
    assert_int_equal(ptable_rows(theirs), ptable_rows(made));
    for (int64_t i = 0; i < ptable_rows(made); i++)
        for (int64_t v = -10; v <= 10; v++)
            if (fabs(ptable_p(theirs, i, v) - ptable_p(made, i, v)) > 1e-4)
                fail_msg("%s: row %d, noise %d: %g, not %g", name, (int)i, (int)v, ptable_p(made, i, v),
                         ptable_p(theirs, i, v));
    ptable_free(theirs);
    ptable_free(made);
    buf_deinit(&text);
}

static void tables_are_those_of_ptable(void **state)
{
    (void)state;
    compare("ptable_D5_V3_js2_default.csv", make(5, 3, 2, 0));
    compare("ptable_D8_V3_js2_pstay05.csv", make(8, 3, 2, 0.5));
    compare("ptable_ex_cnts_D3_V1.csv", make(2, 1.05, 1, 0));
}

static struct csv *open_vectors(const char *name, struct buf *text)
{
    struct csv *c;
    struct err e;
    if (!vectors(name, text))
        skip();
    assert_int_equal(csv_open_memory(buf_slice(text), name, &c, &e), ST_OK);
    return c;
}

static double number(const struct csv *c, const char *column)
{
    struct err e;
    double v;
    assert_int_equal(csv_double(c, csv_find(c, column), NAN, &v, &e), ST_OK);
    return v;
}

static void counts_are_those_of_cellkey(void **state)
{
    (void)state;
    struct buf table, expected;
    struct ptable *t;
    struct err e;
    const struct slice *fields;
    int rows = 0;
    if (!vectors("ck_ptable_D5_V3_js2.csv", &table))
        skip();
    assert_int_equal(ptable_parse(buf_slice(&table), "ck", &t, &e), ST_OK);
    struct csv *c = open_vectors("ck_expected_sex_age.csv", &expected);
    while (csv_next(c, &fields, &e) == ST_OK && fields) {
        int64_t n = (int64_t)number(c, "uwc");
        assert_int_equal(n + ptable_noise(t, n, number(c, "ckey")), (int64_t)number(c, "puwc"));
        rows++;
    }
    assert_int_equal(rows, 21);
    csv_close(c);
    ptable_free(t);
    buf_deinit(&table);
    buf_deinit(&expected);
}

/* The ONS form: 256 keys, and a p-table "10-5" that rounds whatever the key says. */
static void keys_and_counts_are_those_of_the_ons(void **state)
{
    (void)state;
    struct buf micro, expected;
    struct err e;
    const struct slice *fields;
    int64_t n[6][9] = {0}, key[6][9] = {0};
    struct csv *c = open_vectors("ons_micro.csv", &micro);
    while (csv_next(c, &fields, &e) == ST_OK && fields) {
        int a = (int)number(c, "var1"), b = (int)number(c, "var2");
        assert_in_range(a, 0, 5);
        assert_in_range(b, 0, 8);
        n[a][b]++;
        key[a][b] = (key[a][b] + (int64_t)number(c, "record_key")) % 256;
    }
    csv_close(c);
    c = open_vectors("ons_expected_var1_var2.csv", &expected);
    while (csv_next(c, &fields, &e) == ST_OK && fields) {
        int a = (int)number(c, "var1"), b = (int)number(c, "var2");
        assert_int_equal(n[a][b], (int64_t)number(c, "pre_sdc_count"));
        assert_int_equal(key[a][b], (int64_t)number(c, "ckey"));
        if (!isnan(number(c, "count")))
            assert_int_equal(round_nearest(n[a][b], 5), (int64_t)number(c, "count"));
        else
            assert_true(n[a][b] < 10);
    }
    csv_close(c);
    buf_deinit(&micro);
    buf_deinit(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_as_promised),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(keys_add_up_whatever_the_order),
        cmocka_unit_test(tables_are_those_of_ptable),
        cmocka_unit_test(counts_are_those_of_cellkey),
        cmocka_unit_test(keys_and_counts_are_those_of_the_ons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
