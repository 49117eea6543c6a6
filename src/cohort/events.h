/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of events as parallel arrays, sorted by person, then sort date, then id: what criteria give and what
 * groups are evaluated on. Only the columns that somebody will look at are there; the others are NULL.
 */
#ifndef ACCORD_COHORT_EVENTS_H
#define ACCORD_COHORT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* Columns beyond person and start. */
enum {
    NEED_END = 1,     /* NONE_I32 where missing */
    NEED_SORT = 2,    /* the date to order by, where it differs from start; else `start` is used */
    NEED_ID = 4,      /* the source's id of the event: orders those of one day */
    NEED_VISIT = 8,   /* NONE_I64 where missing */
    NEED_KEY = 16,    /* what a distinct count looks at; NONE_I64 where missing */
    NEED_PASS = 32,   /* whether the attributes hold, where First must be decided before them */
    NEED_RAW = 64,    /* the start before any adjustment: orders while First is being decided */
    NEED_PERIOD = 128 /* op_start and op_end: the observation period of an index event */
};

struct events {
    size_t n, capacity;
    unsigned needs;
    uint32_t *person;
    int32_t *start;
    int32_t *end, *sort, *raw;
    int64_t *id, *visit, *key;
    uint8_t *pass;
    int32_t *op_start, *op_end;
    bool one_each; /* known to have one event per person; false says nothing */
};

void events_init(struct events *v, unsigned needs);
void events_deinit(struct events *v);
void events_reserve(struct events *v, size_t n); /* room for n in all */
/* Copies event i of `from` (with the same columns) to place `at`, which must be within capacity. */
void events_copy(struct events *v, size_t at, const struct events *from, size_t i);
void events_clone(const struct events *v, struct events *out);
/* Adds columns, without values yet. */
void events_add(struct events *v, unsigned needs);
/* Frees the columns that are not in `needs`. */
void events_drop(struct events *v, unsigned needs);
/* Keeps those whose mask byte is set, in order. */
void events_keep(struct events *v, const uint8_t *mask);

static inline int32_t events_sort_day(const struct events *v, size_t i)
{
    return v->raw ? v->raw[i] : v->sort ? v->sort[i] : v->start[i];
}

/* All events of the pieces in one list sorted by (person, sort date, id where it is there), stable in the order of the pieces;
   n_persons bounds person. The pieces are left empty. */
void events_merge(struct events *pieces, size_t n, uint32_t n_persons, struct events *out);

/* Long lists are sorted by buckets of persons (1 << bits of them): where each begins in the sorted list, from
   the second place on (the first is for where it ends while it is being filled). The caller frees. */
size_t *events_bucket_starts(const struct events *pieces, size_t n_pieces, unsigned bits, size_t n_buckets);
/* Sorts events of which person and start, a day of the calendar, are all there is (event_days.c); out has
   room for all. */
void events_sort_days(const struct events *pieces, size_t n_pieces, size_t total, uint32_t n_persons,
                      struct events *out);

/* First event of a person at or after `from`. */
size_t events_find(const struct events *v, size_t from, uint32_t person);

#endif
