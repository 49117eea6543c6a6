/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/calendar.h"

#include "base/date.h"
#include "govern/items.h"

enum { SATURDAY = 5 };

enum status working_day(struct db *d, int32_t day, bool *out, struct err *e)
{
    char text[11];
    int64_t n = 0;
    *out = date_weekday(day) < SATURDAY;
    if (!*out)
        return ST_OK;
    date_format(day, text);
    enum status s = db_number(d, "SELECT count(*) FROM vocabulary WHERE scheme='bank-holidays' AND code=?1",
                              PARAMS(text), 0, &n, e);
    *out = n == 0;
    return s;
}

enum status working_days_on(struct db *d, int32_t day, int n, int32_t *out, struct err *e)
{
    enum status s = ST_OK;
    while (s == ST_OK && n > 0) {
        bool works;
        s = working_day(d, ++day, &works, e);
        n -= works;
    }
    *out = day;
    return s;
}

/* Bank holidays that lie on working days of the week; `from` itself is not counted, `to` is. */
static enum status holidays_between(struct db *d, int32_t from, int32_t to, int64_t *out, struct err *e)
{
    char after[11], until[11];
    date_format(from, after);
    date_format(to, until);
    return db_number(d,
                     "SELECT count(*) FROM vocabulary WHERE scheme='bank-holidays' AND code>?1 AND code<=?2 "
                     "AND strftime('%w', code) NOT IN ('0', '6')",
                     PARAMS(after, until), 0, out, e);
}

enum status working_days_between(struct db *d, int32_t from, int32_t to, int64_t *out, struct err *e)
{
    int64_t holidays = 0;
    *out = 0;
    if (to <= from)
        return ST_OK;
    *out = (int64_t)((to - from) / 7) * 5;
    for (int32_t day = to - (to - from) % 7 + 1; day <= to; day++)
        *out += date_weekday(day) < SATURDAY;
    enum status s = holidays_between(d, from, to, &holidays, e);
    *out -= holidays;
    return s;
}
