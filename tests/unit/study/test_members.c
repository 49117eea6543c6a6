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
        cmocka_unit_test(the_guard_remembers_a_study),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
