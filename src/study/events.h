/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what analyses need of a store: index rows (one per person), and events of concepts around them,
 * streamed in blocks so that memory does not follow the number of events.
 */
#ifndef ACCORD_STUDY_EVENTS_H
#define ACCORD_STUDY_EVENTS_H

#include "base/bits.h"
#include "study/analysis.h"
#include "study/spec.h"

/* One row per person, persons ascending: the first entry of each person in a cohort. */
struct index_rows {
    size_t n;
    uint32_t *person;
    int32_t *start, *end; /* the entry's */
    bool borrowed;        /* the three are the cohort's own */
    /* Without words unless index_rows_map was called: the persons among those of the site, and how many rows
       lie before each word of them. */
    struct bits members;
    uint32_t *rank;
};
void index_rows_init(const struct cohort_rows *rows, struct index_rows *out);
/* The same to look at only: the cohort's own arrays where it has one row per person. */
void index_rows_view(const struct cohort_rows *rows, struct index_rows *out);
/* Rows of its own, to leave some of them out; without the map. */
void index_rows_copy(const struct index_rows *rows, struct index_rows *out);
/* The same of the rows whose mask is 1. */
void index_rows_keep(const struct index_rows *rows, const uint8_t *mask, struct index_rows *out);
void index_rows_deinit(struct index_rows *r);
/* What scans find rows by; events_scan makes its own where this was not called, once the rows are final. */
void index_rows_map(struct index_rows *r, const struct study_site *site);
void index_rows_unmap(struct index_rows *r); /* before rows are left out */
/* Places of those of n persons (at most 65,536) who have a row, and their rows, of mapped rows: how many.
   Both have room for n + BITS_SLACK. */
size_t index_rows_find(const struct index_rows *r, const uint32_t *person, size_t n, uint16_t *places,
                       uint32_t *row);

struct event {
    size_t row;       /* of the index rows */
    int32_t day, end; /* end = day where the table or the row has none, or it was not asked for */
    double value;     /* value_as_number; NaN where missing, or the table has none, or it was not asked for */
};
enum event_fields { EVENT_END = 1, EVENT_VALUE = 2 }; /* what is to be read beside the day */
typedef void (*event_fn)(void *context, const struct event *event);

/* Calls fn for every event of the concepts (in every table that has them; with descendants if the list says
   so) of a person of the index rows that starts within the window from the row's start. Events come by
   concept, then person, then day. */
MUST_CHECK enum status events_scan(const struct study_site *site, const struct concept_list *concepts,
                                   const struct index_rows *rows, struct day_window window, unsigned fields,
                                   event_fn fn, void *context, struct err *e);
/* Reads run after run of one table. Those that touch share blocks, which are decoded once: give them in the
   order of rows. Rows must have been mapped; they and the site are borrowed. */
struct run_reader;
struct run_reader *run_reader_new(const struct study_site *site, enum store_table t,
                                  const struct index_rows *rows, struct day_window window);
void run_reader_free(struct run_reader *r);
/* The distinct rows with an event of the run in the window, ascending: `out` has room for all of them and one
   more (NULL = only how many). */
MUST_CHECK enum status run_reader_rows(struct run_reader *r, const struct store_run *run, uint32_t *out,
                                       size_t *n, struct err *e);
/* The latest value on or before the window's end per row (the greatest on ties, so that the order of rows
   does not matter); NaN where there is none. `out` has rows->n. */
MUST_CHECK enum status events_latest_value(const struct study_site *site, const struct concept_list *concepts,
                                           const struct index_rows *rows, struct day_window window,
                                           double *out, struct err *e);
/* 1 where there is an event in the window. */
MUST_CHECK enum status events_any(const struct study_site *site, const struct concept_list *concepts,
                                  const struct index_rows *rows, struct day_window window, uint8_t *out,
                                  struct err *e);

/* 1 where the person has a row in `cohort` that starts within the window. */
void cohort_any(const struct cohort_rows *cohort, const struct index_rows *rows, struct day_window window,
                uint8_t *out);

/* True when day lies in the window from `index`. */
static inline bool in_window(struct day_window w, int32_t index, int32_t day)
{
    int64_t d = (int64_t)day - index;
    return (w.from == -SPEC_UNBOUNDED || d >= w.from) && (w.to == SPEC_UNBOUNDED || d <= w.to);
}

/* Birth day (missing month or day read as 1), DATE_NONE when the year is missing. */
int32_t person_birth(const struct store_persons *p, uint32_t person);
/* The same of the persons [first, first + n), n at most BIRTHS. */
enum { BIRTHS = 512 };
void person_births(const struct store_persons *p, uint32_t first, size_t n, int32_t out[BIRTHS]);
/* Whole years on `day` after `birth`; 29 February birthdays are on 28 February in other years. */
int age_on(int32_t birth, int32_t day);
/* The same for every row at its start; AGE_UNKNOWN without a year of birth. */
enum { AGE_UNKNOWN = INT16_MIN };
void ages_at_start(const struct store_persons *p, const struct index_rows *rows, int16_t *out);

#endif
