/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/sites.h"

#include <string.h>

#include "base/text.h"
#include "synth/rng.h"
#include "synth/synth.h"

const struct ethnic_group ethnic_groups[ETHNIC_GROUPS] = {
    {'A', "White: British", 8527, HERITAGE_WHITE},
    {'B', "White: Irish", 8527, HERITAGE_WHITE},
    {'C', "White: any other background", 8527, HERITAGE_WHITE},
    {'D', "Mixed: White and Black Caribbean", 0, HERITAGE_OTHER},
    {'E', "Mixed: White and Black African", 0, HERITAGE_OTHER},
    {'F', "Mixed: White and Asian", 0, HERITAGE_OTHER},
    {'G', "Mixed: any other background", 0, HERITAGE_OTHER},
    {'H', "Asian: Indian", 38003574, HERITAGE_SOUTH_ASIAN},
    {'J', "Asian: Pakistani", 38003589, HERITAGE_SOUTH_ASIAN},
    {'K', "Asian: Bangladeshi", 38003575, HERITAGE_SOUTH_ASIAN},
    {'L', "Asian: any other background", 8515, HERITAGE_OTHER},
    {'M', "Black: Caribbean", 8516, HERITAGE_BLACK},
    {'N', "Black: African", 38003600, HERITAGE_BLACK},
    {'P', "Black: any other background", 8516, HERITAGE_BLACK},
    {'R', "Chinese", 38003579, HERITAGE_OTHER},
    {'S', "Any other ethnic group", 0, HERITAGE_OTHER},
    {'Z', "Not stated", 0, HERITAGE_OTHER},
};

/* The first is the mix of every site without its own. */
static const struct site_mix mixes[] = {
    {"England",
     "ENG",
     "England",
     {54, 59, 61, 57, 61, 66, 70, 68, 65, 60, 66, 68, 60, 51, 49, 38, 25, 15, 7},
     {705, 9, 62, 9, 4, 8, 8, 32, 27, 11, 17, 10, 25, 5, 8, 21, 39},
     {100, 100, 100, 100, 100, 100, 100, 100, 100, 100}},
    {"Kent and Medway",
     "QKS",
     "Kent",
     {54, 60, 63, 58, 53, 57, 63, 65, 63, 61, 70, 72, 63, 54, 53, 44, 27, 13, 7},
     {795, 7, 59, 6, 4, 7, 6, 22, 4, 5, 20, 5, 24, 4, 5, 9, 18},
     {88, 100, 106, 110, 106, 104, 102, 104, 96, 84}},
    {"South East London",
     "QKK",
     "Greater London",
     {59, 61, 59, 55, 68, 93, 103, 92, 79, 66, 63, 58, 46, 34, 26, 18, 11, 6, 3},
     {420, 18, 135, 22, 11, 13, 18, 31, 7, 9, 42, 52, 122, 25, 19, 33, 23},
     {99, 171, 166, 136, 112, 92, 80, 66, 49, 29}},
    {"West Yorkshire",
     "QWO",
     "West Yorkshire",
     {58, 63, 65, 62, 71, 70, 72, 67, 63, 58, 64, 65, 56, 47, 44, 34, 22, 13, 6},
     {728, 6, 38, 12, 4, 7, 5, 26, 96, 6, 12, 8, 22, 4, 6, 13, 7},
     {232, 124, 102, 96, 92, 88, 84, 78, 62, 42}},
    {"Greater Manchester",
     "QOP",
     "Greater Manchester",
     {58, 62, 64, 61, 71, 75, 76, 71, 65, 58, 63, 64, 54, 45, 42, 32, 21, 12, 6},
     {708, 12, 41, 10, 7, 7, 7, 22, 70, 14, 15, 7, 33, 6, 11, 19, 11},
     {235, 137, 107, 93, 85, 83, 78, 72, 63, 47}},
    {"Birmingham and Solihull",
     "QHL",
     "West Midlands",
     {66, 70, 71, 71, 84, 76, 73, 68, 63, 56, 59, 57, 48, 39, 36, 28, 19, 11, 5},
     {468, 14, 42, 21, 5, 11, 9, 56, 156, 39, 22, 37, 52, 14, 11, 33, 10},
     {372, 150, 92, 75, 64, 58, 54, 52, 48, 35}},
    {"Cornwall and the Isles of Scilly",
     "QT6",
     "Cornwall",
     {43, 49, 53, 49, 48, 49, 54, 56, 56, 55, 68, 79, 77, 71, 72, 60, 34, 18, 9},
     {921, 4, 33, 2, 1, 4, 3, 3, 1, 1, 4, 1, 2, 1, 2, 5, 12},
     {80, 140, 164, 152, 130, 120, 98, 64, 36, 16}},
};
enum { N_MIXES = sizeof mixes / sizeof mixes[0] };

const char *synth_site_name(size_t i)
{
    return i < N_MIXES ? mixes[i].name : NULL;
}

static uint64_t hash_name(const char *name)
{
    uint64_t h = 0;
    for (; *name; name++)
        h = rng_mix(h * 31 + (unsigned char)*name);
    return h;
}

enum status site_find(const char *name, struct site *out, struct err *e)
{
    const char *names[N_MIXES];
    for (size_t i = 0; i < N_MIXES; i++) {
        names[i] = mixes[i].name;
        if (strcmp(name, mixes[i].name) == 0) {
            *out = (struct site){mixes[i].name, &mixes[i], (int64_t)i};
            return ST_OK;
        }
    }
    if (!*name || strlen(name) > 60 || strpbrk(name, ",\"\r\n"))
        return err_set(e, ST_INVALID,
                       "the site's name must have 1 to 60 characters without commas, quotes or line ends");
    const char *near = text_nearest(name, names, N_MIXES);
    if (near)
        return err_set(e, ST_INVALID, "there is no site '%.60s'; did you mean '%s'?", name, near);
    *out = (struct site){name, &mixes[0], N_MIXES + (int64_t)(hash_name(name) % 1000)};
    return ST_OK;
}
