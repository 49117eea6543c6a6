/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the engine: one evaluation of a definition over a store.
 *
 * Persons do not look at each other, so a cohort is evaluated for one range of persons after the other
 * (evaluate.c), by as many threads as there are; the ranges bound the memory, and their results are put
 * together in order. Everything below works on one range, on one thread.
 *
 * A range goes stage by stage (entry events, additional criteria, each inclusion rule, exits). Every stage
 * works on the list of index events that are left, and looks only at what the persons of those events have: a
 * bitmap of candidate persons prunes rows before dates or attributes are read. Within a group the cheapest
 * child goes first, and what it decides the others do not look at. Rows come out of the store in blocks
 * (scan.c) and are, where that is enough, only counted (tally.c) or compared with a person's earliest day
 * (earliest.c); else they become a list of events (fetch.c).
 */
#ifndef ACCORD_COHORT_ENGINE_H
#define ACCORD_COHORT_ENGINE_H

#include "base/bits.h"
#include "cohort/cohort.h"
#include "cohort/events.h"
#include "cohort/tree.h"

/* --- sets of persons --- */

/* Persons of [first, first + n): those whose bit is set, or all where there are no words. `first` is a
 * multiple of 64. */
struct person_set {
    uint32_t first, n;
    uint64_t *words;
};
static inline size_t person_set_words(const struct person_set *s)
{
    return (size_t)s->n / 64 + 1;
}
static inline bool person_set_has(const struct person_set *s, uint32_t person)
{
    uint32_t at = person - s->first;
    return at < s->n && (!s->words || (s->words[at >> 6] >> (at & 63) & 1));
}
/* `person` must be of the range, and there must be words. */
static inline void person_set_add(const struct person_set *s, uint32_t person)
{
    uint32_t at = person - s->first;
    s->words[at >> 6] |= (uint64_t)1 << (at & 63);
}
/* An empty set over the range of another; free its words. */
struct person_set person_set_like(const struct person_set *range);
/* Adds persons[i], ascending, where mask[i] is 1; no mask for all. */
void person_set_add_all(const struct person_set *s, const uint32_t *persons, const uint8_t *mask, size_t n);

/* --- concept sets --- */

struct id_set {
    int32_t *ids; /* sorted, distinct */
    size_t n;
};
bool id_set_has(const struct id_set *s, int32_t id);
int compare_ids(const void *a, const void *b); /* for qsort over int32_t */
/* Concepts of a set (../shared/circe.md, rules 1 to 4); ids are malloced. */
void concept_set_resolve(const struct concept_set *set, const struct store *s, struct id_set *out);

/* --- the engine --- */

struct engine {
    const struct cohort_definition *d;
    const struct store *store;
    struct person_set range; /* whom it looks at: without words */
    const struct store_persons *persons;
    const struct store_periods *periods;
    struct id_set *sets;        /* in the order of d->sets */
    struct cohort_plan *plan;   /* notes what was read; NULL for no notes */
    struct cohort_trace *trace; /* notes who was left; NULL for no notes */
};
void engine_init(struct engine *g, const struct cohort_definition *d, const struct store *s);
void engine_deinit(struct engine *g);
/* An empty set where the definition has none of that id. */
const struct id_set *engine_set(const struct engine *g, int32_t id);

/* --- blocks of rows --- */

enum { BLOCK = 1024 }; /* rows: what a pass looks at stays in the first-level cache */
struct block {
    enum store_table table; /* STORE_N_TABLES for observation periods and persons */
    uint64_t first;         /* row of place 0 */
    size_t n;
    bool run_begins; /* with scan.by_run: the rows before were of another concept */
    int32_t person[BLOCK], start[BLOCK], end[BLOCK];
    int32_t period_type[BLOCK];
    uint16_t sel[BLOCK + BITS_SLACK]; /* places still in, ascending */
    size_t n_sel;
    uint64_t bytes; /* decoded so far */
    union {
        int32_t i32[BLOCK];
        int64_t i64[BLOCK];
        double f64[BLOCK];
    } a, b, c; /* columns being looked at */
};
/* All places from 0 to n. */
void block_select_all(struct block *b);
/* Decode a column for the span from the first to the last selected row (there is one); values lie at their
 * places. */
MUST_CHECK enum status block_i32(const struct engine *g, struct block *b, enum store_column c, int32_t *out,
                                 struct err *e);
MUST_CHECK enum status block_i64(const struct engine *g, struct block *b, enum store_column c, int64_t *out,
                                 struct err *e);
MUST_CHECK enum status block_f64(const struct engine *g, struct block *b, enum store_column c, double *out,
                                 struct err *e);

/* --- scanning: the rows of a criterion's table that candidates have (scan.c) --- */

struct scan {
    const struct engine *g;
    const struct criterion *c;
    const struct criterion_spec *spec;
    const struct person_set *candidates;
    const struct id_set *source_set; /* NULL for none */
    struct filter *filter;
    bool by_run; /* a block holds rows of one run only; else small neighbours go together */
    bool ends;   /* the end date is looked at */
    uint64_t runs, estimate, rows, bytes; /* as in struct plan_step */
};
/* What looks at a block: rows of candidates are selected (there is one), their start is there, and with
 * scan.ends their end. */
typedef enum status (*scan_visit)(void *context, struct block *b, struct err *e);
void scan_init(struct scan *x, const struct engine *g, const struct criterion *c,
               const struct person_set *candidates, bool ends);
