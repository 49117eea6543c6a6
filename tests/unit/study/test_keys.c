/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of cells: the same persons have the same key in every table, over one store and over many, and a cell
 * without one is not printed by a policy that prints counts with their noise.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "disclose/release.h"
#include "sites.h"
#include "study/keys.h"

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

#define TABLE                                                                                                \
    "{\"kind\": \"crosstab\", \"name\": \"%s\", \"cohort\": \"hypertension\", \"by\": [\"sex\", {\"by\": "   \
    "\"age_band\", \"cuts\": [18, 40, 65]}]}"

static struct study *crosstab(const char *name)
{
    char text[400];
    snprintf(text, sizeof text, TABLE, name);
    return study_of(text);
}

static struct record_keys keys_of(uint8_t first)
{
    struct record_keys k = {.secret = {first}, .id = "test"};
    return k;
}

/* All rounds over stores, each with its site's keys; the run is saved and read back. */
static struct result *keyed(const struct study *study, struct store *const *stores,
                            const struct record_keys *keys, size_t n)
{
    struct result *r;
    struct err e = {0};
    struct study_run *run = study_run_new(study), *again;
    struct sums total = {0};
    study_run_ask_keys(run);
    for (size_t i = 0; i < n; i++) {
        struct site *site;
        struct sums part;
        assert_int_equal(study_site_open(study, stores[i], NULL, &site, &e), ST_OK);
        study_site_give_keys(site, &keys[i]);
        assert_int_equal(study_local(site, study_run_parameters(run), &part, &e), ST_OK);
        assert_int_equal(i ? sums_add(&total, &part, &e) : ST_OK, ST_OK);
        if (i)
            sums_deinit(&part);
        else
            total = part;
        study_site_close(site);
    }
    assert_int_equal(study_run_advance(run, &total, &e), ST_OK);
    struct js *saved = study_run_save(run);
    assert_int_equal(study_run_restore(study, saved, &again, &e), ST_OK);
    assert_int_equal(study_run_finish(again, &r, &e), ST_OK);
    js_free(saved);
    sums_deinit(&total);
    study_run_free(run);
    study_run_free(again);
    return r;
}

static void one_store_and_its_parts_have_the_same_keys(void **state)
{
    enum { PARTS = 3 };
    const struct sites *s = *state;
    struct record_keys same[PARTS] = {keys_of(7), keys_of(7), keys_of(7)};
    struct store *parts[] = {sites_import(s, "site0"), sites_import(s, "site1"), sites_import(s, "site2")};
    struct store *pooled = sites_import(s, "pooled3");
    struct study *study = crosstab("t"), *other = crosstab("called_otherwise");
    struct result *whole = keyed(study, &pooled, same, 1), *cut = keyed(other, parts, same, PARTS);
    const struct result_table *a = &whole->tables[0], *b = &cut->tables[0];
    assert_int_equal(a->n_cells, b->n_cells);
    for (uint64_t i = 0; i < a->n_cells; i++) {
        assert_int_equal(a->cells[i].persons, b->cells[i].persons);
        assert_int_equal(a->cells[i].key, b->cells[i].key);
        assert_true(a->cells[i].key >= 0);
    }
    result_free(whole);
    result_free(cut);
    study_free(study);
    study_free(other);
    store_close(pooled);
    for (size_t i = 0; i < PARTS; i++)
        store_close(parts[i]);
}

