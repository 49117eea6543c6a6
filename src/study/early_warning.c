/* SPDX-License-Identifier: Apache-2.0
 *
 * early_warning: replays NEWS2 alert rules on stored readings of people monitored at home or on a virtual
 * ward, before the rules go live and after: how many patient-days have a full set of readings, how they
 * score, how many alerts a rule raises, how many of those the outcome followed, and which outcomes no alert
 * came before.
 *
 * The store knows days, not hours: a day's score takes the worst reading of each part on that day. A day with
 * a reading of every measured part is scored; oxygen and reduced consciousness are records of their own, and
 * where there is none that day the person breathes air and is alert. A rule is deterministic: same readings,
 * same alerts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/news2.h"
#include "study/tables.h"

enum { MOST_DAYS = 366, CATEGORIES = NEWS2_BANDS + 1, INCOMPLETE = NEWS2_BANDS };
enum { RULE_5, RULE_7, RULE_THREE, RULE_RISING, N_RULES };
static const char *rule_names[] = {"NEWS2 of 5 or more", "NEWS2 of 7 or more", "3 in any one reading",
                                   "risen twice in a row"};
/* What is added up: persons, patient-days and outcomes; days and persons by category; then by rule. */
enum { PERSONS, PATIENT_DAYS, OUTCOMES, BY_CATEGORY };
enum { BY_RULE = BY_CATEGORY + 2 * CATEGORIES };
enum { ALERT_DAYS, ALERT_PERSONS, FOLLOWED_DAYS, FOLLOWED_PERSONS, N_RULE_FIGURES };
enum { N_SUMS = BY_RULE + N_RULES * N_RULE_FIGURES };

struct early_warning {
    const char *name;
    size_t cohort, outcome, scale_2; /* scale_2 SIZE_MAX = nobody */
    int32_t last_day, horizon;
    struct concept_list readings[NEWS2_PARTS];
};

/* --- specification ----------------------------------------------------------------------------------------
 */

/* LOINC's vital signs as OMOP concepts, and SNOMED's oxygen therapy; reduced consciousness has no usual code.
 */
static const int32_t usual_concepts[NEWS2_PARTS] = {3024171, 40762499, 4239130, 3004249, 3027018, 0, 3020891};

static void read_readings(struct spec *s, struct early_warning *c)
{
    static const char *const allowed[] = {"respiration", "spo2",          "oxygen",      "systolic",
                                          "pulse",       "consciousness", "temperature", NULL};
    static const char *const members[] = {"concepts", "descendants", NULL};
    const struct js *object = js_get(s->object, "readings");
    for (int i = 0; i < NEWS2_PARTS; i++) {
        c->readings[i] = (struct concept_list){arena_array(s->scope->arena, 1, sizeof(int32_t)),
                                               usual_concepts[i] ? 1 : 0, true};
        c->readings[i].ids[0] = usual_concepts[i];
    }
    if (!object || !spec_goes_on(s))
        return;
    struct spec in = spec_open(object, spec_path(s, "readings"), s->scope, allowed, s->e);
    for (int i = 0; spec_goes_on(&in) && i < NEWS2_PARTS; i++) {
        const struct js *one = js_get(object, allowed[i]);
        if (!one)
            continue;
        struct spec list = spec_open(one, spec_path(&in, allowed[i]), s->scope, members, s->e);
        c->readings[i] = spec_concepts(&list, true);
        spec_join(&in, spec_done(&list));
    }
    spec_join(s, spec_done(&in));
}

static enum status warning_parse(const struct js *specification, const struct analysis_scope *scope,
                                 void **spec, struct err *e)
{
    static const char *const allowed[] = {"kind",         "cohort",   "outcome", "days",
                                          "horizon_days", "readings", "scale_2", NULL};
    struct early_warning *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    c->outcome = spec_cohort(&s, "outcome", true);
    c->scale_2 = spec_cohort(&s, "scale_2", false);
    c->last_day = (int32_t)spec_int(&s, "days", 1, MOST_DAYS, 30) - 1;
    c->horizon = (int32_t)spec_int(&s, "horizon_days", 0, 90, 3);
    read_readings(&s, c);
    *spec = c;
    return spec_done(&s);
}

