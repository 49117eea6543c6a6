/* SPDX-License-Identifier: Apache-2.0
 * What goes into a store comes out of it: random CDMs, imported and read back, beside what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include <math.h>
#include <xxhash.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cdm_fixture.h"
#include "store/only_period.h"
#include "store/store.h"

struct expectation {
    const struct cdm *cdm;
    const struct store *store;
    enum store_table table;
    const struct schema_table *schema;
};

static int64_t number_in(const struct cell *c)
{
    return c->text[0] ? strtoll(c->text, NULL, 10) : NONE_I64;
}

static int32_t day_in(const struct cell *c)
{
    int32_t day = DATE_NONE;
    if (c->text[0])
        assert_true(date_parse((struct slice){c->text, 10}, &day));
    return day;
}

static int person_of(const struct cdm *c, const struct cell *cell)
{
    int64_t id = number_in(cell);
    for (int i = 0; i < c->n_persons; i++)
        if (c->person_ids[i] == id)
            return i;
    return -1;
}

static int64_t looked_up(const struct expectation *x, const struct cdm_row *r, const struct schema_column *s,
                         const struct cell *cell)
{
    const struct cdm *c = x->cdm;
    int64_t id = number_in(cell);
    if (s->origin == FROM_VISIT)
        for (int i = 0; i < c->tables[STORE_VISIT].n; i++) {
            const struct cell *v = c->tables[STORE_VISIT].rows[i].cells;
            if (number_in(&v[3]) == id && number_in(&v[0]) == number_in(&r->cells[0]))
                return number_in(&v[1]);
        }
    for (int i = 0; i < CDM_LOOKUPS && s->origin != FROM_VISIT; i++)
        if ((s->origin == FROM_PROVIDER ? c->providers[i] : c->sites[i]) == id) {
            int32_t found = s->origin == FROM_PROVIDER ? c->specialties[i] : c->places[i];
            return found == NONE_I32 ? NONE_I64 : found;
        }
    return NONE_I64;
}

static int64_t id_of(const struct expectation *x, const struct cdm_row *r)
{
    return x->table == STORE_DEATH ? person_of(x->cdm, &r->cells[0]) + 1 : number_in(&r->cells[3]);
}

/* What the column must hold, dates and concepts as numbers. */
static int64_t expected_value(const struct expectation *x, const struct cdm_row *r, size_t column)
{
    const struct schema_column *s = &x->schema->columns[column];
    if (s->column == COL_PERSON)
        return person_of(x->cdm, &r->cells[0]);
    if (s->column == COL_ID)
        return id_of(x, r);
    if (s->origin != FROM_SOURCE)
        return looked_up(x, r, s, &r->cells[column]);
    if (s->source.kind == TABLE_DATE) {
        int32_t day = day_in(&r->cells[column]);
        return day == DATE_NONE ? NONE_I64 : day;
    }
    return number_in(&r->cells[column]);
}

static const struct expectation *sorting;

static int in_order(const void *a, const void *b)
{
    const struct cdm_row *x = *(struct cdm_row *const *)a, *y = *(struct cdm_row *const *)b;
    int64_t keys[2][4] = {
        {person_of(sorting->cdm, &x->cells[0]), day_in(&x->cells[2]), id_of(sorting, x), x->line},
        {person_of(sorting->cdm, &y->cells[0]), day_in(&y->cells[2]), id_of(sorting, y), y->line}};
    for (int i = 0; i < 4; i++)
        if (keys[0][i] != keys[1][i])
            return keys[0][i] < keys[1][i] ? -1 : 1;
    return 0;
}

static void check_text(const struct expectation *x, enum store_column c, int32_t code,
                       const struct cell *cell)
{
    const char *text = store_text(x->store, x->table, c, code);
    if (cell->text[0])
        assert_string_equal(text, cell->text);
    else
        assert_null(text);
}

