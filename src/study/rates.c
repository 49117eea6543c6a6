/* SPDX-License-Identifier: Apache-2.0 */
#include "study/rates.h"

#include <stdlib.h>
#include <string.h>

#include "study/members.h"

enum { MOST_CELLS = 200000 };
/* The guard's book would outgrow the data of a study by weeks over decades. */
enum { MOST_INTERVALS = 60 };

static void split_dimensions(struct rates *r, struct arena *a)
{
    r->fixed = arena_array(a, r->n_by + 1, sizeof *r->fixed);
    r->age_stride = 1;
    for (size_t i = 0; i < r->n_by; i++) {
        if (dimension_is_age(&r->by[i]))
            r->age = &r->by[i];
        else
            r->fixed[r->n_fixed++] = r->by[i];
    }
    for (size_t i = r->n_by; i-- > 0 && r->age && &r->by[i] != r->age;)
        r->age_stride *= r->by[i].n_levels;
}

static int32_t read_washout(struct spec *s)
{
    const struct js *v = js_get(s->object, "washout_days");
    return !v || js_is(v, JS_NULL) ? INT32_MAX : (int32_t)spec_int(s, "washout_days", 0, 36500, 0);
}

const char *const rates_members[] = {
    "outcome", "washout_days",           "repeated_events",       "cohort",       "from", "to", "min_age",
    "max_age", "prior_observation_days", "requirements_at_entry", "time_at_risk", NULL};

void rates_read(struct spec *s, bool prevalence, struct rates *r)
{
    r->name = s->scope->name;
    r->prevalence = prevalence;
    r->outcome = spec_cohort(s, "outcome", true);
    denominator_read(s, &r->denominator);
    if (prevalence) {
        spec_refuse(s, "washout_days", "is for incidence; a prevalence has no wash-out");
        spec_refuse(s, "repeated_events", "is for incidence; a prevalence counts each person once");
    }
    r->washout = prevalence ? 0 : read_washout(s);
    r->repeated = !prevalence && spec_bool(s, "repeated_events", false);
}

void rates_prepare(struct spec *s, enum interval_kind interval, bool whole, struct rates *r)
{
    if (s->status != ST_OK)
        return;
    r->calendar = calendar_of(s->scope->arena, r->denominator.from, r->denominator.to, interval, whole);
    r->n_strata = strata_count(r->by, r->n_by);
    split_dimensions(r, s->scope->arena);
    if (!r->calendar.n)
        spec_fault(s, "to", "no whole interval lies between 'from' and 'to'");
    else if (r->n_strata * r->calendar.n > MOST_CELLS)
        spec_fault(s, "by", "intervals times strata make more than %d cells", MOST_CELLS);
}

/* What is being added up: where the current person stands, and per interval whether the person was counted.
 */
struct counter {
    const struct rates *rates;
    int64_t *figures;         /* as in the sums */
    uint32_t person, stratum; /* of the facts that do not change */
    int32_t birth;
    uint32_t *seen, *had_event;      /* per interval: person + 1 */
    int64_t *present;                /* per stratum and interval: change in the number of persons present */
    struct counted *persons, *cases; /* per interval, who is counted; NULL where only how many */
    size_t n_listed;                 /* so many intervals have lists */
};

/* Who is counted in an interval, each in one stratum; persons ascend. */
struct counted {
    uint32_t *person, *stratum;
    size_t n, person_room, stratum_room;
};

static void list(const struct counter *c, struct counted *of, size_t interval, uint32_t stratum)
{
    if (!of || interval >= c->n_listed)
        return;
    of += interval;
    GROW(of->person, of->n + 1, of->person_room);
    GROW(of->stratum, of->n + 1, of->stratum_room);
    of->person[of->n] = c->person;
    of->stratum[of->n++] = stratum;
}

static void count(struct counter *c, size_t interval, uint32_t stratum, int figure, int64_t more)
{
    size_t cell = interval * c->rates->n_strata + stratum;
    c->figures[cell * RATES_N_FIGURES + (size_t)figure] += more;
}

/* The age band on `day`; 0 where age does not matter. */
static uint32_t band_on(const struct counter *c, int32_t day)
{
    const struct dimension *age = c->rates->age;
    return age ? band_of(age->cuts, age->n_cuts, age_on(c->birth, day)) : 0;
}

static uint32_t stratum_in(const struct counter *c, uint32_t band)
{
    const struct dimension *age = c->rates->age;
    uint32_t stride = (uint32_t)c->rates->age_stride;
    if (!age)
        return c->stratum;
    return c->stratum / stride * stride * age->n_levels + band * stride + c->stratum % stride;
}

/* The last day in an age band. */
static int32_t band_until(const struct counter *c, uint32_t band)
{
    const struct dimension *age = c->rates->age;
    return age && band < age->n_cuts ? birthday(c->birth, (int)age->cuts[band]) - 1 : INT32_MAX;
}

