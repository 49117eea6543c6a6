/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/only_period.h"

struct texts {
    const char **at;
    int32_t n;
    size_t capacity;
};

struct table {
    const struct cdm_row **rows; /* in (concept, person, start, id) order */
    size_t n;
    uint32_t *block_persons;
    struct store_run *runs;
    uint32_t n_runs;
    struct texts texts[STORE_N_COLUMNS];
};

struct store {
    const struct cdm *cdm;
    struct store_persons persons;
    struct store_periods periods;
    struct table tables[STORE_N_TABLES];
    int32_t *descendants, *mapped; /* answers of the last call for an id, one list per concept */
    struct store_concept *concepts;
};

static int32_t narrow(int64_t v)
{
    return v == NONE_I64 ? NONE_I32 : (int32_t)v;
}

/* --- persons and periods --- */

static void make_persons(struct store *s)
{
    const struct cdm *c = s->cdm;
    size_t n = c->n_persons + 1;
    int16_t *born = xcalloc(n, sizeof *born);
    int32_t *gender = xcalloc(n, sizeof *gender), *race = xcalloc(n, sizeof *race);
    int32_t *ethnicity = xcalloc(n, sizeof *ethnicity);
    uint8_t *in_person = xcalloc(n, 1);
    for (size_t i = 0; i < c->n_persons; i++) {
        const struct cdm_person *p = &c->persons[i];
        born[i] = p->birth_year == NONE_I64 ? INT16_MIN : (int16_t)p->birth_year;
        gender[i] = narrow(p->gender);
        race[i] = narrow(p->race);
        ethnicity[i] = narrow(p->ethnicity);
        in_person[i] = p->in_person;
    }
    s->persons = (struct store_persons){.n = (uint32_t)c->n_persons,
                                        .birth_year = born,
                                        .gender = gender,
                                        .race = race,
                                        .ethnicity = ethnicity,
                                        .in_person = in_person};
}

static void make_periods(struct store *s)
{
    const struct cdm *c = s->cdm;
    uint32_t *offset = xcalloc(c->n_persons + 2, sizeof *offset);
    int32_t *start = xcalloc(c->n_periods, sizeof *start), *end = xcalloc(c->n_periods, sizeof *end);
    int32_t *type = xcalloc(c->n_periods, sizeof *type);
    int64_t *id = xcalloc(c->n_periods, sizeof *id);
    for (size_t i = 0; i < c->n_periods; i++) {
        offset[c->periods[i].person + 1]++;
        start[i] = c->periods[i].start;
        end[i] = c->periods[i].end;
        type[i] = narrow(c->periods[i].type);
        id[i] = c->periods[i].id;
    }
    for (size_t p = 0; p < c->n_persons; p++)
        offset[p + 1] += offset[p];
    uint32_t *only = xcalloc(c->n_persons + 1, sizeof *only);
    for (size_t p = 0; p < c->n_persons; p++) {
        size_t n = offset[p + 1] - offset[p];
        only[p] = n == 1 ? only_period_of(start[offset[p]], end[offset[p]]) : ONLY_PERIOD_NONE;
    }
    s->periods = (struct store_periods){
        .offset = offset, .only = only, .start = start, .end = end, .type = type, .id = id};
}

/* --- tables --- */

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_concept(const void *a, const void *b)
{
    const struct cdm_row *p = *(const struct cdm_row *const *)a, *q = *(const struct cdm_row *const *)b;
    int c = compare(p->v[COL_CONCEPT].i, q->v[COL_CONCEPT].i);
    c = c ? c : compare(p->person, q->person);
    c = c ? c : compare(p->v[COL_START].i, q->v[COL_START].i);
    return c ? c : compare(p->v[COL_ID].i, q->v[COL_ID].i);
}