static void check_number(double found, const struct cell *cell)
{
    if (!cell->text[0])
        assert_true(isnan(found));
    else
        assert_true(found == strtod(cell->text, NULL));
}

/* Every third value, as they are among all. */
static void check_picked(const struct expectation *x, const struct store_run *run, enum store_column c,
                         const double *all)
{
    struct err e = {0};
    uint8_t *mask = xcalloc(run->n + 1, 1);
    double *picked = xcalloc(run->n + 1, sizeof *picked);
    for (uint64_t i = 0; i < run->n; i++)
        mask[i] = (run->first + i) % 3 == 0;
    assert_int_equal(store_pick_f64(x->store, x->table, c, run->first, run->n, mask, picked, &e), ST_OK);
    for (uint64_t i = 0, k = 0; i < run->n; i++)
        if (mask[i]) {
            assert_true(picked[k] == all[i] || (isnan(picked[k]) && isnan(all[i])));
            k++;
        }
    free(picked);
    free(mask);
}

/* Every third end, given the starts. */
static void check_picked_ends(const struct expectation *x, const struct store_run *run, const int32_t *all)
{
    struct err e = {0};
    uint8_t *mask = xcalloc(run->n + 1, 1);
    int32_t *start = xcalloc(run->n + 1, sizeof *start), *picked = xcalloc(run->n + 1, sizeof *picked);
    uint64_t n = 0;
    assert_int_equal(store_read_i32(x->store, x->table, COL_START, run->first, run->n, start, &e), ST_OK);
    for (uint64_t i = 0; i < run->n; i++) {
        mask[i] = (run->first + i) % 3 == 0;
        start[n] = start[i];
        n += mask[i];
    }
    assert_int_equal(store_pick_ends(x->store, x->table, run->first, run->n, mask, start, picked, &e), ST_OK);
    for (uint64_t i = 0, k = 0; i < run->n; i++)
        if (mask[i])
            assert_int_equal(picked[k++], all[i]);
    free(picked);
    free(start);
    free(mask);
}

static void check_column(const struct expectation *x, struct cdm_row **rows, const struct store_run *run,
                         size_t column)
{
    struct err e = {0};
    enum store_column c = x->schema->columns[column].column;
    enum store_kind kind = store_column_kind(x->table, c);
    int32_t *narrow = xcalloc(run->n, sizeof *narrow);
    int64_t *wide = xcalloc(run->n, sizeof *wide);
    double *numbers = xcalloc(run->n, sizeof *numbers);
    enum status st = kind == KIND_I64 ? store_read_i64(x->store, x->table, c, run->first, run->n, wide, &e)
                     : kind == KIND_F64
                         ? store_read_f64(x->store, x->table, c, run->first, run->n, numbers, &e)
                         : store_read_i32(x->store, x->table, c, run->first, run->n, narrow, &e);
    if (st != ST_OK)
        fail_msg("%s", e.text);
    for (uint64_t i = 0; i < run->n; i++) {
        const struct cell *cell = &rows[i]->cells[column];
        if (kind == KIND_TEXT)
            check_text(x, c, narrow[i], cell);
        else if (kind == KIND_F64)
            check_number(numbers[i], cell);
        else if (kind == KIND_I64)
            assert_int_equal(wide[i], expected_value(x, rows[i], column));
        else
            assert_int_equal(narrow[i] == NONE_I32 ? NONE_I64 : narrow[i],
                             expected_value(x, rows[i], column));
    }
    if (kind == KIND_F64)
        check_picked(x, run, c, numbers);
    if (c == COL_END && kind == KIND_I32)
        check_picked_ends(x, run, narrow);
    free(narrow);
    free(wide);
    free(numbers);
}

