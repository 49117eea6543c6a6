/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor: seven questions of bench/queries by loops written for each of them alone, over arrays in memory
 * that hold nothing but what they need. What a general engine adds to it is then a number. One thread.
 *
 * The arrays come out of the same store. By concept: per row a 32-bit person and a 16-bit day; by person: a
 * 16-bit concept and a 16-bit day, of each person by concept; ten bytes a row in all. Days count from the
 * store's first. Persons' years of birth, sexes and periods lie beside. Concepts are resolved and memory is
 * taken before the clock starts; what a question writes is cleared within it.
 *
 * Left out, against the product: reading and checking JSON, decoding and checking blocks, ids of events,
 * attrition, rows of the cohort (only how many there are), any other question. q01 does not ask for periods
 * of observation, as its SQL does not; q01-periods does, as Circe's meaning of it has to.
 *
 *   accord_bench_floor STORE RUNS QUERIES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "store/store.h"

enum { CHUNK_ROWS = 1 << 20, NEVER = UINT16_MAX, YEAR = 365, ADULT = 18, FEMALE = 8532 };
#define NONE UINT32_MAX
enum { FROM_YEAR = 2010, YEARS = 15, LEAST_PERSONS = 10, TOP = 50, DEEPEST = 16 };

/* The tables of q12; the first four are q11's. */
enum { DOMAINS = 5, DESCRIBED = 4 };
static const enum store_table table_of[DOMAINS] = {STORE_CONDITION, STORE_DRUG, STORE_MEASUREMENT,
                                                   STORE_OBSERVATION, STORE_VISIT};
static const char *const name_of[DESCRIBED] = {"condition", "drug", "measurement", "observation"};

struct domain {
    uint32_t n_runs;
    const struct store_run *run; /* borrowed */
    uint32_t *person;            /* by concept */
    uint16_t *day;
    uint32_t *first; /* by person: where each begins, and the end */
    uint16_t *run_of, *day_of;
    uint32_t (*chain)[DEEPEST]; /* per run the concept and its ancestors, nearest first, then NONE */
    uint32_t *persons;          /* q12's answer, by run */
    uint32_t *count, *stamp;    /* per concept, or per run */
};

struct periods {
    const uint32_t *at; /* persons + 1; borrowed */
    uint16_t *start, *end;
};

/* A concept with its descendants, as runs. */
struct set {
    uint32_t n;
    const struct store_run **run;
};

struct floor {
    const struct store *store;
    uint32_t n; /* persons */
    int32_t epoch;
    struct domain domain[DOMAINS];
    struct periods periods;
    int16_t *birth_year, *year_of; /* by person; by day */
    uint8_t *female;
    uint32_t n_concepts; /* those with descendants, ascending */
    const int32_t *concept;
    struct set a, b, c, condition, medicine;
    /* What questions write. */
    uint64_t *member;
    uint16_t *entry; /* by person, the first day; NEVER */
    uint8_t *state;
    int64_t found;
    int32_t *change; /* persons at risk, by sex and day */
    int64_t days[YEARS][2], events[YEARS][2];
    uint32_t top[TOP], n_top; /* runs */
    uint64_t sum;
};

/* --- the arrays --- */

static uint16_t day_from(const struct floor *f, int32_t day)
{
    return (uint16_t)(day - f->epoch);
}

static enum status read_rows(struct floor *f, enum store_table t, struct domain *d, struct err *e)
{
    uint64_t rows = store_rows(f->store, t);
    int32_t *buffer = xmalloc(CHUNK_ROWS * sizeof *buffer);
    enum status s = ST_OK;
    d->person = xmalloc((rows + 1) * sizeof *d->person);
    d->day = xmalloc((rows + 1) * sizeof *d->day);
    for (uint64_t at = 0; s == ST_OK && at < rows; at += CHUNK_ROWS) {
        uint64_t n = rows - at < CHUNK_ROWS ? rows - at : CHUNK_ROWS;
        s = store_read_i32(f->store, t, COL_PERSON, at, n, (int32_t *)d->person + at, e);
        if (s == ST_OK)
            s = store_read_i32(f->store, t, COL_START, at, n, buffer, e);
        for (uint64_t i = 0; s == ST_OK && i < n; i++)
            d->day[at + i] = day_from(f, buffer[i]);
    }
    free(buffer);
    return s;
}

