/* SPDX-License-Identifier: Apache-2.0 */
#include "store/arrays.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"

enum { ALIGNMENT = 64, BUFFER_BYTES = 1 << 18 };

static const char magic[8] = {'A', 'C', 'C', 'S', 'T', 'O', 'R', '1'};

struct entry {
    char name[32];
    uint64_t element_bytes, count, offset, hash;
};

struct trailer {
    uint64_t table_offset, n, table_hash;
    char magic[8];
};

struct arrays_writer {
    char *path;
    FILE *file;
    uint64_t at;
    struct entry *entries;
    size_t n, capacity;
    XXH3_state_t *hash;
    int failed; /* errno of the first failure */
};

static void put(struct arrays_writer *w, const void *bytes, size_t n)
{
    if (!w->failed && n && fwrite(bytes, 1, n, w->file) != n)
        w->failed = errno ? errno : EIO;
    w->at += n;
}

static void pad(struct arrays_writer *w)
{
    static const char zeros[ALIGNMENT];
    put(w, zeros, (size_t)(-w->at % ALIGNMENT));
}

enum status arrays_create(const char *path, struct arrays_writer **out, struct err *e)
{
    *out = NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "cannot create", path);
    struct arrays_writer *w = xcalloc(1, sizeof *w);
    w->path = xstrdup(path);
    w->file = fdopen(fd, "wb");
    w->hash = XXH3_createState();
    if (!w->file || !w->hash) {
        close(fd);
        free(w->path);
        free(w);
        return err_set(e, ST_NO_MEMORY, "no memory to write the store");
    }
    setvbuf(w->file, NULL, _IOFBF, BUFFER_BYTES);
    put(w, magic, sizeof magic);
    *out = w;
    return ST_OK;
}

void arrays_begin(struct arrays_writer *w, const char *name, size_t element_bytes)
{
    pad(w);
    GROW(w->entries, w->n + 1, w->capacity);
    struct entry *entry = &w->entries[w->n++];
    *entry = (struct entry){.element_bytes = element_bytes, .offset = w->at};
    strncpy(entry->name, name, sizeof entry->name - 1);
    XXH3_64bits_reset(w->hash);
}

void arrays_append(struct arrays_writer *w, const void *bytes, size_t n)
{
    if (!n)
        return;
    XXH3_64bits_update(w->hash, bytes, n);
    put(w, bytes, n);
}

void arrays_end(struct arrays_writer *w)
{
    struct entry *entry = &w->entries[w->n - 1];
    entry->count = (w->at - entry->offset) / entry->element_bytes;
    entry->hash = XXH3_64bits_digest(w->hash);
}

void arrays_add(struct arrays_writer *w, const char *name, size_t element_bytes, const void *elements,
                size_t count)
{
    arrays_begin(w, name, element_bytes);
    arrays_append(w, elements, count * element_bytes);
    arrays_end(w);
}

static void writer_free(struct arrays_writer *w)
{
    XXH3_freeState(w->hash);
    free(w->entries);
    free(w->path);
    free(w);
}

enum status arrays_commit(struct arrays_writer *w, struct err *e)
{
    pad(w);
    size_t bytes = w->n * sizeof *w->entries;
    struct trailer t = {w->at, w->n, XXH3_64bits(w->entries ? (const void *)w->entries : "", bytes), {0}};
    memcpy(t.magic, magic, sizeof magic);
    put(w, w->entries, bytes);
    put(w, &t, sizeof t);
    if (!w->failed && (fflush(w->file) != 0 || fsync(fileno(w->file)) != 0))
        w->failed = errno;
    if (fclose(w->file) != 0 && !w->failed)
        w->failed = errno;
    enum status st = w->failed ? err_errno(e, w->failed, "cannot write", w->path) : ST_OK;
    writer_free(w);
    return st;
}

void arrays_abandon(struct arrays_writer *w)
{
    if (!w)
        return;
    fclose(w->file);
    writer_free(w);
}