static void check_facts(const struct expectation *x, struct cdm_row **rows, const struct store_run *run)
{
    uint32_t persons = 0;
    int32_t first = INT32_MAX, last = INT32_MIN;
    struct err e = {0};
    for (uint64_t i = 0; i < run->n; i++) {
        int32_t day = day_in(&rows[i]->cells[2]);
        persons += i == 0 || number_in(&rows[i]->cells[0]) != number_in(&rows[i - 1]->cells[0]);
        first = day < first ? day : first;
        last = day > last ? day : last;
    }
    assert_int_equal(run->persons, persons);
    assert_int_equal(run->first_day, first);
    assert_int_equal(run->last_day, last);
    for (int p = 0; p <= x->cdm->n_persons; p++) {
        uint64_t wanted = 0, found;
        while (wanted < run->n && person_of(x->cdm, &rows[wanted]->cells[0]) < p)
            wanted++;
        assert_int_equal(store_run_seek(x->store, x->table, run, (uint32_t)p, &found, &e), ST_OK);
        assert_int_equal(found, run->first + wanted);
    }
}

static void check_run(const struct expectation *x, const struct store_run *run)
{
    const struct cdm_table *t = &x->cdm->tables[x->table];
    struct cdm_row **rows = xcalloc((size_t)t->n + 1, sizeof *rows);
    struct store_run again;
    size_t n = 0;
    for (int i = 0; i < t->n; i++) {
        int64_t concept = number_in(&t->rows[i].cells[1]);
        if (concept == (run->concept_id == NONE_I32 ? NONE_I64 : run->concept_id))
            rows[n++] = &t->rows[i];
    }
    assert_int_equal(run->n, n);
    assert_true(store_run_find(x->store, x->table, run->concept_id, &again));
    assert_int_equal(again.first, run->first);
    sorting = x;
    qsort(rows, n, sizeof(struct cdm_row *), in_order);
    for (size_t column = 0; column < x->schema->n; column++)
        if (x->schema->columns[column].column != COL_CONCEPT)
            check_column(x, rows, run, column);
    check_facts(x, rows, run);
    free(rows);
}

/* In 32 bits what the periods say, where a person has one. */
static void check_only(const struct store *s)
{
    const struct store_periods *p = store_periods(s);
    for (uint32_t i = 0; i < store_persons(s)->n; i++) {
        bool one = p->offset[i + 1] - p->offset[i] == 1;
        assert_int_equal(only_period_known(p->only[i]), one);
        if (!one)
            continue;
        assert_int_equal(only_period_start(p->only[i]), p->start[p->offset[i]]);
        assert_int_equal(only_period_end(p->only[i]), p->end[p->offset[i]]);
    }
}

static void check_store(const struct cdm *c, const struct store *s)
{
    check_only(s);
    assert_int_equal(store_persons(s)->n, c->n_persons);
    for (int i = 0; i < c->n_persons; i++) {
        assert_int_equal(store_persons(s)->in_person[i], i % 5 != 0);
        assert_int_equal(store_persons(s)->birth_year[i], i % 5 ? 1930 + i : INT16_MIN);
        assert_int_equal(store_periods(s)->offset[i + 1] - store_periods(s)->offset[i], i % 5 ? i % 3 : 1);
    }
    for (int t = 0; t < STORE_N_TABLES; t++) {
        struct expectation x = {c, s, (enum store_table)t, schema_table((enum store_table)t)};
        const struct store_run *runs;
        uint32_t n;
        assert_int_equal(store_rows(s, x.table), c->tables[t].n);
        store_runs(s, x.table, &runs, &n);
        for (uint32_t i = 0; i < n; i++)
            check_run(&x, &runs[i]);
    }
}

static void what_is_imported_is_read_back(void **state)
{
    (void)state;
    struct pool *pool = pool_new(3);
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct cdm *c = cdm_new(seed, seed % 4 ? 900 : 4000);
        struct import_options o = {.memory_bytes = seed % 2 ? 1 << 18 : 0, .pool = seed % 3 ? pool : NULL};
        struct err e = {0};
        struct store *s;
        char path[96];
        snprintf(path, sizeof path, "%s/store", c->folder);
        cdm_import(c->folder, path, &o, ST_OK);
        if (store_open(path, &s, &e) != ST_OK)
            fail_msg("%s", e.text);
        assert_int_equal(store_verify(s, NULL, &e), ST_OK);
        check_store(c, s);
        store_close(s);
        cdm_free(c);
    }
    pool_free(pool);
}

