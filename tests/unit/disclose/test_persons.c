/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of persons and their bytes: both forms, beside the list that they were made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "disclose/persons.h"
#include "histories.h"

static struct slice encoded(const struct persons *p, struct buf *bytes, uint8_t hash[HASH_BYTES])
{
    buf_init(bytes, 1 << 24);
    persons_encode(p, bytes, hash);
    return buf_slice(bytes);
}

static void whatever_is_written_is_read(void **state)
{
    (void)state;
    struct world w = {.random = {3}};
    int forms[2] = {0};
    for (int trial = 0; trial < 300; trial++) {
        struct crowd c = {0};
        uint64_t step = trial % 7 ? 1 + world_draw(&w, 3000) : 1, n = world_draw(&w, 400);
        for (uint64_t i = 0, at = world_draw(&w, 100000); i < n; i++, at += 1 + world_draw(&w, step))
            crowd_add(&c, (uint32_t)at);
        struct persons *p = persons_new(c.v, c.n), *again;
        struct buf bytes;
        struct err e;
        uint8_t hash[HASH_BYTES];
        struct slice text = encoded(p, &bytes, hash);
        forms[text.p[0] == 'G']++;
        assert_int_equal(persons_decode(text, hash, &again, &e), ST_OK);
        uint32_t *list = persons_list(again);
        assert_int_equal(persons_count(again), c.n);
        if (c.n)
            assert_memory_equal(list, c.v, c.n * sizeof *list);
        free(list);
        persons_free(again);
        persons_free(p);
        buf_deinit(&bytes);
        free(c.v);
    }
    assert_true(forms[0] > 20 && forms[1] > 20);
}

static enum status decode(const char *bytes, size_t n)
{
    struct persons *p;
    struct err e;
    uint8_t hash[HASH_BYTES];
    sha256(bytes, n, hash);
    enum status s = persons_decode((struct slice){bytes, n}, hash, &p, &e);
    persons_free(p);
    return s;
}

static void bytes_that_are_no_set_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode("G\x05\x01", 3), ST_OK);
    assert_int_equal(decode("G\x85", 2), ST_CORRUPT);                     /* ends within a gap */
    assert_int_equal(decode("G\x80\x80\x80\x80\x80\x01", 7), ST_CORRUPT); /* a gap too long */
    assert_int_equal(decode("G\xff\xff\xff\xff\x0f", 6), ST_OK);          /* the largest number */
    assert_int_equal(decode("G\xff\xff\xff\xff\x0f\x01", 7), ST_CORRUPT); /* and one after it */
    assert_int_equal(decode("G\xff\xff\xff\xff\x1f", 6), ST_CORRUPT);     /* larger than that */
    assert_int_equal(decode("X", 1), ST_CORRUPT);
    assert_int_equal(decode("", 0), ST_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_written_is_read),
        cmocka_unit_test(bytes_that_are_no_set_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
