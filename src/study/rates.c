/* SPDX-License-Identifier: Apache-2.0 */
#include "study/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/vectors.h"
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

/* --- persons with one span at risk, which no birthday cuts --- */

/* Intervals in which such spans begin, or end: how many, and their days from the calendar's first, added up. */
struct edge {
    int64_t n, days;
};

/* The span that time at risk is left of. */
struct lone {
    struct counter *counter;
    struct spans *spans;
    size_t at;
};

static void keep_risk(void *context, int32_t start, int32_t end, bool event)
{
    const struct lone *l = context;
    const struct calendar *cal = &l->counter->rates->calendar;
    l->spans->start[l->at] = start;
    l->spans->end[l->at] = end;
    if (event && end >= cal->start[0] && end <= cal->end[cal->n - 1])
        count_event(l->counter, calendar_find(cal, end), l->counter->stratum);
}

static void drop_span(struct spans *s, size_t k)
{
    s->start[k] = 1;
    s->end[k] = 0;
}

enum { CHUNK = 512 }; /* spans at a time */

/* For each span the cell of its first interval and of its last, and the days from the calendar's first to it;
 * the cell `none` where no interval has a day of it. */
struct placed {
    uint32_t begin[CHUNK], end[CHUNK];
    int32_t from[CHUNK], to[CHUNK];
};

VECTORS static void place_spans(const struct calendar *cal, const int32_t *restrict start,
                                const int32_t *restrict end, const uint32_t *restrict stratum, size_t n,
                                uint32_t none, struct placed *restrict out)
{
    const uint32_t *restrict of_day = cal->of_day;
    int32_t first = cal->start[0], last = cal->end[cal->n - 1];
    uint32_t n_intervals = (uint32_t)cal->n;
    for (size_t k = 0; k < n; k++) {
        int32_t from = start[k] > first ? start[k] : first, to = end[k] < last ? end[k] : last;
        bool some = from <= to;
        out->from[k] = some ? from - first : 0;
        out->to[k] = some ? to - first : 0;
        uint32_t row = stratum[k] * n_intervals;
        out->begin[k] = some ? row + of_day[out->from[k]] : none;
        out->end[k] = some ? row + of_day[out->to[k]] : none;
    }
}

static void add_edges(const struct placed *p, size_t n, struct edge *restrict begin,
                      struct edge *restrict end)
{
    for (size_t k = 0; k < n; k++) {
        begin[p->begin[k]].n++;
        begin[p->begin[k]].days += p->from[k];
        end[p->end[k]].n++;
        end[p->end[k]].days += p->to[k];
    }
}

/* Counts the spans as if they filled all intervals from the first to the last, less what the two lack. */
static void count_lone(struct counter *c, const struct spans *spans, const uint32_t *stratum)
{
    const struct calendar *cal = &c->rates->calendar;
    uint32_t n_strata = (uint32_t)c->rates->n_strata;
    uint32_t cells = n_strata * (uint32_t)cal->n;
    struct edge *begin = xcalloc(cells + 1, sizeof *begin), *end = xcalloc(cells + 1, sizeof *end);
    struct placed placed;
    for (size_t k = 0, n; k < spans->n; k += n) {
        n = spans->n - k < CHUNK ? spans->n - k : CHUNK;
        place_spans(cal, spans->start + k, spans->end + k, stratum + k, n, cells, &placed);
        add_edges(&placed, n, begin, end);
    }
    for (uint32_t s = 0; s < n_strata; s++) {
        for (size_t i = 0; i < cal->n; i++) {
            const struct edge *b = &begin[s * cal->n + i], *e = &end[s * cal->n + i];
            c->present[s * (cal->n + 1) + i] += b->n;
            c->present[s * (cal->n + 1) + i + 1] -= e->n;
            count(c, i, s, RATES_DAYS, b->n * (cal->start[i] - cal->start[0]) - b->days);
            count(c, i, s, RATES_DAYS, e->days - e->n * (cal->end[i] - cal->start[0]));
        }
    }
    free(begin);
    free(end);
}

/* --- everybody --- */

/* From one stratum per person to one per span, in place. */
static void spread_strata(const struct spans *s, size_t persons, uint32_t *stratum)
{
    for (size_t k = s->n; k-- > 0 && persons < k + 1;) {
        stratum[k] = stratum[persons - 1];
        persons -= k > 0 && s->person[k - 1] != s->person[k];
    }
}