static enum status damaged(const struct arrays *a, const char *what, struct err *e)
{
    return err_set(e, ST_CORRUPT, "the store is damaged: %s: %s; import again", a->name, what);
}

static bool table_fits(const struct arrays *a, const struct trailer *t)
{
    uint64_t room = a->map.n - sizeof *t;
    if (memcmp(t->magic, magic, sizeof magic) != 0 || memcmp(a->map.p, magic, sizeof magic) != 0)
        return false;
    if (t->table_offset > room || t->table_offset % ALIGNMENT ||
        (room - t->table_offset) % sizeof(struct entry))
        return false;
    return t->n == (room - t->table_offset) / sizeof(struct entry);
}

static struct entry entry_at(const struct arrays *a, size_t i)
{
    struct entry entry;
    memcpy(&entry, a->table + i * sizeof entry, sizeof entry);
    return entry;
}

/* Arrays lie behind one another, aligned, before the table. */
static bool entries_fit(const struct arrays *a, uint64_t table_offset)
{
    uint64_t at = sizeof magic;
    for (size_t i = 0; i < a->n; i++) {
        struct entry entry = entry_at(a, i);
        uint64_t bytes;
        at = (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (entry.offset != at || entry.name[sizeof entry.name - 1] || entry.element_bytes == 0 ||
            __builtin_mul_overflow(entry.element_bytes, entry.count, &bytes) || bytes > table_offset ||
            at > table_offset - bytes)
            return false;
        at += bytes;
    }
    return (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT == table_offset;
}

static bool find_table(struct arrays *a)
{
    struct trailer t;
    if (a->map.n < ALIGNMENT + sizeof t)
        return false;
    memcpy(&t, a->map.p + a->map.n - sizeof t, sizeof t);
    if (!table_fits(a, &t))
        return false;
    a->table = a->map.p + t.table_offset;
    a->n = t.n;
    return XXH3_64bits(a->table, a->n * sizeof(struct entry)) == t.table_hash &&
           entries_fit(a, t.table_offset);
}

/* What is looked at here lies at both ends of a file; what is read later lies together. */
enum status arrays_open(const char *path, struct arrays *out, struct err *e)
{
    const char *slash = strrchr(path, '/');
    *out = (struct arrays){0};
    enum status st = file_map_open(path, &out->map, e);
    if (st != ST_OK)
        return st;
    out->name = xstrdup(slash ? slash + 1 : path);
    file_map_advise(&out->map, FILE_HERE_AND_THERE);
    bool fine = find_table(out);
    file_map_advise(&out->map, FILE_IN_ORDER);
    if (fine)
        return ST_OK;
    st = damaged(out, "its table of contents is not valid", e);
    arrays_close(out);
    return st;
}

void arrays_close(struct arrays *a)
{
    file_map_close(&a->map);
    free(a->name);
    *a = (struct arrays){0};
}

void arrays_fetch(const struct arrays *a, const char *name)
{
    if (!name)
        file_map_fetch(&a->map, 0, a->map.n);
    for (size_t i = 0; name && i < a->n; i++) {
        struct entry entry = entry_at(a, i);
        if (strcmp(entry.name, name) == 0)
            file_map_fetch(&a->map, entry.offset, entry.element_bytes * entry.count);
    }
}

const void *arrays_get(const struct arrays *a, const char *name, size_t element_bytes, uint64_t *count)
{
    *count = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct entry entry = entry_at(a, i);
        if (strcmp(entry.name, name) == 0 && entry.element_bytes == element_bytes) {
            *count = entry.count;
            return a->map.p + entry.offset;
        }
    }
    return NULL;
}

enum status arrays_need(const struct arrays *a, const char *name, size_t element_bytes, uint64_t count,
                        const void **out, struct err *e)
{
    uint64_t found;
    *out = arrays_get(a, name, element_bytes, &found);
    if (*out && found == count)
        return ST_OK;
    return err_set(e, ST_CORRUPT,
                   "the store is damaged: %s: the array %s is not as it should be; import again", a->name,
                   name);
}
