/* SPDX-License-Identifier: Apache-2.0
 * A store with foreign bytes in one of its files: opened and read through every function, or refused. The
 * input is which file, and then (place, byte) pairs to write over it; the file's table of contents gets its
 * checksum again, so that what lies behind the checksums is reached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "source/source.h"
#include "store/import.h"
#include "store/schema.h"
#include "store/store.h"

enum { MOST_FILES = 256, CHUNK = 700 };
static char folder[] = "/tmp/accord-fuzz-XXXXXX";
static char *store_path, *version;
static struct file {
    char *path;
    struct buf bytes;
} files[MOST_FILES];
static size_t n_files;

static void must(enum status st, const struct err *e)
{
    if (st == ST_OK)
        return;
    fprintf(stderr, "%s\n", e->text);
    exit(1);
}

static void write_file(const char *name, const char *text)
{
    struct err e = {0};
    char *path = xasprintf("%s/%s", folder, name);
    must(file_replace(path, slice_of(text), 0600, &e), &e);
    free(path);
}

/* 3,000 rows with every kind of column. */
static void write_measurements(void)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    buf_adds(
        &b,
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,"
        "visit_occurrence_id,range_low\n");
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, "%d,%d,%d,20%02d-01-%02d,%d.%d,%d,%s%d,%s\n", i * 3, i % 50, 100 + i % 7, i % 20,
                   1 + i % 28, i % 97, i % 10, 8000 + i % 3, i % 5 ? "" : "-", i,
                   i % 4 ? "" : "0.333333333333");
    write_file("measurement.csv", b.p);
    buf_clear(&b);
    buf_adds(&b, "observation_id,person_id,observation_concept_id,observation_date,value_as_string\n");
    for (int i = 0; i < 600; i++)
        buf_printf(&b, "%d,%d,5,2010-01-01,%s%d\n", i, i % 50, i % 3 ? "text" : "", i % 9);
    write_file("observation.csv", b.p);
    buf_clear(&b);
    buf_adds(&b,
             "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,care_site_id\n");
    for (int i = 0; i < 600; i++)
        buf_printf(&b, "%d,%d,9202,2010-01-01,20%02d-01-%02d,%d\n", i, i % 50, 10 + i % 9, 1 + i % 28,
                   i % 50);
    write_file("visit_occurrence.csv", b.p);
    buf_deinit(&b);
}

static void write_people(void)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_adds(&b, "person_id,gender_concept_id,year_of_birth\n");
    for (int i = 0; i < 50; i++)
        buf_printf(&b, "%d,8507,1950\n", i);
    write_file("person.csv", b.p);
    write_file("observation_period.csv",
               "person_id,observation_period_start_date,observation_period_end_date\n"
               "1,2000-01-01,2020-01-01\n");
    write_file("concept.csv", "concept_id,concept_name,domain_id\n5,five,d\n100,hundred,d\n101,more,d\n");
    write_file("concept_ancestor.csv", "ancestor_concept_id,descendant_concept_id,min_levels_of_separation\n"
                                       "100,101,1\n100,102,1\n");
    write_file("concept_relationship.csv", "concept_id_1,concept_id_2,relationship_id\n7,100,Maps to\n");
    write_file("location.csv", "location_id,state\n1,Kent\n");
    write_file("care_site.csv", "care_site_id,care_site_name,location_id\n1,Ward,1\n");
    buf_deinit(&b);
}

static void load_files(void)
{
    struct err e = {0};
    char **names;
    must(dir_list(version, &names, &n_files, &e), &e);
    for (size_t i = 0; i < n_files && i < MOST_FILES; i++) {
        files[i].path = xasprintf("%s/%s", version, names[i]);
        buf_init(&files[i].bytes, 1 << 24);
        must(file_read(files[i].path, &files[i].bytes, &e), &e);
    }
    dir_list_free(names, n_files);
}

static void remove_all(void)
{
    if (dir_remove(folder, NULL) != ST_OK)
        fprintf(stderr, "%s stays behind\n", folder);
}

static void make_store(void)
{
    struct err e = {0};
    struct js *report;
    if (!mkdtemp(folder))
        exit(1);
    atexit(remove_all);
    crypto_init();
    write_people();
    write_measurements();
    store_path = xasprintf("%s/S", folder);
    struct import_options o = {.store = store_path};
    must(source_open_csv(folder, &o.source, &e), &e);
    must(store_import(&o, &report, &e), &e);
    o.source->close(o.source);
    js_free(report);
    version = xasprintf("%s/current", store_path);
    load_files();
}

