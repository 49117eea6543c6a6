/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"

enum { MAGIC_BYTES = 8, HEAD_BYTES = MAGIC_BYTES + 8, ROW_BYTES = 12, NAME_BYTES = 64 };
static const char magic[MAGIC_BYTES + 1] = "ACCROWS1";
static const char suffix[] = ".rows";

void saved_cohort_deinit(struct saved_cohort *c)
{
    free(c->name);
    *c = (struct saved_cohort){0};
}

static enum status check_name(const char *name, struct err *e)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(name);
    if (n >= 1 && n <= NAME_BYTES && name[0] != '.' && strspn(name, allowed) == n)
        return ST_OK;
    return err_set(e, ST_INVALID,
                   "'%.64s' cannot be the name of a saved cohort: expected 1 to 64 letters, digits, points, "
                   "dashes and underscores, not beginning with a point",
                   name);
}

static char *path_of(const char *store_path, const char *name)
{
    return xasprintf("%s/cohorts/%s%s", store_path, name, suffix);
}

/* --- writing --- */

static void definition_hash(const struct cohort_definition *d, char out[65])
{
    struct buf text;
    buf_init(&text, (size_t)64 << 20);
    cohort_format_text(d, &text);
    sha256_hex((struct slice){text.p, text.n}, out);
    buf_deinit(&text);
}

static void put_header(const struct saved_cohort *c, struct buf *out)
{
    struct js *o = js_object();
    struct buf text;
    buf_init(&text, 4096);
    js_put_str(o, "definition", c->definition);
    js_put_int(o, "persons", (int64_t)c->persons);
    js_put_int(o, "rows", (int64_t)c->rows);
    js_put_str(o, "snapshot", c->snapshot);
    js_format(o, JS_COMPACT, &text);
    while (text.n % 8)
        buf_adds(&text, " ");
    uint64_t n = text.n;
    buf_add(out, magic, MAGIC_BYTES);
    buf_add(out, &n, sizeof n);
    buf_add(out, text.p, text.n);
    buf_deinit(&text);
    js_free(o);
}

static void put_rows(const struct cohort_rows *r, struct buf *out)
{
    buf_add(out, r->person, r->n * sizeof *r->person);
    buf_add(out, r->start, r->n * sizeof *r->start);
    buf_add(out, r->end, r->n * sizeof *r->end);
}

enum status saved_cohort_write(const char *store_path, const char *name, const struct store *s,
                               const struct cohort_definition *d, const struct cohort_rows *rows,
                               struct saved_cohort *out, struct err *e)
{
    uint8_t hash[HASH_BYTES];
    struct buf bytes;
    *out = (struct saved_cohort){.rows = rows->n, .persons = rows->n_persons};
    enum status st = check_name(name, e);
    if (st != ST_OK)
        return st;
    out->name = xstrdup(name);
    memcpy(out->snapshot, store_snapshot_id(s), sizeof out->snapshot);
    definition_hash(d, out->definition);
    buf_init(&bytes, 4096 + HEAD_BYTES + HASH_BYTES + rows->n * ROW_BYTES);
    put_header(out, &bytes);
    put_rows(rows, &bytes);
    sha256(bytes.p, bytes.n, hash);
    hex_encode(hash, sizeof hash, out->id);
    buf_add(&bytes, hash, sizeof hash);
    st = buf_check(&bytes, "the saved cohort", e);
    char *folder = xasprintf("%s/cohorts", store_path), *path = path_of(store_path, name);
    if (st == ST_OK)
        st = dir_make(folder, e);
    if (st == ST_OK)
        st = file_replace(path, (struct slice){bytes.p, bytes.n}, 0600, e);
    free(folder);
    free(path);
    buf_deinit(&bytes);
    return st;
}

/* --- reading --- */

/* An open file: what it says, and where its rows are. */
struct reading {
    struct file_map map;
    struct saved_cohort about;
    const uint8_t *rows;
};

static enum status damaged(const char *name, struct err *e)
{
    return err_set(e, ST_CORRUPT, "the saved cohort '%s' is damaged; save it again", name);
}

static bool copy_hash(const struct js *o, const char *key, char out[65])
{
    uint8_t hash[HASH_BYTES];
    const char *text = js_get_str(o, key);
    if (!text || !hex_decode(slice_of(text), hash, sizeof hash))
        return false;
    memcpy(out, text, 65);
    return true;
}

static bool read_header(struct reading *r, struct slice text)
{
    struct js *o = NULL;
    bool fine = js_parse(text, "header", &o, NULL) == ST_OK;
    int64_t rows = fine ? js_get_int(o, "rows", -1) : -1, persons = fine ? js_get_int(o, "persons", -1) : -1;
    fine = fine && rows >= 0 && persons >= 0 && persons <= rows &&
           copy_hash(o, "snapshot", r->about.snapshot) && copy_hash(o, "definition", r->about.definition);
    r->about.rows = (uint64_t)rows;
    r->about.persons = (uint64_t)persons;
    js_free(o);
    return fine;
}

