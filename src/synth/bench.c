/* SPDX-License-Identifier: Apache-2.0
 *
 * The bench profiles: data whose size, not whose meaning, matters. Persons have 22.6 visits, 22.6 conditions,
 * 34 medicines and 34 measurements on average (the dense profile nine times that, about 1,000 events), over
 * three trees of 20,011, 5,003 and 1,511 concepts with five children each. Concepts are drawn by a
 * Zipf-Mandelbrot law, 1 / (rank + 2.7); more than half of a person's events repeat one of a few chronic
 * problems of theirs. Ranks are scattered over the tree, so that a subtree mixes common and rare concepts.
 */
#include <stdlib.h>

#include "synth/population.h"

enum { N_TREES = 3, GUIDE_BITS = 12, DENSE_FACTOR = 9, MOST_PROBLEMS = 12 };

static const struct {
    enum domain domain;
    enum table table;
    int32_t first_id;
    uint32_t concepts;
    uint32_t mean_tenths; /* events a person, times ten */
    uint16_t repeat;      /* per 10,000: an event repeats a chronic problem */
    uint8_t problems;     /* chronic problems a person has at most */
} trees[N_TREES] = {
    {DOMAIN_CONDITION, TABLE_CONDITION, 2001000000, 20011, 226, 5500, 5},
    {DOMAIN_DRUG, TABLE_DRUG, 2001100000, 5003, 340, 6000, 6},
    {DOMAIN_MEASUREMENT, TABLE_MEASUREMENT, 2001200000, 1511, 340, 6000, 6},
};
static const uint32_t visits_mean_tenths = 226;

/* Cumulative integer weights, with a guide table from the top bits of a draw to where the search begins. */
struct zipf {
    uint32_t n;
    uint64_t *upto; /* upto[i] = weights of ranks 0..i; upto[n - 1] is the total */
    uint32_t guide[(1 << GUIDE_BITS) + 1];
    uint32_t stride; /* rank -> place in the tree: (rank * stride) mod n */
};

static struct zipf *zipf_new(uint32_t n)
{
    struct zipf *z = xcalloc(1, sizeof *z);
    z->n = n;
    z->upto = xcalloc(n, sizeof *z->upto);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        z->upto[i] = sum += ((uint64_t)1 << 44) * 10 / (10 * (i + 1) + 27);
    for (uint32_t g = 0, i = 0; g <= 1 << GUIDE_BITS; g++) {
        while (i + 1 < n && z->upto[i] < (sum >> GUIDE_BITS) * g)
            i++;
        z->guide[g] = i;
    }
    z->stride = 7919; /* a prime, and no factor of any of the three sizes */
    return z;
}

static uint32_t zipf_draw(const struct zipf *z, struct rng *r)
{
    uint64_t u = rng_next(r), total = z->upto[z->n - 1];
    uint64_t at = ((u >> 32) * (total >> 16)) >> 16;
    uint32_t rank = z->guide[u >> (64 - GUIDE_BITS)];
    while (z->upto[rank] <= at)
        rank++;
    return (uint32_t)((uint64_t)rank * z->stride % z->n);
}

void bench_init(struct population *pop)
{
    static const enum code used[] = {CODE_INPATIENT, CODE_OUTPATIENT, CODE_EMERGENCY, CODE_MALE,
                                     CODE_FEMALE,    CODE_WHITE,      CODE_EHR,       CODE_EHR_PRESCRIPTION,
                                     CODE_IMD,       CODE_MMOL_L};
    pop->vocabulary = (struct vocabulary){.arena = arena_new()};
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
        vocabulary_add_code(&pop->vocabulary, used[i]);
    for (int t = 0; t < N_TREES; t++) {
        vocabulary_add_tree(&pop->vocabulary, trees[t].domain, trees[t].first_id, trees[t].concepts);
        pop->zipfs[t] = zipf_new(trees[t].concepts);
    }
}

void bench_deinit(struct population *pop)
{
    for (int t = 0; t < N_TREES; t++) {
        if (pop->zipfs[t])
            free(pop->zipfs[t]->upto);
        free(pop->zipfs[t]);
    }
}

/* A count around a mean that differs between people: mean / 2 plus an exponential of the same size. */
static uint32_t draw_count(struct rng *r, uint64_t mean_tenths)
{
    uint64_t half = mean_tenths * ((uint64_t)1 << 24) / 20;
    uint64_t drawn = half + ((rng_exponential(r) * (mean_tenths << 8) / 20) >> 8);
    return (uint32_t)((drawn + rng_below(r, 1 << 24)) >> 24);
}

