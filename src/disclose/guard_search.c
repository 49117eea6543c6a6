/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for sums  v + c1 h1 + ... + cm hm  (v the new cell's set, h earlier ones, each c +1 or -1) that
 * leave 1 to k - 1 persons.
 *
 * One earlier set: every known set is compared by its parity sketch, which differs in at most as many bits as
 * the sets differ in persons, and the near ones exactly. Nothing is missed.
 *
 * Two to four: whichever group G is left, there are samples of the persons without anybody of G, and on such
 * a sample the sum is zero everywhere. So, trial by trial, pivots are taken: sampled persons whom the sum so
 * far does not leave at zero, all above it or all below. If the trial's sample holds nobody of G, each of
 * them is in a further set with the opposite sign; as at most m sets follow, one of these holds an m-th of
 * the pivots or more, and only the sets that do are tried as the next. Few do, however many sets a person is
 * in: on this rests that the work hardly grows with the number of released cells. The last set of a sum is
 * looked up by the weight of what is left. Where a sum leaves persons but none of the sample, pivots are
 * drawn from what is left: up to k - 1 of them may be of G, so that an m-th of the rest is asked for; where
 * that is nobody, three persons are tried in full. Every sum found is counted out exactly before it counts.
 *
 * Rejected: ranks over the atoms of all sets (any depth, but a group that lies across atoms, the usual case
 * after a few cross-tabulations, is not seen by single atoms); pairwise tests alone (blind to trackers);
 * every set of one pivot as the next (its cube is the work: 21 ms at 30,000 cells, a second at 100,000).
 * Literature: Denning, Denning and Schwartz, "The tracker", ACM TODS 4 (1979) 76-96; information set
 * decoding (Prange 1962) for the sampling.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/guard_sets.h"

/* Enough for every history of the tests ten times over; beyond it a person looks. */
enum { MOST_STEPS = 4000000, MOST_LEFT = 64, PIVOTS = 3 };
/* How many pivots are taken where so many sets may follow: an m-th of them is 3, 3 and 2. More would leave
   fewer sets to try, and cost more to look up. */
enum { MOST_PIVOTS = 10 };
static const int n_pivots[GUARD_DEPTH + 1] = {0, 1, 3, 7, MOST_PIVOTS};

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
    uint32_t *sample; /* of the new cell in this trial */
    size_t n_sample, sample_room;
    struct guard_places list; /* of tight sets, for one look-up of some persons */
    uint8_t *hits;            /* per tight set, zero between uses */
    uint32_t *tries;          /* sets to try next, of all depths of the search one after the other */
    size_t n_tries, tries_room;
    uint32_t left[MOST_LEFT]; /* persons that the sum counted last leaves */
    int64_t n_left, steps;
    bool implied;
    struct guard_finding *finding;
};

/* --- counting a sum out ------------------------------------------------------------------------------- */

struct counting {
    int8_t *tally;
    int8_t sign;
    struct search *collect; /* second pass: takes what is left and clears */
};

static void tally_block(const uint32_t *person, size_t n, void *context)
{
    struct counting *c = context;
    for (size_t i = 0; i < n; i++)
        c->tally[person[i]] = (int8_t)(c->tally[person[i]] + c->sign);
}

static void collect_block(const uint32_t *person, size_t n, void *context)
{
    struct counting *c = context;
    struct search *s = c->collect;
    for (size_t i = 0; i < n; i++) {
        if (!c->tally[person[i]])
            continue;
        if (s->n_left < MOST_LEFT)
            s->left[s->n_left] = person[i];
        s->n_left++;
        c->tally[person[i]] = 0;
    }
}

/* Who is left: s->left, at most MOST_LEFT of s->n_left. */
static void count_out(struct search *s, const struct sum *sum)
{
    for (int i = 0; i < sum->n; i++)
        guard_reach(s->g, s->g->known[sum->with[i]].last);
    struct counting c = {s->g->tally, 1, s};
    s->n_left = 0;
    persons_blocks(s->cell->persons, tally_block, &c);
    for (int i = 0; i < sum->n; i++) {
        c.sign = (int8_t)sum->sign[i];
        persons_blocks(guard_need(s->g, sum->with[i]), tally_block, &c);
    }
    persons_blocks(s->cell->persons, collect_block, &c);
    for (int i = 0; i < sum->n; i++)
        persons_blocks(guard_need(s->g, sum->with[i]), collect_block, &c);
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

/* Known only in that anybody may know the population: its complements are compared with it, but nobody at the
   site has printed it yet. */
static bool is_unprinted(const struct known *k)
{
    return k->n_projects == 1 && k->projects[0] == GUARD_EVERYBODY;
}

/* Counts a sum out and takes it if it leaves a small group. */
static void examine(struct search *s, const struct sum *sum)
{
    count_out(s, sum);
    if (s->n_left == 0)
        s->implied =
            s->implied || (all_exact(s, sum) && !(sum->n == 1 && is_unprinted(&s->g->known[sum->with[0]])));
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
        struct sum sum;
        if (llabs(s->g->sizes[i] - s->n) >= s->g->minimum ||
            distance(s->g->known[i].sketch.parity, s->sketch.parity) >= s->g->minimum)
            continue;
        extend(s, root, i, -1, &sum);
        examine(s, &sum);
    }
}

