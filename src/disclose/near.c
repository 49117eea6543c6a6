/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/near.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { MOST_DIMENSIONS = 32, CHAINS = 2 };

/* A level to add, with the levels below it that its change must pass through. */
struct branch {
    double price;
    uint32_t level;
};

struct near {
    const struct system *system;
    uint32_t *levels[MOST_DIMENSIONS], n_levels[MOST_DIMENSIONS]; /* chosen */
    const double *price;
    uint64_t key, stride;    /* of the cell in question, without the dimension in hand; of that dimension */
    struct branch *branches; /* scratch, by level of the widest dimension */
    bool *taken;             /* scratch by level */
    bool *listed;            /* scratch by variable */
};

struct near *near_new(const struct system *s)
{
    struct near *n = xcalloc(1, sizeof *n);
    size_t widest = 1;
    n->system = s;
    for (uint32_t d = 0; d < s->places.n_dimensions && d < MOST_DIMENSIONS; d++) {
        size_t levels = s->places.dimensions[d].n_levels;
        n->levels[d] = xcalloc(levels + 1, sizeof **n->levels);
        widest = levels > widest ? levels : widest;
    }
    n->branches = xcalloc(widest, sizeof *n->branches);
    n->taken = xcalloc(widest, sizeof *n->taken);
    n->listed = xcalloc((size_t)s->n_variables + 1, sizeof *n->listed);
    return n;
}

void near_free(struct near *n)
{
    if (!n)
        return;
    for (uint32_t d = 0; d < MOST_DIMENSIONS; d++)
        free(n->levels[d]);
    free(n->branches);
    free(n->taken);
    free(n->listed);
    free(n);
}

static double price_at(const struct near *n, uint32_t level)
{
    const struct lattice_cell *c = lattice_find(&n->system->places, n->key + level * n->stride);
    return c ? n->price[c->variable] : (double)INFINITY;
}

/* Of a level, its cell's price and that of the cheapest way down to a level without parts. */
static double branch_price(const struct near *n, const struct lattice_dimension *dimension, uint32_t level)
{
    double price = price_at(n, level), below = 0;
    for (uint32_t k = 0; k < dimension->n_sums && isfinite(price); k++) {
        if (dimension->sums[k].total != level)
            continue;
        double least = INFINITY;
        for (uint32_t c = 0; c < dimension->sums[k].n_children; c++)
            least = fmin(least, branch_price(n, dimension, dimension->sums[k].children[c]));
        below += least;
    }
    return price + below;
}

static int compare_branches(const void *a, const void *b)
{
    const struct branch *x = a, *y = b;
    if (x->price != y->price)
        return x->price < y->price ? -1 : 1;
    return x->level < y->level ? -1 : x->level > y->level;
}

/* The children of a sum that can move, cheapest first, in n->branches from `at` on. */
static uint32_t rank_children(struct near *n, const struct lattice_dimension *dimension,
                              const struct lattice_sum *sum)
{
    uint32_t many = 0;
    for (uint32_t c = 0; c < sum->n_children; c++) {
        double price = branch_price(n, dimension, sum->children[c]);
        if (isfinite(price))
            n->branches[many++] = (struct branch){price, sum->children[c]};
    }
    qsort(n->branches, many, sizeof *n->branches, compare_branches);
    return many;
}

static void take_level(struct near *n, uint32_t d, uint32_t level)
{
    if (!n->taken[level])
        n->levels[d][n->n_levels[d]++] = level;
    n->taken[level] = true;
}

/* The cheapest ways down from a level. */
static void take_below(struct near *n, uint32_t d, uint32_t level, uint32_t ways)
{
    const struct lattice_dimension *dimension = &n->system->places.dimensions[d];
    for (uint32_t k = 0; k < dimension->n_sums; k++) {
        if (dimension->sums[k].total != level)
            continue;
        uint32_t children[CHAINS], many = rank_children(n, dimension, &dimension->sums[k]);
        if (many > ways)
            many = ways;
        for (uint32_t c = 0; c < many; c++)
            children[c] = n->branches[c].level;
        for (uint32_t c = 0; c < many; c++) {
            take_level(n, d, children[c]);
            take_below(n, d, children[c], 1);
        }
    }
}

static bool is_part(const struct lattice_sum *sum, uint32_t level)
{
    for (uint32_t c = 0; c < sum->n_children; c++)
        if (sum->children[c] == level)
            return true;
    return false;
}

