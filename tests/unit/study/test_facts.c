/* SPDX-License-Identifier: Apache-2.0
 * Facts that are made for many rows at once are those that one row at a time would get: ages, dates, counts
 * by stratum, and reals as sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/date.h"
#include "study/events.h"

enum { PERSONS = 60000 };
static unsigned seed = 3;

static int32_t between(int32_t low, int32_t high)
{
    return low + (int32_t)((unsigned)rand_r(&seed) % (unsigned)(high - low + 1));
}

/* Years by counting birthdays; one on 29 February is on the 28th in other years. */
static int naive_age(int by, int bm, int bd, int32_t day)
{
    int age = 0, y, m, d;
    date_parts(day, &y, &m, &d);
    if (y < by || (y == by && (m < bm || (m == bm && d < bd))))
        return y - by - (m < bm || (m == bm && d < bd)); /* before birth; the calendar's difference */
    for (int year = by + 1; year <= y; year++) {
        int birthday = bm == 2 && bd == 29 && !date_valid(year, 2, 29) ? 28 : bd;
        age += day >= date_of(year, bm, birthday);
    }
    return age;
}

static void check_ages(uint32_t n, uint32_t apart, bool one_day)
{
    static int16_t year[PERSONS], age[PERSONS];
    static int8_t month[PERSONS], day[PERSONS];
    static uint32_t person[PERSONS];
    static int32_t start[PERSONS];
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = k * apart;
        year[i] = (int16_t)(k % 50 == 0 ? INT16_MIN : between(1890, 2020));
        month[i] = (int8_t)(k % 7 == 0 ? 2 : between(-1, 14));
        day[i] = (int8_t)(k % 3 == 0 ? between(27, 31) : between(-1, 32));
        person[k] = i;
        start[k] = one_day && k ? start[0]
                   : k % 5 == 0 ? date_of(between(1960, 2030), 2, 28) + between(0, 1)
                                : date_of(between(1890, 2030), between(1, 12), between(1, 28));
    }
    struct store_persons p = {.n = PERSONS, .birth_year = year, .birth_month = month, .birth_day = day};
    ages_at_start(&p, &(struct index_rows){.n = n, .person = person, .start = start}, age);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = person[k];
        int m = month[i] < 1 || month[i] > 12 ? 1 : month[i];
        int d = date_valid(year[i], m, day[i]) ? day[i] : 1;
        if (year[i] == INT16_MIN) {
            assert_int_equal(age[k], AGE_UNKNOWN);
            assert_int_equal(person_birth(&p, i), DATE_NONE);
            continue;
        }
        assert_int_equal(person_birth(&p, i), date_of(year[i], m, d));
        assert_int_equal(age[k], naive_age(year[i], m, d, start[k]));
        assert_int_equal(age[k], age_on(person_birth(&p, i), start[k]));
    }
}

/* Persons side by side, or far from each other; starts of all kinds, or one for all. */
static void ages_are_counted_birthdays(void **state)
{
    (void)state;
    for (uint32_t apart = 1; apart <= 12; apart += 11)
        for (int one_day = 0; one_day < 2; one_day++)
            check_ages(PERSONS / 20, apart, one_day);
}

static void dates_of_many_days_are_those_of_each(void **state)
{
    (void)state;
    static int32_t days[1000], y[1000], m[1000], d[1000];
    for (int i = 0; i < 1000; i++)
        days[i] = i < 500 ? between(DATE_MIN, DATE_MAX) : between(-800, 800) + 365 * (i - 700);
    days[0] = DATE_MIN;
    days[1] = DATE_MAX;
    date_parts_all(days, 1000, y, m, d);
    for (int i = 0; i < 1000; i++) {
        int year, month, day;
        date_parts(days[i], &year, &month, &day);
        assert_int_equal(y[i], year);
        assert_int_equal(m[i], month);
        assert_int_equal(d[i], day);
        assert_int_equal(date_of(y[i], m[i], d[i]), days[i]);
    }
}

static void strata_are_counted_as_one_by_one(void **state)
{
    (void)state;
    static uint32_t places[20001];
    static const uint32_t ranges[] = {1, 2, 90, 4096, 4097, 9000};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (size_t n = 0; n <= 20001; n = n < 3 ? n + 1 : 3 * n) {
            struct sums fast, slow;
            sums_init(&fast, ranges[r] + 5);
            sums_init(&slow, ranges[r] + 5);
            for (size_t i = 0; i < n; i++) {
                places[i] = (uint32_t)between(0, (int32_t)ranges[r] - 1);
                sums_count(&slow, 5 + places[i], 1);
            }
            sums_count_each(&fast, 5, ranges[r], places, n);
            assert_memory_equal(fast.v, slow.v, fast.n * sizeof *fast.v);
            sums_deinit(&fast);
            sums_deinit(&slow);
        }
}

/* x * 2^64 to the nearest integer, ties to even: in long double both halves are exact. */
static sum_t naive_scale(double x)
{
    long double size = fabsl((long double)x), whole = floorl(size);
    sum_t scaled = ((sum_t)(uint64_t)whole << 64) + (sum_t)rintl((size - whole) * 0x1p64L);
    return x < 0 ? -scaled : scaled;
}

static void reals_are_scaled_and_rounded_once(void **state)
{
    (void)state;
    static const double some[] = {
        0,      -0.0,    1,       -1,        0.1,       1e-5,  0x1p-12, 0x1.fffffffffffffp-13,
        0x1p52, -0x1p52, 0x1p-65, 0x1.8p-64, 0x1p-1000, 5e-324};
    struct sums s;
    sums_init(&s, 1);
    for (int i = 0; i < 20000; i++) {
        double x = i < (int)(sizeof some / sizeof *some)
                       ? some[i]
                       : ldexp((double)between(-1000000000, 1000000000) + between(0, 1000) / 1024.0,
                               between(-120, 20));
        s.v[0] = 0;
        sums_real(&s, 0, x);
        assert_true(s.v[0] == naive_scale(x));
    }
    assert_false(s.failed);
    sums_real(&s, 0, nextafter(0x1p52, INFINITY));
    assert_true(s.failed);
    sums_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_are_counted_birthdays),
        cmocka_unit_test(dates_of_many_days_are_those_of_each),
        cmocka_unit_test(strata_are_counted_as_one_by_one),
        cmocka_unit_test(reals_are_scaled_and_rounded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
