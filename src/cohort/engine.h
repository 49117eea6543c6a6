/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the engine: one evaluation of a definition over a store.
 *
 * A cohort is evaluated stage by stage (entry events, additional criteria, each inclusion rule, exits). Every
 * stage works on the list of index events that are left, and fetches from the store only what the persons of
 * those events have: a bitmap of candidate persons prunes rows before dates or attributes are read. Within a
 * group the cheapest child goes first, and what it decides the others do not look at.
 *
 * Work is split by rows when fetching and by persons when evaluating; results are put together in order.
 */
#ifndef ACCORD_COHORT_ENGINE_H
#define ACCORD_COHORT_ENGINE_H

#include "cohort/cohort.h"
#include "cohort/events.h"
#include "cohort/tree.h"

/* --- bitmaps of persons --- */

struct person_set {
    uint64_t *words; /* NULL = everybody */
    size_t n_words;
};
static inline bool person_set_has(const struct person_set *s, uint32_t person)
{
    return !s->words || (s->words[person >> 6] >> (person & 63) & 1);
}

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
    struct pool *pool;
    const struct store_persons *persons;
    const struct store_periods *periods;
    struct id_set *sets;        /* in the order of d->sets */
    struct event_ids *ids;      /* per table, and of observation periods behind them */
    struct cohort_plan *plan;   /* notes what was read; NULL for no notes */
    struct cohort_trace *trace; /* notes who was left; NULL for no notes */
};
void engine_init(struct engine *g, const struct cohort_definition *d, const struct store *s,
                 struct pool *pool);
void engine_deinit(struct engine *g);
/* ST_CORRUPT when an event id could not be read. */
MUST_CHECK enum status engine_check(const struct engine *g, struct err *e);
/* An empty set where the definition has none of that id. */
const struct id_set *engine_set(const struct engine *g, int32_t id);

/* Rows that a criterion has to look at, from the store's statistics. */
uint64_t criterion_rows(const struct engine *g, const struct criterion *c);
/* The events of a criterion for the candidates, nested groups and all. */
MUST_CHECK enum status criterion_fetch(const struct engine *g, const struct criterion *c,
                                       const struct person_set *candidates, unsigned needs,
                                       enum count_column key, struct events *out, struct err *e);

/* Joins events with the observation periods that contain their start: out has NEED_PERIOD, one event per
   pair; origin[i] (malloced, NULL if not wanted) is the event it came from. Uses v up; it still has to be
   deinited. */
MUST_CHECK enum status join_periods(const struct engine *g, struct events *v, int32_t prior_days,
                                    int32_t post_days, struct events *out, size_t **origin, struct err *e);

/* The first day of each person among all rows of a criterion's concept set, whatever its attributes; `has` is
   a bitmap of the persons that have one. */
struct first_days {
    uint64_t *has;
    int32_t *day;
};
MUST_CHECK enum status first_days_find(const struct engine *g, const struct criterion *c,
                                       const struct person_set *candidates, struct first_days *out,
                                       struct err *e);
void first_days_deinit(struct first_days *d);

/* Entry events of a cohort that keeps a person's earliest event and looks at nothing but its day
   (earliest.c); `needs` is what later steps look at. out has NEED_PERIOD. */
bool earliest_applies(const struct cohort_definition *d, unsigned needs);
MUST_CHECK enum status earliest_events(const struct engine *g, struct events *out, struct err *e);

/* Columns that a group looks at of its index events. */
unsigned group_needs(const struct group *g);
/* mask[i] = whether index event i passes. The events must have the columns of group_needs and NEED_PERIOD. */
MUST_CHECK enum status group_evaluate(const struct engine *g, const struct group *group,
                                      const struct events *index, uint8_t *mask, struct err *e);

/* --- attributes (filter.c) --- */

/* A block of rows on its way through the attributes of a criterion. */
enum { BLOCK = 4096 };
struct block {
    enum store_table table; /* STORE_N_TABLES for observation periods and persons */
    uint64_t first;         /* row of place 0 */
    size_t n;
    int32_t person[BLOCK], start[BLOCK], end[BLOCK];
    int32_t period_type[BLOCK];
    uint16_t sel[BLOCK]; /* places still in, ascending */
    size_t n_sel;
    uint64_t bytes; /* decoded so far */
    union {
        int32_t i32[BLOCK];
        int64_t i64[BLOCK];
        double f64[BLOCK];
    } a, b, c; /* columns being looked at */
};
/* Decode a column for the span from the first to the last selected row (there is one); values lie at their
 * places. */
MUST_CHECK enum status block_i32(const struct engine *g, struct block *b, enum store_column c, int32_t *out,
                                 struct err *e);
MUST_CHECK enum status block_i64(const struct engine *g, struct block *b, enum store_column c, int64_t *out,
                                 struct err *e);
MUST_CHECK enum status block_f64(const struct engine *g, struct block *b, enum store_column c, double *out,
                                 struct err *e);

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