/* --- several ------------------------------------------------------------------------------------------ */

static int value_at(struct search *s, const struct sum *sum, uint32_t person)
{
    int v = persons_has(s->cell->persons, person);
    for (int i = 0; i < sum->n; i++)
        v += sum->sign[i] * persons_has(guard_need(s->g, sum->with[i]), person);
    return v;
}

/* Persons whom a sum leaves above zero, and below. */
struct pivots {
    uint32_t person[2][MOST_LEFT];
    int n[2];
};

static bool add_pivot(struct search *s, const struct sum *sum, uint32_t person, int most, struct pivots *p)
{
    int v = value_at(s, sum, person);
    if (v && p->n[v < 0] < most)
        p->person[v < 0][p->n[v < 0]++] = person;
    return v != 0;
}

/* Sampled persons come from the new cell's sample first, then from the sets of the sum. Of each, so many are
   looked at, and more only until there is a pivot at all. */
struct picking {
    struct search *s;
    const struct sum *sum;
    struct pivots *pivots;
    int most, looked;
};

static bool may_stop(const struct picking *p)
{
    const int *n = p->pivots->n;
    return (p->looked >= 4 * p->most && n[0] + n[1]) || (n[0] >= p->most && n[1] >= p->most);
}

static bool pick(uint32_t person, void *context)
{
    struct picking *p = context;
    if (!guard_sampled(p->s->g, p->s->trial, person))
        return true;
    add_pivot(p->s, p->sum, person, p->most, p->pivots);
    p->looked++;
    return !may_stop(p);
}

static void find_pivots(struct search *s, const struct sum *sum, int more, struct pivots *out)
{
    struct picking p = {s, sum, out, n_pivots[more], 0};
    *out = (struct pivots){0};
    for (size_t i = 0; i < s->n_sample && !may_stop(&p); i++, p.looked++)
        add_pivot(s, sum, s->sample[i], p.most, out);
    for (int i = 0; i < sum->n && s->g->failed == ST_OK; i++) {
        p.looked = 0;
        persons_each(guard_need(s->g, sum->with[i]), pick, &p);
    }
}

static void go_on(struct search *s, const struct sum *sum, int more);

static bool is_in(const struct sum *sum, uint32_t known)
{
    for (int i = 0; i < sum->n; i++)
        if (sum->with[i] == known)
            return true;
    return false;
}

/* Puts the sets that hold at least `least` of the persons behind s->tries. */
static void find_sets(struct search *s, const uint32_t *person, int n, int least)
{
    struct guard_places *list = &s->list;
    list->n = 0;
    for (int i = 0; i < n; i++) {
        size_t n_found;
        const uint32_t *found = guard_holders(s->g, person[i], &n_found);
        for (size_t j = 0; j < n_found; j++)
            places_add(list, found[j]);
    }
    for (size_t i = 0; i < list->n; i++)
        if (++s->hits[list->v[i]] == least) {
            GROW(s->tries, s->n_tries + 1, s->tries_room);
            s->tries[s->n_tries++] = s->g->tight[list->v[i]];
        }
    for (size_t i = 0; i < list->n; i++)
        s->hits[list->v[i]] = 0;
    s->steps += (int64_t)list->n / 16;
}

/* The sets from s->tries[from] on may be the next. */
static void try_sets(struct search *s, const struct sum *sum, int sign, size_t from, int more)
{
    size_t end = s->n_tries;
    for (size_t i = from; i < end && !s->implied && s->g->failed == ST_OK; i++) {
        struct sum next;
        if (is_in(sum, s->tries[i]) || ++s->steps > MOST_STEPS)
            continue;
        extend(s, sum, s->tries[i], sign, &next);
        go_on(s, &next, more - 1);
    }
    s->n_tries = from;
}

static uint32_t fewest_holders(const struct search *s, const uint32_t *person, int n)
{
    int best = 0;
    size_t fewest = SIZE_MAX, here;
    for (int i = 0; i < n; i++) {
        guard_holders(s->g, person[i], &here);
        if (here < fewest) {
            fewest = here;
            best = i;
        }
    }
    return person[best];
}

/* One of the next `more` sets holds an m-th of these persons, but for `spared` of them. False where that is
   less than two of them. */
static bool find_heavy(struct search *s, const uint32_t *person, int n, int spared, int more)
{
    int least = (n - spared + more - 1) / more;
    if (least < 2)
        return false;
    find_sets(s, person, n, least);
    return true;
}