static void count_person(struct counter *c, size_t interval, uint32_t stratum)
{
    if (c->seen[interval] == c->person + 1)
        return;
    c->seen[interval] = c->person + 1;
    list(c, c->persons, interval, stratum);
    count(c, interval, stratum, RATES_PERSONS, 1);
}

static void count_event(struct counter *c, size_t interval, uint32_t stratum)
{
    count(c, interval, stratum, RATES_EVENTS, 1);
    if (c->had_event[interval] == c->person + 1)
        return;
    c->had_event[interval] = c->person + 1;
    list(c, c->cases, interval, stratum);
    count(c, interval, stratum, RATES_EVENT_PERSONS, 1);
}

/* One piece counts its person in all its intervals: this takes it back where the person was counted before. */
static void count_once(struct counter *c, size_t interval, uint32_t stratum)
{
    if (c->seen[interval] == c->person + 1)
        count(c, interval, stratum, RATES_PERSONS, -1);
    else
        list(c, c->persons, interval, stratum);
    c->seen[interval] = c->person + 1;
}

/* Days [from, to] of one stratum, counted as if they filled all intervals from the first to the last, one
   step up and one down, and what is wrong with the two ends taken off: the days that they lack, and a person
   who was counted there before. No other piece of this person touches the intervals between. */
static inline void count_piece(struct counter *c, uint32_t stratum, int32_t from, int32_t to, bool event)
{
    const struct calendar *cal = &c->rates->calendar;
    size_t first = calendar_find(cal, from), last = calendar_find(cal, to);
    last -= last == cal->n || cal->start[last] > to;
    if (first == cal->n || cal->start[first] > to)
        return;
    int64_t *present = c->present + stratum * (cal->n + 1);
    present[first]++;
    present[last + 1]--;
    count(c, first, stratum, RATES_DAYS, from > cal->start[first] ? cal->start[first] - from : 0);
    count(c, last, stratum, RATES_DAYS, to < cal->end[last] ? to - cal->end[last] : 0);
    count_once(c, first, stratum);
    for (size_t i = first + 1; c->persons && i < last && i < c->n_listed; i++)
        list(c, c->persons, i, stratum);
    if (last != first)
        count_once(c, last, stratum);
    if (event && to <= cal->end[last])
        count_event(c, last, stratum);
}

/* A span at risk, cut at birthdays. */
static void count_ages(struct counter *c, int32_t start, int32_t end, bool event)
{
    for (uint32_t band = band_on(c, start); start <= end; band++) {
        int32_t until = band_until(c, band), last = until < end ? until : end;
        count_piece(c, stratum_in(c, band), start, last, event && last == end);
        start = last + 1;
    }
}

static void count_risk(void *context, int32_t start, int32_t end, bool event)
{
    struct counter *c = context;
    if (c->rates->age)
        count_ages(c, start, end, event);
    else
        count_piece(c, c->stratum, start, end, event);
}

static void add_present(struct counter *c)
{
    const struct calendar *cal = &c->rates->calendar;
    for (uint32_t stratum = 0; stratum < c->rates->n_strata; stratum++) {
        int64_t persons = 0;
        for (size_t i = 0; i < cal->n; i++) {
            persons += c->present[stratum * (cal->n + 1) + i];
            count(c, i, stratum, RATES_PERSONS, persons);
            count(c, i, stratum, RATES_DAYS, persons * (cal->end[i] - cal->start[i] + 1));
        }
    }
}

/* Period prevalence: present in the interval (all of it with full contribution), a case when an outcome
   overlaps the days contributed. */
static void count_present(struct counter *c, const struct span *span, const struct cohort_rows *outcomes,
                          size_t first, size_t n)
{
    const struct calendar *cal = &c->rates->calendar;
    for (size_t i = calendar_find(cal, span->start); i < cal->n && cal->start[i] <= span->end; i++) {
        int32_t from, to;
        if (!span_contributes(span, cal->start[i], cal->end[i], c->rates->full_contribution, &from, &to))
            continue;
        uint32_t stratum = stratum_in(c, band_on(c, from));
        count_person(c, i, stratum);
        count(c, i, stratum, RATES_DAYS, to - from + 1);
        if (c->had_event[i] != c->person + 1 &&
            outcome_overlaps(outcomes->start + first, outcomes->end + first, n, from, to))
            count_event(c, i, stratum);
    }
}

/* Facts of each person's first span; `of[k]` is the place of span k's person among the index rows. */
static void first_spans(const struct span *spans, size_t n, struct index_rows *rows, uint32_t *of)
{
    *rows = (struct index_rows){.person = xmalloc((n + 1) * sizeof *rows->person),
                                .start = xmalloc((n + 1) * sizeof *rows->start),
                                .end = xmalloc((n + 1) * sizeof *rows->end)};
    for (size_t k = 0; k < n; k++) {
        if (k == 0 || spans[k].person != spans[k - 1].person) {
            rows->person[rows->n] = spans[k].person;
            rows->start[rows->n] = spans[k].start;
            rows->end[rows->n++] = spans[k].end;
        }
        of[k] = (uint32_t)rows->n - 1;
    }
}

