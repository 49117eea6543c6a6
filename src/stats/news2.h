/* SPDX-License-Identifier: Apache-2.0
 *
 * National Early Warning Score 2 as a rule: seven readings to points, an aggregate and a clinical risk band.
 * Source: Royal College of Physicians, National Early Warning Score (NEWS) 2 (2017), charts 1 and 2; used
 * with acknowledgement of the RCP. For people of 16 and over, not in pregnancy.
 *
 * Readings are rounded half up to the chart's precision first (whole numbers; temperature to 0.1), so that
 * every reading has one place on the chart. SpO2 scale 2 is for people with a prescribed target of 88 to 92%
 * (hypercapnic respiratory failure): 93% or more scores only on oxygen.
 */
#ifndef ACCORD_STATS_NEWS2_H
#define ACCORD_STATS_NEWS2_H

#include <stdbool.h>

enum news2_part {
    NEWS2_RESPIRATION, /* breaths a minute */
    NEWS2_SPO2,        /* % */
    NEWS2_OXYGEN,      /* air 0, oxygen 2 points */
    NEWS2_SYSTOLIC,    /* mmHg */
    NEWS2_PULSE,       /* beats a minute */
    NEWS2_CONSCIOUSNESS,
    NEWS2_TEMPERATURE, /* degrees Celsius */
    NEWS2_PARTS
};
extern const char *const news2_part_names[]; /* "respiration", ... */

/* In order of urgency. */
enum news2_band {
    NEWS2_ZERO,
    NEWS2_LOW,        /* aggregate 1 to 4 */
    NEWS2_LOW_MEDIUM, /* 3 in any single part: urgent ward-based review */
    NEWS2_MEDIUM,     /* 5 or 6: urgent response */
    NEWS2_HIGH,       /* 7 or more: emergency response */
    NEWS2_BANDS
};
extern const char *const news2_band_names[];   /* "low-medium" */
const char *news2_response(enum news2_band b); /* what the RCP's chart asks for */

struct news2_reading {
    double respiration, spo2, systolic, pulse, temperature; /* NaN = not taken */
    bool scale_2, oxygen;
    bool alert; /* false: new confusion, or responds only to voice or pain, or not at all */
};
struct news2 {
    int points[NEWS2_PARTS]; /* -1 where the reading was not taken */
    int total;               /* -1 unless all seven are there */
    enum news2_band band;    /* of a total */
};
/* The points of one reading of a measured part; -1 for NaN. */
int news2_points(enum news2_part part, double value, bool scale_2, bool oxygen);
struct news2 news2_score(const struct news2_reading *r);
enum news2_band news2_band_of(int total, bool any_three);
/* The bounds outside which a value is no reading but an error. */
void news2_plausible(enum news2_part part, double *least, double *most);

#endif
