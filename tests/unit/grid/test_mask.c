/* SPDX-License-Identifier: Apache-2.0
 * Masks cancel bit for bit in any order; parts open only where they belong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "grid/mask.h"

enum { MOST = 7, SUMS = 9001 };

struct sites {
    struct identity *id[MOST];
    struct site_key keys[MOST];
    size_t n;
};

static void sites_make(struct sites *s, size_t n)
{
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        s->id[i] = identity_new();
        memcpy(s->keys[i].bytes, s->id[i]->sign_public, SIGN_PUBLIC_BYTES);
    }
}

static void sites_free(struct sites *s)
{
    for (size_t i = 0; i < s->n; i++)
        identity_free(s->id[i]);
}

/* Any 128 bits at all: the property does not depend on the bounds. */
static void random_sums(struct sums *v, size_t n)
{
    sums_init(v, n);
    random_bytes(v->v, n * sizeof *v->v);
}

static void masks_cancel_for(size_t n_sites, size_t n_sums)
{
    struct sites s;
    struct mask_place place = {"run-1", 2, 3};
    struct sums plain_total, masked_total;
    sites_make(&s, n_sites);
    sums_init(&plain_total, n_sums);
    sums_init(&masked_total, n_sums);
    for (size_t k = 0; k < n_sites; k++) {
        size_t i = n_sites - 1 - k; /* not the order of the keys */
        struct site_key shuffled[MOST];
        for (size_t j = 0; j < n_sites; j++)
            shuffled[j] = s.keys[(j + i) % n_sites];
        struct sums v;
        random_sums(&v, n_sums);
        assert_int_equal(sums_add(&plain_total, &v, NULL), ST_OK);
        sum_t before = v.v[0];
        assert_int_equal(mask_apply(s.id[i], shuffled, n_sites, &place, &v, NULL), ST_OK);
        assert_true(v.v[0] != before);
        assert_int_equal(sums_add(&masked_total, &v, NULL), ST_OK);
        sums_deinit(&v);
    }
    assert_memory_equal(plain_total.v, masked_total.v, n_sums * sizeof *plain_total.v);
    sums_deinit(&plain_total);
    sums_deinit(&masked_total);
    sites_free(&s);
}

static void masks_cancel_bit_for_bit(void **state)
{
    (void)state;
    for (size_t n = MASK_LEAST_SITES; n <= MOST; n++)
        masks_cancel_for(n, 1 + n * 17);
    masks_cancel_for(3, SUMS); /* more than one chunk of the stream */
}

static void masks_differ_by_run_round_and_attempt(void **state)
{
    (void)state;
    static const struct mask_place places[] = {{"a", 1, 1}, {"b", 1, 1}, {"a", 2, 1}, {"a", 1, 2}};
    struct sites s;
    struct sums v[4];
    sites_make(&s, 3);
    for (size_t i = 0; i < 4; i++) {
        sums_init(&v[i], 2);
        assert_int_equal(mask_apply(s.id[0], s.keys, 3, &places[i], &v[i], NULL), ST_OK);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(v[i].v, v[k].v, 2 * sizeof(sum_t));
    }
    for (size_t i = 0; i < 4; i++)
        sums_deinit(&v[i]);
    sites_free(&s);
}

static void fewer_than_three_sites_or_a_wrong_list_are_refused(void **state)
{
    (void)state;
    struct sites s;
    struct mask_place place = {"run", 1, 1};
    struct sums v;
    struct err e = {0};
    sites_make(&s, 4);
    sums_init(&v, 1);
    assert_int_equal(mask_apply(s.id[0], s.keys, 2, &place, &v, &e), ST_DENIED);
    assert_non_null(strstr(e.text, "needs 3"));
    assert_int_equal(mask_apply(s.id[3], s.keys, 3, &place, &v, &e), ST_DENIED);
    s.keys[1] = s.keys[0];
    assert_int_equal(mask_apply(s.id[0], s.keys, 3, &place, &v, &e), ST_DENIED);
    assert_true(v.v[0] == 0);
    sums_deinit(&v);
    sites_free(&s);
}

