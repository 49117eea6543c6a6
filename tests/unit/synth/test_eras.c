/* SPDX-License-Identifier: Apache-2.0
 * Eras beside a naive derivation: neighbours are united until nothing changes, and gap days are counted one
 * by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "population_fixture.h"

enum { MOST = 20000, DAYS = 40000 };

struct span {
    int32_t concept, dose, start, end, count, gap;
};
struct spans {
    struct span v[MOST];
    size_t n;
};

static int in_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct span)); /* any order will do, as both sides take it */
}

/* "Gaps of at most 30 days": as soon as one is found, the two become one. */
static bool unite_two(struct spans *s)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->n; k++) {
            struct span *a = &s->v[i], *b = &s->v[k];
            if (i == k || a->concept != b->concept || a->dose != b->dose || a->start > b->start ||
                b->start > a->end + 30)
                continue;
            a->end = a->end > b->end ? a->end : b->end;
            a->count += b->count;
            *b = s->v[--s->n];
            return true;
        }
    return false;
}

static void count_gaps(struct spans *eras, const struct spans *records)
{
    static uint8_t covered[DAYS];
    for (size_t i = 0; i < eras->n; i++) {
        struct span *era = &eras->v[i];
        memset(covered, 0, sizeof covered);
        for (size_t k = 0; k < records->n; k++)
            for (int32_t d = records->v[k].start;
                 records->v[k].concept == era->concept && d < records->v[k].end; d++)
                covered[d] = 1;
        for (int32_t d = era->start; d < era->end; d++)
            era->gap += !covered[d];
    }
}

static void derive(const struct events *ev, uint32_t person, enum table t, struct spans *out)
{
    static struct spans records;
    out->n = 0;
    for (size_t i = 0; i < ev->n; i++) {
        const struct event *x = &ev->v[i];
        if (x->person != person)
            continue;
        struct span s = {.concept = x->concept, .start = x->start, .count = 1};
        s.end = x->end == DATE_NONE ? x->start + 1 : x->end;
        if (t != TABLE_CONDITION_ERA)
        s.concept = code_ingredient(x->concept);
        if (t == TABLE_DOSE_ERA)
            s.dose = code_strength(x->concept) * x->value * 10 / (x->end - x->start + 1);
        if (t != TABLE_DOSE_ERA || s.dose)
            out->v[out->n++] = s;
    }
    records = *out;
    while (unite_two(out))
        ;
    if (t == TABLE_DRUG_ERA)
        count_gaps(out, &records);
}

static void found(const struct events *ev, uint32_t person, enum table t, struct spans *out)
{
    out->n = 0;
    for (size_t i = 0; i < ev->n; i++) {
        const struct event *x = &ev->v[i];
        if (x->person != person)
            continue;
        assert_true(x->has_value && x->decimals == (t == TABLE_DOSE_ERA));
        assert_int_equal(x->unit, t == TABLE_DOSE_ERA ? code_id(CODE_MG) : 0);
        out->v[out->n++] = (struct span){.concept = x->concept,
                                         .dose = t == TABLE_DOSE_ERA ? x->value : 0,
                                         .start = x->start,
                                         .end = x->end,
                                         .count = x->value,
                                         .gap = x->gap_days};
    }
}

static void compare(const struct chunk *c, uint32_t person, enum table from, enum table t)
{
    static struct spans wanted, got;
    derive(&c->events[from], person, t, &wanted);
    found(&c->events[t], person, t, &got);
    assert_int_equal(got.n, wanted.n);
    for (size_t i = 0; t == TABLE_DOSE_ERA && i < got.n; i++)
        wanted.v[i].count = got.v[i].count = 0;
    qsort(wanted.v, wanted.n, sizeof *wanted.v, in_order);
    qsort(got.v, got.n, sizeof *got.v, in_order);
    assert_memory_equal(got.v, wanted.v, got.n * sizeof *got.v);
}