/* The second order: rows counted into the places of their persons, run after run. */
static void order_by_person(const struct floor *f, uint64_t rows, struct domain *d)
{
    uint32_t *next = xcalloc((size_t)f->n + 1, sizeof *next);
    d->first = xcalloc((size_t)f->n + 1, sizeof *d->first);
    d->run_of = xmalloc((rows + 1) * sizeof *d->run_of);
    d->day_of = xmalloc((rows + 1) * sizeof *d->day_of);
    for (uint64_t i = 0; i < rows; i++)
        d->first[d->person[i] + 1]++;
    for (uint32_t p = 0; p < f->n; p++)
        d->first[p + 1] += d->first[p];
    memcpy(next, d->first, f->n * sizeof *next);
    for (uint32_t r = 0; r < d->n_runs; r++)
        for (uint64_t i = d->run[r].first; i < d->run[r].first + d->run[r].n; i++) {
            uint32_t at = next[d->person[i]]++;
            d->run_of[at] = (uint16_t)r;
            d->day_of[at] = d->day[i];
        }
    free(next);
}

static enum status domains_read(struct floor *f, struct err *e)
{
    enum status s = ST_OK;
    for (int i = 0; s == ST_OK && i < DOMAINS; i++) {
        struct domain *d = &f->domain[i];
        uint64_t rows = store_rows(f->store, table_of[i]);
        store_runs(f->store, table_of[i], &d->run, &d->n_runs);
        if (d->n_runs > UINT16_MAX || rows > UINT32_MAX)
            return err_set(e, ST_INVALID, "too many concepts or rows for the floor's arrays");
        d->persons = xcalloc((size_t)d->n_runs + 1, sizeof *d->persons);
        s = read_rows(f, table_of[i], d, e);
        if (s == ST_OK && i < DESCRIBED)
            order_by_person(f, rows, d);
        uint32_t n = d->n_runs > f->n_concepts ? d->n_runs : f->n_concepts;
        d->count = xcalloc((size_t)n + 1, sizeof *d->count);
        d->stamp = xcalloc((size_t)n + 1, sizeof *d->stamp);
    }
    return s;
}

static void people_read(struct floor *f)
{
    const struct store_persons *p = store_persons(f->store);
    const struct store_periods *periods = store_periods(f->store);
    uint32_t n = periods->offset[f->n];
    f->birth_year = xmalloc((f->n + 1) * sizeof *f->birth_year);
    f->female = xmalloc(f->n + 1);
    f->periods = (struct periods){periods->offset, xmalloc((n + 1) * sizeof(uint16_t)),
                                  xmalloc((n + 1) * sizeof(uint16_t))};
    memcpy(f->birth_year, p->birth_year, f->n * sizeof *f->birth_year);
    for (uint32_t i = 0; i < f->n; i++)
        f->female[i] = p->gender[i] == FEMALE;
    for (uint32_t i = 0; i < n; i++) {
        f->periods.start[i] = day_from(f, periods->start[i]);
        f->periods.end[i] = day_from(f, periods->end[i]);
    }
}

