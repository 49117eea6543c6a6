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

enum status working_days_between(struct db *d, int32_t from, int32_t to, int64_t *out, struct err *e)
{
    enum status s = ST_OK;
    *out = 0;
    for (int32_t day = from + 1; s == ST_OK && day <= to; day++) {
        bool works;
        s = working_day(d, day, &works, e);
        *out += works;
    }
    return s;
}
