/* SPDX-License-Identifier: Apache-2.0
 *
 * Eras as OHDSI's scripts derive them (CommonDataModel, "Condition eras" and "Drug eras", the latter without
 * stockpiling): a person's records of one concept, or exposures to one ingredient, whose gaps are at most 30
 * days make one era. A record without an end lasts a day. Gap days of a drug era are those that no exposure
 * covers. Dose eras are the same for one ingredient at one daily dose: quantity over days of supply, times
 * the product's strength.
 */
#include <stdlib.h>

#include "synth/population.h"

enum { PERSISTENCE_DAYS = 30, DOSE_DECIMALS = 1, DOSE_TENS = 10 };

/* A record as an era takes it; dose in tenths of a milligram a day, 0 for eras that do not ask. */
struct exposure {
    int32_t concept, dose, start, end;
};
struct exposures {
    struct exposure *v;
    size_t n, capacity;
};

static int by_concept_and_day(const void *a, const void *b)
{
    const struct exposure *x = a, *y = b;
    if (x->concept != y->concept)
    return x->concept < y->concept ? -1 : 1;
    if (x->dose != y->dose)
        return x->dose < y->dose ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static void add(struct exposures *all, const struct event *ev, int32_t concept, int32_t dose)
{
    GROW(all->v, all->n + 1, all->capacity);
    all->v[all->n++] =
        (struct exposure){concept, dose, ev->start, ev->end == DATE_NONE ? ev->start + 1 : ev->end};
}

/* In tenths of a milligram, rounded; 0 where the product has no strength. */
static int32_t daily_dose(const struct event *ev)
{
    int64_t days = ev->end - ev->start + 1, strength = code_strength(ev->concept);
    return (int32_t)((2 * strength * ev->value * DOSE_TENS + days) / (2 * days));
}

struct era {
    const struct exposure *first;
    int32_t end, covered_until, covered; /* days that exposures cover */
    int32_t count;
};

static struct era era_begin(const struct exposure *x)
{
    return (struct era){x, x->end, x->end, x->end - x->start, 1};
}

static bool era_takes(const struct era *era, const struct exposure *x)
{
    return x->concept == era->first->concept && x->dose == era->first->dose &&
           x->start <= era->end + PERSISTENCE_DAYS;
}

static void era_extend(struct era *era, const struct exposure *x)
{
    int32_t from = x->start > era->covered_until ? x->start : era->covered_until;
    if (x->end > from)
        era->covered += x->end - from;
    if (x->end > era->end)
        era->end = era->covered_until = x->end;
    era->count++;
}

static void era_write(const struct era *era, enum table t, struct chunk *c)
{
    struct event *ev = event_add(c, t, era->first->concept, era->first->start);
    ev->end = era->end;
    ev->has_value = true;
    ev->value = era->count;
    if (t == TABLE_DRUG_ERA)
        ev->gap_days = era->end - era->first->start - era->covered;
    if (t != TABLE_DOSE_ERA)
        return;
    ev->value = era->first->dose;
    ev->decimals = DOSE_DECIMALS;
    ev->unit = code_id(CODE_MG);
}

static void write_eras(struct exposures *all, enum table t, struct chunk *c)
{
    if (all->n)
        qsort(all->v, all->n, sizeof *all->v, by_concept_and_day);
    for (size_t i = 0; i < all->n;) {
        struct era era = era_begin(&all->v[i]);
        for (i++; i < all->n && era_takes(&era, &all->v[i]); i++)
            era_extend(&era, &all->v[i]);
        era_write(&era, t, c);
    }
    all->n = 0;
}

void era_draw(struct chunk *c, size_t first_condition, size_t first_drug)
{
    const struct events *conditions = &c->events[TABLE_CONDITION], *drugs = &c->events[TABLE_DRUG];
    struct exposures all = {0};
    for (size_t i = first_condition; i < conditions->n; i++)
        add(&all, &conditions->v[i], conditions->v[i].concept, 0);
    write_eras(&all, TABLE_CONDITION_ERA, c);
    for (size_t i = first_drug; i < drugs->n; i++)
        add(&all, &drugs->v[i], code_ingredient(drugs->v[i].concept), 0);
    write_eras(&all, TABLE_DRUG_ERA, c);
    for (size_t i = first_drug; i < drugs->n; i++) {
        int32_t dose = daily_dose(&drugs->v[i]);
        if (dose)
            add(&all, &drugs->v[i], code_ingredient(drugs->v[i].concept), dose);
    }
    write_eras(&all, TABLE_DOSE_ERA, c);
    free(all.v);
}
