/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/column.h"

/* Where the blocks of a stream begin, gathered while they are written. */
struct directory {
    uint64_t *super;
    uint16_t *offset;
    size_t n, n_super, cap_offset, cap_super;
    uint64_t at;
};

struct column_writer {
    struct arrays_writer *file;
    struct column_meta meta;
    struct directory blocks;
};

static void directory_add(struct directory *d, size_t bytes)
{
    if (d->n % COLUMN_SUPER == 0) {
        GROW(d->super, d->n_super + 1, d->cap_super);
        d->super[d->n_super++] = d->at;
    }
    GROW(d->offset, d->n + 1, d->cap_offset);
    d->offset[d->n++] = (uint16_t)((d->at - d->super[d->n_super - 1]) / 8);
    d->at += bytes;
}

static void directory_write(struct directory *d, struct arrays_writer *w, const char *name)
{
    char full[32];
    snprintf(full, sizeof full, "%s.super", name);
    arrays_add(w, full, sizeof *d->super, d->super, d->n_super);
    snprintf(full, sizeof full, "%s.offset", name);
    arrays_add(w, full, sizeof *d->offset, d->offset, d->n);
    free(d->super);
    free(d->offset);
    *d = (struct directory){0};
}

enum status column_create(const char *path, const struct column_meta *meta, struct column_writer **out,
                          struct err *e)
{
    struct arrays_writer *file;
    *out = NULL;
    enum status st = arrays_create(path, &file, e);
    if (st != ST_OK)
        return st;
    struct column_writer *w = xcalloc(1, sizeof *w);
    w->file = file;
    w->meta = *meta;
    arrays_add(file, "meta", sizeof *meta, meta, 1);
    arrays_begin(file, "blocks", 1);
    *out = w;
    return ST_OK;
}

struct arrays_writer *column_file(struct column_writer *w)
{
    return w->file;
}

static void write_block(struct arrays_writer *file, struct directory *d, const int64_t *values, unsigned user)
{
    uint8_t bytes[BLOCK_MOST_BYTES];
    size_t n = block_encode(values, user, bytes);
    directory_add(d, n);
    arrays_append(file, bytes, n);
}

void column_write_block(struct column_writer *w, const int64_t *values, unsigned user)
{
    write_block(w->file, &w->blocks, values, user);
}

void column_write_end(struct column_writer *w)
{
    arrays_end(w->file);
    directory_write(&w->blocks, w->file, "blocks");
}

void column_add_base(struct column_writer *w, const int64_t *values, uint64_t n, struct scratch *s)
{
    struct directory d = {0};
    arrays_begin(w->file, "base", 1);
    for (uint64_t at = 0; at < n; at += BLOCK_ROWS) {
        int64_t block[BLOCK_ROWS];
        for (uint64_t i = 0; i < BLOCK_ROWS; i++)
            block[i] = values[at + i < n ? at + i : n - 1];
        write_block(w->file, &d, block, 0);
        scratch_walked(s, sizeof block);
    }
    arrays_end(w->file);
    directory_write(&d, w->file, "base");
}

enum status column_commit(struct column_writer *w, struct err *e)
{
    enum status st = arrays_commit(w->file, e);
    free(w);
    return st;
}

void column_abandon(struct column_writer *w)
{
    if (!w)
        return;
    arrays_abandon(w->file);
    free(w->blocks.super);
    free(w->blocks.offset);
    free(w);
}