static void make_table(struct table *t, const struct cdm_table *from)
{
    t->n = from->n;
    t->rows = xcalloc(t->n, sizeof *t->rows);
    t->runs = xcalloc(t->n, sizeof *t->runs);
    for (size_t i = 0; i < t->n; i++)
        t->rows[i] = &from->rows[i];
    if (t->n)
        qsort(t->rows, t->n, sizeof *t->rows, by_concept);
    for (size_t i = 0; i < t->n; i++) {
        int32_t concept = narrow(t->rows[i]->v[COL_CONCEPT].i);
        if (i == 0 || t->runs[t->n_runs - 1].concept_id != concept)
            t->runs[t->n_runs++] = (struct store_run){.concept_id = concept, .first = i};
        t->runs[t->n_runs - 1].n++;
    }
    t->block_persons = xcalloc(t->n / STORE_BLOCK_ROWS + 1, sizeof *t->block_persons);
    for (size_t i = 0; i < t->n; i += STORE_BLOCK_ROWS)
        t->block_persons[i / STORE_BLOCK_ROWS] = t->rows[i]->person;
}

/* --- texts --- */

static int32_t find_text(const struct texts *l, const char *text)
{
    for (int32_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], text) == 0)
            return i;
    return -1;
}

/* All of them at once: a store may be read by any number of threads. */
static void make_texts(struct table *t, enum store_table which)
{
    for (const struct cdm_column *m = cdm_files[which].columns; m->csv; m++)
        for (size_t i = 0; m->kind == 't' && i < t->n; i++) {
            struct texts *l = &t->texts[m->column];
            const char *text = t->rows[i]->v[m->column].s;
            if (!text || find_text(l, text) >= 0)
                continue;
            GROW(l->at, l->n + 1, l->capacity);
            l->at[l->n++] = text;
        }
}

struct store *memory_store_new(const struct cdm *c)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->cdm = c;
    make_persons(s);
    make_periods(s);
    for (int t = 0; t < STORE_N_TABLES; t++) {
        make_table(&s->tables[t], &c->tables[t]);
        make_texts(&s->tables[t], (enum store_table)t);
    }
    s->descendants = xcalloc(c->n_ancestors, sizeof *s->descendants);
    s->mapped = xcalloc(c->n_maps, sizeof *s->mapped);
    return s;
}

static void drop(const void *p)
{
    free((void *)(uintptr_t)p);
}

void memory_store_free(struct store *s)
{
    for (int t = 0; t < STORE_N_TABLES; t++) {
        free(s->tables[t].rows);
        free(s->tables[t].runs);
        free(s->tables[t].block_persons);
        for (int c = 0; c < STORE_N_COLUMNS; c++)
            free(s->tables[t].texts[c].at);
    }
    drop(s->persons.birth_year);
    drop(s->persons.gender);
    drop(s->persons.race);
    drop(s->persons.ethnicity);
    drop(s->persons.in_person);
    drop(s->periods.offset);
    drop(s->periods.only);
    drop(s->periods.start);
    drop(s->periods.end);
    drop(s->periods.type);
    drop(s->periods.id);
    free(s->descendants);
    free(s->mapped);
    free(s);
}

/* --- store.h --- */

const struct store_persons *store_persons(const struct store *s)
{
    return &s->persons;
}

bool store_place(const struct store *s, uint32_t i, struct store_place *out)
{
    (void)s, (void)i, (void)out;
    return false; /* the CDM in memory has no places */
}

const struct store_periods *store_periods(const struct store *s)
{
    return &s->periods;
}

bool store_concept_find(const struct store *s, int32_t id, struct store_concept *out)
{
    for (size_t i = 0; i < s->cdm->n_concepts; i++)
        if (s->cdm->concepts[i].id == id) {
            *out =
                (struct store_concept){.id = id, .in_concept = true, .invalid = s->cdm->concepts[i].invalid};
            return true;
        }
    for (size_t i = 0; i < s->cdm->n_ancestors; i++) /* known, but without a row in CONCEPT */
        if (s->cdm->ancestors[i].b == id) {
            *out = (struct store_concept){.id = id};
            return true;
        }
    return false;
}

void store_descendants(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n)
{
    *n = 0;
    *ids = s->descendants;
    for (size_t i = 0; i < s->cdm->n_ancestors; i++)
        if (s->cdm->ancestors[i].a == id)
            s->descendants[(*n)++] = (int32_t)s->cdm->ancestors[i].b;
}

void store_mapped_from(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n)
{
    *n = 0;
    *ids = s->mapped;
    for (size_t i = 0; i < s->cdm->n_maps; i++)
        if (s->cdm->maps[i].b == id)
            s->mapped[(*n)++] = (int32_t)s->cdm->maps[i].a;
}

