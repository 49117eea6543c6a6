/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is behind a table's cells: as many persons as the table counts, in every cell, and the guard over real
 * stores.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "sites.h"
#include "study/guarding.h"
#include "study/members.h"

static int make(void **state)
{
    *state = sites_make();
    return 0;
}

static int destroy(void **state)
{
    sites_free(*state);
    return 0;
}

static struct site *open_site(const struct study *study, struct store *store)
{
    struct site *site;
    struct err e;
    assert_int_equal(study_site_open(study, store, NULL, &site, &e), ST_OK);
    return site;
}

static size_t persons_in(const struct members *m, const char *name)
{
    for (size_t i = 0; i < members_n(m); i++) {
        size_t n;
        const uint32_t *persons = members_persons(m, i, &n);
        if (strcmp(members_name(m, i), name) != 0)
            continue;
        for (size_t k = 1; k < n; k++)
            assert_true(persons[k - 1] < persons[k]);
        return n;
    }
    fail_msg("no cell '%s'", name);
    return 0;
}

/* The cell's name as members_table makes it. */
static char *name_of(const struct result_table *t, const struct result_cell *c, const char *prefix)
{
    char *name = strdup(prefix);
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        char *longer = NULL;
        assert_true(asprintf(&longer, "%s%s %s", name, d && name[strlen(name) - 1] != ':' ? "," : "",
                             t->dimensions[d].levels[c->at[d]].label) > 0);
        free(name);
        name = longer;
    }
    return name;
}

static void every_cell_of_a_crosstab_has_its_persons(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"crosstab\", \"name\": \"t\", \"cohort\": \"hypertension\", \"by\": "
                 "[\"sex\", {\"by\": \"age_band\", \"cuts\": [18, 40, 65]}]}");
    struct site *site = open_site(study, s->site[0]);
    struct result *r;
    struct members *m;
    struct err e;
    assert_int_equal(study_run_at(study, &site, 1, &r, &e), ST_OK);
    assert_int_equal(study_site_members(site, &m, &e), ST_OK);
    for (uint64_t i = 0; i < r->tables[0].n_cells; i++) {
        char *name = name_of(&r->tables[0], &r->tables[0].cells[i], "t:");
        assert_int_equal(persons_in(m, name), r->tables[0].cells[i].persons);
        free(name);
    }
    assert_int_equal(persons_in(m, "cohort hypertension"), persons_in(m, "t: total, total"));
    members_free(m);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

static void every_step_of_an_attrition_has_its_persons(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"count\", \"name\": \"attrition\", \"cohort\": \"hypertension\"}");
    struct site *site = open_site(study, s->site[0]);
    struct result *r;
    struct members *m;
    struct err e;
    assert_int_equal(study_run_at(study, &site, 1, &r, &e), ST_OK);
    assert_int_equal(study_site_members(site, &m, &e), ST_OK);
    assert_true(r->tables[0].n_cells >= 3);
    for (uint64_t i = 0; i < r->tables[0].n_cells; i++) {
        char *name = name_of(&r->tables[0], &r->tables[0].cells[i], "attrition:");
        assert_int_equal(persons_in(m, name), r->tables[0].cells[i].persons);
        free(name);
    }
    members_free(m);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

static void denominators_have_their_persons(void **state)
{
    const struct sites *s = *state;
    struct study *study = study_of(
        "{\"kind\": \"prevalence\", \"name\": \"p\", \"outcome\": \"diabetes\", \"from\": \"2015-01-01\","
        " \"to\": \"2018-12-31\", \"interval\": \"years\", \"by\": [\"sex\"]}");
    struct site *site = open_site(study, s->site[0]);
    struct result *r;
    struct members *m;
    struct err e;
    assert_int_equal(study_run_at(study, &site, 1, &r, &e), ST_OK);
    assert_int_equal(study_site_members(site, &m, &e), ST_OK);
    const struct result_table *t = &r->tables[0];
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct result_cell *c = &t->cells[i];
        char *name = NULL;
        assert_true(asprintf(&name, "p, %s: %s", t->dimensions[0].levels[c->at[0]].label,
                             t->dimensions[1].levels[c->at[1]].label) > 0);
        assert_int_equal(persons_in(m, name), c->persons);
        free(name);
    }
    members_free(m);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

