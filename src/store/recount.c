/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistics of runs, from the rows themselves. Persons are kept as distances to the row before, so a run
 * has one person more wherever a distance is not zero: no person is ever decoded. Only the first row of a
 * block needs more, because its distance lies in the array of first persons.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/vectors.h"
#include "store/reader.h"

enum { TASK_ROWS = 1 << 19 }; /* at least this many rows, whole runs */

/* Of distances: their sum, and how many are not zero. */
struct steps {
    uint32_t sum, n;
};

VECTORS static struct steps steps_of(const int32_t *restrict v, unsigned from, unsigned to)
{
    struct steps s = {0, 0};
    for (unsigned i = from; i < to; i++) {
        s.sum += (uint32_t)v[i];
        s.n += v[i] != 0;
    }
    return s;
}

struct days {
    int32_t first, last;
};

VECTORS static struct days days_of(const int32_t *restrict v, unsigned from, unsigned to)
{
    struct days d = {INT32_MAX, INT32_MIN};
    for (unsigned i = from; i < to; i++) {
        d.first = v[i] < d.first ? v[i] : d.first;
        d.last = v[i] > d.last ? v[i] : d.last;
    }
    return d;
}

struct recount {
    const struct table_files *table;
    struct store_run *out;
    uint32_t *task; /* first run of each task, and the end */
};

/* The block that was read last. */
struct current {
    uint64_t block;
    int32_t step[BLOCK_ROWS], day[BLOCK_ROWS];
};

static bool read_block(const struct table_files *t, uint64_t block, struct current *c)
{
    const uint8_t *p;
    size_t n;
    if (block == c->block)
        return true;
    c->block = block;
    return packed_block(&t->columns[0].packed, block, &p, &n) && block_decode_i32(p, n, c->step) &&
           packed_block(&t->columns[2].packed, block, &p, &n) && block_decode_i32(p, n, c->day);
}

/* `last` is the person of the row before, where the run has one. */
static uint32_t count_persons(const struct current *c, uint32_t first, unsigned from, unsigned to, bool begun,
                              uint32_t *last)
{
    struct steps before = steps_of(c->step, 0, from), own = steps_of(c->step, from, to);
    uint32_t step = (uint32_t)c->step[from], at = first + before.sum + step, more = own.n - (step != 0);
    more += !begun || at != *last;
    *last = at + own.sum - step;
    return more;
}

static enum status recount_run(const struct table_files *t, uint32_t i, struct current *c,
                               struct store_run *out, struct err *e)
{
    uint64_t row = t->runs[i].first, end = row + t->runs[i].n;
    uint32_t last = 0;
    *out = (struct store_run){.concept_id = t->runs[i].concept_id,
                              .first = row,
                              .n = t->runs[i].n,
                              .first_day = INT32_MAX,
                              .last_day = INT32_MIN};
    while (row < end) {
        uint64_t block = row / BLOCK_ROWS;
        unsigned from = (unsigned)(row % BLOCK_ROWS),
                 to = end - row < BLOCK_ROWS - from ? from + (unsigned)(end - row) : BLOCK_ROWS;
        if (!read_block(t, block, c))
            return store_damaged(t->columns[0].file.name, "a block is not valid", e);
        out->persons += count_persons(c, t->columns[0].first[block], from, to, row > t->runs[i].first, &last);
        struct days days = days_of(c->day, from, to);
        out->first_day = days.first < out->first_day ? days.first : out->first_day;
        out->last_day = days.last > out->last_day ? days.last : out->last_day;
        row += to - from;
    }
    return ST_OK;
}

static enum status recount_task(void *context, size_t task, struct err *e)
{
    const struct recount *r = context;
    struct current c = {.block = UINT64_MAX};
    enum status st = ST_OK;
    for (uint32_t i = r->task[task]; st == ST_OK && i < r->task[task + 1]; i++)
        st = recount_run(r->table, i, &c, &r->out[i], e);
    return st;
}

enum status store_recount(const struct store *s, enum store_table t, struct pool *pool, struct store_run *out,
                          struct err *e)
{
    const struct table_files *table = &s->tables[t];
    struct recount r = {table, out, xcalloc((size_t)table->n_runs + 1, sizeof *r.task)};
    size_t n = 0;
    for (uint32_t i = 0; i < table->n_runs; i++)
        if (i == 0 || table->runs[i].first - table->runs[r.task[n - 1]].first >= TASK_ROWS)
            r.task[n++] = i;
    r.task[n] = table->n_runs;
    enum status st = pool_run(pool, n, recount_task, &r, e);
    free(r.task);
    return st;
}
