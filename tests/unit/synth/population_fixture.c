/* SPDX-License-Identifier: Apache-2.0 */
#include "population_fixture.h"

#include <stdlib.h>

void fixture_make(struct fixture *f, const char *site, uint64_t seed, uint32_t persons)
{
    struct err e = {0};
    *f = (struct fixture){.options = {.site = site, .persons = persons, .seed = seed}};
    f->population.options = &f->options;
    if (site_find(site, &f->population.site, &e) != ST_OK)
        abort();
    f->population.key = rng_key(seed, (uint64_t)f->population.site.number);
    f->population.practices = 40;
    vocabulary_init_uk(&f->population.vocabulary);
    f->chunk.persons = xcalloc(persons, sizeof *f->chunk.persons);
    while (f->chunk.n_persons < persons) {
        struct person *p = &f->chunk.persons[f->chunk.n_persons++];
        size_t first_condition = f->chunk.events[TABLE_CONDITION].n,
               first_drug = f->chunk.events[TABLE_DRUG].n;
        life_draw(&f->population, f->chunk.n_persons - 1, p);
        care_draw(&f->population, p, &f->chunk);
        truth_draw(&f->population, p, &f->chunk);
        era_draw(&f->chunk, first_condition, first_drug);
        truth_tally(p, &f->chunk.tally);
    }
}

void fixture_free(struct fixture *f)
{
    for (int t = 0; t < SYNTH_TABLES; t++)
        free(f->chunk.events[t].v);
    free(f->chunk.persons);
    vocabulary_deinit(&f->population.vocabulary);
}

bool records(const struct event *ev, enum code c)
{
    int32_t below = ev->concept - 2000000000 - 100 * (int32_t)c;
    return ev->concept == code_id(c) || (below > 0 && below < 100);
}

int32_t *first_days(const struct fixture *f, enum table t, enum code c)
{
    int32_t *days = xmalloc(f->chunk.n_persons * sizeof *days);
    for (uint32_t i = 0; i < f->chunk.n_persons; i++)
        days[i] = DATE_NONE;
    for (size_t k = 0; k < f->chunk.events[t].n; k++) {
        const struct event *ev = &f->chunk.events[t].v[k];
        if (records(ev, c) && (days[ev->person] == DATE_NONE || ev->start < days[ev->person]))
            days[ev->person] = ev->start;
    }
    return days;
}