/* Analyses that print a figure per unit; DAYS = of prior observation. */
static const char *const per_unit[] = {
    "{\"kind\": \"variation\", \"name\": \"u\", \"measure\": \"prevalence\", \"outcome\": \"diabetes\","
    " \"from\": \"2023-01-01\", \"to\": \"2023-12-31\", \"prior_observation_days\": DAYS, \"adjust\": "
    "[\"sex\"],"
    " \"units\": {\"by\": \"ethnicity\", \"levels\": [{\"label\": \"white\", \"concepts\": [8527]}, "
    "{\"label\": "
    "\"black\", \"concepts\": [8516, 38003600]}, {\"label\": \"indian\", \"concepts\": [38003574]}]}}",
    "{\"kind\": \"control_chart\", \"name\": \"u\", \"outcome\": \"diabetes\", \"from\": \"2020-01-01\","
    " \"to\": \"2023-12-31\", \"interval\": \"quarters\", \"prior_observation_days\": DAYS}",
    "{\"kind\": \"inequality\", \"name\": \"u\", \"measure\": \"prevalence\", \"outcome\": \"diabetes\","
    " \"from\": \"2023-01-01\", \"to\": \"2023-12-31\", \"prior_observation_days\": DAYS,"
    " \"by\": \"deprivation_quintile\"}",
    "{\"kind\": \"standardised_rate\", \"name\": \"u\", \"outcome\": \"diabetes\", \"from\": \"2023-01-01\","
    " \"to\": \"2023-12-31\", \"prior_observation_days\": DAYS, \"by\": \"deprivation_quintile\"}",
    "{\"kind\": \"life_expectancy\", \"name\": \"u\", \"outcome\": \"death\", \"from\": \"2023-01-01\","
    " \"to\": \"2023-12-31\", \"prior_observation_days\": DAYS, \"by\": \"sex\"}",
    "{\"kind\": \"before_after\", \"name\": \"u\", \"measure\": \"prevalence\", \"outcome\": \"diabetes\","
    " \"from\": \"2020-01-01\", \"to\": \"2023-12-31\", \"interval\": \"years\", \"change\": \"2022-01-01\","
    " \"prior_observation_days\": DAYS, \"reached\": {\"by\": \"concept\", \"name\": \"r\", \"concepts\": "
    "[2000900008], \"window\": [null, null]}}"};
enum { N_PER_UNIT = sizeof per_unit / sizeof *per_unit };

static struct study *unit_study(int kind, int days)
{
    const char *here = strstr(per_unit[kind], "DAYS");
    char text[1024];
    snprintf(text, sizeof text, "%.*s%d%s", (int)(here - per_unit[kind]), per_unit[kind], days, here + 4);
    return study_of(text);
}

/* A cell's names as the members of its denominator and its cases have them: the level alone tells. */
static size_t named_so(const struct members *m, const char *label, bool cases)
{
    size_t n = 0, found = 0;
    for (size_t i = 0; i < members_n(m); i++) {
        const char *name = members_name(m, i), *colon = strrchr(name, ':');
        if (colon && strncmp(name, "u, ", 3) == 0 && (strstr(name, "with the outcome") != NULL) == cases &&
            strcmp(colon + 1 + (colon[1] == ' '), label) == 0) {
            members_persons(m, i, &n);
            found++;
        }
    }
    assert_int_equal(found, 1);
    return n;
}

/* Of the kinds whose cells are their units: as many persons as the cell rests on, and as many with the outcome. */
static void every_unit_has_its_persons(void **state)
{
    const struct sites *s = *state;
    int64_t counted = 0;
    static const int kinds[] = {0, 2, 3}; /* variation, inequality, standardised_rate */
    for (int k = 0; k < 3; k++) {
        struct study *study = unit_study(kinds[k], 200);
        struct site *site = open_site(study, s->pooled[5]);
        struct result *r;
        struct members *m;
        struct err e;
        assert_int_equal(study_run_at(study, &site, 1, &r, &e), ST_OK);
        assert_int_equal(study_site_members(site, &m, &e), ST_OK);
        const struct result_table *t = &r->tables[0];
        for (uint64_t i = 0; i < t->n_cells; i++) {
            const char *label = t->dimensions[0].levels[t->cells[i].at[0]].label;
            assert_int_equal(named_so(m, label, false), t->cells[i].persons);
            assert_int_equal(named_so(m, label, true), t->cells[i].event_persons);
            counted += t->cells[i].persons;
        }
        members_free(m);
        result_free(r);
        study_site_close(site);
        study_free(study);
    }
    assert_true(counted > 1000);
}