static void read_column(const struct store *s, enum store_table t, enum store_column c)
{
    int32_t narrow[CHUNK];
    int64_t wide[CHUNK];
    double numbers[CHUNK];
    struct err e = {0};
    enum status st = ST_OK;
    enum store_kind kind = store_column_kind(t, c);
    for (uint64_t at = 0, rows = store_rows(s, t); at < rows && at < 10000 && st == ST_OK; at += CHUNK) {
        uint64_t n = rows - at < CHUNK ? rows - at : CHUNK;
        if (kind == KIND_I64)
            st = store_read_i64(s, t, c, at, n, wide, &e);
        else if (kind == KIND_F64)
            st = store_read_f64(s, t, c, at, n, numbers, &e);
        else
            st = store_read_i32(s, t, c, at, n, narrow, &e);
        for (uint64_t i = 0; i < n && st == ST_OK && kind == KIND_TEXT; i++)
            if (narrow[i] >= 0 && !store_text(s, t, c, narrow[i]))
                abort();
        for (uint64_t i = 0; i < n && st == ST_OK && c == COL_PERSON; i++)
            if ((uint32_t)narrow[i] >= store_persons(s)->n)
                abort();
    }
}

static void read_tables(const struct store *s)
{
    for (int t = 0; t < STORE_N_TABLES; t++) {
        const struct store_run *runs;
        uint32_t n;
        struct err e = {0};
        for (int c = 0; c < STORE_N_COLUMNS; c++)
            if (store_column_kind((enum store_table)t, (enum store_column)c) != KIND_ABSENT)
                read_column(s, (enum store_table)t, (enum store_column)c);
        store_runs(s, (enum store_table)t, &runs, &n);
        for (uint32_t i = 0; i < n && i < 20; i++) {
            uint64_t row;
            if (store_run_seek(s, (enum store_table)t, &runs[i], 25, &row, &e) == ST_OK &&
                (row < runs[i].first || row > runs[i].first + runs[i].n))
                abort();
        }
    }
}

static size_t use_text(const char *s)
{
    return strlen(s);
}

static void read_rest(const struct store *s)
{
    struct store_concept concept;
    struct store_place place;
    struct store_care_site site;
    const int32_t *ids;
    uint32_t n;
    size_t used = 0;
    for (int32_t id = 0; id < 110; id++) {
        store_concept_find(s, id, &concept);
        used += use_text(concept.name) + use_text(concept.code) + use_text(concept.domain);
        store_descendants(s, id, &ids, &n);
        for (uint32_t i = 0; i < n; i++)
            used += (size_t)ids[i];
        store_mapped_from(s, id, &ids, &n);
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (store_place(s, i, &place))
            used += use_text(place.state) + use_text(place.source_value);
        if (store_care_site(s, i, &site))
            used += use_text(site.name);
    }
    const struct store_periods *p = store_periods(s);
    for (uint32_t i = 0; i < store_persons(s)->n; i++)
        for (uint32_t k = p->offset[i]; k < p->offset[i + 1]; k++)
            used += (size_t)(p->start[k] ^ p->end[k]);
    if (used == SIZE_MAX)
        abort();
}

/* The last 32 bytes: where the table is, how many entries, its checksum (docs/formats/store.md). */
static void seal_table(struct buf *b)
{
    uint64_t at, hash;
    if (b->n < 96)
        return;
    memcpy(&at, b->p + b->n - 32, 8);
    if (at > b->n - 32)
        return;
    hash = XXH3_64bits(b->p + at, b->n - 32 - at);
    memcpy(b->p + b->n - 16, &hash, 8);
}

static void overwrite(const char *path, struct slice bytes)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct store *s;
    struct err e = {0};
    struct buf changed;
    if (!n_files)
        make_store();
    if (n < 4)
        return 0;
    const struct file *f = &files[bytes[0] % n_files];
    buf_init(&changed, 1 << 24);
    buf_add(&changed, f->bytes.p, f->bytes.n);
    for (size_t i = 1; i + 4 <= n; i += 4) {
        uint32_t at = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        changed.p[at % changed.n] = (char)bytes[i + 3];
    }
    seal_table(&changed);
    overwrite(f->path, buf_slice(&changed));
    if (store_open(store_path, &s, &e) == ST_OK) {
        read_tables(s);
        read_rest(s);
        store_close(s);
    }
    overwrite(f->path, buf_slice(&f->bytes));
    buf_deinit(&changed);
    return 0;
}