static void count_spans(struct counter *c, const struct study_site *site, const struct span *spans, size_t n,
                        const uint32_t *of, const uint32_t *stratum)
{
    const struct cohort_rows *outcomes = &site->cohorts[c->rates->outcome];
    size_t first = 0, last = 0;
    bool finished = false;
    for (size_t k = 0; k < n; k++) {
        if (k == 0 || spans[k].person != c->person) {
            finished = false;
            for (first = last; first < outcomes->n && outcomes->person[first] < spans[k].person;)
                first++;
            for (last = first; last < outcomes->n && outcomes->person[last] == spans[k].person;)
                last++;
        }
        c->person = spans[k].person;
        c->stratum = stratum[of[k]];
        c->birth = spans[k].birth;
        if (c->rates->prevalence)
            count_present(c, &spans[k], outcomes, first, last - first);
        else if (!finished)
            finished = risk_spans(&spans[k], outcomes->start + first, outcomes->end + first, last - first,
                                  c->rates->washout, c->rates->repeated, count_risk, c);
    }
}

/* Counts everybody; what the counter has not yet is made, for the caller to free. */
static enum status count_everybody(struct counter *c, const struct study_site *site, struct err *e)
{
    const struct rates *r = c->rates;
    struct span *spans;
    size_t n;
    denominator_spans(&r->denominator, site, &spans, &n);
    c->figures = xcalloc(rates_n_sums(r), sizeof *c->figures);
    c->seen = xcalloc(r->calendar.n, sizeof *c->seen);
    c->had_event = xcalloc(r->calendar.n, sizeof *c->had_event);
    c->present = xcalloc(r->n_strata * (r->calendar.n + 1), sizeof *c->present);
    struct index_rows rows;
    uint32_t *of = xmalloc((n + 1) * sizeof *of);
    uint32_t *stratum = xmalloc((n + 1) * sizeof *stratum);
    first_spans(spans, n, &rows, of);
    enum status st = strata_levels(r->fixed, r->n_fixed, site, &rows, stratum, e);
    if (st == ST_OK)
        count_spans(c, site, spans, n, of, stratum);
    index_rows_deinit(&rows);
    free(of);
    free(stratum);
    free(spans);
    return st;
}

static void counter_deinit(struct counter *c)
{
    free(c->figures);
    free(c->seen);
    free(c->had_event);
    free(c->present);
}

enum status rates_sums(const struct rates *r, const struct study_site *site, struct sums *out, struct err *e)
{
    struct counter c = {.rates = r};
    enum status st = count_everybody(&c, site, e);
    if (st == ST_OK) {
        add_present(&c);
        for (size_t i = 0; i < rates_n_sums(r); i++)
            sums_count(out, i, c.figures[i]);
    }
    counter_deinit(&c);
    return st;
}

/* The cells of an interval: `of` in what is printed of it. */
static void add_cells(const struct rates *r, const struct rates_printed *p, size_t interval, const char *what,
                      struct counted *of, struct members *into)
{
    size_t n = 0;
    for (size_t i = 0; i < of->n; i++) {
        uint32_t place = p->place ? p->place(r, of->stratum[i]) : of->stratum[i];
        if (place == RATES_UNPRINTED)
            continue;
        of->person[n] = of->person[i];
        of->stratum[n++] = place;
    }
    char *name = xasprintf("%s, %s%s", r->name, r->calendar.labels[interval], what);
    members_table(into, name, p->dimensions, p->n, of->person, of->stratum, n);
    free(name);
    free(of->person);
    free(of->stratum);
}

enum status rates_collect(const struct rates *r, const struct rates_printed *printed,
                          const struct study_site *site, struct members *into, struct err *e)
{
    struct rates_printed all = {r->by, r->n_by, NULL};
    struct counted persons[MOST_INTERVALS] = {0}, cases[MOST_INTERVALS] = {0};
    struct counter c = {.rates = r,
                        .persons = persons,
                        .cases = cases,
                        .n_listed = r->calendar.n < MOST_INTERVALS ? r->calendar.n : MOST_INTERVALS};
    enum status st = count_everybody(&c, site, e);
    for (size_t i = 0; i < c.n_listed; i++) {
        add_cells(r, printed ? printed : &all, i, "", &persons[i], into);
        add_cells(r, printed ? printed : &all, i, ", with the outcome", &cases[i], into);
    }
    counter_deinit(&c);
    return st;
}

double *rates_figure(struct arena *a, const struct rates *r, const struct sums *total,
                     enum rates_figure which)
{
    size_t n = r->calendar.n * r->n_strata;
    double *strata = arena_array(a, n, sizeof *strata);
    for (size_t i = 0; i < n; i++)
        strata[i] = (double)sums_get_count(total, i * RATES_N_FIGURES + which);
    return strata;
}
