/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "cohort/engine.h"

struct growing {
    int32_t *at;
    size_t n, capacity;
};

static void add(struct growing *l, int32_t id)
{
    GROW(l->at, l->n + 1, l->capacity);
    l->at[l->n++] = id;
}

int compare_ids(const void *a, const void *b)
{
    int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

static void sort_distinct(struct growing *l)
{
    if (l->n < 2)
        return;
    qsort(l->at, l->n, sizeof *l->at, compare_ids);
    size_t n = 1;
    for (size_t i = 1; i < l->n; i++)
        if (l->at[i] != l->at[n - 1])
            l->at[n++] = l->at[i];
    l->n = n;
}

static void add_mapped(const struct store *s, int32_t id, struct growing *out)
{
    const int32_t *ids;
    uint32_t n;
    store_mapped_from(s, id, &ids, &n);
    for (uint32_t i = 0; i < n; i++)
        add(out, ids[i]);
}

/* Mapped concepts are those of the item itself, with or without a CONCEPT row, and of what it includes. */
static void add_item(const struct concept_item *item, bool literal, const struct store *s,
                     struct growing *out)
{
    struct store_concept k;
    const int32_t *ids;
    uint32_t n;
    if (literal || (store_concept_find(s, item->id, &k) && k.in_concept))
        add(out, item->id);
    if (item->mapped)
        add_mapped(s, item->id, out);
    if (!item->descendants)
        return;
    store_descendants(s, item->id, &ids, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (!store_concept_find(s, ids[i], &k) || !k.in_concept || k.invalid)
            continue;
        add(out, ids[i]);
        if (item->mapped)
            add_mapped(s, ids[i], out);
    }
}

void concept_set_resolve(const struct concept_set *set, const struct store *s, struct id_set *out)
{
    struct growing in = {0}, excluded = {0};
    for (size_t i = 0; i < set->n_items; i++)
        add_item(&set->items[i], set->literal, s, set->items[i].excluded ? &excluded : &in);
    sort_distinct(&in);
    sort_distinct(&excluded);
    struct id_set minus = {excluded.at, excluded.n};
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++)
        if (!id_set_has(&minus, in.at[i]))
            in.at[n++] = in.at[i];
    free(excluded.at);
    *out = (struct id_set){in.at, n};
}

bool id_set_has(const struct id_set *s, int32_t id)
{
    size_t low = 0, n = s->n;
    while (n > 0) {
        size_t half = n / 2;
        bool right = s->ids[low + half] < id;
        low = right ? low + half + 1 : low;
        n = right ? n - half - 1 : half;
    }
    return low < s->n && s->ids[low] == id;
}

/* --- the engine's own --- */

void engine_init(struct engine *g, const struct cohort_definition *d, const struct store *s)
{
    *g = (struct engine){.d = d, .store = s};
    g->persons = store_persons(s);
    g->range.n = g->persons->n;
    g->periods = store_periods(s);
    g->sets = xcalloc(d->n_sets, sizeof *g->sets);
    for (size_t i = 0; i < d->n_sets; i++)
        concept_set_resolve(&d->sets[i], s, &g->sets[i]);
}

void engine_deinit(struct engine *g)
{
    for (size_t i = 0; i < g->d->n_sets; i++)
        free(g->sets[i].ids);
    free(g->sets);
}

const struct id_set *engine_set(const struct engine *g, int32_t id)
{
    static const struct id_set nothing = {NULL, 0};
    for (size_t i = 0; i < g->d->n_sets; i++)
        if (g->d->sets[i].id == id)
            return &g->sets[i];
    return &nothing;
}
