/* SPDX-License-Identifier: Apache-2.0 */
#include "store/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/importing.h"
#include "store/version.h"

enum { MOST_CHUNKS = 64, MANIFEST_BYTES = 64 << 20, SCRATCH_SHARE = 4, HASHED_BYTES = 1 << 20 };

void import_remark(struct import *im, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    js_push(im->remarks, js_string(text));
}

struct js *import_table_notes(struct import *im, const char *table)
{
    /* The tree is ours: only the getter promises not to change it. */
    return (struct js *)(uintptr_t)js_get(im->tables, table);
}

char *import_path(const struct import *im, const char *file)
{
    return xasprintf("%s/%s", im->folder, file);
}

/* Columns that the source has and OMOP does not, and columns that the store could use and the source lacks.
 */
static void note_columns(struct import *im, const struct table_scan *scan, const char *table)
{
    struct js *notes = js_object(), *ignored = js_array(), *absent = js_array();
    for (size_t i = 0; i < scan->n_unknown; i++)
        if (!schema_known_column(scan->unknown[i]))
            js_push(ignored, js_string(scan->unknown[i]));
    for (size_t i = 0; i < scan->n_columns; i++)
        if (scan->positions[i] < 0)
            js_push(absent, js_string(scan->columns[i].name));
    js_put_str(notes, "file", scan->name);
    js_put(notes, "ignored_columns", ignored);
    js_put(notes, "absent_columns", absent);
    js_put(im->tables, table, notes);
}

static void note_faults(struct import *im, const struct table_scan *scan, const char *table, uint64_t rows,
                        const struct table_faults *faults)
{
    struct js *notes = import_table_notes(im, table), *examples = js_array();
    js_put_int(notes, "rows", (int64_t)rows);
    js_put_int(notes, "rejected", (int64_t)faults->n);
    for (size_t i = 0; i < faults->n && i < FAULTS_KEPT; i++) {
        struct err e = {0};
        table_fault_format(scan, &faults->first[i], &e);
        js_push(examples, js_string(e.text));
    }
    js_put(notes, "rejected_first", examples);
}

static void show_progress(struct import *im, const struct table_scan *scan)
{
    uint64_t done, total;
    scan->ops->progress(scan, &done, &total);
    progress_add(&im->progress, (done >> 20) - im->progress.done);
}

static enum status read_steps(struct import *im, struct table_scan *scan, const char *table, import_step take,
                              void *context, struct err *e)
{
    struct table_chunk *chunks[MOST_CHUNKS];
    struct table_faults faults = {0};
    uint64_t rows = 0, unused, total;
    size_t n = 0;
    enum status st;
    scan->ops->progress(scan, &unused, &total);
    progress_start(&im->progress, table, "MB", (total >> 20) + 1);
    while ((st = scan->ops->next(scan, im->o->pool, chunks, &n, e)) == ST_OK && n) {
        for (size_t i = 0; st == ST_OK && i < n; i++) {
            rows += chunks[i]->n + chunks[i]->faults.n;
            st = table_faults_take(scan, chunks[i], &faults, e);
        }
        if (st == ST_OK)
            st = take(im, scan, chunks, n, context, e);
        for (size_t i = 0; st == ST_OK && i < n; i++)
            st = table_faults_take(scan, chunks[i], &faults, e);
        if (st == ST_OK && interrupted())
            st = interrupted_err(e);
        if (st != ST_OK)
            break;
        show_progress(im, scan);
    }
    progress_end(&im->progress);
    if (st == ST_OK)
        note_faults(im, scan, table, rows, &faults);
    return st;
}

enum status import_read_steps(struct import *im, const struct import_table *t, import_step take,
                              void *context, bool *found, struct err *e)
{
    struct table_scan *scan;
    struct table_source *source = im->o->source;
    enum status st = source->open(source, t->name, t->columns, t->n_columns, im->o->skip_faults, &scan, e);
    *found = st == ST_OK;
    if (st == ST_NOT_FOUND && !t->required) {
        import_remark(im, "%s: there is no such table in the source", t->name);
        return ST_OK;
    }
    if (st == ST_NOT_FOUND)
        return err_wrap(e, "the table %s is needed", t->name);
    if (st != ST_OK)
        return st;
    note_columns(im, scan, t->name);
    st = read_steps(im, scan, t->name, take, context, e);
    scan->ops->close(scan);
    return st;
}

