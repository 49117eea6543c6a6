/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting where nothing of an event matters but the day it starts on: rows are taken as they come out of the
 * store, in no order of persons, and each is compared with the days of its person's index events. Nothing is
 * sorted or kept. A person's tallies are found by the rank of his bit among the candidates, which stays in
 * the cache where an array by person would not.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/vectors.h"
#include "cohort/engine.h"

struct counting {
    struct scan scan;
    const struct person_set *persons;
    uint32_t *rank;  /* of each word: candidates before it */
    uint32_t *first; /* of each candidate: his first tally; NULL where each has one */
    struct tally *tallies;
    bool filters;
    uint64_t events;
};

bool tally_applies(const struct criterion *c)
{
    return !c->first && !c->nested && !c->period && criterion_specs[c->type].table != STORE_N_TABLES;
}

static bool one_each(const uint32_t *person_of, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (person_of[i] == person_of[i - 1])
            return false;
    return true;
}

/* One more than there are candidates, so that each one's tallies end where the next one's begin. */
static uint32_t *first_tallies(const uint32_t *person_of, size_t n)
{
    uint32_t *first = xmalloc((n + 1) * sizeof *first);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || person_of[i] != person_of[i - 1])
            first[k++] = (uint32_t)i;
    first[k] = (uint32_t)n;
    return first;
}

static uint32_t *ranks(const struct person_set *s)
{
    size_t n = person_set_words(s);
    uint32_t *rank = xmalloc(n * sizeof *rank), before = 0;
    for (size_t w = 0; w < n; w++) {
        rank[w] = before;
        before += (uint32_t)__builtin_popcountll(s->words[w]);
    }
    return rank;
}

static inline uint32_t rank_of(const uint64_t *words, const uint32_t *rank, uint32_t at)
{
    uint64_t before = words[at >> 6] & (((uint64_t)1 << (at & 63)) - 1);
    return rank[at >> 6] + (uint32_t)__builtin_popcountll(before);
}

static inline void count_day(struct tally *t, int32_t day)
{
    t->n += (uint32_t)(day >= t->low) & (uint32_t)(day <= t->high);
}

VECTORS static void count_single(const struct counting *x, const struct block *b)
{
    const uint32_t *person = (const uint32_t *)b->person;
    const uint64_t *words = x->persons->words;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t row = b->sel[i];
        count_day(&x->tallies[rank_of(words, x->rank, person[row] - x->persons->first)], b->start[row]);
    }
}

VECTORS static void count_several(const struct counting *x, const struct block *b)
{
    const uint32_t *person = (const uint32_t *)b->person;
    const uint64_t *words = x->persons->words;
    for (size_t i = 0; i < b->n_sel; i++) {
        uint16_t row = b->sel[i];
        uint32_t k = rank_of(words, x->rank, person[row] - x->persons->first);
        for (uint32_t t = x->first[k]; t < x->first[k + 1]; t++)
            count_day(&x->tallies[t], b->start[row]);
    }
}

static enum status visit(void *context, struct block *b, struct err *e)
{
    struct counting *x = context;
    enum status s = x->filters ? scan_filter(&x->scan, b, e) : ST_OK;
    if (s != ST_OK)
        return s;
    x->events += b->n_sel;
    if (x->first)
        count_several(x, b);
    else
        count_single(x, b);
    return s;
}

enum status tally_rows(const struct engine *g, const struct criterion *c, const struct person_set *persons,
                       const uint32_t *person_of, size_t n, struct tally *tallies, struct err *e)
{
    struct counting x = {.persons = persons, .tallies = tallies};
    scan_init(&x.scan, g, c, persons, false);
    x.filters = c->n_attributes || c->adjustment;
    x.rank = ranks(persons);
    x.first = one_each(person_of, n) ? NULL : first_tallies(person_of, n);
    enum status s = scan_rows(&x.scan, visit, &x, e);
    scan_note(&x.scan, x.events);
    free(x.rank);
    free(x.first);
    scan_deinit(&x.scan);
    return s;
}
