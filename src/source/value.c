/* SPDX-License-Identifier: Apache-2.0 */
#include "source/value.h"

#include <math.h>

#include "base/date.h"

/* "7.0", "7.00": what pandas and R make of a column of whole numbers with gaps. */
static bool whole_with_zeros(struct slice s, int64_t *out)
{
    const char *point = s.n ? memchr(s.p, '.', s.n) : NULL;
    if (!point)
        return false;
    struct slice whole = {s.p, (size_t)(point - s.p)};
    for (size_t i = whole.n + 1; i < s.n; i++)
        if (s.p[i] != '0')
            return false;
    return parse_i64(whole, out);
}

/* Where there are not eight bytes to read. */
static uint64_t few_bytes(const char *p, size_t n)
{
    uint64_t x = 0;
    memcpy(&x, p, n);
    return x;
}

/* The number that n (1 to 8) bytes write in decimal; false where one is not a digit. They are moved to the
 * top of a word, and its digits joined to pairs, to fours and to eight (Lemire, "Quickly parsing eight
 * digits", 2018). */
static inline bool up_to_8_digits(const char *p, size_t n, const char *end, uint64_t *out)
{
    uint64_t x;
    if (__builtin_expect(end - p >= 8, 1))
        memcpy(&x, p, 8);
    else
        x = few_bytes(p, n);
    x = (x ^ 0x3030303030303030U) << 8 * (8 - n); /* '0'..'9' are 0x30..0x39 */
    if ((x | (x + 0x0606060606060606U)) & 0xf0f0f0f0f0f0f0f0U)
        return false;
    x = x * 10 + (x >> 8);
    x = (x & 0xff000000ffU) * (100 + (1000000ULL << 32)) + (x >> 16 & 0xff000000ffU) * (1 + (10000ULL << 32));
    *out = x >> 32;
    return true;
}

/* 1 to 16 digits. */
static inline bool whole_number(const char *p, size_t n, const char *end, int64_t *out)
{
    uint64_t high = 0, low;
    if (n - 1 > 15 || (n > 8 && !up_to_8_digits(p, n - 8, end, &high)) ||
        !up_to_8_digits(n > 8 ? p + n - 8 : p, n > 8 ? 8 : n, end, &low))
        return false;
    *out = (int64_t)(high * 100000000 + low);
    return true;
}

static bool unusual_i64(struct slice s, const char *end, int64_t *out)
{
    int64_t v;
    if (s.n && s.p[0] == '-' && whole_number(s.p + 1, s.n - 1, end, &v)) {
        *out = -v;
        return true;
    }
    return (parse_i64(s, out) || whole_with_zeros(s, out)) && *out != NONE_I64; /* which means missing */
}

static inline bool read_i64(struct slice s, const char *end, int64_t *out)
{
    return whole_number(s.p, s.n, end, out) || unusual_i64(s, end, out);
}

bool value_i64(struct slice s, const char *end, int64_t *out)
{
    return read_i64(s, end, out);
}

static inline bool read_i32(struct slice s, const char *end, int32_t *out)
{
    int64_t v;
    if (!read_i64(s, end, &v) || v <= INT32_MIN || v > INT32_MAX) /* INT32_MIN means missing */
        return false;
    *out = (int32_t)v;
    return true;
}

bool value_i32(struct slice s, const char *end, int32_t *out)
{
    return read_i32(s, end, out);
}

/* Up to 15 digits and 10^0..10^15 are exact doubles, so one division rounds correctly (Clinger, 1990). */
bool value_double(struct slice s, double *out)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = s.n && s.p[0] == '-', from = i, point = s.n;
    if (s.n - i > 16 || s.n == i)
        return parse_double(s, out);
    int64_t mantissa = 0;
    for (; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (s.p[i] == '.' && point == s.n && i > from)
            point = i;
        else if (digit > 9)
            return parse_double(s, out);
        else
            mantissa = mantissa * 10 + digit;
    }
    size_t decimals = point < s.n ? s.n - point - 1 : 0;
    if (s.n - from - (point < s.n) > 15)
        return parse_double(s, out);
    double v = (double)mantissa / powers[decimals];
    *out = from ? -v : v;
    return true;
}

/* All eight bytes at once: "YYYY-MM-" less "0000-00-" must leave digits, and nothing at the dashes. */
static inline bool year_and_month(const char *p, int *year, int *month)
{
    uint64_t x;
    memcpy(&x, p, 8);
    x ^= 0x2d30302d30303030U; /* "0000-00-"; '0'..'9' are 0x30..0x39: the low four bits are the digit */
    if (((x | (x + 0x0606060606060606U)) & 0xf0f0f0f0f0f0f0f0U) || (x & 0xff0000ff00000000U))
        return false;
    x = x * 10 + (x >> 8); /* bytes 0, 2 and 5 are pairs of digits now */
    *year = (int)((x & 0xff) * 100 + (x >> 16 & 0xff));
    *month = (int)(x >> 40 & 0xff);
    return true;
}

bool value_date(struct slice s, int32_t *days)
{
    int year, month;
    if (s.n != 10 || !year_and_month(s.p, &year, &month))
        return date_parse_loose(s, days);
    unsigned tens = (unsigned)(unsigned char)s.p[8] - '0', ones = (unsigned)(unsigned char)s.p[9] - '0';
    int day = (int)(tens * 10 + ones);
    bool usual = day >= 1 && day <= 28 && month >= 1 && month <= 12 && year >= 1;
    if (tens > 9 || ones > 9 || (!usual && !date_valid(year, month, day)))
        return false;
    *days = date_of(year, month, day);
    return true;
}

#define EACH_FIELD(type, none, read)                                                                         \
    do {                                                                                                     \
        type *to = out;                                                                                      \
        for (size_t row = 0; row < rows->n; row++) {                                                         \
            struct slice f = csv_rows_field(rows, row, column);                                              \
            if (f.n == 0)                                                                                    \
                to[row] = (none), empty = true;                                                              \
            else                                                                                             \
                fine &= (read);                                                                              \
        }                                                                                                    \
    } while (0)

bool value_column(enum table_kind kind, const struct csv_rows *rows, size_t column, bool needed, void *out)
{
    bool fine = true, empty = false;
    const char *end = rows->end;
    switch (kind) {
    case TABLE_I32:
        EACH_FIELD(int32_t, NONE_I32, read_i32(f, end, to + row));
        break;
    case TABLE_I64:
        EACH_FIELD(int64_t, NONE_I64, read_i64(f, end, to + row));
        break;
    case TABLE_F64:
        EACH_FIELD(double, (double)NAN, value_double(f, to + row));
        break;
    case TABLE_DATE:
        EACH_FIELD(int32_t, NONE_I32, value_date(f, to + row));
        break;
    case TABLE_TEXT:
        EACH_FIELD(struct slice, (struct slice){0}, (to[row] = f, true));
        break;
    }
    return fine && !(empty && needed);
}
