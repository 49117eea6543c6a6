/* SPDX-License-Identifier: Apache-2.0
 *
 * Every run is read once, in the order of rows, so that neighbours share blocks. With roll-up it is read to
 * the list of its rows; a concept is then the union of the lists of its descendants, counted with a stamp per
 * row. Lists are of distinct rows, so that what the unions cost follows persons and not records.
 */
#include "study/found.h"

#include <stdlib.h>

#include "store/idmap.h"

/* Concepts per task of the pool; with roll-up more, because each task has a stamp per row. */
enum { CHUNK = 128, ROLL_UP_CHUNK = 1024 };

/* The runs of one table in row order: how many index rows each has, and with roll-up which. */
struct lists {
    enum store_table table;
    size_t n;
    const struct store_run *run;
    int64_t *id; /* the concept of each run, and where an id is found */
    struct idmap place;
    uint32_t **rows, **of_chunk; /* NULL without roll-up: where the rows of each run are, and who owns them */
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

static size_t chunks(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

static void lists_init(struct lists *l, const struct store *s, enum store_table t, bool roll_up)
{
    uint32_t n;
    *l = (struct lists){.table = t};
    store_runs(s, t, &l->run, &n);
    l->n = n;
    l->id = xmalloc(((size_t)n + 1) * sizeof *l->id);
    l->n_rows = xcalloc((size_t)n + 1, sizeof *l->n_rows);
    l->rows = roll_up ? xcalloc((size_t)n + 1, sizeof *l->rows) : NULL;
    l->of_chunk = roll_up ? xcalloc(chunks(n, CHUNK) + 1, sizeof *l->of_chunk) : NULL;
    for (uint32_t i = 0; i < n; i++)
        l->id[i] = l->run[i].concept_id;
    idmap_init(&l->place, l->id, n);
}

static void lists_deinit(struct lists *l)
{
    for (size_t i = 0; l->of_chunk && i < chunks(l->n, CHUNK); i++)
        free(l->of_chunk[i]);
    idmap_deinit(&l->place);
    free(l->id);
    free(l->rows);
    free(l->of_chunk);
    free(l->n_rows);
}

/* Reads the runs of one chunk of one table. */
struct reading {
    const struct counting *counting;
    struct lists *lists;
};

/* The rows of the runs [i, end) one behind the other. */
static enum status read_lists(struct run_reader *reader, struct lists *l, size_t i, size_t end, size_t most,
                              uint32_t **out, struct err *e)
{
    uint32_t *rows = NULL;
    size_t used = 0, capacity = 0, n, first = i;
    enum status st = ST_OK;
    for (; st == ST_OK && i < end; i++, used += n) {
        GROW(rows, used + (l->run[i].persons < most ? l->run[i].persons : most) + 1, capacity);
        st = run_reader_rows(reader, &l->run[i], rows + used, &n, e);
        l->n_rows[i] = (uint32_t)n;
    }
    *out = xrealloc_array(rows, used + 1, sizeof *rows);
    for (used = 0, i = first; i < end; used += l->n_rows[i++])
        l->rows[i] = *out + used;
    return st;
}

static enum status read_chunk(void *context, size_t chunk, struct err *e)
{
    const struct reading *r = context;
    const struct counting *k = r->counting;
    struct lists *l = r->lists;
    size_t i = chunk * CHUNK, end = i + CHUNK < l->n ? i + CHUNK : l->n, n;
    struct run_reader *reader = run_reader_new(k->site, l->table, k->rows, k->window);
    enum status st = ST_OK;
    if (l->rows)
        st = read_lists(reader, l, i, end, k->rows->n, &l->of_chunk[chunk], e);
    for (; st == ST_OK && !l->rows && i < end; i++) {
        st = run_reader_rows(reader, &l->run[i], NULL, &n, e);
        l->n_rows[i] = (uint32_t)n;
    }
    run_reader_free(reader);
    return st;
}

/* Rows that a concept is counted for: `stamp` per row is the last concept that counted it. */
struct stamps {
    uint32_t *last, now;
};

static int64_t count_list(const struct lists *l, size_t run, struct stamps *s)
{
    const uint32_t *rows = l->rows[run];
    int64_t n = 0;
    for (uint32_t k = 0; k < l->n_rows[run]; k++) {
        n += s->last[rows[k]] != s->now;
        s->last[rows[k]] = s->now;
    }
    return n;
}

static int64_t count_below(const struct counting *k, const struct lists *l, int32_t id, struct stamps *s)
{
    const int32_t *below;
    uint32_t n, own = idmap_find(&l->place, id);
    s->now++;
    int64_t count = own != IDMAP_NONE ? count_list(l, own, s) : 0;
    store_descendants(k->site->store, id, &below, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t run = idmap_find(&l->place, below[i]);
        if (run != IDMAP_NONE && run != own)
            count += count_list(l, run, s);
    }
    return count;
}

static int64_t count_alone(const struct lists *l, int32_t id)
{
    uint32_t run = idmap_find(&l->place, id);
    return run != IDMAP_NONE ? l->n_rows[run] : 0;
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
