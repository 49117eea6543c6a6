/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of events: whatever the pieces and their sizes, merging gives what comparing all gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cohort/events.h"
#include "random_case.h"

struct plain {
    uint32_t person;
    int32_t start;
    int64_t key;
    size_t place;
};

static int compare(const void *a, const void *b)
{
    const struct plain *p = a, *q = b;
    if (p->person != q->person)
        return p->person < q->person ? -1 : 1;
    if (p->start != q->start)
        return p->start < q->start ? -1 : 1;
    return (p->place > q->place) - (p->place < q->place); /* stable */
}

/* Pieces as fetching makes them: a few runs each in person order, one after the other. */
static void fill(struct rng *d, struct events *v, unsigned needs, size_t n, uint32_t persons,
                 struct plain *plain, size_t *total)
{
    events_init(v, needs);
    events_reserve(v, n);
    uint32_t person = 0;
    for (size_t i = 0; i < n; i++) {
        person = (person + (uint32_t)dice_roll(d, persons / (n / 3 + 1) + 2)) % persons;
        v->person[i] = person;
        v->start[i] = (int32_t)dice_roll(d, 400) - 200;
        if (v->key)
            v->key[i] = (int64_t)*total;
        plain[*total] = (struct plain){person, v->start[i], (int64_t)*total, *total};
        ++*total;
    }
    v->n = n;
}

/* With NEED_KEY, and with no column but person and start: those are sorted in another way. */
static void merge_and_compare_with(unsigned needs, uint64_t seed, size_t n_pieces, size_t each,
                                   uint32_t persons)
{
    struct rng d = {seed};
    struct events *pieces = xcalloc(n_pieces, sizeof *pieces), out;
    struct plain *plain = xcalloc(n_pieces * each, sizeof *plain);
    size_t total = 0;
    for (size_t i = 0; i < n_pieces; i++)
        fill(&d, &pieces[i], needs, (size_t)dice_roll(&d, each), persons, plain, &total);
    qsort(plain, total, sizeof *plain, compare);
    events_init(&out, needs);
    events_merge(pieces, n_pieces, persons, &out);
    assert_int_equal(out.n, total);
    for (size_t i = 0; i < total; i++) {
        assert_int_equal(out.person[i], plain[i].person);
        assert_int_equal(out.start[i], plain[i].start);
        if (needs)
            assert_int_equal(out.key[i], plain[i].key);
    }
    events_deinit(&out);
    free(pieces);
    free(plain);
}

static void merge_and_compare(uint64_t seed, size_t n_pieces, size_t each, uint32_t persons)
{
    merge_and_compare_with(NEED_KEY, seed, n_pieces, each, persons);
    merge_and_compare_with(0, seed, n_pieces, each, persons);
}

static void merging_gives_what_comparing_all_gives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 40; seed++)
        merge_and_compare(seed, 1 + seed % 5, 300, seed % 2 ? 7 : 100000);
    merge_and_compare(100, 4, 60000, 50000); /* long lists: buckets */
    merge_and_compare(101, 3, 80000, 3);     /* many events of few persons */
    merge_and_compare(102, 5, 50000, 3000000);
}

static void keeping_by_mask_keeps_every_column_in_order(void **state)
{
    (void)state;
    struct rng d = {5};
    struct events v;
    struct plain plain[500];
    uint8_t mask[500];
    size_t total = 0, kept = 0;
    fill(&d, &v, NEED_KEY, 500, 100, plain, &total);
    for (size_t i = 0; i < 500; i++)
        mask[i] = (uint8_t)dice_roll(&d, 2);
    events_keep(&v, mask);
    for (size_t i = 0; i < 500; i++) {
        if (!mask[i])
            continue;
        assert_int_equal(v.key[kept], plain[i].key);
        assert_int_equal(v.start[kept], plain[i].start);
        assert_int_equal(v.person[kept++], plain[i].person);
    }
    assert_int_equal(v.n, kept);
    events_deinit(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_gives_what_comparing_all_gives),
        cmocka_unit_test(keeping_by_mask_keeps_every_column_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