static bool read_bytes(struct reading *r)
{
    uint8_t hash[HASH_BYTES];
    uint64_t n, whole = r->map.n;
    if (whole < HEAD_BYTES + HASH_BYTES || memcmp(r->map.p, magic, MAGIC_BYTES) != 0)
        return false;
    memcpy(&n, r->map.p + MAGIC_BYTES, sizeof n);
    uint64_t left = whole - HEAD_BYTES - HASH_BYTES;
    if (n > left || n % 8 || !read_header(r, (struct slice){(const char *)r->map.p + HEAD_BYTES, (size_t)n}))
        return false;
    r->rows = r->map.p + HEAD_BYTES + n;
    sha256(r->map.p, (size_t)(whole - HASH_BYTES), hash);
    hex_encode(hash, sizeof hash, r->about.id);
    return r->about.rows == (left - n) / ROW_BYTES && (left - n) % ROW_BYTES == 0 &&
           memcmp(hash, r->map.p + whole - HASH_BYTES, HASH_BYTES) == 0;
}

static enum status open_saved(const char *store_path, const char *name, struct reading *r, struct err *e)
{
    *r = (struct reading){.rows = NULL};
    enum status st = check_name(name, e);
    if (st != ST_OK)
        return st;
    char *path = path_of(store_path, name);
    st = file_exists(path)
             ? file_map_open(path, &r->map, e)
             : err_set(e, ST_NOT_FOUND,
                       "the store has no saved cohort '%s'; 'accord cohort saved' lists them", name);
    free(path);
    if (st != ST_OK)
        return st;
    r->about.name = xstrdup(name);
    return read_bytes(r) ? ST_OK : damaged(name, e);
}

static void close_saved(struct reading *r)
{
    saved_cohort_deinit(&r->about);
    file_map_close(&r->map);
}

static bool rows_fit(const struct cohort_rows *r, uint32_t n_persons)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->person[i] >= n_persons || (i && r->person[i] < r->person[i - 1]))
            return false;
    return true;
}

static void copy_rows(const struct reading *r, struct cohort_rows *out)
{
    size_t n = (size_t)r->about.rows, bytes = n * 4;
    *out = (struct cohort_rows){.n = n, .n_persons = (uint32_t)r->about.persons, .n_steps = 1};
    out->person = xmalloc(bytes);
    out->start = xmalloc(bytes);
    out->end = xmalloc(bytes);
    memcpy(out->person, r->rows, bytes);
    memcpy(out->start, r->rows + bytes, bytes);
    memcpy(out->end, r->rows + 2 * bytes, bytes);
    out->steps = xcalloc(1, sizeof *out->steps);
    out->steps[0] = (struct cohort_step){xstrdup("cohort"), r->about.persons, r->about.rows};
}

enum status saved_cohort_read(const char *store_path, const char *name, const struct store *s,
                              struct cohort_rows *out, struct err *e)
{
    struct reading r;
    *out = (struct cohort_rows){0};
    enum status st = open_saved(store_path, name, &r, e);
    if (st == ST_OK && strcmp(r.about.snapshot, store_snapshot_id(s)) != 0)
        st = err_set(
            e, ST_CONFLICT,
            "the saved cohort '%s' is of another import than the store holds now; run and save it again",
            name);
    if (st == ST_OK) {
        copy_rows(&r, out);
        st = rows_fit(out, store_persons(s)->n) ? ST_OK : damaged(name, e);
    }
    if (st != ST_OK)
        cohort_rows_deinit(out);
    close_saved(&r);
    return st;
}

/* --- all of them --- */

static bool cut_suffix(char *name)
{
    size_t n = strlen(name), k = strlen(suffix);
    if (n <= k || strcmp(name + n - k, suffix) != 0)
        return false;
    name[n - k] = '\0';
    return true;
}

enum status saved_cohort_list(const char *store_path, struct saved_cohort **out, size_t *n, struct err *e)
{
    char **names = NULL, *folder = xasprintf("%s/cohorts", store_path);
    size_t n_names = 0;
    enum status st = dir_exists(folder) ? dir_list(folder, &names, &n_names, e) : ST_OK;
    *out = xcalloc(n_names + 1, sizeof **out);
    *n = 0;
    for (size_t i = 0; st == ST_OK && i < n_names; i++) {
        struct reading r;
        if (!cut_suffix(names[i]))
            continue;
        st = open_saved(store_path, names[i], &r, e);
        if (st == ST_OK) {
            (*out)[(*n)++] = r.about;
            r.about.name = NULL;
        }
        close_saved(&r);
    }
    dir_list_free(names, n_names);
    free(folder);
    return st;
}

enum status saved_cohort_remove(const char *store_path, const char *name, struct err *e)
{
    enum status st = check_name(name, e);
    if (st != ST_OK)
        return st;
    char *path = path_of(store_path, name);
    if (unlink(path) != 0)
        st = errno == ENOENT ? err_set(e, ST_NOT_FOUND, "the store has no saved cohort '%s'", name)
                             : err_errno(e, errno, "cannot remove", path);
    free(path);
    return st;
}