/* Days fit into 16 bits from the first day on; NEVER is none of them. */
static enum status choose_epoch(struct floor *f, struct err *e)
{
    const struct store_periods *periods = store_periods(f->store);
    int32_t least = DATE_MAX, most = DATE_MIN;
    for (uint32_t i = 0; i < periods->offset[f->n]; i++) {
        least = periods->start[i] < least ? periods->start[i] : least;
        most = periods->end[i] > most ? periods->end[i] : most;
    }
    for (int i = 0; i < DOMAINS; i++) {
        const struct store_run *runs;
        uint32_t n;
        store_runs(f->store, table_of[i], &runs, &n);
        for (uint32_t r = 0; r < n; r++) {
            least = runs[r].first_day < least ? runs[r].first_day : least;
            most = runs[r].last_day > most ? runs[r].last_day : most;
        }
    }
    f->epoch = least;
    f->year_of = xmalloc((NEVER + 1) * sizeof *f->year_of);
    for (int32_t d = 0; d <= NEVER; d++)
        f->year_of[d] = (int16_t)date_year(least + d);
    return most - least < NEVER ? ST_OK : err_set(e, ST_INVALID, "the store's days need more than 16 bits");
}

/* --- concepts --- */

static uint32_t place_of(const int32_t *ids, uint32_t n, int32_t id)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low] == id ? low : NONE;
}

