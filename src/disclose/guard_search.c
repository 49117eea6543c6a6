/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for sums  v + c1 h1 + ... + cm hm  (v the new cell's set, h earlier ones, each c +1 or -1) that
 * leave 1 to k - 1 persons.
 *
 * One earlier set: every known set is compared by its parity sketch, which differs in at most as many bits as
 * the sets differ in persons, and the near ones exactly. Nothing is missed.
 *
 * Two to four: whichever group G is left, there are samples of the persons without anybody of G, and on such
 * a sample the sum is zero everywhere. So, trial by trial, a pivot is taken: a sampled person whom the sum so
 * far does not leave at zero. If the trial's sample holds nobody of G, some further set must hold the pivot,
 * with the opposite sign, and only those are tried; the last set of a sum is looked up by the weight of what
 * is left. The work follows the number of printed cells that a person is in, not the number of cells.
 * Where a sum leaves persons but none of the sample, pivots are drawn from what is left (three of them, as
 * some may be of G). Every sum found is counted out exactly before it counts.
 *
 * Rejected: ranks over the atoms of all sets (any depth, but a group that lies across atoms, the usual case
 * after a few cross-tabulations, is not seen by single atoms); pairwise tests alone (blind to trackers).
 * Literature: Denning, Denning and Schwartz, "The tracker", ACM TODS 4 (1979) 76-96; information set
 * decoding (Prange 1962) for the sampling.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

/* Enough for every history of the tests ten times over; beyond it a person looks. */
enum { MOST_STEPS = 4000000, PIVOTS = 3, PIVOT_CHOICE = 16, FEW_HOLDERS = 32, MOST_LEFT = 64 };

struct sum {
    uint32_t with[GUARD_DEPTH];
    int sign[GUARD_DEPTH];
    int n;
    uint64_t weight; /* in the trial */
    uint64_t parity[PARITY_WORDS];
};

struct search {
    struct guard *g;
    const struct guard_cell *cell;
    struct sketch sketch;
    int64_t n;
    int trial;
    struct sampled {
        uint32_t person, holders;
    } * sample; /* of the new cell in this trial, those in the fewest sets first */
    size_t n_sample, sample_room;
    uint32_t left[MOST_LEFT]; /* persons that the sum counted last leaves */
    int64_t n_left;
    int64_t steps;
    bool implied;
    struct guard_finding *finding;
};

/* --- counting a sum out ------------------------------------------------------------------------------- */

struct counting {
    int8_t *tally;
    int8_t sign;
    struct search *collect; /* second pass: takes what is left and clears */
};

static bool tally_person(uint32_t person, void *context)
{
    struct counting *c = context;
    c->tally[person] = (int8_t)(c->tally[person] + c->sign);
    return true;
}

static bool collect_person(uint32_t person, void *context)
{
    struct counting *c = context;
    struct search *s = c->collect;
    if (c->tally[person]) {
        if (s->n_left < MOST_LEFT)
            s->left[s->n_left] = person;
        s->n_left++;
        c->tally[person] = 0;
    }
    return true;
}

/* Who is left: s->left, at most MOST_LEFT of s->n_left. */
static void count_out(struct search *s, const struct sum *sum)
{
    struct counting c = {s->g->tally, 1, s};
    s->n_left = 0;
    persons_each(s->cell->persons, tally_person, &c);
    for (int i = 0; i < sum->n; i++) {
        c.sign = (int8_t)sum->sign[i];
        persons_each(s->g->known[sum->with[i]].set, tally_person, &c);
    }
    persons_each(s->cell->persons, collect_person, &c);
    for (int i = 0; i < sum->n; i++)
        persons_each(s->g->known[sum->with[i]].set, collect_person, &c);
}

/* --- what a sum tells --------------------------------------------------------------------------------- */

static bool is_exact(const struct guard_cell *c)
{
    return !c->open && c->low == c->high;
}

static bool all_exact(const struct search *s, const struct sum *sum)
{
    bool exact = is_exact(s->cell);
    for (int i = 0; i < sum->n; i++) {
        const struct known *k = &s->g->known[sum->with[i]];
        exact = exact && !k->open && k->low == k->high;
    }
    return exact;
}

/* Do the prints show that somebody is left? Of a sum of several they must also show that they are few. */
static bool shows(const struct search *s, const struct sum *sum)
{
    int64_t low = s->cell->low, high = s->cell->high;
    for (int i = 0; i < sum->n; i++) {
        const struct known *k = &s->g->known[sum->with[i]];
        if (k->open || s->cell->open)
            return sum->n == 1;
        low += sum->sign[i] > 0 ? k->low : -k->high;
        high += sum->sign[i] > 0 ? k->high : -k->low;
    }
    return (low > 0 || high < 0) && (sum->n == 1 || high - low <= s->g->minimum - 2);
}

static bool was_printed_to(const struct known *k, uint32_t project)
{
    for (size_t i = 0; i < k->n_projects; i++)
        if (k->projects[i] == project || k->projects[i] == GUARD_EVERYBODY)
            return true;
    return false;
}

static void take(struct search *s, const struct sum *sum)
{
    bool earlier = false, same_project = true;
    for (int i = 0; i < sum->n; i++) {
        const struct known *k = &s->g->known[sum->with[i]];
        earlier = earlier || k->request != s->cell->request;
        same_project = same_project && was_printed_to(k, s->cell->project);
    }
    enum guard_verdict verdict = same_project ? GUARD_REFUSE : GUARD_REVIEW;
    if (!earlier || !shows(s, sum) || verdict <= s->finding->verdict)
        return;
    s->finding->verdict = verdict;
    s->finding->n_with = sum->n;
    memcpy(s->finding->with, sum->with, sizeof sum->with);
}

/* Counts a sum out and takes it if it leaves a small group. */
static void examine(struct search *s, const struct sum *sum)
{
    count_out(s, sum);
    if (s->n_left == 0)
        s->implied = s->implied || all_exact(s, sum);
    else if (s->n_left < s->g->minimum)
        take(s, sum);
}

/* --- one earlier set ---------------------------------------------------------------------------------- */

static int distance(const uint64_t *a, const uint64_t *b)
{
    int n = 0;
    for (int i = 0; i < PARITY_WORDS; i++)
        n += __builtin_popcountll(a[i] ^ b[i]);
    return n;
}

static void extend(const struct search *s, const struct sum *sum, uint32_t known, int sign, struct sum *out)
{
    const struct known *k = &s->g->known[known];
    uint64_t weight = k->sketch.weight[s->trial];
    *out = *sum;
    out->with[out->n] = known;
    out->sign[out->n++] = sign;
    out->weight += sign > 0 ? weight : -weight;
    for (int i = 0; i < PARITY_WORDS; i++)
        out->parity[i] ^= k->sketch.parity[i];
}

static void search_direct(struct search *s, const struct sum *root)
{
    for (uint32_t i = 0; i < s->g->n_known; i++) {
        const struct known *k = &s->g->known[i];
        struct sum sum;
        if (llabs(k->n - s->n) >= s->g->minimum ||
            distance(k->sketch.parity, s->sketch.parity) >= s->g->minimum)
            continue;
        extend(s, root, i, -1, &sum);
        examine(s, &sum);
    }
}

/* --- several ------------------------------------------------------------------------------------------ */

static int value_at(const struct search *s, const struct sum *sum, uint32_t person)
{
    int v = persons_has(s->cell->persons, person);
    for (int i = 0; i < sum->n; i++)
        v += sum->sign[i] * persons_has(s->g->known[sum->with[i]].set, person);
    return v;
}

static uint32_t n_holders(const struct guard *g, uint32_t person)
{
    uint32_t n = 0;
    for (uint32_t c = g->head[person]; c; c = g->chunks[c - 1].next)
        n += g->chunks[c - 1].n;
    return n;
}

/* The pivot is a sampled person whom the sum leaves; of those looked at, the one in the fewest sets. The new
   cell's sample is sorted for that; of each further set the first few are looked at. */
struct picking {
    const struct search *s;
    const struct sum *sum;
    bool found;
    int looked;
    uint32_t best, holders;
};

static void consider(struct picking *p, uint32_t person)
{
    uint32_t n = n_holders(p->s->g, person);
    if (!p->found || n < p->holders) {
        p->best = person;
        p->holders = n;
    }
    p->found = true;
}

static bool pick(uint32_t person, void *context)
{
    struct picking *p = context;
    if (!guard_sampled(p->s->g, p->s->trial, person) || !value_at(p->s, p->sum, person))
        return true;
    consider(p, person);
    return ++p->looked < PIVOT_CHOICE;
}

static bool find_pivot(const struct search *s, const struct sum *sum, uint32_t *out)
{
    struct picking p = {.s = s, .sum = sum};
    for (size_t i = 0; !p.found && i < s->n_sample; i++)
        if (value_at(s, sum, s->sample[i].person))
            consider(&p, s->sample[i].person);
    for (int i = 0; i < sum->n && (!p.found || p.holders > FEW_HOLDERS); i++) {
        p.looked = 0;
        persons_each(s->g->known[sum->with[i]].set, pick, &p);
    }
    *out = p.best;
    return p.found;
}

static void go_on(struct search *s, const struct sum *sum, int more);

static bool is_in(const struct sum *sum, uint32_t known)
{
    for (int i = 0; i < sum->n; i++)
        if (sum->with[i] == known)
            return true;
    return false;
}

/* Every set that holds the pivot may be the next. */
static void branch(struct search *s, const struct sum *sum, uint32_t pivot, int more)
{
    int sign = value_at(s, sum, pivot) > 0 ? -1 : 1;
    for (uint32_t c = s->g->head[pivot]; c; c = s->g->chunks[c - 1].next)
        for (uint32_t i = 0; i < s->g->chunks[c - 1].n; i++) {
            struct sum next;
            uint32_t known = s->g->chunks[c - 1].known[i];
            if (s->implied || is_in(sum, known) || ++s->steps > MOST_STEPS)
                continue;
            extend(s, sum, known, sign, &next);
            go_on(s, &next, more - 1);
        }
}

/* Nothing of the sample is left: a small group, or persons whom the sample does not see. */
static void settle(struct search *s, const struct sum *sum, int more)
{
    static const uint64_t nothing[PARITY_WORDS];
    uint32_t pivots[PIVOTS];
    int n = 0;
    if (!more && distance(sum->parity, nothing) >= s->g->minimum)
        return;
    if (sum->n)
        examine(s, sum);
    else
        count_out(s, sum);
    if (!more || s->n_left < s->g->minimum)
        return;
    /* Spread over what is left, and differently in each trial. */
    int64_t from = s->n_left < MOST_LEFT ? s->n_left : MOST_LEFT;
    for (; n < PIVOTS; n++)
        pivots[n] = s->left[(from * n / PIVOTS + s->trial) % from];
    for (int i = 0; i < n; i++)
        branch(s, sum, pivots[i], more);
}

/* The last set of a sum must weigh what is left. */
static void close_with(struct search *s, const struct sum *sum, int sign, int more)
{
    size_t at = 0, i;
    uint64_t weight = sign > 0 ? -sum->weight : sum->weight;
    while ((i = guard_find(s->g, s->trial, weight, &at)) != SIZE_MAX) {
        struct sum next;
        if (!s->g->known[i].tight || is_in(sum, (uint32_t)i) || ++s->steps > MOST_STEPS)
            continue;
        extend(s, sum, (uint32_t)i, sign, &next);
        settle(s, &next, more - 1);
    }
}

static void go_on(struct search *s, const struct sum *sum, int more)
{
    uint32_t pivot;
    if (!sum->weight) {
        settle(s, sum, more);
        return;
    }
    if (!more)
        return;
    close_with(s, sum, -1, more);
    close_with(s, sum, 1, more);
    if (more > 1 && find_pivot(s, sum, &pivot))
        branch(s, sum, pivot, more);
}

static bool add_to_sample(uint32_t person, void *context)
{
    struct search *s = context;
    if (guard_sampled(s->g, s->trial, person)) {
        GROW(s->sample, s->n_sample + 1, s->sample_room);
        s->sample[s->n_sample++] = (struct sampled){person, n_holders(s->g, person)};
    }
    return true;
}

static int fewest_first(const void *a, const void *b)
{
    const struct sampled *x = a, *y = b;
    return x->holders != y->holders ? (x->holders > y->holders) - (x->holders < y->holders)
                                    : (x->person > y->person) - (x->person < y->person);
}

static void search_deep(struct search *s, struct sum *root)
{
    for (s->trial = 0; s->trial < GUARD_TRIALS && !s->implied; s->trial++) {
        s->n_sample = 0;
        persons_each(s->cell->persons, add_to_sample, s);
        if (s->n_sample)
            qsort(s->sample, s->n_sample, sizeof *s->sample, fewest_first);
        root->weight = s->sketch.weight[s->trial];
        go_on(s, root, GUARD_DEPTH);
    }
    if (s->steps > MOST_STEPS && s->finding->verdict == GUARD_ALLOW) {
        s->finding->verdict = GUARD_REVIEW;
        s->finding->entangled = true;
    }
}

/* The same set in other words: nothing new unless the print is narrower. */
static bool is_old(const struct search *s)
{
    const struct known *k = guard_find_same(s->g, s->n, &s->sketch);
    return k && !k->open && !s->cell->open && s->cell->low <= k->low && s->cell->high >= k->high;
}

void guard_ask(struct guard *g, const struct guard_cell *cell, struct guard_finding *out)
{
    struct search s = {.g = g, .cell = cell, .n = (int64_t)persons_count(cell->persons), .finding = out};
    struct sum root = {0};
    *out = (struct guard_finding){.verdict = GUARD_ALLOW};
    if (s.n < g->minimum)
        return; /* never printed by itself */
    sketch_of(g, cell->persons, &s.sketch);
    if (is_old(&s))
        return;
    guard_reach(g, persons_last(cell->persons));
    memcpy(root.parity, s.sketch.parity, sizeof root.parity);
    search_direct(&s, &root);
    if (!cell->open && cell->high - cell->low <= g->minimum - 2)
        search_deep(&s, &root);
    if (s.implied)
        *out = (struct guard_finding){.verdict = GUARD_ALLOW};
    free(s.sample);
}
