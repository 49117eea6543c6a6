/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/reader.h"
#include "store/version.h"

enum { MANIFEST_BYTES = 64 << 20, FORMAT_VERSION = 1 };

enum status store_damaged(const char *file, const char *what, struct err *e)
{
    return err_set(e, ST_CORRUPT, "the store is damaged: %s: %s; import again", file, what);
}

const char *text_in(const char *bytes, uint64_t n_bytes, uint64_t at)
{
    return at < n_bytes && memchr(bytes + at, '\0', (size_t)(n_bytes - at)) ? bytes + at : "";
}

bool store_lists_file(const struct store *s, const char *file)
{
    const struct js *files = js_get(s->manifest, "files");
    for (size_t i = 0; i < js_size(files); i++) {
        const char *name = js_get_str(js_at(files, i), "name");
        if (name && strcmp(name, file) == 0)
            return true;
    }
    return false;
}

enum status store_open_arrays(const struct store *s, const char *file, struct arrays *out, struct err *e)
{
    char *path = xasprintf("%s/%s", s->folder, file);
    enum status st = arrays_open(path, out, e);
    free(path);
    return st == ST_NOT_FOUND ? store_damaged(file, "the file is not there", e) : st;
}

/* Every file is looked at where it begins and where it ends: all of that is asked for at once, so that a disk
   answers together what would else be waited for one after the other. */
static void fetch_ends(const struct store *s)
{
    enum { PAGE = 4096 };
    const struct js *files = js_get(s->manifest, "files");
    for (size_t i = 0; i < js_size(files); i++) {
        const char *name = js_get_str(js_at(files, i), "name");
        int64_t size = js_get_int(js_at(files, i), "bytes", 0);
        if (!name || strchr(name, '/') || size <= 0)
            continue;
        char *path = xasprintf("%s/%s", s->folder, name);
        file_fetch_ends(path, (uint64_t)size, PAGE);
        free(path);
    }
}

static enum status check_manifest(struct store *s, const struct buf *text, struct err *e)
{
    sha256_hex(buf_slice(text), s->snapshot);
    if (js_parse(buf_slice(text), "manifest.json", &s->manifest, e) != ST_OK)
        return store_damaged("manifest.json", "it is not valid JSON", e);
    const char *format = js_get_str(s->manifest, "format");
    if (!format || strcmp(format, "accord-store") != 0)
        return store_damaged("manifest.json", "it is not that of a store", e);
    if (js_get_int(s->manifest, "version", 0) != FORMAT_VERSION)
        return err_set(e, ST_UNSUPPORTED,
                       "the store has format version %lld, this program reads version %d; import again",
                       (long long)js_get_int(s->manifest, "version", 0), FORMAT_VERSION);
    return ST_OK;
}

enum status store_open(const char *path, struct store **out, struct err *e)
{
    struct store *s = xcalloc(1, sizeof *s);
    struct buf text;
    buf_init(&text, MANIFEST_BYTES);
    *out = NULL;
    enum status st = version_open(path, &s->folder, &text, &s->lock_fd, e);
    if (st == ST_OK)
        st = check_manifest(s, &text, e);
    buf_deinit(&text);
    if (st == ST_OK)
        fetch_ends(s);
    if (st == ST_OK)
        st = people_open(s, e);
    if (st == ST_OK)
        st = vocabulary_open(s, e);
    for (int t = 0; st == ST_OK && t < STORE_N_TABLES; t++)
        st = events_open(s, (enum store_table)t, e);
    if (st == ST_OK)
        *out = s;
    else
        store_close(s);
    return st;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (int t = 0; t < STORE_N_TABLES; t++)
        events_close(&s->tables[t]);
    arrays_close(&s->vocabulary.file);
    arrays_close(&s->places.file);
    arrays_close(&s->persons_file);
    arrays_close(&s->periods_file);
    free(s->made_only);
    js_free(s->manifest);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->folder);
    free(s);
}

const struct js *store_manifest(const struct store *s)
{
    return s->manifest;
}

const char *store_snapshot_id(const struct store *s)
{
    return s->snapshot;
}

enum status store_quality(const struct store *s, struct js **out, struct err *e)
{
    char *path = xasprintf("%s/quality.json", s->folder);
    enum status st = js_load(path, out, e);
    free(path);
    return st == ST_OK ? ST_OK : store_damaged("quality.json", "it cannot be read", e);
}

static enum status verify_file(const struct store *s, const struct js *entry, struct err *e)
{
    const char *name = js_get_str(entry, "name"), *hash = js_get_str(entry, "xxh3");
    char found[17];
    struct file_map map;
    if (!name || !hash || strchr(name, '/'))
        return store_damaged("manifest.json", "its list of files is not valid", e);
    char *path = xasprintf("%s/%s", s->folder, name);
    enum status st = file_map_open(path, &map, e);
    free(path);
    if (st != ST_OK)
        return store_damaged(name, "the file cannot be read", e);
    snprintf(found, sizeof found, "%016llx", (unsigned long long)XXH3_64bits(map.p, map.n));
    if ((int64_t)map.n != js_get_int(entry, "bytes", -1) || strcmp(found, hash) != 0)
        st = store_damaged(name, "it is not what was written", e);
    file_map_close(&map);
    return st;
}

static bool same_statistics(const struct store_run *a, const struct store_run *b)
{
    return a->persons == b->persons && a->first_day == b->first_day && a->last_day == b->last_day;
}

static enum status verify_statistics(const struct store *s, enum store_table t, struct pool *pool,
                                     struct err *e)
{
    const struct store_run *runs;
    uint32_t n;
    store_runs(s, t, &runs, &n);
    struct store_run *found = xcalloc((size_t)n + 1, sizeof *found);
    enum status st = store_recount(s, t, pool, found, e);
    for (uint32_t i = 0; st == ST_OK && i < n; i++)
        if (!same_statistics(&runs[i], &found[i]))
            st = store_damaged(s->tables[t].runs_file.name, "its statistics are not those of the rows", e);
    free(found);
    return st;
}

static enum status verify_only(const struct store *s, struct err *e)
{
    uint32_t *only = periods_only(&s->periods, s->persons.n);
    bool same = s->persons.n == 0 || memcmp(only, s->periods.only, s->persons.n * sizeof *only) == 0;
    free(only);
    return same ? ST_OK : store_damaged("periods.acc", "'only' is not what the periods say", e);
}

struct verification {
    const struct store *store;
    const struct js *files;
};

static enum status verify_one(void *context, size_t i, struct err *e)
{
    const struct verification *v = context;
    return verify_file(v->store, js_at(v->files, i), e);
}

/* The manifest itself was checked when the store was opened: the version is named for its hash. */
enum status store_verify(const struct store *s, struct pool *pool, struct err *e)
{
    struct verification v = {s, js_get(s->manifest, "files")};
    enum status st = pool_run(pool, js_size(v.files), verify_one, &v, e);
    if (st == ST_OK)
        st = verify_only(s, e);
    for (int t = 0; st == ST_OK && t < STORE_N_TABLES; t++)
        st = verify_statistics(s, (enum store_table)t, pool, e);
    return st;
}
