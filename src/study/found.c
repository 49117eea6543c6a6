/* SPDX-License-Identifier: Apache-2.0
 *
 * Without roll-up each concept is one read of its run. With it every run is read once, to the list of its
 * rows; a concept is then the union of the lists of its descendants, counted with a stamp per row. Lists are
 * of distinct rows, so that what the unions cost follows persons and not records.
 */
#include "study/found.h"

#include <stdlib.h>

/* Concepts per task of the pool; with roll-up more, because each task has a stamp per row. */
enum { CHUNK = 64, ROLL_UP_CHUNK = 1024 };

/* The rows of each run of one table, runs in order of their concepts. */
struct lists {
    enum store_table table;
    size_t n;
    int32_t *id;
    struct store_run *run;
    uint32_t **rows;
    uint32_t *n_rows;
};

struct counting {
    const struct discovery *discovery;
    const struct found_concept *found;
    size_t n;
    const struct study_site *site;
    const struct index_rows *rows;
    struct day_window window;
    struct lists *lists; /* one per domain; NULL without roll-up */
    struct sums *out;
    size_t at;
};

static void lists_init(struct lists *l, const struct store *s, enum store_table t)
{
    const struct store_run *runs;
    uint32_t n;
    store_runs(s, t, &runs, &n);
    const uint32_t *order = store_runs_by_concept(s, t);
    *l = (struct lists){.table = t,
                        .n = n,
                        .id = xcalloc((size_t)n + 1, sizeof *l->id),
                        .run = xcalloc((size_t)n + 1, sizeof *l->run),
                        .rows = xcalloc((size_t)n + 1, sizeof *l->rows),
                        .n_rows = xcalloc((size_t)n + 1, sizeof *l->n_rows)};
    for (uint32_t i = 0; i < n; i++) {
        l->run[i] = runs[order[i]];
        l->id[i] = l->run[i].concept_id;
    }
}

static void lists_deinit(struct lists *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->rows[i]);
    free(l->id);
    free(l->run);
    free(l->rows);
    free(l->n_rows);
}

/* Reads the runs of one chunk of one table. */
struct reading {
    const struct counting *counting;
    struct lists *lists;
};

static enum status read_list(const struct counting *k, struct lists *l, size_t i, struct err *e)
{
    size_t most = l->run[i].persons < k->rows->n ? l->run[i].persons : k->rows->n, n;
    uint32_t *rows = xmalloc((most + 1) * sizeof *rows);
    enum status st = events_rows(k->site, l->table, &l->run[i], k->rows, k->window, rows, &n, e);
    l->n_rows[i] = (uint32_t)n;
    l->rows[i] = xrealloc_array(rows, n + 1, sizeof *rows);
    return st;
}

static enum status read_chunk(void *context, size_t chunk, struct err *e)
{
    const struct reading *r = context;
    size_t end = (chunk + 1) * CHUNK < r->lists->n ? (chunk + 1) * CHUNK : r->lists->n;
    enum status st = ST_OK;
    for (size_t i = chunk * CHUNK; st == ST_OK && i < end; i++)
        st = read_list(r->counting, r->lists, i, e);
    return st;
}

/* Rows that a concept is counted for: `stamp` per row is the last concept that counted it. */
struct stamps {
    uint32_t *last, now;
};

static int64_t count_list(const struct lists *l, size_t i, struct stamps *s)
{
    int64_t n = 0;
    for (uint32_t k = 0; k < l->n_rows[i]; k++) {
        uint32_t row = l->rows[i][k];
        n += s->last[row] != s->now;
        s->last[row] = s->now;
    }
    return n;
}

static int64_t count_below(const struct counting *k, const struct lists *l, int32_t id, struct stamps *s)
{
    const int32_t *below;
    uint32_t n;
    size_t at = discovery_place(l->id, l->n, 0, id);
    int64_t count = 0;
    s->now++;
    if (at < l->n && l->id[at] == id)
        count += count_list(l, at, s);
    store_descendants(k->site->store, id, &below, &n);
    at = 0;
    for (uint32_t i = 0; i < n && at < l->n; i++) {
        at = discovery_place(l->id, l->n, at, below[i]);
        if (at < l->n && l->id[at] == below[i] && below[i] != id)
            count += count_list(l, at, s);
    }
    return count;
}

static enum status count_one(const struct counting *k, size_t i, struct stamps *stamps, struct err *e)
{
    const struct found_concept *f = &k->found[i];
    struct store_run run;
    size_t n = 0;
    if (k->lists) {
        sums_count(k->out, k->at + i, count_below(k, &k->lists[f->domain], f->id, stamps));
        return ST_OK;
    }
    enum status st = ST_OK;
    enum store_table t = k->discovery->table[f->domain];
    if (store_run_find(k->site->store, t, f->id, &run))
        st = events_rows(k->site, t, &run, k->rows, k->window, NULL, &n, e);
    sums_count(k->out, k->at + i, (int64_t)n);
    return st;
}

static size_t chunk_size(const struct counting *k)
{
    return k->lists ? ROLL_UP_CHUNK : CHUNK;
}

/* No two tasks count into one sum, so that threads do not show. */
static enum status count_chunk(void *context, size_t chunk, struct err *e)
{
    const struct counting *k = context;
    size_t size = chunk_size(k), end = (chunk + 1) * size < k->n ? (chunk + 1) * size : k->n;
    struct stamps stamps = {.last = k->lists ? xcalloc(k->rows->n + 1, sizeof *stamps.last) : NULL};
    enum status st = ST_OK;
    for (size_t i = chunk * size; st == ST_OK && i < end; i++)
        st = count_one(k, i, &stamps, e);
    free(stamps.last);
    return st;
}

static size_t chunks(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

enum status found_count(const struct discovery *d, const struct found_concept *found, size_t n,
                        const struct study_site *site, const struct index_rows *rows,
                        struct day_window window, struct sums *out, size_t at, struct err *e)
{
    struct lists lists[DISCOVERY_DOMAINS] = {0};
    struct counting k = {d, found, n, site, rows, window, d->roll_up ? lists : NULL, out, at};
    enum status st = ST_OK;
    for (size_t i = 0; d->roll_up && st == ST_OK && i < d->n; i++) {
        struct reading reading = {&k, &lists[i]};
        lists_init(&lists[i], site->store, d->table[i]);
        st = pool_run(site->pool, chunks(lists[i].n, CHUNK), read_chunk, &reading, e);
    }
    if (st == ST_OK)
        st = pool_run(site->pool, chunks(n, chunk_size(&k)), count_chunk, &k, e);
    for (size_t i = 0; i < d->n; i++)
        lists_deinit(&lists[i]);
    return st;
}