/* Descendants are one range of rows: ranks follow the tree. */
static void a_concept_and_its_descendants_are_one_range(void **state)
{
    (void)state;
    struct cdm *c = cdm_new(5, 3000);
    struct err e = {0};
    struct store *s;
    char path[96];
    snprintf(path, sizeof path, "%s/store", c->folder);
    cdm_import(c->folder, path, NULL, ST_OK);
    assert_int_equal(store_open(path, &s, &e), ST_OK);
    for (int i = 1; i < CDM_CONCEPTS; i++) {
        const int32_t *ids;
        uint32_t n;
        uint64_t least = UINT64_MAX, most = 0, rows = 0;
        store_descendants(s, c->concepts[i], &ids, &n);
        for (uint32_t k = 0; k < n; k++) {
            struct store_run r;
            if (!store_run_find(s, STORE_VISIT, ids[k], &r))
                continue;
            least = r.first < least ? r.first : least;
            most = r.first + r.n > most ? r.first + r.n : most;
            rows += r.n;
        }
        assert_true(rows == 0 || rows == most - least);
    }
    struct store_concept concept;
    assert_true(store_concept_find(s, c->concepts[1], &concept));
    assert_string_equal(concept.name, "Concept, \"1\"");
    assert_string_equal(concept.code, "c1");
    assert_string_equal(concept.domain, "Condition");
    assert_true(concept.standard && concept.in_concept && !concept.invalid);
    assert_false(store_concept_find(s, c->concepts[CDM_CONCEPTS - 1], &concept));
    store_close(s);
    cdm_free(c);
}

/* One concept of so many rows that it is cut between persons, from shuffled input. */
/* Every third row, 1,024 rows at a time as a cohort reads them: without bases, with all, and with those of persons in the
 * middle. */
static void check_picked_ids(const struct store *s, enum store_table t, uint64_t rows, const int32_t *persons,
                             const int64_t *ids)
{
    const uint32_t n_persons = store_persons(s)->n;
    const uint32_t range[][2] = {{0, 0}, {0, n_persons}, {n_persons / 3, n_persons / 2}};
    struct err e = {0};
    for (size_t r = 0; r < sizeof range / sizeof *range; r++) {
        struct store_id_bases bases;
        assert_int_equal(store_id_bases_read(s, t, range[r][0], range[r][1] - range[r][0], &bases, &e),
                         ST_OK);
        for (uint64_t first = r; first < rows; first += 1024) {
            uint16_t at[1024];
            int64_t picked[1024];
            size_t n = 0;
            for (unsigned i = 0; i < 1024 && first + i < rows; i += 3)
                at[n++] = (uint16_t)i;
            assert_int_equal(store_pick_ids(s, t, first, at, n, persons + first, &bases, picked, &e), ST_OK);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(picked[i], ids[first + at[i]]);
        }
        store_id_bases_deinit(&bases);
    }
    uint16_t behind = 1;
    int64_t none;
    assert_int_equal(
        store_pick_ids(s, t, rows - 1, &behind, 1, persons, &(struct store_id_bases){0}, &none, &e),
        ST_INTERNAL);
}