/* The levels above: a level can also change together with its totals. */
static void take_above(struct near *n, uint32_t d, uint32_t level)
{
    const struct lattice_dimension *dimension = &n->system->places.dimensions[d];
    for (uint32_t k = 0; k < dimension->n_sums; k++)
        if (is_part(&dimension->sums[k], level) && !n->taken[dimension->sums[k].total]) {
            take_level(n, d, dimension->sums[k].total);
            take_above(n, d, dimension->sums[k].total);
        }
}

/* The level, its totals, up to `most` of its siblings, and the ways down from each. */
static void choose_levels(struct near *n, uint32_t d, uint32_t level, uint32_t most)
{
    const struct lattice_dimension *dimension = &n->system->places.dimensions[d];
    uint32_t siblings[64];
    n->n_levels[d] = 0;
    take_level(n, d, level);
    take_above(n, d, level);
    take_below(n, d, level, CHAINS);
    for (uint32_t k = 0; k < dimension->n_sums; k++) {
        if (!is_part(&dimension->sums[k], level))
            continue;
        uint32_t many = rank_children(n, dimension, &dimension->sums[k]), kept = 0;
        for (uint32_t c = 0; c < many && kept < most && kept < 64; c++)
            if (n->branches[c].level != level)
                siblings[kept++] = n->branches[c].level;
        for (uint32_t c = 0; c < kept; c++) {
            take_level(n, d, siblings[c]);
            take_below(n, d, siblings[c], 1);
        }
    }
    for (uint32_t i = 0; i < n->n_levels[d]; i++)
        n->taken[n->levels[d][i]] = false;
}

/* Chooses levels around a place with at most so many siblings in each dimension; the number of places. */
static uint64_t choose(struct near *n, uint64_t key, uint32_t siblings)
{
    const struct lattice *l = &n->system->places;
    uint64_t stride = 1, rest = key, places = 1;
    for (uint32_t d = l->n_dimensions; d-- > 0;) {
        uint32_t level = (uint32_t)(rest % l->dimensions[d].n_levels);
        rest /= l->dimensions[d].n_levels;
        n->key = key - level * stride;
        n->stride = stride;
        choose_levels(n, d, level, siblings);
        places *= n->n_levels[d];
        stride *= l->dimensions[d].n_levels;
    }
    return places;
}

static void list_variable(struct near *n, uint32_t v, uint32_t *out, uint32_t *many)
{
    if (!n->listed[v] && isfinite(n->price[v]))
        out[(*many)++] = v;
    n->listed[v] = n->listed[v] || isfinite(n->price[v]);
}

/* Every cell at the product of the chosen levels. */
static void list_places(struct near *n, uint64_t places, uint32_t *out, uint32_t *many)
{
    const struct lattice *l = &n->system->places;
    for (uint64_t i = 0; i < places; i++) {
        uint64_t rest = i, key = 0;
        for (uint32_t d = 0; d < l->n_dimensions; d++) {
            key = key * l->dimensions[d].n_levels + n->levels[d][rest % n->n_levels[d]];
            rest /= n->n_levels[d];
        }
        const struct lattice_cell *c = lattice_find(l, key);
        if (c)
            list_variable(n, c->variable, out, many);
    }
}

/* Variables without a place (differences of nested levels) go with the cells of their equations. */
static void list_companions(struct near *n, uint32_t *out, uint32_t *many)
{
    const struct system *s = n->system;
    uint32_t placed = *many;
    for (uint32_t i = 0; s->n_variables > s->n_placed && i < placed; i++)
        for (uint32_t k = s->by_first[out[i]]; k < s->by_first[out[i] + 1]; k++)
            for (uint32_t t = s->first[s->by_equation[k]]; t < s->first[s->by_equation[k] + 1]; t++)
                if (s->variable[t] >= s->n_placed)
                    list_variable(n, s->variable[t], out, many);
}

uint32_t near_list(struct near *n, uint32_t variable, const double *price, uint32_t most, uint32_t *out)
{
    static const uint32_t siblings[] = {64, 24, 12, 8, 5, 3, 2, 1};
    uint32_t many = 0;
    uint64_t places = UINT64_MAX;
    if (variable >= n->system->n_placed || n->system->places.n_dimensions > MOST_DIMENSIONS)
        return 0;
    n->price = price;
    for (size_t k = 0; places > most && k < sizeof siblings / sizeof *siblings; k++)
        places = choose(n, n->system->key[variable], siblings[k]);
    if (places > most)
        return 0;
    list_places(n, places, out, &many);
    list_companions(n, out, &many);
    for (uint32_t i = 0; i < many; i++)
        n->listed[out[i]] = false;
    return many;
}