static void bounds_hold_on_both_sides(void **state)
{
    (void)state;
    sum_t values[2] = {10, -10}, bounds[2] = {10, 10};
    struct sums v = {.v = values, .n = 2};
    assert_int_equal(mask_check_bounds(&v, bounds, NULL), ST_OK);
    values[1] = -11;
    assert_int_equal(mask_check_bounds(&v, bounds, NULL), ST_INTERNAL);
    values[1] = 0, values[0] = 11;
    assert_int_equal(mask_check_bounds(&v, bounds, NULL), ST_INTERNAL);
}

static void masks_that_do_not_cancel_are_noticed(void **state)
{
    (void)state;
    struct sites s;
    struct mask_place place = {"run", 1, 1};
    struct sums v, total;
    sum_t bounds[2] = {SUM_COUNT_BOUND, SUM_REAL_BOUND};
    sites_make(&s, 4);
    sums_init(&total, 2);
    for (size_t i = 0; i < 4; i++) {
        sums_init(&v, 2);
        v.v[0] = 10, v.v[1] = -SUM_REAL_BOUND;
        assert_int_equal(mask_apply(s.id[i], s.keys, 4, &place, &v, NULL), ST_OK);
        assert_int_equal(sums_add(&total, &v, NULL), ST_OK);
        sums_deinit(&v);
        assert_int_equal(mask_check_total(&total, bounds, i + 1, NULL), i == 3 ? ST_OK : ST_CORRUPT);
    }
    assert_true(total.v[0] == 40);
    sums_deinit(&total);
    sites_free(&s);
}

static void a_part_opens_only_at_the_lead_and_in_its_place(void **state)
{
    (void)state;
    struct sites s;
    struct mask_place place = {"run", 1, 1}, other = {"run", 1, 2};
    struct sums v, back;
    struct buf sealed;
    sites_make(&s, 3);
    random_sums(&v, 5);
    buf_init(&sealed, 4096);
    assert_int_equal(part_seal(s.id[1], &s.keys[0], &place, &v, &sealed, NULL), ST_OK);
    assert_int_equal(part_open(s.id[0], &s.keys[1], &place, buf_slice(&sealed), 5, &back, NULL), ST_OK);
    assert_memory_equal(back.v, v.v, 5 * sizeof(sum_t));
    sums_deinit(&back);
    assert_int_equal(part_open(s.id[2], &s.keys[1], &place, buf_slice(&sealed), 5, &back, NULL), ST_CORRUPT);
    assert_int_equal(part_open(s.id[0], &s.keys[2], &place, buf_slice(&sealed), 5, &back, NULL), ST_CORRUPT);
    assert_int_equal(part_open(s.id[0], &s.keys[1], &other, buf_slice(&sealed), 5, &back, NULL), ST_CORRUPT);
    assert_int_equal(part_open(s.id[0], &s.keys[1], &place, buf_slice(&sealed), 4, &back, NULL), ST_CORRUPT);
    sealed.p[sealed.n / 2] ^= 1;
    assert_int_equal(part_open(s.id[0], &s.keys[1], &place, buf_slice(&sealed), 5, &back, NULL), ST_CORRUPT);
    buf_deinit(&sealed);
    sums_deinit(&v);
    sites_free(&s);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_cancel_bit_for_bit),
        cmocka_unit_test(masks_differ_by_run_round_and_attempt),
        cmocka_unit_test(fewer_than_three_sites_or_a_wrong_list_are_refused),
        cmocka_unit_test(bounds_hold_on_both_sides),
        cmocka_unit_test(masks_that_do_not_cancel_are_noticed),
        cmocka_unit_test(a_part_opens_only_at_the_lead_and_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
