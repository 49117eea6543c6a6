/* SPDX-License-Identifier: Apache-2.0
 *
 * Where people live: the mix of age, ethnicity and deprivation of a site, as rounded shares. Sources and how
 * far to trust them: docs/synthetic-data.md.
 */
#ifndef ACCORD_SYNTH_SITES_H
#define ACCORD_SYNTH_SITES_H

#include <stdint.h>

#include "base/err.h"

enum { AGE_BANDS = 19, ETHNIC_GROUPS = 17, DECILES = 10 };

struct site_mix {
    const char *name, *ods, *county;
    uint16_t ages[AGE_BANDS];          /* 0-4, 5-9, ... 85-89, 90 and over */
    uint16_t ethnicity[ETHNIC_GROUPS]; /* in the order of ethnic_groups */
    uint16_t deciles[DECILES];         /* 1 = most deprived */
};

/* A group of the NHS data dictionary (ethnic category code), and the OMOP race concept it maps to. */
enum heritage { HERITAGE_WHITE, HERITAGE_SOUTH_ASIAN, HERITAGE_BLACK, HERITAGE_OTHER };
struct ethnic_group {
    char code;
    const char *name;
    int32_t race_concept;
    enum heritage heritage;
};
extern const struct ethnic_group ethnic_groups[ETHNIC_GROUPS];

/* A site: a mix and the number that keeps its ids apart from those of other sites. */
struct site {
    const char *name;
    const struct site_mix *mix;
    int64_t number;
};
/* A known name gives its mix, any other England's; ST_INVALID when the name is nearly a known one. */
MUST_CHECK enum status site_find(const char *name, struct site *out, struct err *e);

#endif