static enum status warning_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    (void)spec;
    *n = N_SUMS;
    return spec_no_parameters(parameters, e);
}

/* --- readings of a site -----------------------------------------------------------------------------------
 */

struct reading {
    uint32_t row;
    uint16_t day; /* after entry */
    uint8_t part;
    double value;
};
struct readings {
    struct reading *list;
    size_t n, capacity;
    const struct index_rows *rows;
    enum news2_part part;
};

static void keep_reading(void *context, const struct event *event)
{
    struct readings *r = context;
    bool measured = r->part != NEWS2_OXYGEN && r->part != NEWS2_CONSCIOUSNESS;
    double least, most;
    news2_plausible(r->part, &least, &most);
    if (measured && !(event->value >= least && event->value <= most))
        return;
    GROW(r->list, r->n + 1, r->capacity);
    r->list[r->n++] =
        (struct reading){(uint32_t)event->row, (uint16_t)(event->day - r->rows->start[event->row]),
                         (uint8_t)r->part, measured ? event->value : 0};
}

static int by_row_and_day(const void *a, const void *b)
{
    const struct reading *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->day > y->day) - (x->day < y->day);
}

static enum status gather(const struct early_warning *c, const struct study_site *site,
                          const struct index_rows *rows, struct readings *out, struct err *e)
{
    *out = (struct readings){.rows = rows};
    enum status st = ST_OK;
    for (int i = 0; st == ST_OK && i < NEWS2_PARTS; i++) {
        out->part = (enum news2_part)i;
        if (c->readings[i].n)
            st = events_scan(site, &c->readings[i], rows, (struct day_window){0, c->last_day}, EVENT_VALUE,
                             keep_reading, out, e);
    }
    if (out->n)
        qsort(out->list, out->n, sizeof *out->list, by_row_and_day);
    return st;
}

/* A day's score: the worst of each part. On scale 2 both too little and too much oxygen score. */
static struct news2 score_day(const struct reading *r, size_t n, bool scale_2)
{
    struct news2 out = {.points = {-1, -1, 0, -1, -1, 0, -1}};
    bool three = false, oxygen = false;
    for (size_t i = 0; i < n; i++)
        oxygen |= r[i].part == NEWS2_OXYGEN;
    for (size_t i = 0; i < n; i++) {
        int points = r[i].part == NEWS2_OXYGEN
                         ? 2
                         : news2_points((enum news2_part)r[i].part, r[i].value, scale_2, oxygen);
        if (points > out.points[r[i].part])
            out.points[r[i].part] = points;
    }
    for (int k = 0; k < NEWS2_PARTS; k++) {
        if (out.points[k] < 0)
            return (struct news2){.total = -1};
        three |= out.points[k] == 3;
        out.total += out.points[k];
    }
    out.band = news2_band_of(out.total, three);
    return out;
}

/* --- one person -------------------------------------------------------------------------------------------
 */

struct person {
    int32_t outcome;     /* day after entry; INT32_MAX = none */
    bool in[CATEGORIES]; /* had such a day */
    bool alerted[N_RULES], followed[N_RULES];
    int previous, before_it; /* the last two scores; -1 = none */
};

static void count_rule(const struct early_warning *c, struct sums *out, struct person *p, int rule,
                       int32_t day)
{
    size_t at = BY_RULE + (size_t)rule * N_RULE_FIGURES;
    bool followed = p->outcome != INT32_MAX && p->outcome - day <= c->horizon;
    sums_count(out, at + ALERT_DAYS, 1);
    sums_count(out, at + ALERT_PERSONS, !p->alerted[rule]);
    sums_count(out, at + FOLLOWED_DAYS, followed);
    sums_count(out, at + FOLLOWED_PERSONS, followed && !p->followed[rule]);
    p->alerted[rule] = true;
    p->followed[rule] |= followed;
}