static void a_large_concept_from_shuffled_rows_is_in_order(void **state)
{
    (void)state;
    enum { PERSONS = 5000, ROWS = 200000 };
    char folder[] = "/tmp/accord-cdm-XXXXXX", path[64], store[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/person.csv", folder);
    FILE *f = fopen(path, "w");
    fprintf(f, "person_id,gender_concept_id,year_of_birth\n");
    for (int i = 0; i < PERSONS; i++)
        fprintf(f, "%d,8507,1950\n", i);
    fclose(f);
    cdm_write(folder, "concept.csv", "concept_id\n7\n");
    snprintf(path, sizeof path, "%s/drug_exposure.csv", folder);
    f = fopen(path, "w");
    fprintf(f, "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date\n");
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(f, "%u,%u,7,20%02u-01-%02u\n", i, i * 7919 % ROWS * 31 % PERSONS, i % 20, 1 + i % 28);
    fclose(f);
    struct import_options o = {.memory_bytes = 1 << 22, .periods_optional = true};
    snprintf(store, sizeof store, "%s/store", folder);
    cdm_import(folder, store, &o, ST_OK);
    struct err e = {0};
    struct store *s;
    assert_int_equal(store_open(store, &s, &e), ST_OK);
    assert_int_equal(store_rows(s, STORE_DRUG), ROWS);
    int32_t *persons = xcalloc(ROWS, 4), *days = xcalloc(ROWS, 4);
    int64_t *ids = xcalloc(ROWS, 8);
    uint8_t *seen = xcalloc(ROWS, 1);
    assert_int_equal(store_read_i32(s, STORE_DRUG, COL_PERSON, 0, ROWS, persons, &e), ST_OK);
    assert_int_equal(store_read_i32(s, STORE_DRUG, COL_START, 0, ROWS, days, &e), ST_OK);
    assert_int_equal(store_read_i64(s, STORE_DRUG, COL_ID, 0, ROWS, ids, &e), ST_OK);
    check_picked_ids(s, STORE_DRUG, ROWS, persons, ids);
    for (int i = 0; i < ROWS; i++) {
        uint32_t id = (uint32_t)ids[i];
        assert_false(seen[id]++);
        assert_int_equal(persons[i], id * 7919 % ROWS * 31 % PERSONS);
        assert_int_equal(days[i], date_of(2000 + (int)(id % 20), 1, 1 + (int)(id % 28)));
        if (i && persons[i] == persons[i - 1])
            assert_true(days[i] > days[i - 1] || (days[i] == days[i - 1] && ids[i] > ids[i - 1]));
        else
            assert_true(i == 0 || persons[i] > persons[i - 1]);
    }
    free(persons);
    free(days);
    free(ids);
    free(seen);
    store_close(s);
    cdm_remove(folder);
}

/* Persons, three times as many visits and seven times as many drugs in no order, some persons with a period
 * only. */
static void write_shuffled(const char *folder, unsigned persons)
{
    static const char *const heads[] = {
        "person_id,gender_concept_id,year_of_birth\n",
        "person_id,observation_period_start_date,observation_period_end_date\n",
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date\n",
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,visit_occurrence_id,stop_"
        "reason\n"};
    static const char *const files[] = {"person.csv", "observation_period.csv", "visit_occurrence.csv",
                                        "drug_exposure.csv"};
    const unsigned visits = 3 * persons, rows[] = {persons, persons, visits, 7 * persons};
    for (int k = 0; k < 4; k++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, files[k]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(heads[k], f);
        for (unsigned i = 0; i < rows[k]; i++) {
            unsigned id = i * 7919 % rows[k], /* a prime: every id once */
                visit = id * 31 % visits;
            if (k == 0 && id % 7)
                fprintf(f, "%u,8507,%u\n", id * 1000003, 1930 + id % 70);
            else if (k == 1)
                fprintf(f, "%u,2000-01-01,20%02u-12-31\n", id * 1000003, id % 20);
            else if (k == 2)
                fprintf(f, "%u,%u,%u,2005-01-%02u\n", id, id % persons * 1000003, 9201 + id % 3, 1 + id % 28);
            else if (k == 3)
                fprintf(f, "%u,%u,%u,2005-02-%02u,%u,reason %u\n", id, visit % persons * 1000003, id % 50,
                        1 + id % 28, visit, id % 9);
        }
        fclose(f);
    }
    cdm_write(folder, "concept.csv", "concept_id\n7\n9201\n");
}

static void assert_same_files(const char *a, const char *b)
{
    struct err e = {0};
    char **names;
    size_t n;
    assert_int_equal(dir_list(a, &names, &n, &e), ST_OK);
    assert_true(n > 15);
    for (size_t i = 0; i < n; i++) {
        struct file_map x, y;
        char *in_a = xasprintf("%s/%s", a, names[i]), *in_b = xasprintf("%s/%s", b, names[i]);
        assert_int_equal(file_map_open(in_a, &x, &e), ST_OK);
        assert_int_equal(file_map_open(in_b, &y, &e), ST_OK);
        /* Sealing uses randomness, the manifest has the time and the hash of what was sealed. */
        if (strcmp(names[i], "persons.acc") != 0 && strcmp(names[i], "manifest.json") != 0 &&
            (x.n != y.n || memcmp(x.p, y.p, x.n) != 0))
            fail_msg("%s differs", names[i]);
        file_map_close(&x);
        file_map_close(&y);
        free(in_a);
        free(in_b);
    }
    dir_list_free(names, n);
}

/* From runs that all lie in memory to runs of a thousand rows in files of which nothing may stay resident. */
static void memory_does_not_show_in_the_bytes(void **state)
{
    (void)state;
    char folder[] = "/tmp/accord-cdm-XXXXXX", whole[64], part[64];
    assert_non_null(mkdtemp(folder));
    write_shuffled(folder, 3000);
    struct pool *pool = pool_new(3);
    snprintf(whole, sizeof whole, "%s/store/current", folder);
    for (int shift = 31; shift >= 16; shift -= 3) {
        struct import_options o = {.memory_bytes = (uint64_t)1 << shift, .pool = shift % 2 ? NULL : pool};
        snprintf(part, sizeof part, "%s/store%s", folder, shift == 31 ? "" : "-part");
        cdm_import(folder, part, &o, ST_OK);
        snprintf(part, sizeof part, "%s/store-part/current", folder);
        if (shift < 31)
            assert_same_files(whole, part);
    }
    pool_free(pool);
    cdm_remove(folder);
}

static enum status open_and_verify(const char *path)
{
    struct err e = {0};
    struct store *s;
    enum status st = store_open(path, &s, &e);
    if (st != ST_OK)
        return st;
    st = store_verify(s, NULL, &e);
    store_close(s);
    return st;
}

static void flip(int fd, off_t at, unsigned bit)
{
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* In every 64 bytes of every file, the unit in which arrays, their table and what fills the gaps begin; then a
 * file that ends early, goes on or is gone. */
static unsigned damage_file(const char *store, const char *path)
{
    enum { STEP = 61 };
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t bytes = lseek(fd, 0, SEEK_END);
    unsigned n = 0;
    for (off_t at = 0; at < bytes; at = at + STEP < bytes || at + 1 == bytes ? at + STEP : bytes - 1, n++) {
        flip(fd, at, n % 8);
        if (open_and_verify(store) != ST_CORRUPT)
            fail_msg("a flipped bit at %lld of %s is not found", (long long)at, path);
        flip(fd, at, n % 8);
    }
    uint8_t last;
    assert_int_equal(pread(fd, &last, 1, bytes - 1), 1);
    assert_int_equal(ftruncate(fd, bytes - 1), 0);
    assert_int_equal(open_and_verify(store), ST_CORRUPT);
    assert_int_equal(pwrite(fd, &last, 1, bytes - 1), 1);
    assert_int_equal(pwrite(fd, "", 1, bytes), 1);
    assert_int_equal(open_and_verify(store), ST_CORRUPT);
    assert_int_equal(ftruncate(fd, bytes), 0);
    close(fd);
    char *aside = xasprintf("%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(open_and_verify(store), ST_CORRUPT);
    assert_int_equal(rename(aside, path), 0);
    free(aside);
    return n;
}

static void any_damage_is_found(void **state)
{
    (void)state;
    struct err e = {0};
    char folder[] = "/tmp/accord-cdm-XXXXXX", store[64], current[64], **names;
    size_t n;
    unsigned flips = 0;
    assert_non_null(mkdtemp(folder));
    write_shuffled(folder, 30);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(current, sizeof current, "%s/current", store);
    cdm_import(folder, store, NULL, ST_OK);
    assert_int_equal(open_and_verify(store), ST_OK);
    assert_int_equal(dir_list(current, &names, &n, &e), ST_OK);
    for (size_t i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", current, names[i]);
        flips += damage_file(store, path);
        free(path);
    }
    assert_true(n > 15 && flips > 10 * n);
    assert_int_equal(open_and_verify(store), ST_OK);
    dir_list_free(names, n);
    cdm_remove(folder);
}

static void one_period_lies_in_32_bits_where_it_fits(void **state)
{
    (void)state;
    static const int32_t first = ONLY_PERIOD_EPOCH, last = ONLY_PERIOD_EPOCH + ONLY_PERIOD_LAST;
    static const int32_t fit[][2] = {{first, last}, {first, first}, {last, last}, {-1, 0}, {18000, 18001}};
    static const int32_t unfit[][2] = {{first - 1, 0}, {0, last + 1},  {5, 4},       {last, first},
                                       {INT32_MIN, 0}, {0, INT32_MAX}, {-719162, 0}, {-719162, 2932896}};
    for (size_t i = 0; i < sizeof fit / sizeof *fit; i++) {
        uint32_t only = only_period_of(fit[i][0], fit[i][1]);
        assert_true(only_period_known(only));
        assert_int_equal(only_period_start(only), fit[i][0]);
        assert_int_equal(only_period_end(only), fit[i][1]);
    }
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        assert_false(only_period_known(only_period_of(unfit[i][0], unfit[i][1])));
}

/* Gives an array of periods.acc another name, as if it had never been written. */
static void rename_array(const char *path, const char *from, const char *to)
{
    enum { ENTRY = 64, TRAILER = 32 };
    struct buf text;
    struct err e = {0};
    uint64_t at, n, hash;
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(path, &text, &e), ST_OK);
    memcpy(&at, text.p + text.n - TRAILER, sizeof at);
    memcpy(&n, text.p + text.n - TRAILER + 8, sizeof n);
    for (uint64_t i = 0; i < n; i++)
        if (strcmp(text.p + at + i * ENTRY, from) == 0)
            memcpy(text.p + at + i * ENTRY, to, strlen(to) + 1);
    hash = XXH3_64bits(text.p + at, n * ENTRY);
    memcpy(text.p + text.n - TRAILER + 16, &hash, sizeof hash);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
    buf_deinit(&text);
}

static void a_store_from_before_only_periods_is_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/accord-cdm-XXXXXX", path[96], store[64];
    struct err e = {0};
    struct store *s;
    assert_non_null(mkdtemp(folder));
    write_shuffled(folder, 300);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(path, sizeof path, "%s/current/periods.acc", store);
    cdm_import(folder, store, NULL, ST_OK);
    rename_array(path, "only", "none");
    assert_int_equal(store_open(store, &s, &e), ST_OK);
    check_only(s);
    store_close(s);
    rename_array(path, "none", "only");
    assert_int_equal(open_and_verify(store), ST_OK);
    cdm_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_imported_is_read_back),
        cmocka_unit_test(a_concept_and_its_descendants_are_one_range),
        cmocka_unit_test(a_large_concept_from_shuffled_rows_is_in_order),
        cmocka_unit_test(memory_does_not_show_in_the_bytes),
        cmocka_unit_test(any_damage_is_found),
        cmocka_unit_test(one_period_lies_in_32_bits_where_it_fits),
        cmocka_unit_test(a_store_from_before_only_periods_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