static int32_t draw_day(struct rng *r, const struct person *p)
{
    return p->start + (int32_t)rng_below(r, (uint32_t)(p->end - p->start + 1));
}

static void fill_event(struct event *ev, enum table t, struct rng *r)
{
    if (t == TABLE_DRUG) {
        ev->end = ev->start + 6 + 7 * (int32_t)rng_below(r, 8);
        ev->value = ev->end - ev->start + 1;
        ev->has_value = true;
    } else if (t == TABLE_MEASUREMENT) {
        int32_t value = 400 + ev->concept % 97 * 10 + rng_normal(r, 100);
        ev->value = value > 0 ? value : 1;
        ev->decimals = 1;
        ev->unit = code_id(CODE_MMOL_L);
        ev->has_value = true;
    }
}

/* Events of one tree; most hang on a visit and take its day. */
static void draw_tree(const struct population *pop, const struct person *p, struct chunk *c, struct rng *r,
                      int tree, uint32_t factor, uint32_t first_visit)
{
    uint32_t n = draw_count(r, (uint64_t)trees[tree].mean_tenths * factor);
    uint32_t visits = (uint32_t)c->events[TABLE_VISIT].n - first_visit, problems[MOST_PROBLEMS];
    uint32_t n_problems = 1 + rng_below(r, trees[tree].problems);
    for (uint32_t i = 0; i < n_problems; i++)
        problems[i] = zipf_draw(pop->zipfs[tree], r);
    for (uint32_t i = 0; i < n; i++) {
        bool repeat = rng_chance(r, PER_10000(trees[tree].repeat));
        uint32_t node = repeat ? problems[rng_below(r, n_problems)] : zipf_draw(pop->zipfs[tree], r);
        int32_t visit = visits && rng_chance(r, PER_10000(9000))
                            ? (int32_t)(first_visit + rng_below(r, visits))
                            : NO_VISIT;
        int32_t day = visit == NO_VISIT ? draw_day(r, p) : c->events[TABLE_VISIT].v[visit].start;
        struct event *ev = event_add(c, trees[tree].table, trees[tree].first_id + (int32_t)node, day);
        ev->visit = visit;
        fill_event(ev, trees[tree].table, r);
    }
}

static void draw_person(const struct population *pop, uint64_t index, struct rng *r, struct person *p)
{
    const int32_t first = date_of(2000, 1, 1), last = date_of(2024, 12, 31);
    *p = (struct person){.index = index, .death = DATE_NONE};
    p->female = rng_chance(r, P_ONE / 2);
    p->decile = (uint8_t)(1 + rng_below(r, DECILES));
    p->birth = date_of(1925, 1, 1) + (int32_t)rng_below(r, 27394); /* to 1999 */
    p->practice = (int32_t)rng_below(r, (uint32_t)pop->practices);
    p->start = first + (int32_t)rng_below(r, 3653);
    p->end = last - (int32_t)rng_below(r, 2922);
}

void bench_person(const struct population *pop, uint64_t index, struct chunk *c)
{
    static const enum code kinds[] = {CODE_OUTPATIENT, CODE_OUTPATIENT, CODE_OUTPATIENT, CODE_OUTPATIENT,
                                      CODE_OUTPATIENT, CODE_OUTPATIENT, CODE_EMERGENCY,  CODE_INPATIENT};
    struct rng r = rng_stream(pop->key, index, DRAW_BENCH);
    struct person *p = &c->persons[c->n_persons - 1];
    uint32_t factor = pop->options->profile == SYNTH_BENCH_DENSE ? DENSE_FACTOR : 1;
    draw_person(pop, index, &r, p);
    event_add(c, TABLE_PERIOD, 0, p->start)->end = p->end;
    struct event *imd = event_add(c, TABLE_OBSERVATION, code_id(CODE_IMD), p->start);
    imd->value = p->decile;
    imd->has_value = true;
    uint32_t first_visit = (uint32_t)c->events[TABLE_VISIT].n;
    uint32_t visits = draw_count(&r, (uint64_t)visits_mean_tenths * factor);
    for (uint32_t i = 0; i < visits; i++) {
        enum code kind = kinds[rng_below(&r, 8)];
        visit_add(c, kind, draw_day(&r, p), kind == CODE_INPATIENT ? 1 + (int32_t)rng_below(&r, 9) : 0);
    }
    for (int t = 0; t < N_TREES; t++)
        draw_tree(pop, p, c, &r, t, factor, first_visit);
}