static void count_day(const struct early_warning *c, struct sums *out, struct person *p,
                      const struct news2 *score, int32_t day)
{
    size_t category = score->total < 0 ? INCOMPLETE : (size_t)score->band;
    bool three = false;
    sums_count(out, BY_CATEGORY + 2 * category, 1);
    sums_count(out, BY_CATEGORY + 2 * category + 1, !p->in[category]);
    p->in[category] = true;
    if (score->total < 0)
        return;
    for (int k = 0; k < NEWS2_PARTS; k++)
        three |= score->points[k] == 3;
    bool rising = p->before_it >= 0 && score->total > p->previous && p->previous > p->before_it;
    bool fires[N_RULES] = {score->total >= 5, score->total >= 7, three, rising};
    for (int rule = 0; rule < N_RULES; rule++)
        if (fires[rule])
            count_rule(c, out, p, rule, day);
    p->before_it = p->previous;
    p->previous = score->total;
}

/* The first outcome after the day of entry and within the days watched, per row; INT32_MAX where none. */
static void first_outcomes(const struct early_warning *c, const struct cohort_rows *outcome,
                           const struct index_rows *rows, int32_t *out)
{
    size_t k = 0;
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = INT32_MAX;
        while (k < outcome->n && outcome->person[k] < rows->person[i])
            k++;
        for (size_t j = k; j < outcome->n && outcome->person[j] == rows->person[i]; j++) {
            int64_t day = (int64_t)outcome->start[j] - rows->start[i];
            if (day > 0 && day <= c->last_day && day < out[i])
                out[i] = (int32_t)day;
        }
    }
}

static void count_person(const struct early_warning *c, struct sums *out, const struct index_rows *rows,
                         size_t row, int32_t outcome, bool scale_2, const struct reading *r, size_t n)
{
    struct person p = {.outcome = outcome, .previous = -1, .before_it = -1};
    int64_t last = (int64_t)rows->end[row] - rows->start[row];
    last = last < c->last_day ? last : c->last_day;
    last = last < outcome ? last : outcome; /* watched until the outcome */
    sums_count(out, PERSONS, 1);
    sums_count(out, PATIENT_DAYS, last + 1);
    sums_count(out, OUTCOMES, outcome != INT32_MAX && outcome <= last);
    for (size_t from = 0, to; from < n && r[from].day <= last; from = to) {
        for (to = from; to < n && r[to].day == r[from].day;)
            to++;
        struct news2 score = score_day(r + from, to - from, scale_2);
        count_day(c, out, &p, &score, r[from].day);
    }
}

static enum status warning_local(const void *spec, const struct js *parameters, const struct study_site *site,
                                 struct sums *out, struct err *e)
{
    (void)parameters;
    const struct early_warning *c = spec;
    struct index_rows rows;
    struct readings readings;
    index_rows_init(&site->cohorts[c->cohort], &rows);
    int32_t *outcome = xmalloc((rows.n + 1) * sizeof *outcome);
    uint8_t *scale_2 = xcalloc(rows.n + 1, 1);
    first_outcomes(c, &site->cohorts[c->outcome], &rows, outcome);
    if (c->scale_2 != SIZE_MAX)
        cohort_any(&site->cohorts[c->scale_2], &rows, (struct day_window){-SPEC_UNBOUNDED, 0}, scale_2);
    enum status st = gather(c, site, &rows, &readings, e);
    for (size_t i = 0, from = 0, to; st == ST_OK && i < rows.n; i++, from = to) {
        for (to = from; to < readings.n && readings.list[to].row == i;)
            to++;
        /* An outcome after the row's end was not watched for. */
        bool watched = outcome[i] != INT32_MAX && rows.start[i] + outcome[i] <= rows.end[i];
        count_person(c, out, &rows, i, watched ? outcome[i] : INT32_MAX, scale_2[i],
                     readings.n ? readings.list + from : NULL, to - from);
    }
    free(readings.list);
    free(outcome);
    free(scale_2);
    index_rows_deinit(&rows);
    return st;
}

/* --- tables -----------------------------------------------------------------------------------------------
 */

