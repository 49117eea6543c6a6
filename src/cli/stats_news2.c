/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats news2: the National Early Warning Score 2 of each row of readings, with the points and the
 * reason.
 */
#include <math.h>
#include <strings.h>

#include "base/text.h"
#include "cli/stats_methods.h"
#include "stats/news2.h"

struct readings {
    double *measured[NEWS2_PARTS]; /* NULL for oxygen and consciousness, which are words */
    int oxygen, consciousness, scale;
};

static enum status find_columns(const struct args *a, const struct stats_table *t, struct readings *r,
                                struct err *e)
{
    static const struct {
        enum news2_part part;
        const char *usual;
    } measured[] = {{NEWS2_RESPIRATION, "respiration respiratory_rate resp_rate rr"},
                    {NEWS2_SPO2, "spo2 oxygen_saturation sats"},
                    {NEWS2_SYSTOLIC, "systolic systolic_bp sbp syst"},
                    {NEWS2_PULSE, "pulse heart_rate hr"},
                    {NEWS2_TEMPERATURE, "temperature temp"}};
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < sizeof measured / sizeof *measured; i++)
        s = stats_choose_numbers(a, t, news2_part_names[measured[i].part], measured[i].usual, true,
                                 &r->measured[measured[i].part], e);
    if (s == ST_OK)
        s = stats_choose(a, t, "oxygen", "oxygen on_oxygen supplemental_oxygen", true, &r->oxygen, e);
    if (s == ST_OK)
        s = stats_choose(a, t, "consciousness", "consciousness acvpu avpu alert", true, &r->consciousness, e);
    return s == ST_OK ? stats_choose(a, t, "scale", "scale spo2_scale", false, &r->scale, e) : s;
}

static bool is_one_of(const char *cell, const char *words)
{
    char lower[32];
    size_t n = 0;
    for (; cell[n] && n < sizeof lower - 1; n++)
        lower[n] = (char)(cell[n] >= 'A' && cell[n] <= 'Z' ? cell[n] - 'A' + 'a' : cell[n]);
    lower[n] = '\0';
    return !cell[n] && word_in(words, lower);
}

/* `yes` and `no` are words parted by bars; *missing where the cell is blank. */
static enum status read_word(const struct stats_table *t, int column, size_t row, const char *yes,
                             const char *no, bool *out, bool *missing, struct err *e)
{
    const char *cell = t->cells[column][row];
    *missing = !cell;
    *out = cell && is_one_of(cell, yes);
    if (!cell || *out || is_one_of(cell, no))
        return ST_OK;
    (void)err_set(e, ST_INVALID, "column '%s': expected one of %s|%s", t->columns[column], yes, no);
    return stats_at(t, row, e);
}

static enum status check_plausible(const struct stats_table *t, const struct readings *r, size_t row,
                                   struct err *e)
{
    for (int i = 0; i < NEWS2_PARTS; i++) {
        double least, most;
        news2_plausible((enum news2_part)i, &least, &most);
        if (r->measured[i] && (r->measured[i][row] < least || r->measured[i][row] > most)) {
            (void)err_set(e, ST_INVALID, "%s must lie between %g and %g", news2_part_names[i], least, most);
            return stats_at(t, row, e);
        }
    }
    return ST_OK;
}

static struct js *row_of(const struct stats_table *t, size_t i, const struct news2 *n, bool no_oxygen,
                         bool no_consciousness)
{
    struct js *row = js_object();
    const char *missing = NULL;
    for (size_t c = 0; c < t->n_columns; c++)
        stats_put_cell(row, t, (int)c, i);
    for (int k = 0; k < NEWS2_PARTS; k++) {
        bool absent = n->points[k] < 0 || (k == NEWS2_OXYGEN && no_oxygen) ||
                      (k == NEWS2_CONSCIOUSNESS && no_consciousness);
        if (absent && !missing)
            missing = news2_part_names[k];
        js_put(row, arena_printf(t->arena, "%s_points", news2_part_names[k]),
               absent ? js_null() : js_integer(n->points[k]));
    }
    js_put(row, "news2", missing ? js_null() : js_integer(n->total));
    js_put(row, "band", missing ? js_null() : js_string(news2_band_names[n->band]));
    js_put(row, "response", missing ? js_null() : js_string(news2_response(n->band)));
    js_put(row, "reason",
           missing ? js_string(arena_printf(t->arena, "no reading of %s", missing)) : js_null());
    return row;
}

static enum status score_row(const struct stats_table *t, const struct readings *r, size_t i, struct js *rows,
                             struct err *e)
{
    struct news2_reading reading = {r->measured[NEWS2_RESPIRATION][i],
                                    r->measured[NEWS2_SPO2][i],
                                    r->measured[NEWS2_SYSTOLIC][i],
                                    r->measured[NEWS2_PULSE][i],
                                    r->measured[NEWS2_TEMPERATURE][i],
                                    false,
                                    false,
                                    false};
    bool no_oxygen, no_consciousness, no_scale;
    enum status s = check_plausible(t, r, i, e);
    if (s == ST_OK)
        s = read_word(t, r->oxygen, i, "1|oxygen|o2|yes|true", "0|air|no|false", &reading.oxygen, &no_oxygen,
                      e);
    if (s == ST_OK)
        s = read_word(t, r->consciousness, i, "a|alert|1|true",
                      "c|v|p|u|confusion|voice|pain|unresponsive|0|false", &reading.alert, &no_consciousness,
                      e);
    if (s == ST_OK && r->scale >= 0)
        s = read_word(t, r->scale, i, "2", "1", &reading.scale_2, &no_scale, e);
    if (s != ST_OK)
        return s;
    struct news2 n = news2_score(&reading);
    js_push(rows, row_of(t, i, &n, no_oxygen, no_consciousness));
    return ST_OK;
}

static enum status news2_rows(const struct args *a, const struct stats_table *t,
                              const struct confidences *level, struct js *rows, struct err *e)
{
    (void)level;
    struct readings r = {.scale = -1};
    enum status s = find_columns(a, t, &r, e);
    for (size_t i = 0; s == ST_OK && i < t->n_rows; i++)
        s = score_row(t, &r, i, rows, e);
    return s;
}

enum status stats_run_news2(const struct args *a, struct err *e)
{
    return stats_run_table(a, "news2", false, news2_rows, e);
}
