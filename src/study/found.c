/* SPDX-License-Identifier: Apache-2.0
 *
 * Every run is read once, in the order of rows, so that neighbours share blocks. With roll-up it is read to
 * the list of its rows; a concept is then the union of the lists of its descendants, counted with a stamp per
 * row. Lists are of distinct rows, so that what the unions cost follows persons and not records.
 */
#include "study/found.h"

#include <stdlib.h>

/* Concepts per task of the pool; with roll-up more, because each task has a stamp per row. */
enum { CHUNK = 128, ROLL_UP_CHUNK = 1024 };

/* The runs of one table in row order: how many index rows each has, and with roll-up which. */
struct lists {
    enum store_table table;
    size_t n;
    const struct store_run *run;
    int32_t *id; /* concepts, ascending, and the places of their runs */
    const uint32_t *place;
    uint32_t **rows; /* NULL without roll-up */
    uint32_t *n_rows;
};

struct counting {
    const struct discovery *discovery;
    const struct found_concept *found;
    size_t n;
    const struct study_site *site;
    const struct index_rows *rows;
    struct day_window window;
    struct lists *lists; /* one per domain */
    struct sums *out;
    size_t at;
};

static void lists_init(struct lists *l, const struct store *s, enum store_table t, bool roll_up)
{
    uint32_t n;
    *l = (struct lists){.table = t};
    store_runs(s, t, &l->run, &n);
    l->n = n;
    l->place = store_runs_by_concept(s, t);
    l->id = xmalloc(((size_t)n + 1) * sizeof *l->id);
    l->n_rows = xcalloc((size_t)n + 1, sizeof *l->n_rows);
    l->rows = roll_up ? xcalloc((size_t)n + 1, sizeof *l->rows) : NULL;
    for (uint32_t i = 0; i < n; i++)
        l->id[i] = l->run[l->place[i]].concept_id;
}

static void lists_deinit(struct lists *l)
{
    for (size_t i = 0; l->rows && i < l->n; i++)
        free(l->rows[i]);
    free(l->id);
    free(l->rows);
    free(l->n_rows);
}

/* Reads the runs of one chunk of one table. */
struct reading {
    const struct counting *counting;
    struct lists *lists;
};

static enum status read_list(struct run_reader *reader, struct lists *l, size_t i, size_t most, struct err *e)
{
    size_t n, room = l->run[i].persons < most ? l->run[i].persons : most;
    uint32_t *rows = l->rows ? xmalloc((room + 1) * sizeof *rows) : NULL;
    enum status st = run_reader_rows(reader, &l->run[i], rows, &n, e);
    l->n_rows[i] = (uint32_t)n;
    if (rows)
        l->rows[i] = xrealloc_array(rows, n + 1, sizeof *rows);
    return st;
}

static enum status read_chunk(void *context, size_t chunk, struct err *e)
{
    const struct reading *r = context;
    const struct counting *k = r->counting;
    size_t end = (chunk + 1) * CHUNK < r->lists->n ? (chunk + 1) * CHUNK : r->lists->n;
    struct run_reader *reader = run_reader_new(k->site, r->lists->table, k->rows, k->window);
    enum status st = ST_OK;
    for (size_t i = chunk * CHUNK; st == ST_OK && i < end; i++)
        st = read_list(reader, r->lists, i, k->rows->n, e);
    run_reader_free(reader);
    return st;
}

/* Rows that a concept is counted for: `stamp` per row is the last concept that counted it. */
struct stamps {
    uint32_t *last, now;
};

static int64_t count_list(const struct lists *l, size_t i, struct stamps *s)
{
    int64_t n = 0;
    size_t run = l->place[i];
    for (uint32_t k = 0; k < l->n_rows[run]; k++) {
        uint32_t row = l->rows[run][k];
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

static int64_t count_alone(const struct lists *l, int32_t id)
{
    size_t at = discovery_place(l->id, l->n, 0, id);
    return at < l->n && l->id[at] == id ? l->n_rows[l->place[at]] : 0;
}

/* No two tasks count into one sum, so that threads do not show. */
static enum status count_chunk(void *context, size_t chunk, struct err *e)
{
    (void)e;
    const struct counting *k = context;
    size_t end = (chunk + 1) * ROLL_UP_CHUNK < k->n ? (chunk + 1) * ROLL_UP_CHUNK : k->n;
    bool roll_up = k->discovery->roll_up;
    struct stamps stamps = {.last = roll_up ? xcalloc(k->rows->n + 1, sizeof *stamps.last) : NULL};
    for (size_t i = chunk * ROLL_UP_CHUNK; i < end; i++) {
        const struct lists *l = &k->lists[k->found[i].domain];
        int32_t id = k->found[i].id;
        sums_count(k->out, k->at + i, roll_up ? count_below(k, l, id, &stamps) : count_alone(l, id));
    }
    free(stamps.last);
    return ST_OK;
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
    struct counting k = {d, found, n, site, rows, window, lists, out, at};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && n > 0 && i < d->n; i++) {
        struct reading reading = {&k, &lists[i]};
        lists_init(&lists[i], site->store, d->table[i], d->roll_up);
        st = pool_run(site->pool, chunks(lists[i].n, CHUNK), read_chunk, &reading, e);
    }
    if (st == ST_OK)
        st = pool_run(site->pool, chunks(n, ROLL_UP_CHUNK), count_chunk, &k, e);
    for (size_t i = 0; i < d->n; i++)
        lists_deinit(&lists[i]);
    return st;
}