/* All spans [k, end) of a person, with the outcomes [first, first + n). */
static void count_spans(struct counter *c, const struct spans *s, const uint32_t *stratum, size_t k,
                        size_t end, const struct cohort_rows *outcomes, size_t first, size_t n)
{
    bool finished = false;
    c->person = s->person[k];
    for (; k < end && !finished; k++) {
        struct span span = {s->person[k], s->start[k], s->end[k], s->birth[k]};
        c->stratum = stratum[k];
        c->birth = span.birth;
        if (c->rates->prevalence)
            count_present(c, &span, outcomes, first, n);
        else
            finished = risk_spans(&span, outcomes->start + first, outcomes->end + first, n, c->rates->washout,
                                  c->rates->repeated, count_risk, c);
    }
}

/* What outcomes leave of a person's only span. */
static void cut_lone(struct counter *c, struct spans *s, const uint32_t *stratum, size_t k,
                     const struct cohort_rows *outcomes, size_t first, size_t n)
{
    struct span span = {s->person[k], s->start[k], s->end[k], s->birth[k]};
    struct lone lone = {c, s, k};
    c->person = span.person;
    c->stratum = stratum[k];
    drop_span(s, k);
    risk_spans(&span, outcomes->start + first, outcomes->end + first, n, c->rates->washout,
               c->rates->repeated, keep_risk, &lone);
}

/* Whether a span gives one piece at most, and only how many there are is asked for. */
static bool takes_lone(const struct counter *c)
{
    const struct rates *r = c->rates;
    return !r->prevalence && !r->age && !c->persons && (!r->repeated || r->washout == INT32_MAX);
}

/* The first span from k on that is not its person's only one, or whose person is not before `person`. */
static size_t skip_others(const struct spans *s, size_t k, uint32_t person)
{
    while (k + 1 < s->n && s->person[k] < person && s->person[k] != s->person[k + 1])
        k++;
    return k;
}

static void count_persons(struct counter *c, const struct study_site *site, struct spans *s,
                          const uint32_t *stratum)
{
    const struct cohort_rows *outcomes = &site->cohorts[c->rates->outcome];
    bool lone = takes_lone(c);
    for (size_t k = 0, next, first = 0, last = 0; k < s->n; k = next, first = last) {
        if (lone)
            k = skip_others(s, k, first < outcomes->n ? outcomes->person[first] : UINT32_MAX);
        uint32_t person = s->person[k];
        for (next = k + 1; next < s->n && s->person[next] == person;)
            next++;
        while (first < outcomes->n && outcomes->person[first] < person)
            first++;
        for (last = first; last < outcomes->n && outcomes->person[last] == person;)
            last++;
        if (!lone || next > k + 1)
            count_spans(c, s, stratum, k, next, outcomes, first, last - first);
        else if (last > first)
            cut_lone(c, s, stratum, k, outcomes, first, last - first);
        for (size_t i = k; lone && next > k + 1 && i < next; i++)
            drop_span(s, i); /* counted */
    }
    if (lone)
        count_lone(c, s, stratum);
}

/* Counts everybody; what the counter has not yet is made, for the caller to free. */
static enum status count_everybody(struct counter *c, const struct study_site *site, struct err *e)
{
    const struct rates *r = c->rates;
    struct spans spans;
    denominator_spans(&r->denominator, site, &spans);
    c->figures = xcalloc(rates_n_sums(r), sizeof *c->figures);
    c->seen = xcalloc(r->calendar.n, sizeof *c->seen);
    c->had_event = xcalloc(r->calendar.n, sizeof *c->had_event);
    c->present = xcalloc(r->n_strata * (r->calendar.n + 1), sizeof *c->present);
    struct index_rows rows; /* facts are those of a person's first span */
    uint32_t *stratum = xmalloc((spans.n + 1) * sizeof *stratum);
    index_rows_view(
        &(struct cohort_rows){.n = spans.n, .person = spans.person, .start = spans.start, .end = spans.end},
        &rows);
    enum status st = strata_levels(r->fixed, r->n_fixed, site, &rows, stratum, e);
    if (st == ST_OK) {
        spread_strata(&spans, rows.n, stratum);
        count_persons(c, site, &spans, stratum);
    }
    index_rows_deinit(&rows);
    free(stratum);
    spans_deinit(&spans);
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
