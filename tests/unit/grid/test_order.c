/* SPDX-License-Identifier: Apache-2.0
 * Orders open at the sites they were sealed to and where they belong; nothing of them shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "grid/order.h"

enum { SITES = 3 };
static const struct mask_place place = {"run-1", 2, 1};

struct world {
    struct identity *id[SITES + 1]; /* the last is no site */
    struct site_key keys[SITES];
    struct js *parameters;
    struct buf sealed;
};

static void setup(struct world *w, const char *text)
{
    for (size_t i = 0; i <= SITES; i++)
        w->id[i] = identity_new();
    for (size_t i = 0; i < SITES; i++)
        memcpy(w->keys[i].bytes, w->id[i]->sign_public, SIGN_PUBLIC_BYTES);
    buf_init(&w->sealed, ORDER_MOST);
    assert_int_equal(js_parse(slice_of(text), "test", &w->parameters, NULL), ST_OK);
    assert_int_equal(order_seal(w->keys, SITES, &place, w->parameters, &w->sealed, NULL), ST_OK);
}

static void teardown(struct world *w)
{
    for (size_t i = 0; i <= SITES; i++)
        identity_free(w->id[i]);
    js_free(w->parameters);
    buf_deinit(&w->sealed);
}

static enum status opened_by(const struct world *w, size_t site, struct slice sealed, struct js **out)
{
    struct err e = {0};
    enum status s = order_open(w->id[site], &place, sealed, out, &e);
    assert_true(s == ST_OK || strstr(e.text, "sealed to this site"));
    return s;
}

static void every_site_opens_it_and_nobody_else(void **state)
{
    (void)state;
    struct world w;
    struct js *got;
    setup(&w, "{\"round\":3,\"analyses\":[{\"name\":\"m\",\"parameters\":{\"beta\":[0.123456789,-2.5]}}]}");
    for (size_t i = 0; i < SITES; i++) {
        assert_int_equal(opened_by(&w, i, buf_slice(&w.sealed), &got), ST_OK);
        assert_true(js_equal(got, w.parameters));
        js_free(got);
    }
    assert_int_equal(opened_by(&w, SITES, buf_slice(&w.sealed), &got), ST_DENIED);
    assert_null(got);
    teardown(&w);
}

static bool contains(const struct buf *b, const char *text)
{
    return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

static void nothing_shows_but_a_step_of_length(void **state)
{
    (void)state;
    struct world a, b;
    setup(&a, "{\"beta\":[0.123456789]}");
    setup(&b, "{\"beta\":[0.123456789,17.25,-3,4444.5,0.001],\"shift\":11}");
    assert_int_equal(a.sealed.n, b.sealed.n);
    assert_false(contains(&a.sealed, "beta"));
    assert_false(contains(&a.sealed, "0.123"));
    teardown(&a);
    teardown(&b);
}

/* Any byte changed, any length, another run or round. */
static void a_changed_or_misplaced_order_is_refused(void **state)
{
    (void)state;
    static const struct mask_place others[] = {{"run-2", 2, 1}, {"run-1", 3, 1}};
    struct world w;
    struct js *got;
    setup(&w, "{\"beta\":[1,2]}");
    char *bytes = xmalloc(w.sealed.n);
    for (size_t i = 0; i < w.sealed.n; i += i < 600 ? 1 : 97) {
        memcpy(bytes, w.sealed.p, w.sealed.n);
        bytes[i] ^= 1;
        assert_int_equal(opened_by(&w, 1, (struct slice){bytes, w.sealed.n}, &got), ST_DENIED);
        assert_int_equal(opened_by(&w, 1, (struct slice){w.sealed.p, i}, &got), ST_DENIED);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(order_open(w.id[0], &others[i], buf_slice(&w.sealed), &got, NULL), ST_DENIED);
    free(bytes);
    teardown(&w);
}

static void it_names_its_sites(void **state)
{
    (void)state;
    struct world w;
    setup(&w, "{}");
    struct site_key turned[SITES] = {w.keys[2], w.keys[0], w.keys[1]}, other[SITES + 1];
    memcpy(other, w.keys, sizeof w.keys);
    memcpy(other[SITES].bytes, w.id[SITES]->sign_public, SIGN_PUBLIC_BYTES);
    assert_true(order_names(&place, buf_slice(&w.sealed), turned, SITES));
    assert_false(order_names(&place, buf_slice(&w.sealed), w.keys, SITES - 1));
    assert_false(order_names(&place, buf_slice(&w.sealed), other, SITES + 1));
    assert_false(order_names(&place, buf_slice(&w.sealed), other + 1, SITES));
    assert_false(order_names(&place, (struct slice){w.sealed.p, 40}, w.keys, SITES));
    teardown(&w);
}

static void a_key_that_is_none_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct buf out;
    setup(&w, "{}");
    memset(w.keys[1].bytes, 0, sizeof w.keys[1].bytes);
    buf_init(&out, ORDER_MOST);
    assert_int_equal(order_seal(w.keys, SITES, &place, w.parameters, &out, NULL), ST_INVALID);
    buf_deinit(&out);
    teardown(&w);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_site_opens_it_and_nobody_else),
        cmocka_unit_test(nothing_shows_but_a_step_of_length),
        cmocka_unit_test(a_changed_or_misplaced_order_is_refused),
        cmocka_unit_test(it_names_its_sites),
        cmocka_unit_test(a_key_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