/* Every key by hand: the persons of the cohort, one by one. */
static void the_key_of_a_total_is_the_sum_of_its_persons(void **state)
{
    const struct sites *s = *state;
    struct study *study = crosstab("t");
    struct record_keys keys = keys_of(9);
    struct site *site;
    struct err e;
    uint32_t sum = 0, last = UINT32_MAX;
    assert_int_equal(study_site_open(study, s->site[0], NULL, &site, &e), ST_OK);
    size_t which = 0;
    while (strcmp(study_cohort_name(study, which), "hypertension") != 0)
        which++;
    const struct cohort_rows *rows = study_site_cohort(site, which);
    for (size_t i = 0; i < rows->n; i++) {
        uint8_t pseudonym[16];
        if (rows->person[i] == last)
            continue;
        last = rows->person[i];
        store_pseudonym(s->site[0], last, pseudonym);
        sum += record_key(keys.secret, (struct slice){(char *)pseudonym, 16});
    }
    struct result *r = keyed(study, s->site, &keys, 1);
    assert_int_equal(r->tables[0].cells[0].key, sum);
    int64_t of_levels = 0;
    const struct result_table *t = &r->tables[0];
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (t->cells[i].at[0] > 0 && t->cells[i].at[1] == 0)
            of_levels += t->cells[i].key;
    assert_int_equal(of_levels & UINT32_MAX, sum);
    result_free(r);
    study_site_close(site);
    study_free(study);
}

static void sites_with_other_secrets_have_other_keys(void **state)
{
    const struct sites *s = *state;
    struct study *study = crosstab("t");
    struct record_keys first[] = {keys_of(1), keys_of(2)}, second[] = {keys_of(1), keys_of(3)};
    struct result *a = keyed(study, s->site, first, 2), *b = keyed(study, s->site, second, 2);
    assert_int_equal(a->tables[0].cells[0].persons, b->tables[0].cells[0].persons);
    assert_int_not_equal(a->tables[0].cells[0].key, b->tables[0].cells[0].key);
    result_free(a);
    result_free(b);
    study_free(study);
}

static struct released *with_noise(const struct result *r)
{
    struct policy p;
    struct released *out;
    struct err e = {0};
    assert_int_equal(policy_parse(SLICE("name: t\nversion: 1\nrounding: cell_key\nnoise_most: 5\n"
                                        "noise_variance: 3\nnoise_skip: 2\n"),
                                  "t", &p, &e),
                     ST_OK);
    assert_int_equal(disclose_release(r, &p, NULL, &out, &e), ST_OK);
    return out;
}

/* Every cell of one table of counts has the key of its persons: in stores apart as in one. */
static void every_cell_is_keyed(const struct sites *s, const char *analysis, const char *table)
{
    enum { PARTS = 3 };
    struct study *study = study_of(analysis);
    struct record_keys same[PARTS] = {keys_of(7), keys_of(7), keys_of(7)};
    struct store *parts[] = {sites_import(s, "site0"), sites_import(s, "site1"), sites_import(s, "site2")};
    struct store *pooled = sites_import(s, "pooled3");
    struct result *whole = keyed(study, &pooled, same, 1), *cut = keyed(study, parts, same, PARTS);
    struct released *out = with_noise(whole);
    uint32_t t = 0, shown = 0, told = 0;
    while (strcmp(whole->tables[t].name, table) != 0)
        t++;
    while (strcmp(released_table(out, told)->name, table) != 0)
        told++;
    assert_int_equal(whole->tables[t].n_cells, cut->tables[t].n_cells);
    for (uint64_t i = 0; i < whole->tables[t].n_cells; i++) {
        const struct result_cell *a = &whole->tables[t].cells[i], *b = &cut->tables[t].cells[i];
        assert_true(a->key >= 0);
        assert_int_equal(a->key, b->key);
        assert_int_equal(a->persons, b->persons);
        shown += a->persons > 0 && !released_table(out, told)->cells[i].hidden;
    }
    assert_true(shown > 1);
    released_free(out);
    result_free(whole);
    result_free(cut);
    study_free(study);
    store_close(pooled);
    for (size_t i = 0; i < PARTS; i++)
        store_close(parts[i]);
}

static void pathways_have_keys(void **state)
{
    every_cell_is_keyed(
        *state,
        "{\"kind\": \"pathways\", \"name\": \"lines\", \"cohort\": \"hypertension\", \"treatments\": ["
        "{\"name\": \"ramipril\", \"concepts\": [1334456]}, {\"name\": \"amlodipine\", \"concepts\": "
        "[1332418]}], \"window\": [0, 1825], \"max_length\": 2}",
        "lines");
}