static bool is_in(const uint32_t *sorted, size_t n, uint32_t person)
{
    for (size_t i = 0; i < n; i++)
        if (sorted[i] == person)
            return true;
    return false;
}

/* Cells of b, of ten persons at least, that are a cell of a without 1 to 9 persons. */
static size_t differ_by_few(const struct members *a, const struct members *b)
{
    size_t found = 0;
    for (size_t i = 0; i < members_n(a); i++) {
        size_t n, k, inside = 0;
        const uint32_t *before = members_persons(a, i, &n), *after = members_persons(b, i, &k);
        if (k < 10 || n <= k || n - k > 9)
            continue;
        for (size_t j = 0; j < k; j++)
            inside += is_in(before, n, after[j]);
        found += inside == k;
    }
    return found;
}

static struct members *members_at(struct site *site)
{
    struct members *m;
    struct err e;
    assert_int_equal(study_site_members(site, &m, &e), ST_OK);
    return m;
}

static enum guard_verdict ask_guard(const char *book, const char *run, struct site *site)
{
    struct policy policy;
    struct guard_answer answer;
    struct err e;
    assert_int_equal(policy_profile(NULL, &policy, &e), ST_OK);
    struct guarding how = {book, run, "a", &policy, true, false};
    assert_int_equal(study_guard(&how, &site, 1, &answer, &e), ST_OK);
    return answer.verdict;
}

/* The same cohorts, but some days more of prior observation are asked for: a few persons fewer in a unit. */
static void units_that_differ_by_few_persons_are_refused(void **state)
{
    const struct sites *s = *state;
    struct err e;
    crypto_init();
    for (int kind = 0; kind < N_PER_UNIT; kind++) {
        char folder[] = "/tmp/accord-members-XXXXXX", book[64];
        struct study *first = unit_study(kind, 30), *second = NULL;
        struct site *one = open_site(first, s->pooled[5]), *other = NULL;
        struct members *before = members_at(one);
        for (int days = 31, found = 0; !found; days++) {
            assert_true(days < 400);
            study_site_close(other);
            study_free(second);
            second = unit_study(kind, days);
            other = open_site(second, s->pooled[5]);
            struct members *after = members_at(other);
            found = differ_by_few(before, after) > 0;
            members_free(after);
        }
        assert_non_null(mkdtemp(folder));
        snprintf(book, sizeof book, "%s/guard.db", folder);
        assert_int_equal(ask_guard(book, "r1", one), GUARD_ALLOW);
        assert_int_equal(ask_guard(book, "r2", one), GUARD_ALLOW);
        assert_int_equal(ask_guard(book, "r3", other), GUARD_REFUSE);
        members_free(before);
        study_site_close(one);
        study_site_close(other);
        study_free(first);
        study_free(second);
        assert_int_equal(dir_remove(folder, &e), ST_OK);
    }
}

static void the_guard_remembers_a_study(void **state)
{
    const struct sites *s = *state;
    char folder[] = "/tmp/accord-members-XXXXXX", book[64];
    struct study *study =
        study_of("{\"kind\": \"crosstab\", \"name\": \"t\", \"cohort\": \"hypertension\", \"by\": "
                 "[\"sex\"]}");
    struct site *site = open_site(study, s->site[0]);
    struct policy policy;
    struct guard_answer answer;
    struct err e;
    crypto_init();
    assert_non_null(mkdtemp(folder));
    snprintf(book, sizeof book, "%s/guard.db", folder);
    assert_int_equal(policy_profile(NULL, &policy, &e), ST_OK);
    for (int i = 0; i < 2; i++) { /* the same persons again are nothing new, in whatever project */
        struct guarding how = {book, i ? "r2" : "r1", i ? "b" : "a", &policy, true, false};
        assert_int_equal(study_guard(&how, &site, 1, &answer, &e), ST_OK);
        assert_int_equal(answer.verdict, GUARD_ALLOW);
    }
    study_site_close(site);
    study_free(study);
    assert_int_equal(dir_remove(folder, &e), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_a_crosstab_has_its_persons),
        cmocka_unit_test(every_step_of_an_attrition_has_its_persons),
        cmocka_unit_test(denominators_have_their_persons),
        cmocka_unit_test(every_unit_has_its_persons),
        cmocka_unit_test(units_that_differ_by_few_persons_are_refused),
        cmocka_unit_test(the_guard_remembers_a_study),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
