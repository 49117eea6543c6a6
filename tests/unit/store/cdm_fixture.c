/* SPDX-License-Identifier: Apache-2.0 */
#include "cdm_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "source/source.h"
#include "store/store.h"

unsigned cdm_random(struct cdm *c, unsigned below)
{
    return (unsigned)rand_r(&c->seed) % below;
}

static FILE *open_file(const struct cdm *c, const char *table)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s.csv", c->folder, table);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

void cdm_write(const char *folder, const char *file, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void write_concepts(struct cdm *c)
{
    FILE *f = open_file(c, "CONCEPT");
    fprintf(f, "concept_name,concept_id,domain_id,invalid_reason,standard_concept,concept_code\n");
    for (int i = 0; i < CDM_CONCEPTS; i++) {
        c->concepts[i] = i == 0 ? 0 : 1000 * i + (int32_t)cdm_random(c, 999);
        if (i < CDM_CONCEPTS - 5) /* the last few are unknown */
            fprintf(f, "\"Concept, \"\"%d\"\"\",%d,Condition,%s,S,c%d\n", i, c->concepts[i], i % 7 ? "" : "D",
                    i);
    }
    fclose(f);
    f = open_file(c, "concept_ancestor");
    fprintf(f, "ancestor_concept_id,descendant_concept_id,min_levels_of_separation\n");
    for (int i = 1; i < CDM_CONCEPTS; i++) /* a binary heap as a tree: parent i / 2 */
        for (int up = i, levels = 0; up > 0; up /= 2, levels++)
            fprintf(f, "%d,%d,%d\n", c->concepts[up], c->concepts[i], levels);
    fclose(f);
}

static void write_lookups(struct cdm *c)
{
    FILE *f = open_file(c, "provider"), *g = open_file(c, "care_site");
    fprintf(f, "provider_id,specialty_concept_id\n");
    fprintf(g, "place_of_service_concept_id,care_site_id\n");
    for (int i = 0; i < CDM_LOOKUPS; i++) {
        c->providers[i] = i * 7 - 20;
        c->sites[i] = (int64_t)i << 40;
        c->specialties[i] = i % 4 ? 38000 + i : NONE_I32;
        c->places[i] = i % 3 ? 9200 + i : NONE_I32;
        if (i % 4)
            fprintf(f, "%lld,%d\n", (long long)c->providers[i], c->specialties[i]);
        else
            fprintf(f, "%lld,\n", (long long)c->providers[i]);
        if (i % 3)
            fprintf(g, "%d,%lld\n", c->places[i], (long long)c->sites[i]);
        else
            fprintf(g, ",%lld\n", (long long)c->sites[i]);
    }
    fclose(f);
    fclose(g);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void write_persons(struct cdm *c)
{
    bool wild = cdm_random(c, 2);
    c->n_persons = 1 + (int)cdm_random(c, CDM_PERSONS - 1);
    for (int i = 0; i < c->n_persons; i++)
        c->person_ids[i] = wild ? (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15U) : 10 + i * 3;
    qsort(c->person_ids, (size_t)c->n_persons, sizeof *c->person_ids, by_value);
    FILE *f = open_file(c, "person"), *g = open_file(c, "observation_period");
    fprintf(f, "year_of_birth,person_id,gender_concept_id\n");
    fprintf(g, "person_id,observation_period_start_date,observation_period_end_date\n");
    for (int i = c->n_persons - 1; i >= 0; i--) {
        if (i % 5) /* every fifth is known by a period only */
            fprintf(f, "%d,%lld,%d\n", 1930 + i, (long long)c->person_ids[i], i % 2 ? 8507 : 8532);
        for (int k = i % 5 ? i % 3 : 1; k > 0; k--)
            fprintf(g, "%lld,20%02d-01-01,20%02d-12-31\n", (long long)c->person_ids[i], 10 + k, 10 + k);
    }
    fclose(f);
    fclose(g);
}

static void random_cell(struct cdm *c, enum store_table t, const struct schema_column *s, int row,
                        struct cell *out)
{
    static const char *const numbers[] = {"1",     "2.5", "-0.25",    "120", "37.123456",
                                          "1e300", "0.1", "99999999", "-0"};
    static const char *const texts[] = {"a", "stop", "x y", "naïve", "lot-1"};
    char *p = out->text;
    size_t n = sizeof out->text;
    out->text[0] = '\0';
    if (s->column == COL_PERSON || (s->column == COL_ID && t == STORE_DEATH))
        snprintf(p, n, "%lld", (long long)c->person_ids[cdm_random(c, (unsigned)c->n_persons)]);
    else if (s->column == COL_CONCEPT && cdm_random(c, 20))
        snprintf(p, n, "%d", c->concepts[cdm_random(c, 1 + cdm_random(c, CDM_CONCEPTS))]);
    else if (s->column == COL_START)
        snprintf(p, n, "20%02u-%02u-%02u", cdm_random(c, 25), 1 + cdm_random(c, 12), 1 + cdm_random(c, 28));
    else if (s->column == COL_ID)
        snprintf(p, n, "%d", t == STORE_VISIT ? row : cdm_random(c, 3) ? row * 2 : (int)cdm_random(c, 50));
    else if (s->column == COL_CONCEPT || cdm_random(c, 5) == 0)
        return;
    else if (s->origin == FROM_PROVIDER)
        snprintf(p, n, "%d", (int)cdm_random(c, CDM_LOOKUPS + 3) * 7 - 20);
    else if (s->column == COL_CARE_SITE || s->origin == FROM_SITE)
        snprintf(p, n, "%lld", (long long)cdm_random(c, CDM_LOOKUPS) << 40);
    else if (s->column == COL_VISIT || s->origin == FROM_VISIT)
        snprintf(p, n, "%u", cdm_random(c, CDM_VISITS));
    else if (s->source.kind == TABLE_DATE)
        snprintf(p, n, "20%02u-%02u-15 10:00:00", cdm_random(c, 25), 1 + cdm_random(c, 12));
    else if (s->source.kind == TABLE_F64)
        snprintf(p, n, "%s", numbers[cdm_random(c, row > 600 ? 9 : 5)]);
    else if (s->source.kind == TABLE_TEXT)
        snprintf(p, n, "%s", texts[cdm_random(c, 5)]);
    else
        snprintf(p, n, "%u", row % 3 ? 32000U : cdm_random(c, cdm_random(c, 2) ? 1U << 31 : 100));
}

/* Stored columns that come from one source column agree; the header has each once. */
static int same_source(const struct schema_table *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(s->columns[k].source.name, s->columns[i].source.name) == 0)
            return (int)k;
    return -1;
}

static void write_table(struct cdm *c, enum store_table t, int n)
{
    const struct schema_table *s = schema_table(t);
    struct cdm_table *table = &c->tables[t];
    table->rows = xcalloc((size_t)n, sizeof *table->rows);
    table->n = n;
    table->written = true;
    FILE *f = open_file(c, s->name);
    for (size_t i = 0; i < s->n; i++)
        if (same_source(s, i) < 0)
            fprintf(f, "%s,", s->columns[i].source.name);
    fprintf(f, "extra\n");
    for (int r = 0; r < n; r++) {
        table->rows[r].line = r + 2;
        for (size_t i = 0; i < s->n; i++) {
            int same = same_source(s, i);
            if (same >= 0) {
                table->rows[r].cells[i] = table->rows[r].cells[same];
                continue;
            }
            random_cell(c, t, &s->columns[i], r, &table->rows[r].cells[i]);
            fprintf(f, "%s,", table->rows[r].cells[i].text);
        }
        fprintf(f, "\n");
    }
    fclose(f);
}

struct cdm *cdm_new(unsigned seed, int most_rows)
{
    struct cdm *c = xcalloc(1, sizeof *c);
    c->seed = seed;
    snprintf(c->folder, sizeof c->folder, "/tmp/accord-cdm-XXXXXX");
    assert_non_null(mkdtemp(c->folder));
    write_concepts(c);
    write_lookups(c);
    write_persons(c);
    write_table(c, STORE_VISIT, CDM_VISITS / 2 + (int)cdm_random(c, CDM_VISITS / 2));
    for (int t = 0; t < STORE_N_TABLES; t++)
        if (t != STORE_VISIT && cdm_random(c, 8))
            write_table(c, (enum store_table)t, (int)cdm_random(c, (unsigned)most_rows));
    return c;
}

void cdm_remove(const char *folder)
{
    struct err e = {0};
    assert_int_equal(dir_remove(folder, &e), ST_OK);
}

void cdm_free(struct cdm *c)
{
    cdm_remove(c->folder);
    for (int t = 0; t < STORE_N_TABLES; t++)
        free(c->tables[t].rows);
    free(c);
}

const char *cdm_import(const char *folder, const char *store, const struct import_options *more,
                       enum status expected)
{
    static struct err e;
    struct import_options o = more ? *more : (struct import_options){0};
    struct js *report = NULL;
    char key[160];
    snprintf(key, sizeof key, "%s/key", folder);
    e = (struct err){0};
    crypto_init();
    assert_int_equal(source_open_csv(folder, &o.source, &e), ST_OK);
    o.store = store;
    o.key = o.key ? o.key : key;
    enum status st = store_import(&o, &report, &e);
    o.source->close(o.source);
    js_free(report);
    if (st != expected)
        fail_msg("the import gave %s: %s", status_name(st), e.text);
    return e.text;
}