static int by_descendants(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b; /* how many, which */
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Ancestors from those with the fewest descendants to those with the most: the order of every chain. */
static uint32_t (*ancestors_upwards(const struct floor *f))[2]
{
    uint32_t(*order)[2] = xmalloc(((size_t)f->n_concepts + 1) * sizeof *order);
    const int32_t *below;
    for (uint32_t i = 0; i < f->n_concepts; i++) {
        store_descendants_at(f->store, i, &below, &order[i][0]);
        order[i][1] = i;
    }
    qsort(order, f->n_concepts, sizeof *order, by_descendants);
    return order;
}

static enum status chain_add(struct domain *d, uint32_t run, uint32_t ancestor, struct err *e)
{
    for (uint32_t k = 0; k < DEEPEST - 1; k++)
        if (d->chain[run][k] == NONE) {
            d->chain[run][k] = ancestor;
            return ST_OK;
        }
    return err_set(e, ST_INVALID, "a concept has more ancestors than the floor has room for");
}

static enum status chains_read(struct floor *f, struct domain *d, struct err *e)
{
    uint32_t(*order)[2] = ancestors_upwards(f), n;
    uint32_t *run_of = xmalloc(((size_t)f->n_concepts + 1) * sizeof *run_of);
    const int32_t *below;
    enum status s = ST_OK;
    d->chain = xmalloc(((size_t)d->n_runs + 1) * sizeof *d->chain);
    memset(d->chain, 0xff, (size_t)d->n_runs * sizeof *d->chain);
    memset(run_of, 0xff, f->n_concepts * sizeof *run_of);
    for (uint32_t r = 0; r < d->n_runs; r++) {
        uint32_t at = place_of(f->concept, f->n_concepts, d->run[r].concept_id);
        if (at == NONE)
            s = err_set(e, ST_INVALID, "a recorded concept is not its own descendant");
        else
            run_of[at] = r;
    }
    for (uint32_t i = 0; i < f->n_concepts; i++) {
        store_descendants_at(f->store, order[i][1], &below, &n);
        for (uint32_t k = 0; s == ST_OK && k < n; k++) {
            uint32_t at = place_of(f->concept, f->n_concepts, below[k]);
            if (at != NONE && run_of[at] != NONE)
                s = chain_add(d, run_of[at], order[i][1], e);
        }
    }
    free(order);
    free(run_of);
    return s;
}

/* The i-th concept set of a query's first cohort, with descendants. */
static enum status set_read(const struct floor *f, const char *folder, const char *query, size_t i,
                            enum store_table t, struct set *out, struct err *e)
{
    char *path = xasprintf("%s/%s.json", folder, query);
    struct js *json = NULL;
    enum status s = js_load(path, &json, e);
    const struct js *study = js_get(json, "study"), *cohort = json;
    if (study)
        cohort = js_get(js_at(js_get(study, "cohorts"), 0), "definition");
    const struct js *items = js_get(js_get(js_at(js_get(cohort, "ConceptSets"), i), "expression"), "items");
    const int32_t *ids;
    uint32_t n;
    store_descendants(f->store, (int32_t)js_get_int(js_get(js_at(items, 0), "concept"), "CONCEPT_ID", 0),
                      &ids, &n);
    *out = (struct set){.run = xcalloc((size_t)n + 1, sizeof *out->run)};
    for (uint32_t k = 0; s == ST_OK && k < n; k++) {
        out->run[out->n] = xmalloc(sizeof **out->run);
        if (store_run_find(f->store, t, ids[k], (struct store_run *)(uintptr_t)out->run[out->n]))
            out->n++;
    }
    js_free(json);
    free(path);
    return s;
}

static enum status floor_read(struct floor *f, const char *queries, struct err *e)
{
    f->n = store_persons(f->store)->n;
    store_ancestors(f->store, &f->concept, &f->n_concepts);
    enum status s = choose_epoch(f, e);
    if (s == ST_OK)
        s = domains_read(f, e);
    if (s != ST_OK)
        return s;
    people_read(f);
    for (int i = 0; s == ST_OK && i < DESCRIBED; i++)
        s = chains_read(f, &f->domain[i], e);
    struct {
        const char *query;
        size_t i;
        enum store_table table;
        struct set *set;
    } sets[] = {{"q01", 0, STORE_CONDITION, &f->condition},
                {"q02", 0, STORE_CONDITION, &f->a},
                {"q02", 1, STORE_CONDITION, &f->b},
                {"q02", 2, STORE_CONDITION, &f->c},
                {"q03", 0, STORE_DRUG, &f->medicine}};
    for (size_t i = 0; s == ST_OK && i < sizeof sets / sizeof *sets; i++)
        s = set_read(f, queries, sets[i].query, sets[i].i, sets[i].table, sets[i].set, e);
    f->member = xmalloc((f->n / 64 + 1) * sizeof *f->member);
    f->entry = xmalloc((f->n + 1) * sizeof *f->entry);
    f->state = xmalloc(f->n + 1);
    f->change = xmalloc(2 * ((size_t)NEVER + 2) * sizeof *f->change);
    return s;
}

/* --- the questions --- */

/* Rows of a set in `d`: statements over `person` and `day`. */
#define EACH_ROW(d, set, statements)                                                                         \
    for (uint32_t r_ = 0; r_ < (set).n; r_++)                                                                \
        for (uint64_t i_ = (set).run[r_]->first, end_ = i_ + (set).run[r_]->n; i_ < end_; i_++) {            \
            const uint32_t person = (d)->person[i_], day = (d)->day[i_];                                     \
            statements                                                                                       \
        }

static void find_members(struct floor *f, const struct domain *d, const struct set *set)
{
    memset(f->member, 0, (f->n / 64 + 1) * sizeof *f->member);
    EACH_ROW(d, *set, {
        (void)day;
        f->member[person / 64] |= (uint64_t)1 << person % 64;
    })
}

VECTORS static int64_t count_bits(const uint64_t *words, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += __builtin_popcountll(words[i]);
    return count;
}

static void ask_q01(struct floor *f)
{
    find_members(f, &f->domain[0], &f->condition);
    f->found = count_bits(f->member, f->n / 64 + 1);
}

static bool observed(const struct floor *f, uint32_t person, uint32_t day, uint32_t days_before)
{
    for (uint32_t k = f->periods.at[person]; k < f->periods.at[person + 1]; k++)
        if (day >= f->periods.start[k] + days_before && day <= f->periods.end[k])
            return true;
    return false;
}

/* Persons ascend within a run, so most rows of one person are together and only the first is looked up. */
static void ask_q01_periods(struct floor *f)
{
    const struct domain *d = &f->domain[0];
    memset(f->member, 0, (f->n / 64 + 1) * sizeof *f->member);
    EACH_ROW(d, f->condition, {
        uint64_t bit = (uint64_t)1 << person % 64;
        if (!(f->member[person / 64] & bit) && observed(f, person, day, 0))
            f->member[person / 64] |= bit;
    })
    f->found = count_bits(f->member, f->n / 64 + 1);
}

static void find_entries(struct floor *f, const struct domain *d, const struct set *set)
{
    memset(f->entry, 0xff, f->n * sizeof *f->entry);
    EACH_ROW(d, *set, {
        const uint16_t known = f->entry[person];
        f->entry[person] = day < known ? (uint16_t)day : known;
    })
}

static void ask_q02(struct floor *f)
{
    const struct domain *d = &f->domain[0];
    find_entries(f, d, &f->a);
    memset(f->state, 0, f->n);
    EACH_ROW(d, f->b, { f->state[person] |= day - f->entry[person] <= YEAR; })
    EACH_ROW(d, f->c, { f->state[person] |= (uint8_t)((day < f->entry[person]) << 1); })
    f->found = 0;
    for (uint32_t p = 0; p < f->n; p++)
        if (f->state[p] == 1)
            f->found += observed(f, p, f->entry[p], YEAR);
}

static void ask_q03(struct floor *f)
{
    find_entries(f, &f->domain[1], &f->medicine);
    f->found = 0;
    for (uint32_t p = 0; p < f->n; p++)
        if (f->entry[p] != NEVER && f->year_of[f->entry[p]] - f->birth_year[p] >= ADULT)
            f->found += observed(f, p, f->entry[p], YEAR);
}

/* Who comes under risk or leaves it, by day; the sum up to a day is how many are at risk. */
static void ask_q05(struct floor *f)
{
    find_entries(f, &f->domain[0], &f->condition);
    memset(f->change, 0, 2 * ((size_t)NEVER + 2) * sizeof *f->change);
    memset(f->days, 0, sizeof f->days);
    memset(f->events, 0, sizeof f->events);
    for (uint32_t p = 0; p < f->n; p++) {
        int32_t *change = f->change + (size_t)f->female[p] * ((size_t)NEVER + 2);
        for (uint32_t k = f->periods.at[p]; k < f->periods.at[p + 1]; k++) {
            uint16_t start = f->periods.start[k], end = f->periods.end[k], event = f->entry[p];
            uint32_t year = (uint32_t)(f->year_of[event] - FROM_YEAR);
            f->events[year < YEARS ? year : 0][f->female[p]] +=
                event >= start && event <= end && year < YEARS;
            end = event < end ? event : end;
            change[start] += end >= start;
            change[end + 1] -= end >= start;
        }
    }
    for (int sex = 0; sex < 2; sex++) {
        int64_t at_risk = 0;
        for (uint32_t day = 0; day < NEVER; day++) {
            at_risk += f->change[(size_t)sex * ((size_t)NEVER + 2) + day];
            uint32_t year = (uint32_t)(f->year_of[day] - FROM_YEAR);
            f->days[year < YEARS ? year : 0][sex] += year < YEARS ? at_risk : 0;
        }
    }
}

/* Whether run a comes before b: more persons, then the smaller id. */
static bool before(const struct domain *d, uint32_t a, uint32_t b)
{
    return d->count[a] != d->count[b] ? d->count[a] > d->count[b]
                                      : d->run[a].concept_id < d->run[b].concept_id;
}

static void choose_top(struct floor *f, const struct domain *d)
{
    f->n_top = 0;
    for (uint32_t r = 0; r < d->n_runs; r++) {
        if (d->count[r] == 0 || (f->n_top == TOP && !before(d, r, f->top[TOP - 1])))
            continue;
        uint32_t at = f->n_top < TOP ? f->n_top++ : TOP - 1;
        for (; at > 0 && before(d, r, f->top[at - 1]); at--)
            f->top[at] = f->top[at - 1];
        f->top[at] = r;
    }
}

static void ask_q10(struct floor *f)
{
    struct domain *d = &f->domain[0];
    find_members(f, d, &f->condition);
    memset(d->count, 0, d->n_runs * sizeof *d->count);
    for (uint32_t w = 0; w <= f->n / 64; w++)
        for (uint64_t left = f->member[w]; left; left &= left - 1) {
            uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(left), last = NONE;
            for (uint32_t i = d->first[p]; i < d->first[p + 1]; i++) {
                d->count[d->run_of[i]] += d->run_of[i] != last;
                last = d->run_of[i];
            }
        }
    choose_top(f, d);
}

/* Up the chain until somebody of the same person was there before: who has one has all behind it. */
static void count_chain(struct domain *d, const uint32_t *chain, uint32_t person)
{
    for (; *chain != NONE && d->stamp[*chain] != person; chain++) {
        d->stamp[*chain] = person;
        d->count[*chain]++;
    }
}

static void ask_q11(struct floor *f)
{
    find_entries(f, &f->domain[0], &f->condition);
    for (struct domain *d = f->domain; d < f->domain + DESCRIBED; d++) {
        memset(d->count, 0, f->n_concepts * sizeof *d->count);
        memset(d->stamp, 0xff, f->n_concepts * sizeof *d->stamp);
        for (uint32_t p = 0; p < f->n; p++) {
            if (f->entry[p] == NEVER)
                continue;
            uint32_t last = NONE, entry = f->entry[p];
            for (uint32_t i = d->first[p]; i < d->first[p + 1]; i++)
                if (d->run_of[i] != last && entry - d->day_of[i] <= YEAR) {
                    last = d->run_of[i];
                    count_chain(d, d->chain[last], p);
                }
        }
    }
}

VECTORS static uint32_t count_changes(const uint32_t *v, uint64_t n)
{
    uint32_t changes = n > 0;
    for (uint64_t i = 1; i < n; i++)
        changes += v[i] != v[i - 1];
    return changes;
}

static void ask_q12(struct floor *f)
{
    for (struct domain *d = f->domain; d < f->domain + DOMAINS; d++)
        for (uint32_t r = 0; r < d->n_runs; r++)
            d->persons[r] = count_changes(d->person + d->run[r].first, d->run[r].n);
}

/* --- answers, as the product's --- */

static void say_found(const struct floor *f)
{
    printf("[\"%lld\"]", (long long)f->found);
}

static void say_q05(const struct floor *f)
{
    for (int i = 0; i < 2 * YEARS; i++)
        printf("%s[\"%d\",\"%s\",\"%lld\",\"%lld\"]", i ? "," : "", FROM_YEAR + i / 2,
               i % 2 ? "female" : "male", (long long)f->days[i / 2][i % 2],
               (long long)f->events[i / 2][i % 2]);
}

static void say_q10(const struct floor *f)
{
    const struct domain *d = &f->domain[0];
    for (uint32_t i = 0; i < f->n_top; i++)
        printf("%s[\"condition %d\",\"condition\",\"%u\"]", i ? "," : "", d->run[f->top[i]].concept_id,
               d->count[f->top[i]]);
}

static void say_q11(const struct floor *f)
{
    const char *comma = "";
    for (int i = 0; i < DESCRIBED; i++)
        for (uint32_t k = 0; k < f->n_concepts; k++)
            if (f->domain[i].count[k] >= LEAST_PERSONS) {
                printf("%s[\"%s %d\",\"condition\",\"%u\"]", comma, name_of[i], f->concept[k],
                       f -> domain[i].count[k]);
                comma = ",";
            }
}

static void say_q12(const struct floor *f)
{
    const char *comma = "";
    for (const struct domain *d = f->domain; d < f->domain + DOMAINS; d++)
        for (uint32_t r = 0; r < d->n_runs; r++, comma = ",")
            printf("%s[\"%d\",\"%u\",\"%llu\"]", comma, d->run[r].concept_id, d->persons[r],
                   (unsigned long long)d->run[r].n);
}

/* --- what one core can read --- */

VECTORS static uint64_t sum_words(const uint64_t *v, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum;
}

static void ask_bandwidth(struct floor *f)
{
    const struct domain *d = &f->domain[2];
    f->sum += sum_words((const uint64_t *)(const void *)d->person, d->first[f->n] / 2);
}

VECTORS static uint64_t count_within(const uint16_t *day, size_t n, uint16_t from, uint16_t days)
{
    uint64_t total = 0;
    for (size_t at = 0; at < n; at += CHUNK_ROWS / 64) {
        uint32_t count = 0; /* a part at a time, in narrow counts */
        size_t end = n - at < CHUNK_ROWS / 64 ? n : at + CHUNK_ROWS / 64;
        for (size_t i = at; i < end; i++)
            count += (uint16_t)(day[i] - from) < days;
        total += count;
    }
    return total;
}

static void ask_window(struct floor *f)
{
    const struct domain *d = &f->domain[2];
    f->sum += count_within(d->day, d->first[f->n], 5000, YEAR);
}

static int64_t best_of(void (*ask)(struct floor *), struct floor *f, long runs)
{
    int64_t best = INT64_MAX;
    for (long i = 0; i <= runs; i++) {
        int64_t cpu = time_cpu_ns();
        ask(f);
        cpu = time_cpu_ns() - cpu;
        best = cpu < best ? cpu : best;
    }
    return best;
}

static void measure_all(struct floor *f, long runs)
{
    static const struct {
        const char *query;
        void (*ask)(struct floor *);
        void (*say)(const struct floor *);
    } questions[] = {{"q01", ask_q01, say_found}, {"q01-periods", ask_q01_periods, say_found},
                     {"q02", ask_q02, say_found}, {"q03", ask_q03, say_found},
                     {"q05", ask_q05, say_q05},   {"q10", ask_q10, say_q10},
                     {"q11", ask_q11, say_q11},   {"q12", ask_q12, say_q12}};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        double ms = (double)best_of(questions[i].ask, f, runs) / 1e6;
        printf("{\"engine\":\"floor\",\"step\":\"query\",\"query\":\"%s\",\"threads\":1,\"cpu_ms\":%.4f,"
               "\"answer\":[",
               questions[i].query, ms);
        questions[i].say(f);
        printf("]}\n");
    }
    double rows = f->domain[2].first[f->n], sum_ns = (double)best_of(ask_bandwidth, f, runs),
           window_ns = (double)best_of(ask_window, f, runs);
    printf("{\"engine\":\"floor\",\"step\":\"bandwidth\",\"read_gb_s\":%.2f,\"window_gb_s\":%.2f,\"sum\":"
           "\"%llx\"}\n",
           4 * rows / sum_ns, 2 * rows / window_ns, (unsigned long long)f->sum);
}

static enum status run(int argc, char **argv, struct err *e)
{
    struct store *store = NULL;
    long runs = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (runs < 1)
        return err_set(e, ST_USAGE, "usage: accord_bench_floor STORE RUNS QUERIES");
    enum status s = store_open(argv[1], &store, e);
    if (s != ST_OK)
        return s;
    struct floor *f = xcalloc(1, sizeof *f);
    f->store = store;
    s = floor_read(f, argv[3], e);
    if (s == ST_OK)
        measure_all(f, runs);
    store_close(store);
    return s; /* the arrays go with the process */
}

int main(int argc, char **argv)
{
    struct err e = {0};
    crypto_init();
    if (run(argc, argv, &e) == ST_OK)
        return 0;
    fprintf(stderr, "accord_bench_floor: %s %s\n", e.text, e.detail);
    return 1;
}
