/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates are days: int32_t since 1970-01-01 in the proleptic Gregorian calendar, 0001-01-01 to 9999-12-31.
 * Conversion: H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil and civil_from_days.
 */
#ifndef ACCORD_BASE_DATE_H
#define ACCORD_BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define DATE_MIN  (-719162) /* 0001-01-01 */
#define DATE_MAX  2932896   /* 9999-12-31 */
#define DATE_NONE INT32_MIN /* a missing date */

bool date_valid(int year, int month, int day);
int32_t date_of(int year, int month, int day); /* the parts must be valid */
void date_parts(int32_t days, int *year, int *month, int *day);
int date_year(int32_t days);
/* The same for many; and the parts of many days, all valid. */
void date_of_all(const int32_t *year, const int32_t *month, const int32_t *day, size_t n, int32_t *out);
void date_parts_all(const int32_t *days, size_t n, int32_t *year, int32_t *month, int32_t *day);
/* "YYYY-MM-DD", exactly; with_time also accepts " HH:MM[:SS[.f]]" or "T..." with an optional zone behind it,
 * and "YYYYMMDD". */
bool date_parse(struct slice s, int32_t *days);
bool date_parse_loose(struct slice s, int32_t *days);
void date_format(int32_t days, char out[11]); /* "YYYY-MM-DD"; DATE_NONE gives "" */
int date_weekday(int32_t days);               /* 0 = Monday */

/* Wall-clock time in ms since 1970 UTC, and as RFC 3339 with seconds ("2026-11-22T18:25:00Z"). */
int64_t time_now_ms(void);
void time_format(int64_t ms, char out[21]);
bool time_parse(struct slice s, int64_t *ms);
/* A clock that never goes back, in ns, for durations; and CPU time of the process in ns. */
int64_t time_monotonic_ns(void);
int64_t time_cpu_ns(void);

#endif
