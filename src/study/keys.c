/* SPDX-License-Identifier: Apache-2.0 */
#include "study/keys.h"

#include <stdlib.h>
#include <string.h>

#include "disclose/cellkey.h"
#include "study/members.h"

/* Without a site only which cells there are. */
static enum status collect(const struct study *s, const struct study_site *site, struct members **out,
                           struct err *e)
{
    struct members *m = members_new();
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < s->n_analyses; i++) {
        const struct study_analysis *a = &s->analyses[i];
        if (a->analysis->keyed)
            st = a->analysis->members(a->spec, site, m, e);
    }
    if (st != ST_OK) {
        members_free(m);
        m = NULL;
    }
    *out = m;
    return st;
}

enum status keys_size(const struct study *s, size_t *n, struct err *e)
{
    struct members *m;
    enum status st = collect(s, NULL, &m, e);
    *n = st == ST_OK ? KEY_SUMS * members_n(m) : 0;
    members_free(m);
    return st;
}

sum_t keys_bound(size_t i)
{
    return i % KEY_SUMS ? SUM_COUNT_BOUND : (sum_t)UINT32_MAX;
}

static uint32_t key_of_person(const struct store *store, const struct record_keys *keys, uint32_t person)
{
    uint8_t pseudonym[16];
    store_pseudonym(store, person, pseudonym);
    return record_key(keys->secret, (struct slice){(const char *)pseudonym, sizeof pseudonym});
}

/* Every person's key is made once, when first met. */
static uint32_t sum_of(const struct store *store, const struct record_keys *keys, uint32_t *known, bool *made,
                       const uint32_t *persons, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t p = persons[i];
        if (!made[p])
            known[p] = key_of_person(store, keys, p);
        made[p] = true;
        sum += known[p];
    }
    return sum;
}

enum status keys_local(const struct study *s, const struct study_site *site, const struct record_keys *keys,
                       struct sums *out, struct err *e)
{
    struct members *m = NULL;
    if (!keys)
        return err_set(e, ST_DENIED,
                       "this run has no cell keys: its policy does not print counts with noise");
    enum status st = collect(s, site, &m, e);
    if (st != ST_OK)
        return st;
    size_t n_persons = store_persons(site->store)->n;
    uint32_t *known = xcalloc(n_persons + 1, sizeof *known);
    bool *made = xcalloc(n_persons + 1, sizeof *made);
    for (size_t i = 0; i < members_n(m); i++) {
        size_t n;
        const uint32_t *persons = members_persons(m, i, &n);
        sums_count(out, KEY_SUMS * i, sum_of(site->store, keys, known, made, persons, n));
        sums_count(out, KEY_SUMS * i + 1, (int64_t)n);
    }
    secret_wipe(known, n_persons * sizeof *known);
    free(known);
    free(made);
    members_free(m);
    return ST_OK;
}

/* --- to the cells of tables ---------------------------------------------------------------------------- */

struct named {
    const char *name;
    size_t cell;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The one cell of this name; a name that two have names none. */
static const struct named *find(const struct named *all, size_t n, const char *name)
{
    struct named wanted = {.name = name};
    const struct named *found = bsearch(&wanted, all, n, sizeof *all, compare);
    if (!found || (found > all && strcmp(found[-1].name, name) == 0) ||
        (found + 1 < all + n && strcmp(found[1].name, name) == 0))
        return NULL;
    return found;
}

static char *name_of(const struct result_table *t, const struct result_cell *c)
{
    const char *labels[MAX_DIMENSIONS];
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        labels[d] = t->dimensions[d].levels[c->at[d]].label;
    return members_cell_name(t->name, labels, t->n_dimensions);
}

static void give_table(struct result_table *t, const struct named *all, size_t n, const struct sums *total)
{
    for (uint64_t i = 0; t->n_dimensions <= MAX_DIMENSIONS && i < t->n_cells; i++) {
        struct result_cell *c = &t->cells[i];
        char *name = name_of(t, c);
        const struct named *at = find(all, n, name);
        if (at && sums_get_count(total, KEY_SUMS * at->cell + 1) == c->persons)
            c->key = sums_get_count(total, KEY_SUMS * at->cell) & UINT32_MAX;
        free(name);
    }
}

enum status keys_give(const struct study *s, const struct sums *total, struct result *r, struct err *e)
{
    struct members *m;
    enum status st = collect(s, NULL, &m, e);
    if (st != ST_OK)
        return st;
    size_t n = members_n(m);
    struct named *all = xcalloc(n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct named){members_name(m, i), i};
    qsort(all, n, sizeof *all, compare);
    for (uint32_t t = 0; t < r->n_tables; t++)
        if (r->tables[t].type == OUTPUT_COUNT)
            give_table(&r->tables[t], all, n, total);
    free(all);
    members_free(m);
    return ST_OK;
}