static void eras_of_a_population_are_the_naive_ones(void **state)
{
    (void)state;
    struct fixture f;
    fixture_make(&f, "Kent and Medway", 9, 400);
    for (uint32_t person = 0; person < f.chunk.n_persons; person++) {
        compare(&f.chunk, person, TABLE_CONDITION, TABLE_CONDITION_ERA);
        compare(&f.chunk, person, TABLE_DRUG, TABLE_DRUG_ERA);
        compare(&f.chunk, person, TABLE_DRUG, TABLE_DOSE_ERA);
    }
    assert_true(f.chunk.events[TABLE_DOSE_ERA].n > 100);
    fixture_free(&f);
}

/* Few concepts and days, so that exposures overlap, touch and lie 29 to 32 days apart. */
static void draw_record(struct chunk *c, struct rng *r)
{
    enum table t = rng_below(r, 2) ? TABLE_CONDITION : TABLE_DRUG;
    enum code code = rng_below(r, 2) ? CODE_RAMIPRIL : CODE_METFORMIN;
    struct event *ev = event_add(c, t, code_id(code), 17000 + (int32_t)rng_below(r, 200));
    uint32_t days = rng_below(r, 40);
    if (t == TABLE_DRUG || rng_below(r, 2))
        ev->end = ev->start + (int32_t)days;
    if (t == TABLE_DRUG && rng_below(r, 2)) /* a product: two strengths */
    ev->concept = 2000000000 + 100 * (int32_t)code + 2 + (int32_t)rng_below(r, 2);
    ev->value = ev->end == DATE_NONE ? 0 : ev->end - ev->start + 1;
}

static void eras_of_random_records_are_the_naive_ones(void **state)
{
    (void)state;
    struct rng r = rng_stream(1, 2, DRAW_BENCH);
    struct person nobody = {0};
    for (int round = 0; round < 3000; round++) {
        struct chunk c = {.persons = &nobody, .n_persons = 1};
        for (uint32_t n = rng_below(&r, 24); n; n--)
            draw_record(&c, &r);
        era_draw(&c, 0, 0);
        compare(&c, 0, TABLE_CONDITION, TABLE_CONDITION_ERA);
        compare(&c, 0, TABLE_DRUG, TABLE_DRUG_ERA);
        compare(&c, 0, TABLE_DRUG, TABLE_DOSE_ERA);
        for (int t = 0; t < SYNTH_TABLES; t++)
            free(c.events[t].v);
    }
}

/* The worked case of docs/synthetic-data.md. */
static void gaps_of_thirty_days_are_bridged_and_counted(void **state)
{
    (void)state;
    struct person nobody = {0};
    struct chunk c = {.persons = &nobody, .n_persons = 1};
    static const int32_t days[][2] = {{100, 128}, {120, 148}, {178, 206}, {237, 265}};
    for (size_t i = 0; i < 4; i++)
        event_add(&c, TABLE_DRUG, code_id(CODE_RAMIPRIL), days[i][0])->end = days[i][1];
    era_draw(&c, 0, 0);
    const struct events *eras = &c.events[TABLE_DRUG_ERA];
    assert_int_equal(eras->n, 2);
    assert_int_equal(eras->v[0].start, 100);
    assert_int_equal(eras->v[0].end, 206);
    assert_int_equal(eras->v[0].value, 3);
    assert_int_equal(eras->v[0].gap_days, 30);
    assert_int_equal(eras->v[1].start, 237);
    assert_int_equal(eras->v[1].gap_days, 0);
    assert_int_equal(c.events[TABLE_DOSE_ERA].n, 0); /* an ingredient has no strength */
    for (int t = 0; t < SYNTH_TABLES; t++)
        free(c.events[t].v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eras_of_a_population_are_the_naive_ones),
        cmocka_unit_test(eras_of_random_records_are_the_naive_ones),
        cmocka_unit_test(gaps_of_thirty_days_are_bridged_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