void scan_deinit(struct scan *x);
MUST_CHECK enum status scan_rows(struct scan *x, scan_visit visit, void *context, struct err *e);
/* Adjusts dates and drops rows whose attributes do not hold. */
MUST_CHECK enum status scan_filter(const struct scan *x, struct block *b, struct err *e);
/* Notes what was read. */
void scan_note(const struct scan *x, uint64_t events);
/* Rows that a criterion has to look at, of all persons, from the store's statistics. */
uint64_t criterion_rows(const struct engine *g, const struct criterion *c);

/* --- criteria to events (fetch.c) --- */

/* The events of a criterion for the candidates, nested groups and all. */
MUST_CHECK enum status criterion_fetch(const struct engine *g, const struct criterion *c,
                                       const struct person_set *candidates, unsigned needs,
                                       enum count_column key, struct events *out, struct err *e);
/* Whether two rows of one person and day can differ in what the criterion asks. */
bool criterion_asks_of_row(const struct criterion *c);
/* The periods of events of persons who have one, and whether the start lies in it with the days wanted: 1 or
   0; FITS_UNKNOWN for persons with none or several. v has NEED_PERIOD, `fits` room for one more than its
   events. */
enum { FITS_UNKNOWN = 2 };
void find_only_periods(const struct engine *g, struct events *v, int32_t prior_days, int32_t post_days,
                       uint8_t *fits);
/* Joins events with the observation periods that contain their start: out has NEED_PERIOD, one event per
   pair; origin[i] (malloced, NULL if not wanted) is the event it came from. Uses v up; it still has to be
   deinited. */
void join_periods(const struct engine *g, struct events *v, int32_t prior_days, int32_t post_days,
                  struct events *out, size_t **origin);

/* --- the short ways --- */

/* The first day of each person among all rows of a criterion's concept set, whatever its attributes. */
struct first_days {
    struct person_set range; /* without words */
    uint8_t *has;            /* 1 where person range.first + i has one, else 0 */
    int32_t *day;            /* then: the day */
    size_t n;                /* persons that have one */
};
MUST_CHECK enum status first_days_find(const struct engine *g, const struct criterion *c,
                                       const struct person_set *candidates, struct first_days *out,
                                       struct err *e);
void first_days_deinit(struct first_days *d);

/* Entry events of a cohort that keeps a person's earliest event and looks at nothing but its day
   (earliest.c); `needs` is what later steps look at. out has NEED_PERIOD. */
bool earliest_applies(const struct cohort_definition *d, unsigned needs);
MUST_CHECK enum status earliest_events(const struct engine *g, struct events *out, struct err *e);

/* Entry events of a cohort that takes each person's first period of observation, where nothing looks at more
   than its days (observed.c); `needs` as above. out has NEED_PERIOD. */
bool observed_applies(const struct cohort_definition *d, unsigned needs);
void observed_events(const struct engine *g, struct events *out);

/* How many rows of a criterion fall into each index event's days (tally.c). */
struct tally {
    int32_t low, high; /* the days; none where low > high */
    uint32_t n;
};
bool tally_applies(const struct criterion *c);
/* One tally per open index event, in order; `persons` are those of the open events. */
MUST_CHECK enum status tally_rows(const struct engine *g, const struct criterion *c,
                                  const struct person_set *persons, const uint32_t *person_of, size_t n,
                                  struct tally *tallies, struct err *e);

/* --- groups --- */

/* What an evaluation takes, of all persons: rows that are read, and the most that are in lists at one time.
 */
struct cohort_cost {
    uint64_t read, listed;
};
struct cohort_cost group_cost(const struct engine *g, const struct group *group);

/* Columns that a group looks at of its index events. */
unsigned group_needs(const struct group *g);
/* mask[i] = whether index event i passes. The events must have the columns of group_needs and NEED_PERIOD. */
MUST_CHECK enum status group_evaluate(const struct engine *g, const struct group *group,
                                      const struct events *index, uint8_t *mask, struct err *e);

/* --- the stages (evaluate.c, exits.c) --- */

/* Entry events that pass the additional criteria and their limits; the first two steps. */
MUST_CHECK enum status qualified_events(const struct engine *g, struct events *v, struct cohort_rows *out,
                                        struct err *e);
/* All stages. Of rows only what is counted and found is set: steps have no names. */
MUST_CHECK enum status evaluate_range(const struct engine *g, struct cohort_rows *out, struct err *e);
/* Uses v up; it still has to be deinited. */
MUST_CHECK enum status find_exits(const struct engine *g, struct events *v, struct cohort_rows *out,
                                  struct err *e);
struct cohort_cost evaluation_cost(const struct engine *g);
struct cohort_cost exits_cost(const struct engine *g);

/* --- attributes (filter.c) --- */

struct filter;
struct filter *filter_new(const struct engine *g, const struct criterion *c);
void filter_free(struct filter *f);
/* Whether the attributes look at the end date. */
bool filter_uses_end(const struct filter *f);
MUST_CHECK enum status filter_block(const struct filter *f, struct block *b, struct err *e);
/* The attributes of a demographic criterion for one index event. */
bool demographic_holds(const struct engine *g, const struct demographic *d, uint32_t person, int32_t start,
                       int32_t end);
bool number_in_range(const struct number_range *r, double v); /* false for NaN */
/* SQL LIKE: % any characters, _ one character, a backslash takes the next one as it is. */
bool text_like(const char *text, const char *pattern);

#endif