struct one_by_one {
    import_chunk take;
    void *context;
};

static enum status take_chunks(struct import *im, struct table_scan *scan, struct table_chunk **chunks,
                               size_t n, void *context, struct err *e)
{
    const struct one_by_one *o = context;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = o->take(im, scan, chunks[i], o->context, e);
    return st;
}

enum status import_read(struct import *im, const struct import_table *t, import_chunk take, void *context,
                        bool *found, struct err *e)
{
    struct one_by_one o = {take, context};
    return import_read_steps(im, t, take_chunks, &o, found, e);
}

static enum status import_all_events(struct import *im, struct err *e)
{
    /* Visits first: the others refer to them. */
    enum status st = import_events(im, STORE_VISIT, e);
    for (int t = 0; st == ST_OK && t < STORE_N_TABLES; t++)
        if (t != STORE_VISIT)
            st = import_events(im, (enum store_table)t, e);
    return st;
}

/* Read and not mapped: a map's pages would be resident, all of them. */
static enum status hash_file(const char *path, uint64_t *size, uint64_t *hash, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "cannot open", path);
    uint8_t *block = xmalloc(HASHED_BYTES);
    XXH3_state_t *state = XXH3_createState();
    enum status st = state ? ST_OK : err_set(e, ST_NO_MEMORY, "no memory to hash the store");
    ssize_t n = 0;
    if (st == ST_OK)
        XXH3_64bits_reset(state);
    while (st == ST_OK && (n = read(fd, block, HASHED_BYTES)) > 0) {
        XXH3_64bits_update(state, block, (size_t)n);
        *size += (uint64_t)n;
    }
    if (n < 0)
        st = err_errno(e, errno, "cannot read", path);
    if (st == ST_OK)
        *hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(block);
    close(fd);
    return st;
}

static enum status list_files(struct import *im, struct js *manifest, struct err *e)
{
    char **names;
    size_t n;
    uint64_t bytes = 0;
    struct js *files = js_array();
    enum status st = dir_list(im->folder, &names, &n, e);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        uint64_t size = 0, hash = 0;
        char *path = import_path(im, names[i]), text[17];
        st = hash_file(path, &size, &hash, e);
        free(path);
        if (st != ST_OK)
            break;
        snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
        struct js *file = js_object();
        js_put_str(file, "name", names[i]);
        js_put_int(file, "bytes", (int64_t)size);
        js_put_str(file, "xxh3", text);
        js_push(files, file);
        bytes += size;
    }
    dir_list_free(names, n);
    js_put(manifest, "files", files);
    js_put_int(manifest, "bytes", (int64_t)bytes);
    return st;
}

static struct js *source_of(const struct import *im)
{
    struct js *source = js_object();
    js_put_str(source, "kind", im->o->source->kind);
    js_put_str(source, "name", im->o->source_name ? im->o->source_name : "");
    return source;
}

static struct js *opt_outs_of(const struct import *im)
{
    struct js *o = js_object();
    char checked[21] = "";
    if (im->o->opt_outs_checked_ms)
        time_format(im->o->opt_outs_checked_ms, checked);
    js_put(o, "checked", im->o->opt_outs_checked_ms ? js_string(checked) : js_null());
    js_put_int(o, "listed", (int64_t)im->o->n_opt_outs);
    js_put_int(o, "rows_left_out", (int64_t)im->n_opted_out);
    return o;
}

static enum status make_manifest(struct import *im, struct js **out, struct err *e)
{
    struct js *m = js_object();
    char now[21], key[2 * BOX_PUBLIC_BYTES + 1];
    time_format(time_now_ms(), now);
    hex_encode(im->key->box_public, BOX_PUBLIC_BYTES, key);
    js_put_str(m, "format", "accord-store");
    js_put_int(m, "version", 1);
    js_put_str(m, "program", ACCORD_VERSION);
    js_put_str(m, "created", now);
    js_put_str(m, "sealed_to", key);
    js_put(m, "source", source_of(im));
    js_put(m, "opt_outs", opt_outs_of(im));
    js_put_int(m, "persons", im->n_persons);
    js_put_int(m, "persons_without_row", im->n_without_person);
    js_put_int(m, "events", (int64_t)im->n_events);
    js_put(m, "tables", js_share(im->tables));
    js_put(m, "remarks", js_share(im->remarks));
    *out = m;
    return list_files(im, m, e);
}

