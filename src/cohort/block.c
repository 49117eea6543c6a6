/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/engine.h"

static size_t span(struct block *b, size_t size, size_t *low)
{
    *low = b->sel[0];
    size_t n = (size_t)b->sel[b->n_sel - 1] - *low + 1;
    b->bytes += n * size;
    return n;
}

enum status block_i32(const struct engine *g, struct block *b, enum store_column c, int32_t *out,
                      struct err *e)
{
    size_t low, n = span(b, sizeof *out, &low);
    return store_read_i32(g->store, b->table, c, b->first + low, n, out + low, e);
}

enum status block_i64(const struct engine *g, struct block *b, enum store_column c, int64_t *out,
                      struct err *e)
{
    size_t low, n = span(b, sizeof *out, &low);
    return store_read_i64(g->store, b->table, c, b->first + low, n, out + low, e);
}

enum status block_f64(const struct engine *g, struct block *b, enum store_column c, double *out,
                      struct err *e)
{
    size_t low, n = span(b, sizeof *out, &low);
    return store_read_f64(g->store, b->table, c, b->first + low, n, out + low, e);
}