static void histograms_have_keys(void **state)
{
    every_cell_is_keyed(*state,
                        "{\"kind\": \"descriptive\", \"name\": \"age\", \"cohort\": \"hypertension\", "
                        "\"number\": {\"number\": \"age\"}, \"quantiles\": [0.5], "
                        "\"bins\": [20, 40, 60, 80], \"by\": [\"sex\"]}",
                        "age_histogram");
}

/* A table of counts of which nobody is known. */
static void cells_of_unknown_persons_have_no_key(void **state)
{
    const struct sites *s = *state;
    struct study *study = crosstab("t");
    struct record_keys keys = keys_of(7);
    struct result *r = keyed(study, s->site, &keys, 1);
    for (uint64_t i = 0; i < r->tables[0].n_cells; i++)
        r->tables[0].cells[i].key = -1;
    struct released *out = with_noise(r);
    for (uint64_t i = 0; i < r->tables[0].n_cells; i++)
        assert_true(r->tables[0].cells[i].persons == 0 || released_table(out, 0)->cells[i].hidden);
    released_free(out);
    result_free(r);
    study_free(study);
}

/* Every step of an attrition is known by its persons, and equal steps print the same. */
static void every_step_of_an_attrition_has_its_key(void **state)
{
    const struct sites *s = *state;
    struct study *study =
        study_of("{\"kind\": \"count\", \"name\": \"attrition\", \"cohort\": \"hypertension\"}");
    struct record_keys keys = keys_of(7);
    struct result *r = keyed(study, s->site, &keys, 1);
    struct released *out = with_noise(r);
    const struct result_cell *c = r->tables[0].cells;
    const struct released_cell *told = released_table(out, 0)->cells;
    for (uint64_t i = 0; i < r->tables[0].n_cells; i++) {
        assert_true(c[i].key >= 0);
        assert_int_equal(i && c[i].key == c[i - 1].key, i && c[i].persons == c[i - 1].persons);
        if (i && c[i].key == c[i - 1].key && !told[i].hidden && !told[i - 1].hidden)
            assert_true(told[i].value == told[i - 1].value);
    }
    released_free(out);
    result_free(r);
    study_free(study);
}

/* A site tells keys only where it was told to. */
static void a_site_without_keys_refuses(void **state)
{
    const struct sites *s = *state;
    struct study *study = crosstab("t");
    struct study_run *run = study_run_new(study);
    struct site *site;
    struct sums part;
    struct err e;
    study_run_ask_keys(run);
    assert_int_equal(study_site_open(study, s->site[0], NULL, &site, &e), ST_OK);
    assert_int_equal(study_local(site, study_run_parameters(run), &part, &e), ST_DENIED);
    study_site_close(site);
    study_run_free(run);
    study_free(study);
}

static void a_secret_is_made_once_and_kept_to_its_owner(void **state)
{
    const struct sites *s = *state;
    struct record_keys a, b;
    struct err e = {0};
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/record.key", s->folder);
    assert_int_equal(record_keys_open(s->folder, &a, &e), ST_OK);
    assert_int_equal(record_keys_open(s->folder, &b, &e), ST_OK);
    assert_memory_equal(a.secret, b.secret, sizeof a.secret);
    assert_string_equal(a.id, b.id);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(record_keys_open(s->folder, &b, &e), ST_DENIED);
    assert_int_equal(file_replace(path, SLICE("accord-record-key-1:AAAA\n"), 0600, &e), ST_OK);
    assert_int_equal(record_keys_open(s->folder, &b, &e), ST_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_store_and_its_parts_have_the_same_keys),
        cmocka_unit_test(the_key_of_a_total_is_the_sum_of_its_persons),
        cmocka_unit_test(sites_with_other_secrets_have_other_keys),
        cmocka_unit_test(pathways_have_keys),
        cmocka_unit_test(histograms_have_keys),
        cmocka_unit_test(cells_of_unknown_persons_have_no_key),
        cmocka_unit_test(every_step_of_an_attrition_has_its_key),
        cmocka_unit_test(a_site_without_keys_refuses),
        cmocka_unit_test(a_secret_is_made_once_and_kept_to_its_owner),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