static enum status write_quality(struct import *im, struct err *e)
{
    struct js *report = js_object();
    struct buf text;
    buf_init(&text, MANIFEST_BYTES);
    js_put_str(report, "format", "accord-quality");
    js_put_int(report, "version", 1);
    js_put(report, "checks", js_share(im->checks));
    js_format(report, JS_PRETTY, &text);
    char *path = import_path(im, "quality.json");
    enum status st = file_replace(path, buf_slice(&text), 0600, e);
    free(path);
    buf_deinit(&text);
    js_free(report);
    return st;
}

static char *key_path(const struct import *im)
{
    if (im->o->key)
        return xstrdup(im->o->key);
    size_t n = strlen(im->o->store);
    while (n > 1 && im->o->store[n - 1] == '/')
        n--;
    return xasprintf("%.*s.key", (int)n, im->o->store);
}

/* A new key is saved with the new version only, so that an import that fails leaves none. */
static enum status load_key(struct import *im, struct err *e)
{
    char *path = key_path(im);
    enum status st = ST_OK;
    im->key_is_new = !file_exists(path);
    if (im->key_is_new)
        im->key = identity_new();
    else
        st = identity_load(path, &im->key, e);
    free(path);
    return st;
}

static enum status save_key(struct import *im, struct err *e)
{
    char *path = key_path(im);
    enum status st = im->key_is_new ? identity_save(im->key, path, e) : ST_OK;
    free(path);
    return st;
}

static enum status import_into(struct import *im, struct version_new *v, struct js **report, struct err *e)
{
    struct js *manifest = NULL;
    struct buf text;
    im->folder = version_folder(v);
    im->scratch = scratch_new(im->folder, im->o->memory_bytes / SCRATCH_SHARE);
    buf_init(&text, MANIFEST_BYTES);
    enum status st = import_vocabulary(im, e);
    if (st == ST_OK)
        st = import_places(im, e);
    if (st == ST_OK)
        st = import_people(im, e);
    if (st == ST_OK)
        st = import_all_events(im, e);
    if (st == ST_OK)
        st = write_quality(im, e);
    if (st == ST_OK)
        st = make_manifest(im, &manifest, e);
    if (st == ST_OK) {
        js_format(manifest, JS_PRETTY, &text);
        st = buf_check(&text, "the manifest", e);
    }
    if (st == ST_OK)
        st = save_key(im, e);
    if (st == ST_OK)
        st = version_commit(v, buf_slice(&text), e);
    else
        version_abandon(v);
    buf_deinit(&text);
    if (st == ST_OK)
        *report = manifest;
    else
        js_free(manifest);
    return st;
}

static void import_deinit(struct import *im)
{
    struct lookup *lookups[] = {&im->providers, &im->care_sites};
    for (size_t i = 0; i < 2; i++) {
        idmap_deinit(&lookups[i]->map);
        free(lookups[i]->ids);
        free(lookups[i]->concept);
    }
    idmap_deinit(&im->locations);
    free(im->location_ids);
    idmap_deinit(&im->opted_out);
    idmap_deinit(&im->persons);
    ranks_deinit(&im->ranks);
    js_free(im->tables);
    js_free(im->remarks);
    js_free(im->checks);
    identity_free(im->key);
    spare_free(im->spare);
    scratch_free(im->scratch);
}

enum status store_import(const struct import_options *options, struct js **report, struct err *e)
{
    struct import_options o = *options;
    struct import im = {
        .o = &o, .tables = js_object(), .remarks = js_array(), .checks = js_array(), .spare = spare_new()};
    struct version_new *v = NULL;
    *report = NULL;
    o.memory_bytes = o.memory_bytes ? o.memory_bytes : (uint64_t)2 << 30;
    idmap_init(&im.opted_out, o.opt_outs, o.n_opt_outs);
    enum status st = load_key(&im, e);
    if (st == ST_OK)
        st = version_begin(o.store, &v, e);
    if (st == ST_OK)
        st = import_into(&im, v, report, e);
    import_deinit(&im);
    return st;
}
