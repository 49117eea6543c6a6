/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/news2.h"

#include <math.h>
#include <stddef.h>

const char *const news2_part_names[] = {"respiration", "spo2",          "oxygen",      "systolic",
                                        "pulse",       "consciousness", "temperature", NULL};
const char *const news2_band_names[] = {"zero", "low", "low-medium", "medium", "high", NULL};

/* Bands of the chart from low values to high: the first whose `up_to` holds gives the points. */
struct chart_band {
    double up_to;
    int points;
};

static int look_up(const struct chart_band *b, double value)
{
    while (value > b->up_to)
        b++;
    return b->points;
}

static const struct chart_band respiration[] = {{8, 3}, {11, 1}, {20, 0}, {24, 2}, {INFINITY, 3}};
static const struct chart_band scale_1[] = {{91, 3}, {93, 2}, {95, 1}, {INFINITY, 0}};
static const struct chart_band scale_2_air[] = {{83, 3}, {85, 2}, {87, 1}, {INFINITY, 0}};
static const struct chart_band scale_2_oxygen[] = {{83, 3}, {85, 2}, {87, 1},      {92, 0},
                                                   {94, 1}, {96, 2}, {INFINITY, 3}};
static const struct chart_band systolic[] = {{90, 3}, {100, 2}, {110, 1}, {219, 0}, {INFINITY, 3}};
static const struct chart_band pulse[] = {{40, 3}, {50, 1}, {90, 0}, {110, 1}, {130, 2}, {INFINITY, 3}};
/* In tenths of a degree. */
static const struct chart_band temperature[] = {{350, 3}, {360, 1}, {380, 0}, {390, 1}, {INFINITY, 2}};

int news2_points(enum news2_part part, double value, bool on_scale_2, bool oxygen)
{
    if (isnan(value))
        return -1;
    switch (part) {
    case NEWS2_RESPIRATION:
        return look_up(respiration, floor(value + 0.5));
    case NEWS2_SPO2:
        return look_up(!on_scale_2 ? scale_1 : oxygen ? scale_2_oxygen : scale_2_air, floor(value + 0.5));
    case NEWS2_OXYGEN:
        return value != 0 ? 2 : 0;
    case NEWS2_SYSTOLIC:
        return look_up(systolic, floor(value + 0.5));
    case NEWS2_PULSE:
        return look_up(pulse, floor(value + 0.5));
    case NEWS2_CONSCIOUSNESS:
        return value != 0 ? 0 : 3;
    case NEWS2_TEMPERATURE:
        return look_up(temperature, floor(value * 10 + 0.5));
    case NEWS2_PARTS:
        break;
    }
    return -1;
}

enum news2_band news2_band_of(int total, bool any_three)
{
    return total >= 7   ? NEWS2_HIGH
           : total >= 5 ? NEWS2_MEDIUM
           : any_three  ? NEWS2_LOW_MEDIUM
           : total > 0  ? NEWS2_LOW
                        : NEWS2_ZERO;
}

struct news2 news2_score(const struct news2_reading *r)
{
    double values[NEWS2_PARTS] = {r->respiration, r->spo2,          r->oxygen,     r->systolic,
                                  r->pulse,       r->alert ? 1 : 0, r->temperature};
    struct news2 out = {.band = NEWS2_ZERO};
    bool three = false, complete = true;
    for (int i = 0; i < NEWS2_PARTS; i++) {
        out.points[i] = news2_points((enum news2_part)i, values[i], r->scale_2, r->oxygen);
        three |= out.points[i] == 3;
        complete &= out.points[i] >= 0;
        out.total += out.points[i];
    }
    if (!complete)
        out.total = -1;
    else
        out.band = news2_band_of(out.total, three);
    return out;
}

const char *news2_response(enum news2_band b)
{
    static const char *const responses[] = {
        "monitor at least every 12 hours", "monitor at least every 4 to 6 hours",
        "urgent review by a ward-based clinician, monitor at least hourly",
        "urgent review by a clinician with competence in acute illness, monitor at least hourly",
        "emergency assessment by a critical care team, monitor continuously"};
    return b < NEWS2_BANDS ? responses[b] : "";
}

void news2_plausible(enum news2_part part, double *least, double *most)
{
    static const double bounds[NEWS2_PARTS][2] = {{0, 120}, {30, 100}, {0, 1},  {20, 350},
                                                  {0, 350}, {0, 1},    {20, 46}};
    *least = bounds[part][0];
    *most = bounds[part][1];
}
