/* SPDX-License-Identifier: Apache-2.0
 *
 * early_warning against a replay written the plain way, on random readings: a hundred people watched for two
 * weeks, some on scale 2, some with the outcome, some who leave early; readings missing, repeated on a day,
 * and impossible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "sites.h"
#include "stats/news2.h"

enum { PEOPLE = 100, DAYS = 14, HORIZON = 3, MOST_READINGS = 3, LONGEST = 40 };
static const int concepts[NEWS2_PARTS] = {3024171, 40762499, 4239130, 3004249, 3027018, 999001, 3020891};

/* What was recorded: per person, day and part, up to three readings. */
struct watched {
    int last_day, outcome; /* -1 = none */
    bool scale_2;
    double value[LONGEST][NEWS2_PARTS][MOST_READINGS];
    int n[LONGEST][NEWS2_PARTS];
};
static struct watched people[PEOPLE];

static double random_value(enum news2_part part)
{
    static const int low[] = {6, 80, 1, 80, 35, 1, 340}, high[] = {30, 100, 1, 230, 140, 1, 400};
    int v = low[part] + rand() % (high[part] - low[part] + 1);
    return part == NEWS2_TEMPERATURE ? v / 10.0 : v;
}

static void make_person(struct watched *p)
{
    *p = (struct watched){.last_day = 5 + rand() % 30, .outcome = rand() % 3 ? -1 : rand() % 30};
    p->scale_2 = rand() % 4 == 0;
    for (int day = 0; day < LONGEST; day++)
        for (int part = 0; part < NEWS2_PARTS; part++) {
            bool record = part == NEWS2_OXYGEN || part == NEWS2_CONSCIOUSNESS;
            p->n[day][part] = record ? rand() % 10 == 0 : rand() % 12 == 0 ? 0 : 1 + rand() % MOST_READINGS;
            for (int k = 0; k < p->n[day][part]; k++)
                p->value[day][part][k] =
                    !record && rand() % 50 == 0 ? 999 : random_value((enum news2_part)part);
        }
}

/* --- as files ---------------------------------------------------------------------------------------------
 */

static char *day_text(int day, char out[11])
{
    date_format(date_of(2024, 3, 1) + day, out);
    return out;
}

static void write_readings(const struct watched *p, int id, struct buf *measured, struct buf *observed)
{
    static int row;
    char text[11];
    for (int day = 0; day < LONGEST; day++)
        for (int part = 0; part < NEWS2_PARTS; part++)
            for (int k = 0; k < p->n[day][part]; k++) {
                if (part == NEWS2_OXYGEN || part == NEWS2_CONSCIOUSNESS)
                    buf_printf(observed, "%d,%d,%d,%s,0\n", ++row, id, concepts[part], day_text(day, text));
                else
                    buf_printf(measured, "%d,%d,%d,%s,0,%.1f\n", ++row, id, concepts[part],
                               day_text(day, text), p->value[day][part][k]);
            }
}

static void write_concepts(struct buf *out)
{
    buf_adds(out, "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_"
                  "code,valid_start_date,valid_end_date,invalid_reason\n");
    for (int part = 0; part < NEWS2_PARTS; part++)
        buf_printf(out, "%d,x,Measurement,X,X,S,c%d,1970-01-01,2099-12-31,\n", concepts[part],
                   concepts[part]);
    for (int i = 0; i < 3; i++) {
        static const int conditions[] = {320128, 373503, 2000900001};
        buf_printf(out, "%d,x,Condition,X,X,S,c%d,1970-01-01,2099-12-31,\n", conditions[i], conditions[i]);
    }
}

static struct sites *site_of_people(void)
{
    struct buf b[5], vocabulary;
    static const char *const heads[] = {
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_"
        "concept_id\n",
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_"
        "type_concept_id\n",
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date,"
        "condition_type_concept_id\n",
        "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_type_concept_id,value_"
        "as_number\n",
        "observation_id,person_id,observation_concept_id,observation_date,observation_type_concept_id\n"};
    char start[11], end[11], outcome[11];
    for (int i = 0; i < 5; i++) {
        buf_init(&b[i], (size_t)16 << 20);
        buf_adds(&b[i], heads[i]);
    }
    buf_init(&vocabulary, (size_t)1 << 20);
    write_concepts(&vocabulary);
    day_text(0, start);
    for (int i = 0; i < PEOPLE; i++) {
        const struct watched *p = &people[i];
        int id = i + 1;
        buf_printf(&b[0], "%d,8507,1950,1,1,0,0\n", id);
        buf_printf(&b[1], "%d,%d,2020-01-01,%s,0\n", id, id, day_text(p->last_day, end));
        buf_printf(&b[2], "%d,%d,320128,%s,%s,0\n", 10 * id, id, start, end);
        if (p->outcome >= 0)
            buf_printf(&b[2], "%d,%d,373503,%s,,0\n", 10 * id + 1, id, day_text(p->outcome, outcome));
        if (p->scale_2)
            buf_printf(&b[2], "%d,%d,2000900001,2023-06-01,,0\n", 10 * id + 2, id);
        write_readings(p, id, &b[3], &b[4]);
    }
    struct sites *s = sites_of_files(
        (const char *const[]){"person", b[0].p, "observation_period", b[1].p, "condition_occurrence", b[2].p,
                              "measurement", b[3].p, "observation", b[4].p, "concept", vocabulary.p, NULL});
    buf_deinit(&vocabulary);
    for (int i = 0; i < 5; i++)
        buf_deinit(&b[i]);
    return s;
}

