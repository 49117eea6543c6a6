/* SPDX-License-Identifier: Apache-2.0
 * Foreign bytes as a table of text, plain or compressed: read row by row, and cut into pieces; both see the
 * same rows. */
#include <stdlib.h>

#include "base/csv.h"
#include "base/mem.h"

struct sum {
    uint64_t rows, bytes;
};

static void add_row(struct sum *s, const struct slice *fields, int columns)
{
    s->rows++;
    for (int i = 0; i < columns; i++)
        for (size_t k = 0; k < fields[i].n; k++)
            s->bytes = s->bytes * 31 + (unsigned char)fields[i].p[k];
}

static bool read_rows(struct slice text, struct sum *s)
{
    struct csv *c;
    struct err e = {0};
    const struct slice *fields;
    enum status st = csv_open_memory(text, "fuzz", &c, &e);
    if (st != ST_OK)
        return false;
    while ((st = csv_next(c, &fields, &e)) == ST_OK && fields)
        add_row(s, fields, csv_columns(c));
    csv_close(c);
    return st == ST_OK;
}

static bool scan_piece(const struct csv *c, struct slice piece, struct sum *s)
{
    struct csv_scan *scan = xmalloc(sizeof *scan);
    const struct slice *fields;
    struct err e = {0};
    bool fine;
    csv_scan_init(scan, c, piece);
    while ((fine = csv_scan_next(scan, &fields)) && fields)
        add_row(s, fields, csv_columns(c));
    if (!fine && csv_scan_error(scan, 0, &e) == ST_OK)
        abort();
    csv_scan_deinit(scan);
    free(scan);
    return fine;
}

static bool read_pieces(struct slice text, size_t bytes, struct sum *s)
{
    struct csv *c;
    struct csv_block block = {0};
    struct err e = {0};
    bool fine = true;
    if (csv_open_memory(text, "fuzz", &c, &e) != ST_OK)
        return false;
    while (fine && (fine = csv_take(c, &block, bytes, &e) == ST_OK) && block.n) {
        struct slice pieces[3];
        size_t n = csv_split(c, &block, pieces, 3);
        for (size_t i = 0; fine && i < n; i++)
            fine = scan_piece(c, pieces[i], s);
    }
    csv_block_deinit(&block);
    csv_close(c);
    return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct sum whole = {0}, cut = {0};
    struct slice text = {(const char *)bytes, n};
    if (n > 1 << 16)
        return 0;
    bool fine = read_rows(text, &whole);
    bool same = read_pieces(text, n ? bytes[0] : 1, &cut);
    if (fine && (!same || whole.rows != cut.rows || whole.bytes != cut.bytes))
        abort();
    return 0;
}