uint64_t store_rows(const struct store *s, enum store_table t)
{
    return s->tables[t].n;
}

enum store_kind store_column_kind(enum store_table t, enum store_column c)
{
    if (c == COL_ID || c == COL_VISIT)
        return t == STORE_DEATH && c == COL_VISIT ? KIND_ABSENT : KIND_I64;
    for (const struct cdm_column *m = cdm_files[t].columns; m->csv; m++)
        if (m->column == c)
            return m->kind == 'f' ? KIND_F64 : m->kind == 't' ? KIND_TEXT : KIND_I32;
    return c == COL_PERSON ? KIND_I32 : KIND_ABSENT;
}

void store_runs(const struct store *s, enum store_table t, const struct store_run **runs, uint32_t *n)
{
    *runs = s->tables[t].runs;
    *n = s->tables[t].n_runs;
}

bool store_run_find(const struct store *s, enum store_table t, int32_t concept_id, struct store_run *out)
{
    for (uint32_t i = 0; i < s->tables[t].n_runs; i++)
        if (s->tables[t].runs[i].concept_id == concept_id) {
            *out = s->tables[t].runs[i];
            return true;
        }
    return false;
}

enum status store_run_seek(const struct store *s, enum store_table t, const struct store_run *r,
                           uint32_t person, uint64_t *row, struct err *e)
{
    (void)e;
    uint64_t at = r->first;
    while (at < r->first + r->n && s->tables[t].rows[at]->person < person)
        at++;
    *row = at;
    return ST_OK;
}

void store_block_persons(const struct store *s, enum store_table t, const uint32_t **first, uint64_t *n)
{
    *first = s->tables[t].block_persons;
    *n = (s->tables[t].n + STORE_BLOCK_ROWS - 1) / STORE_BLOCK_ROWS;
}

enum status store_read_i32(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, int32_t *out, struct err *e)
{
    (void)e;
    const struct table *table = &s->tables[t];
    for (uint64_t i = 0; i < n; i++) {
        const struct cdm_row *r = table->rows[first + i];
        if (c == COL_PERSON)
            out[i] = (int32_t)r->person;
        else if (store_column_kind(t, c) == KIND_TEXT)
            out[i] = r->v[c].s ? find_text(&table->texts[c], r->v[c].s) : -1;
        else
            out[i] = narrow(r->v[c].i);
    }
    return ST_OK;
}

enum status store_read_i64(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, int64_t *out, struct err *e)
{
    (void)e;
    for (uint64_t i = 0; i < n; i++)
        out[i] = s->tables[t].rows[first + i]->v[c].i;
    return ST_OK;
}

enum status store_id_bases_read(const struct store *s, enum store_table t, uint32_t first, uint32_t n,
                                struct store_id_bases *out, struct err *e)
{
    (void)s, (void)t, (void)first, (void)n, (void)e;
    *out = (struct store_id_bases){0};
    return ST_OK;
}

void store_id_bases_deinit(struct store_id_bases *b)
{
    (void)b;
}

enum status store_pick_ids(const struct store *s, enum store_table t, uint64_t first, const uint16_t *at,
                           size_t n, const int32_t *person, const struct store_id_bases *bases, int64_t *out,
                           struct err *e)
{
    (void)person, (void)bases, (void)e;
    for (size_t i = 0; i < n; i++)
        out[i] = s->tables[t].rows[first + at[i]]->v[COL_ID].i;
    return ST_OK;
}

enum status store_read_f64(const struct store *s, enum store_table t, enum store_column c, uint64_t first,
                           uint64_t n, double *out, struct err *e)
{
    (void)e;
    for (uint64_t i = 0; i < n; i++)
        out[i] = s->tables[t].rows[first + i]->v[c].d;
    return ST_OK;
}

const char *store_text(const struct store *s, enum store_table t, enum store_column c, int32_t code)
{
    return code < 0 ? NULL : s->tables[t].texts[c].at[code];
}

int32_t store_n_texts(const struct store *s, enum store_table t, enum store_column c)
{
    return s->tables[t].texts[c].n;
}