/* --- the plain way ----------------------------------------------------------------------------------------
 */

struct tally {
    int64_t patient_days, outcomes, days[NEWS2_BANDS + 1], alerts[4], followed[4], warned[4];
};

/* Worst points over the readings of a day; -1 when there is none that can be one. */
static int worst(const struct watched *p, int day, enum news2_part part)
{
    int most = -1;
    double low, high;
    news2_plausible(part, &low, &high);
    for (int k = 0; k < p->n[day][part]; k++) {
        double v = p->value[day][part][k];
        int points = news2_points(part, v, p->scale_2, p->n[day][NEWS2_OXYGEN] > 0);
        if (v >= low && v <= high && points > most)
            most = points;
    }
    return most;
}

static void replay(const struct watched *p, struct tally *t)
{
    int last = p->last_day < DAYS - 1 ? p->last_day : DAYS - 1, scores[DAYS], n_scores = 0;
    bool has = p->outcome > 0 && p->outcome <= last, warned[4] = {false};
    if (has)
        last = p->outcome;
    t->outcomes += has;
    t->patient_days += last + 1;
    for (int day = 0; day <= last; day++) {
        int total = 0, missing = 0, recorded = 0;
        bool three = false;
        for (int part = 0; part < NEWS2_PARTS; part++) {
            int points = part == NEWS2_OXYGEN          ? (p->n[day][part] ? 2 : 0)
                         : part == NEWS2_CONSCIOUSNESS ? (p->n[day][part] ? 3 : 0)
                                                       : worst(p, day, (enum news2_part)part);
            missing += points < 0;
            recorded += part == NEWS2_OXYGEN || part == NEWS2_CONSCIOUSNESS ? p->n[day][part] : points >= 0;
            three |= points == 3;
            total += points;
        }
        if (missing) {
            t->days[NEWS2_BANDS] += recorded > 0;
            continue;
        }
        t->days[news2_band_of(total, three)]++;
        scores[n_scores++] = total;
        bool rising =
            n_scores > 2 && total > scores[n_scores - 2] && scores[n_scores - 2] > scores[n_scores - 3];
        bool fires[4] = {total >= 5, total >= 7, three, rising};
        for (int rule = 0; rule < 4; rule++) {
            bool followed = fires[rule] && has && p->outcome - day <= HORIZON;
            t->alerts[rule] += fires[rule];
            t->followed[rule] += followed;
            warned[rule] |= followed;
        }
    }
    for (int rule = 0; rule < 4; rule++)
        t->warned[rule] += warned[rule];
}

static struct study *study_of_readings(void)
{
    static const char analysis[] =
        "[{\"kind\": \"early_warning\", \"name\": \"t\", \"cohort\": \"watched\", \"outcome\": \"tia\","
        " \"scale_2\": \"admission\", \"days\": 14, \"horizon_days\": 3,"
        " \"readings\": {\"consciousness\": {\"concepts\": [999001]}}}]";
    struct js *document, *list;
    struct study *study;
    struct err e;
    assert_int_equal(js_load(SOURCE_DIR "/tests/unit/study/truth_study.json", &document, &e), ST_OK);
    assert_int_equal(js_parse(slice_of(analysis), "analysis", &list, &e), ST_OK);
    js_put(document, "analyses", list);
    /* Watched from the diagnosis to its end date. */
    struct js *cohorts = js_edit(document, "cohorts"), *watched = js_copy(js_at(cohorts, 3)), *end, *offset;
    assert_string_equal(js_get_str(watched, "name"), "hypertension");
    js_put_str(watched, "name", "watched");
    end = js_object();
    offset = js_object();
    js_put_str(offset, "DateField", "EndDate");
    js_put_int(offset, "Offset", 0);
    js_put(end, "DateOffset", offset);
    js_put(js_edit(watched, "definition"), "EndStrategy", end);
    js_push(cohorts, watched);
    if (study_parse(document, &study, &e) != ST_OK)
        fail_msg("%s", e.text);
    js_free(document);
    return study;
}

static void a_replay_equals_the_plain_one(void **unused)
{
    (void)unused;
    struct tally t = {0};
    srand(20261122);
    for (int i = 0; i < PEOPLE; i++) {
        make_person(&people[i]);
        replay(&people[i], &t);
    }
    struct sites *s = site_of_people();
    struct study *study = study_of_readings();
    struct result *r = run_over(study, s->site, 1, 0);
    const struct result_cell *days = r->tables[0].cells, *alerts = r->tables[1].cells;
    for (int i = 0; i <= NEWS2_BANDS; i++) {
        assert_int_equal((int64_t)days[i].numerator, t.days[i]);
        assert_int_equal((int64_t)days[i].denominator, t.patient_days);
    }
    for (int rule = 0; rule < 4; rule++) {
        const struct result_cell *c = &alerts[(size_t)rule * 3];
        assert_int_equal((int64_t)c[0].numerator, t.alerts[rule]);
        assert_int_equal((int64_t)c[1].numerator, t.followed[rule]);
        assert_int_equal((int64_t)c[2].numerator, t.warned[rule]);
        assert_int_equal((int64_t)c[2].denominator, t.outcomes);
        assert_true(t.alerts[rule] > 5 && t.warned[rule] < t.outcomes + 1);
    }
    assert_true(t.outcomes > 5 && t.days[NEWS2_BANDS] > 100 && t.warned[0] > 3);
    result_free(r);
    study_free(study);
    sites_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_replay_equals_the_plain_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
