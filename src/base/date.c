/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include <stdio.h>
#include <time.h>

#include "base/vectors.h"

bool date_valid(int year, int month, int day)
{
    static const int8_t length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= length[month - 1] + (month == 2 && leap);
}

/* Years begin in March, so that the leap day is the last; 800,000 of them more are 2,000 whole cycles of 400
 * years and keep everything positive. */
static inline int32_t days_of(int year, int month, int day)
{
    unsigned y = (unsigned)(year - (month <= 2) + 800000);
    unsigned month_of_year = (unsigned)(month > 2 ? month - 3 : month + 9);
    unsigned days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * month_of_year + 2) / 5;
    return (int32_t)days + day - 1 - 719468 - 2000 * 146097;
}

int32_t date_of(int year, int month, int day)
{
    return days_of(year, month, day);
}

VECTORS void date_of_all(const int32_t *restrict year, const int32_t *restrict month,
                         const int32_t *restrict day, size_t n, int32_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = days_of(year[i], month[i], day[i]);
}

static inline void parts(int32_t days, int *year, int *month, int *day)
{
    int z = days + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int day_of_era = z - era * 146097;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int mp = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * mp + 2) / 5 + 1;
    *month = mp + (mp < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

void date_parts(int32_t days, int *year, int *month, int *day)
{
    parts(days, year, month, day);
}

VECTORS void date_parts_all(const int32_t *restrict days, size_t n, int32_t *restrict year,
                            int32_t *restrict month, int32_t *restrict day)
{
    for (size_t i = 0; i < n; i++)
        parts(days[i], &year[i], &month[i], &day[i]);
}

int date_year(int32_t days)
{
    int y, m, d;
    date_parts(days, &y, &m, &d);
    return y;
}

static bool digits(const char *p, int n, int *out)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

bool date_parse(struct slice s, int32_t *days)
{
    int y, m, d;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    if (!digits(s.p, 4, &y) || !digits(s.p + 5, 2, &m) || !digits(s.p + 8, 2, &d) || !date_valid(y, m, d))
        return false;
    *days = date_of(y, m, d);
    return true;
}

/* " 12:34", " 12:34:56", "T12:34:56.789", optionally followed by Z or +hh:mm or +hhmm or +hh. */
static bool time_suffix(const char *p, size_t n)
{
    int v;
    if (n < 6 || (p[0] != ' ' && p[0] != 'T') || !digits(p + 1, 2, &v) || v > 24 || p[3] != ':')
        return false;
    if (!digits(p + 4, 2, &v) || v > 59)
        return false;
    size_t i = 6;
    if (i + 3 <= n && p[i] == ':') {
        if (!digits(p + 7, 2, &v) || v > 60)
            return false;
        i = 9;
        if (i < n && p[i] == '.')
            for (i++; i < n && p[i] >= '0' && p[i] <= '9';)
                i++;
    }
    if (i < n && p[i] == ' ')
        i++;
    if (i < n && (p[i] == 'Z' || p[i] == '+' || p[i] == '-'))
        for (i++; i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ':');)
            i++;
    return i == n;
}

bool date_parse_loose(struct slice s, int32_t *days)
{
    int y, m, d;
    if (s.n == 8 && digits(s.p, 4, &y) && digits(s.p + 4, 2, &m) && digits(s.p + 6, 2, &d)) {
        if (!date_valid(y, m, d))
            return false;
        *days = date_of(y, m, d);
        return true;
    }
    if (s.n <= 10)
        return date_parse(s, days);
    return date_parse((struct slice){s.p, 10}, days) && time_suffix(s.p + 10, s.n - 10);
}

void date_format(int32_t days, char out[11])
{
    if (days == DATE_NONE) {
        out[0] = '\0';
        return;
    }
    int y, m, d;
    date_parts(days, &y, &m, &d);
    const int parts[3] = {y, m, d};
    static const int widths[3] = {4, 2, 2};
    char *p = out;
    for (int i = 0; i < 3; i++) {
        int v = parts[i];
        for (int k = widths[i] - 1; k >= 0; k--, v /= 10)
            p[k] = (char)('0' + v % 10);
        p += widths[i];
        *p++ = '-';
    }
    out[10] = '\0';
}

int date_weekday(int32_t days)
{
    int w = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return w < 0 ? w + 7 : w;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t time_now_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t time_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t time_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void time_format(int64_t ms, char out[21])
{
    int64_t seconds = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
    int64_t day = seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400);
    unsigned rest = (unsigned)(seconds - day * 86400);
    date_format((int32_t)day, out);
    snprintf(out + 10, 11, "T%02u:%02u:%02uZ", rest / 3600 % 24, rest / 60 % 60, rest % 60);
}

bool time_parse(struct slice s, int64_t *ms)
{
    int32_t day;
    int h, m, sec;
    if (s.n != 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || s.p[19] != 'Z')
        return false;
    if (!date_parse((struct slice){s.p, 10}, &day) || !digits(s.p + 11, 2, &h) || !digits(s.p + 14, 2, &m) ||
        !digits(s.p + 17, 2, &sec) || h > 23 || m > 59 || sec > 59)
        return false;
    *ms = ((int64_t)day * 86400 + h * 3600 + m * 60 + sec) * 1000;
    return true;
}
