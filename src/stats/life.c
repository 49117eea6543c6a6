/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/life.h"

#include <math.h>
#include <stdbool.h>

#include "stats/special.h"

static enum status check_order(const struct life_band *b, size_t k, struct err *e)
{
    if (k < 2)
        return err_set(e, ST_INVALID, "a life table needs at least two age bands");
    for (size_t i = 0; i < k; i++)
        if (i == 0 ? b[i].start != 0 : !(b[i].start > b[i - 1].start))
            return err_set(e, ST_INVALID, "age bands must begin at 0 and rise; band %zu begins at %g", i + 1,
                           b[i].start);
    return ST_OK;
}

/* The first thing about the counts that makes the whole table meaningless, or NULL. */
static const char *bad_counts(const struct life_band *b, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (!(b[i].population > 0))
            return reason_no_population;
        if (!(b[i].deaths >= 0) || b[i].deaths > b[i].population)
            return reason_bad_deaths;
    }
    return NULL;
}

/* Chiang's fraction of the last interval lived by those who die in it. */
static double lived_share(double start)
{
    return start == 0 ? 0.1 : 0.5;
}

static double probability_dying(const struct life_band *b, double width)
{
    double a = lived_share(b->start), m = b->deaths / b->population;
    if (b->deaths > b->population / width / a)
        return 1;
    return width * m / (1 + width * m * (1 - a));
}

static void fill_table(const struct life_band *b, size_t k, struct life_row *out)
{
    double alive = 100000;
    for (size_t i = 0; i < k; i++) {
        double m = b[i].deaths / b[i].population;
        bool open = i + 1 == k;
        double width = open ? 2 / m : b[i + 1].start - b[i].start;
        double q = open ? 1 : probability_dying(&b[i], width), dead = alive * q;
        double lived = open ? alive / m : width * (alive - dead) + lived_share(b[i].start) * width * dead;
        out[i] = (struct life_row){.dying = q, .alive = alive, .lived = lived};
        alive -= dead;
    }
}

/* Silcocks's weighted variance of band i, given the expectancy at the next band's start. */
static double variance_part(const struct life_band *b, const struct life_row *r, bool open, double next)
{
    if (open) {
        double m = b->deaths / b->population;
        return 4 / (b->deaths * m * m) * (r->alive / 2) * (r->alive / 2);
    }
    if (b->deaths == 0)
        return 0;
    double width = b[1].start - b->start, a = lived_share(b->start);
    double reach = (1 - a) * width + next;
    return r->dying * r->dying * (1 - r->dying) / b->deaths * r->alive * r->alive * reach * reach;
}

static void judge(struct life_row *r, double population, double open_deaths, double confidence)
{
    double e = r->expectancy.value, z = normal_z(confidence);
    r->expectancy = (struct estimate){e, e - z * r->se, e + z * r->se, NULL};
    if (population <= 5000)
        r->expectancy = (struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_small};
    else if (open_deaths == 0)
        r->expectancy = (struct estimate){(double)NAN, (double)NAN, (double)NAN, reason_no_deaths};
    else if (r->alive <= 0)
        r->expectancy = (struct estimate){0, (double)NAN, (double)NAN, reason_no_one_left};
    else if (2 * normal_z(0.95) * r->se > 20)
        r->expectancy = (struct estimate){(double)NAN, r->expectancy.lower, r->expectancy.upper, reason_wide};
}

enum status stats_life(const struct life_band *bands, size_t k, double confidence, struct life_row *out,
                       struct err *e)
{
    enum status s = check_order(bands, k, e);
    if (s != ST_OK)
        return s;
    const char *bad = bad_counts(bands, k);
    for (size_t i = 0; bad && i < k; i++)
        out[i] =
            (struct life_row){.expectancy = {(double)NAN, (double)NAN, (double)NAN, bad}, .se = (double)NAN};
    if (bad)
        return ST_OK;
    fill_table(bands, k, out);
    double lived = 0, variance = 0, people = 0, deaths = 0, next = 0;
    for (size_t i = k; i-- > 0;) {
        struct life_row *r = &out[i];
        lived += r->lived;
        variance += variance_part(&bands[i], r, i + 1 == k, next);
        r->population = people += bands[i].population;
        r->deaths = deaths += bands[i].deaths;
        next = r->alive > 0 ? lived / r->alive : 0;
        r->expectancy.value = next;
        r->se = r->alive > 0 ? sqrt(variance) / r->alive : (double)NAN;
    }
    for (size_t i = 0; i < k; i++)
        judge(&out[i], people, bands[k - 1].deaths, confidence);
    return ST_OK;
}
