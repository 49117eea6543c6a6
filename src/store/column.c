/* SPDX-License-Identifier: Apache-2.0 */
#include "store/column.h"

#include <stdio.h>
#include <string.h>

static enum status open_packed(const struct arrays *file, const char *name, uint64_t rows, struct packed *out,
                               struct err *e)
{
    char full[32];
    const void *p;
    uint64_t blocks = block_count(rows);
    out->rows = rows;
    out->blocks = arrays_get(file, name, 1, &out->bytes);
    snprintf(full, sizeof full, "%s.super", name);
    enum status st = arrays_need(file, full, 8, (blocks + COLUMN_SUPER - 1) / COLUMN_SUPER, &p, e);
    out->super = p;
    snprintf(full, sizeof full, "%s.offset", name);
    if (st == ST_OK)
        st = arrays_need(file, full, 2, blocks, &p, e);
    out->offset = p;
    if (st == ST_OK && !out->blocks)
        st = arrays_need(file, name, 1, 0, &p, e);
    return st;
}

bool packed_block(const struct packed *p, uint64_t b, const uint8_t **bytes, size_t *n)
{
    uint64_t at = p->super[b / COLUMN_SUPER];
    if (at > p->bytes)
        return false;
    at += 8 * (uint64_t)p->offset[b];
    if (at >= p->bytes || at % 8)
        return false;
    *bytes = p->blocks + at;
    *n = (size_t)(p->bytes - at);
    return true;
}

bool packed_value(const struct packed *p, uint64_t row, int64_t *out)
{
    const uint8_t *bytes;
    size_t n;
    return row < p->rows && packed_block(p, row / BLOCK_ROWS, &bytes, &n) &&
           block_value(bytes, n, (unsigned)(row % BLOCK_ROWS), out);
}

/* Texts begin in order and each ends with a NUL before the next begins. */
static enum status check_texts(struct column *c, uint64_t bytes, struct err *e)
{
    bool fine = c->n_texts <= INT32_MAX;
    for (uint64_t i = 0; fine && i < c->n_texts; i++) {
        uint64_t end = i + 1 < c->n_texts ? c->text_at[i + 1] : bytes;
        fine = c->text_at[i] < end && end <= bytes && c->text[end - 1] == '\0';
    }
    return fine ? ST_OK
                : err_set(e, ST_CORRUPT, "the store is damaged: %s: its texts are not valid; import again",
                          c->file.name);
}

static enum status open_beside(struct column *c, uint64_t persons, struct err *e)
{
    const void *p;
    uint64_t bytes;
    enum status st = ST_OK;
    c->distinct = arrays_get(&c->file, "distinct", 8, &c->n_distinct);
    if (c->n_distinct > COLUMN_MOST_DISTINCT)
        return err_set(e, ST_CORRUPT, "the store is damaged: %s: too many distinct values; import again",
                       c->file.name);
    if (c->meta.coding == CODING_PERSON) {
        st = arrays_need(&c->file, "first", 4, block_count(c->meta.rows), &p, e);
        c->first = p;
    } else if (c->meta.coding == CODING_ID) {
        st = open_packed(&c->file, "base", persons, &c->base, e);
    } else if (c->meta.coding == CODING_TEXT) {
        c->text = arrays_get(&c->file, "text", 1, &bytes);
        c->text_at = arrays_get(&c->file, "text.at", 8, &c->n_texts);
        if (!c->text || !c->text_at)
            c->n_texts = 0;
        st = check_texts(c, bytes, e);
    }
    return st;
}

enum status column_open(const char *path, enum store_kind kind, uint64_t rows, uint64_t persons,
                        struct column *out, struct err *e)
{
    const void *meta;
    *out = (struct column){0};
    enum status st = arrays_open(path, &out->file, e);
    if (st != ST_OK)
        return st;
    st = arrays_need(&out->file, "meta", sizeof out->meta, 1, &meta, e);
    if (st == ST_OK) {
        memcpy(&out->meta, meta, sizeof out->meta);
        if (out->meta.kind != (uint32_t)kind || out->meta.rows != rows || out->meta.coding > CODING_CONSTANT)
            st = err_set(e, ST_CORRUPT, "the store is damaged: %s does not fit the other files; import again",
                         out->file.name);
    }
    if (st == ST_OK && out->meta.coding != CODING_CONSTANT)
        st = open_packed(&out->file, "blocks", rows, &out->packed, e);
    if (st == ST_OK)
        st = open_beside(out, persons, e);
    if (st != ST_OK)
        column_close(out);
    return st;
}

void column_close(struct column *c)
{
    arrays_close(&c->file);
    *c = (struct column){0};
}