/* Nothing of the sample is left: a small group, or persons whom the sample does not see. */
static void settle(struct search *s, const struct sum *sum, int more)
{
    static const uint64_t nothing[PARITY_WORDS];
    struct pivots p = {0};
    uint32_t left[MOST_LEFT];
    if (!more && distance(sum->parity, nothing) >= s->g->minimum)
        return;
    if (sum->n)
        examine(s, sum);
    else
        count_out(s, sum);
    if (!more || s->n_left < s->g->minimum)
        return;
    int n = s->n_left < MOST_LEFT ? (int)s->n_left : MOST_LEFT;
    memcpy(left, s->left, sizeof left);
    for (int i = 0; i < n; i++)
        add_pivot(s, sum, left[i], MOST_LEFT, &p);
    size_t from = s->n_tries;
    int side = p.n[1] > p.n[0];
    if (find_heavy(s, p.person[side], p.n[side], (int)s->g->minimum - 1, more)) {
        try_sets(s, sum, side ? 1 : -1, from, more);
        return;
    }
    /* Spread over what is left, and differently in each trial. */
    for (int i = 0; i < PIVOTS; i++) {
        uint32_t pivot = left[(n * i / PIVOTS + s->trial) % n];
        find_sets(s, &pivot, 1, 1);
        try_sets(s, sum, value_at(s, sum, pivot) > 0 ? -1 : 1, from, more);
    }
}

/* The last set of a sum must weigh what is left. */
static void close_with(struct search *s, const struct sum *sum, int sign, int more)
{
    size_t at = 0, i;
    uint64_t weight = sign > 0 ? -sum->weight : sum->weight;
    while ((i = guard_find(s->g, s->trial, weight, &at)) != SIZE_MAX) {
        struct sum next;
        if (is_in(sum, (uint32_t)i) || ++s->steps > MOST_STEPS)
            continue;
        extend(s, sum, (uint32_t)i, sign, &next);
        settle(s, &next, more - 1);
    }
}

static void go_on(struct search *s, const struct sum *sum, int more)
{
    struct pivots p;
    size_t from = s->n_tries;
    if (!sum->weight) {
        settle(s, sum, more);
        return;
    }
    if (!more)
        return;
    close_with(s, sum, -1, more);
    close_with(s, sum, 1, more);
    if (more < 2)
        return;
    find_pivots(s, sum, more, &p);
    int side = p.n[1] > p.n[0];
    if (!p.n[side])
        return;
    if (!find_heavy(s, p.person[side], p.n[side], 0, more)) {
        uint32_t pivot = fewest_holders(s, p.person[side], p.n[side]);
        find_sets(s, &pivot, 1, 1);
    }
    try_sets(s, sum, side ? 1 : -1, from, more);
}

static void sample_block(const uint32_t *person, size_t n, void *context)
{
    struct search *s = context;
    for (size_t i = 0; i < n; i++)
        if (guard_sampled(s->g, s->trial, person[i])) {
            GROW(s->sample, s->n_sample + 1, s->sample_room);
            s->sample[s->n_sample++] = person[i];
        }
}

static void search_deep(struct search *s, struct sum *root)
{
    guard_index(s->g);
    s->hits = xcalloc(s->g->n_tight + 1, sizeof *s->hits);
    for (s->trial = 0; s->trial < GUARD_TRIALS && !s->implied && s->g->failed == ST_OK; s->trial++) {
        s->n_sample = 0;
        persons_blocks(s->cell->persons, sample_block, s);
        root->weight = s->sketch.weight[s->trial];
        go_on(s, root, GUARD_DEPTH);
    }
    if (s->steps > MOST_STEPS && s->finding->verdict == GUARD_ALLOW) {
        s->finding->verdict = GUARD_REVIEW;
        s->finding->entangled = true;
    }
    free(s->hits);
    free(s->list.v);
    free(s->tries);
}

/* The same set in other words: nothing new unless the print is narrower. */
static bool is_old(const struct search *s)
{
    const struct known *k = guard_find_same(s->g, s->n, &s->sketch);
    return k && !is_unprinted(k) && !k->open && !s->cell->open && s->cell->low <= k->low &&
           s->cell->high >= k->high;
}

static void search(struct search *s)
{
    struct sum root = {0};
    guard_reach(s->g, persons_last(s->cell->persons));
    memcpy(root.parity, s->sketch.parity, sizeof root.parity);
    search_direct(s, &root);
    if (!s->cell->open && s->cell->high - s->cell->low <= s->g->minimum - 2)
        search_deep(s, &root);
    if (s->implied)
        *s->finding = (struct guard_finding){.verdict = GUARD_ALLOW};
    free(s->sample);
}

enum status guard_ask(struct guard *g, const struct guard_cell *cell, struct guard_finding *out,
                      struct err *e)
{
    struct search s = {.g = g, .cell = cell, .n = (int64_t)persons_count(cell->persons), .finding = out};
    *out = (struct guard_finding){.verdict = GUARD_ALLOW};
    if (s.n < g->minimum)
        return ST_OK; /* never printed by itself */
    sketch_of(g, cell->persons, &s.sketch);
    if (is_old(&s))
        return ST_OK;
    g->failed = ST_OK;
    g->failure = e;
    search(&s);
    return g->failed;
}
