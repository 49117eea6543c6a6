/* SPDX-License-Identifier: Apache-2.0
 *
 * Births and ages, one or for many rows at once.
 */
#include "base/date.h"
#include "base/vectors.h"
#include "study/events.h"

/* Day and month as they are read: what is missing or not in the calendar is the first. Without branches. */
static inline void read_birth(int32_t year, int32_t *month, int32_t *day)
{
    int32_t leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0);
    int32_t m = ((*month < 1) | (*month > 12)) ? 1 : *month;
    int32_t length = m == 2 ? 28 + leap : 30 + ((m + (m >> 3)) & 1);
    *month = m;
    *day = ((*day < 1) | (*day > length)) ? 1 : *day;
}

int32_t person_birth(const struct store_persons *p, uint32_t person)
{
    int32_t year = p->birth_year[person], month = p->birth_month[person], day = p->birth_day[person];
    read_birth(year, &month, &day);
    return year < 1 || year > 9999 ? DATE_NONE : date_of(year, month, day);
}

struct births {
    int32_t year[BIRTHS], month[BIRTHS], day[BIRTHS];
};

VECTORS static void births_parts(const int16_t *restrict year, const int8_t *restrict month,
                                 const int8_t *restrict day, size_t n, struct births *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        int32_t m = month[i], d = day[i];
        read_birth(year[i], &m, &d);
        out->year[i] = year[i];
        out->month[i] = m;
        out->day[i] = d;
    }
}

VECTORS static void drop_unknown(const int32_t *restrict year, size_t n, int32_t *restrict birth)
{
    for (size_t i = 0; i < n; i++)
        birth[i] = ((year[i] < 1) | (year[i] > 9999)) ? DATE_NONE : birth[i];
}

void person_births(const struct store_persons *p, uint32_t first, size_t n, int32_t out[BIRTHS])
{
    struct births b = {0};
    births_parts(p->birth_year + first, p->birth_month + first, p->birth_day + first, n, &b);
    date_of_all(b.year, b.month, b.day, n, out);
    drop_unknown(b.year, n, out);
}

/* A day as a number of which differences, shifted, are whole years: the 31st of December is 12 * 32 + 31 of
 * 512. */
enum { YEAR_BITS = 9 };
static inline int32_t year_key(int32_t year, int32_t month, int32_t day)
{
    return (year << YEAR_BITS) + month * 32 + day;
}

/* Years between a birth and a day, both as year_key; who was born on 29 February has the birthday on the 28th
 * where there is none. */
static inline int32_t years_between(int32_t birth, int32_t day)
{
    int32_t y = day >> YEAR_BITS, leap = ((y % 4 == 0) & (y % 100 != 0)) | (y % 400 == 0);
    int32_t early = !leap & ((birth & ((1 << YEAR_BITS) - 1)) == 2 * 32 + 29);
    return (day - birth + early) >> YEAR_BITS;
}

int age_on(int32_t birth, int32_t day)
{
    int by, bm, bd, y, m, d;
    date_parts(birth, &by, &bm, &bd);
    date_parts(day, &y, &m, &d);
    return years_between(year_key(by, bm, bd), year_key(y, m, d));
}

enum { AGES = 512, NO_BIRTH = INT32_MAX }; /* rows at a time */

/* Births as year_key, read as read_birth reads them; NO_BIRTH without a year. */
VECTORS static void birth_keys(const int16_t *restrict year, const int8_t *restrict month,
                               const int8_t *restrict day, size_t n, int32_t *restrict key)
{
    for (size_t i = 0; i < n; i++) {
        int32_t y = year[i], m = month[i], d = day[i];
        read_birth(y, &m, &d);
        key[i] = ((y >= 1) & (y <= 9999)) ? year_key(y, m, d) : NO_BIRTH;
    }
}

VECTORS static void pick(const int32_t *restrict key, uint32_t first, const uint32_t *restrict person,
                         size_t n, int32_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = key[person[i] - first];
}

/* Birth keys of n persons, who ascend: where they lie near each other those between them are made too. */
static void keys_of_persons(const struct store_persons *p, const uint32_t *person, size_t n, int32_t *out)
{
    enum { NEAR = 4 * AGES };
    uint32_t first = person[0], span = person[n - 1] - first + 1;
    int32_t key[NEAR];
    int16_t year[AGES];
    int8_t month[AGES], day[AGES];
    if (span <= NEAR) {
        birth_keys(p->birth_year + first, p->birth_month + first, p->birth_day + first, span, key);
        pick(key, first, person, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        year[i] = p->birth_year[person[i]];
        month[i] = p->birth_month[person[i]];
        day[i] = p->birth_day[person[i]];
    }
    birth_keys(year, month, day, n, out);
}

VECTORS static bool all_equal(const int32_t *day, size_t n)
{
    int32_t other = 0;
    for (size_t i = 0; i < n; i++)
        other |= day[i] ^ day[0];
    return !other;
}

VECTORS static void join_keys(const int32_t *restrict year, const int32_t *restrict month,
                              const int32_t *restrict day, size_t n, int32_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = year_key(year[i], month[i], day[i]);
}

/* Many cohorts start on one day for all. */
static void keys_of_days(const int32_t *start, size_t n, int32_t *out)
{
    int32_t year[AGES], month[AGES], day[AGES];
    size_t different = all_equal(start, n) ? 1 : n;
    date_parts_all(start, different, year, month, day);
    join_keys(year, month, day, different, out);
    if (different < n)
        for (size_t i = 1; i < n; i++)
            out[i] = out[0];
}

VECTORS static void ages_between(const int32_t *restrict birth, const int32_t *restrict start, size_t n,
                                 int16_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(birth[i] == NO_BIRTH ? AGE_UNKNOWN : years_between(birth[i], start[i]));
}

void ages_at_start(const struct store_persons *p, const struct index_rows *rows, int16_t *out)
{
    int32_t birth[AGES], start[AGES];
    for (size_t first = 0; first < rows->n; first += AGES) {
        size_t n = rows->n - first < AGES ? rows->n - first : AGES;
        keys_of_persons(p, rows->person + first, n, birth);
        keys_of_days(rows->start + first, n, start);
        ages_between(birth, start, n, out + first);
    }
}