static void fill(struct result_cell *cell, double numerator, double denominator, double persons,
                 double event_persons)
{
    cell->persons = (int64_t)persons;
    cell->event_persons = (int64_t)event_persons;
    cell->numerator = numerator;
    cell->denominator = denominator;
    cell->value = denominator > 0 ? numerator / denominator : (double)NAN;
}

static void day_table(const struct early_warning *c, const struct sums *total, struct result *into)
{
    const char **labels = arena_array(into->arena, CATEGORIES, sizeof *labels);
    for (int i = 0; i < NEWS2_BANDS; i++)
        labels[i] = arena_printf(into->arena, "risk %s", news2_band_names[i]);
    labels[INCOMPLETE] = "not all readings taken";
    struct result_table *t =
        table_of_list(into, table_name(into, c->name, "days"), "Patient-days by NEWS2 risk",
                      "share of patient-days", OUTPUT_RATE, "day", labels, CATEGORIES);
    double days = (double)sums_get_count(total, PATIENT_DAYS);
    double persons = (double)sums_get_count(total, PERSONS);
    for (size_t i = 0; i < CATEGORIES; i++)
        fill(&t->cells[i], (double)sums_get_count(total, BY_CATEGORY + 2 * i), days, persons,
             (double)sums_get_count(total, BY_CATEGORY + 2 * i + 1));
}

static void rule_table(const struct early_warning *c, const struct sums *total, struct result *into)
{
    static const char *figures[] = {"alerts per patient-day", "alerts that the outcome followed",
                                    "outcomes with an alert before"};
    struct dimension dimensions[] = {plain_dimension("rule", rule_names, N_RULES),
                                     plain_dimension("figure", figures, 3)};
    dimensions[0].no_total = dimensions[1].no_total = true;
    struct result_table *t = table_new(into, table_name(into, c->name, "alerts"), "Alerts and outcomes",
                                       "as named", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_NONE;
    double days = (double)sums_get_count(total, PATIENT_DAYS);
    double persons = (double)sums_get_count(total, PERSONS);
    double outcomes = (double)sums_get_count(total, OUTCOMES);
    for (size_t rule = 0; rule < N_RULES; rule++) {
        double f[N_RULE_FIGURES];
        for (size_t k = 0; k < N_RULE_FIGURES; k++)
            f[k] = (double)sums_get_count(total, BY_RULE + rule * N_RULE_FIGURES + k);
        struct result_cell *cells = &t->cells[rule * 3];
        fill(&cells[0], f[ALERT_DAYS], days, persons, f[ALERT_PERSONS]);
        fill(&cells[1], f[FOLLOWED_DAYS], f[ALERT_DAYS], f[ALERT_PERSONS], f[FOLLOWED_PERSONS]);
        fill(&cells[2], f[FOLLOWED_PERSONS], outcomes, outcomes, f[FOLLOWED_PERSONS]);
    }
}

static enum status warning_finish(const void *spec, const struct js *parameters, const struct sums *total,
                                  const struct js *state, struct result *into, struct err *e)
{
    (void)parameters, (void)state, (void)e;
    day_table(spec, total, into);
    rule_table(spec, total, into);
    return ST_OK;
}

const struct analysis early_warning_analysis = {
    .kind = "early_warning",
    .summary = "replay NEWS2 alert rules on remote monitoring: alerts, and outcomes without one",
    .template =
        "{\"kind\": \"early_warning\", \"name\": \"news2\", \"cohort\": \"target\", \"outcome\": \"outcome\","
        " \"days\": 30, \"horizon_days\": 3, \"readings\": {\"respiration\": {\"concepts\": [3024171]},"
        " \"spo2\": {\"concepts\": [40762499]}, \"oxygen\": {\"concepts\": [4239130]},"
        " \"systolic\": {\"concepts\": [3004249]}, \"pulse\": {\"concepts\": [3027018]},"
        " \"temperature\": {\"concepts\": [3020891]}}}",
    .output = OUTPUT_RATE,
    .parse = warning_parse,
    .size = warning_size,
    .local = warning_local,
    .finish = warning_finish,
};
