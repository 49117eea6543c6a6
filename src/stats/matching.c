/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/matching.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Rows in ascending order of score, equal ones of row; and for each place the next one on either side where
   an untreated is still free, found by following links that grow as they are taken (path halving). */
struct line {
    const struct matching *how;
    const double *score;
    size_t n, *row, *place; /* row at a place; place of a row */
    size_t *below, *above;  /* n + 2 each, places shifted by 1: 0 and n + 1 are the ends */
};

struct placed {
    double score;
    size_t row;
};

static int ascending(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return x->score != y->score ? (x->score > y->score) - (x->score < y->score)
                                : (x->row > y->row) - (x->row < y->row);
}

static void take(struct line *l, size_t at)
{
    l->below[at] = at - 1;
    l->above[at] = at + 1;
}

static void line_init(struct line *l, const double *treated)
{
    struct placed *order = xcalloc(l->n + 1, sizeof *order);
    l->row = xcalloc(l->n + 1, sizeof *l->row);
    l->place = xcalloc(l->n + 1, sizeof *l->place);
    l->below = xcalloc(l->n + 2, sizeof *l->below);
    l->above = xcalloc(l->n + 2, sizeof *l->above);
    for (size_t i = 0; i < l->n; i++)
        order[i] = (struct placed){l->score[i], i};
    qsort(order, l->n, sizeof *order, ascending);
    l->above[l->n + 1] = l->n + 1;
    for (size_t at = 1; at <= l->n; at++) {
        size_t row = order[at - 1].row;
        l->row[at - 1] = row;
        l->place[row] = at;
        l->below[at] = l->above[at] = at;
        if (treated[row] != 0)
            take(l, at);
    }
    free(order);
}

static void line_deinit(struct line *l)
{
    free(l->row);
    free(l->place);
    free(l->below);
    free(l->above);
}

static size_t follow(size_t *next, size_t at)
{
    while (next[at] != at) {
        next[at] = next[next[at]];
        at = next[at];
    }
    return at;
}

static bool serves(const struct line *l, const long *own, size_t at)
{
    for (size_t k = 0; k < l->how->ratio; k++)
        if (own[k] == (long)l->row[at - 1])
            return true;
    return false;
}

/* The nearest free place on one side that does not serve this treated already; 0 where there is none. */
static size_t free_place(struct line *l, bool up, size_t from, const long *own)
{
    size_t *next = up ? l->above : l->below, end = up ? l->n + 1 : 0, at = from;
    do
        at = follow(next, up ? at + 1 : at - 1);
    while (at != end && serves(l, own, at));
    return at == end ? 0 : at;
}

static double apart(const struct line *l, size_t row, size_t at)
{
    if (at == 0)
        return INFINITY;
    double d = fabs(l->score[row] - l->score[l->row[at - 1]]);
    d = l->how->whole_differences ? floor(d) : d;
    return d <= l->how->caliper ? d : (double)INFINITY;
}

/* The place of the best match that is free, and how far it is; 0 where there is none. */
static size_t best_place(struct line *l, size_t row, const long *own, double *distance)
{
    size_t from = l->place[row];
    size_t low = free_place(l, false, from, own), high = free_place(l, true, from, own);
    double to_low = apart(l, row, low), to_high = apart(l, row, high);
    *distance = fmin(to_low, to_high);
    return isinf(*distance) ? 0 : to_low <= to_high ? low : high;
}

static void match_with(struct line *l, size_t at, long *own, size_t k)
{
    own[k] = (long)l->row[at - 1];
    if (!l->how->replace)
        take(l, at);
}

struct first {
    double score;
    size_t row;
};

static int highest_first(const void *a, const void *b)
{
    const struct first *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                                : (x->row > y->row) - (x->row < y->row);
}

/* A heap of treated rows by how far their best match is; equal ones by row. */
struct waiting {
    double distance;
    size_t row;
};

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->distance != b->distance ? a->distance < b->distance : a->row < b->row;
}

static void sink(struct waiting *heap, size_t n, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (before(&heap[child], &heap[least]))
                least = child;
        if (least == at)
            return;
        struct waiting w = heap[at];
        heap[at] = heap[least];
        heap[least] = w;
        at = least;
    }
}

/* A row whose best match has gone since it was put in goes back with its new distance, which is no less. */
static void closest_round(struct line *l, const size_t *rows, size_t m, long *match, size_t k)
{
    size_t ratio = l->how->ratio, n = 0, at;
    struct waiting *heap = xcalloc(m + 1, sizeof *heap);
    for (size_t i = 0; i < m; i++) {
        struct waiting w = {.row = rows[i]};
        if (best_place(l, w.row, match + w.row * ratio, &w.distance))
            heap[n++] = w;
    }
    for (size_t i = n / 2 + 1; i-- > 0;)
        sink(heap, n, i);
    while (n) {
        long *own = match + heap[0].row * ratio;
        double distance;
        at = best_place(l, heap[0].row, own, &distance);
        if (at && distance == heap[0].distance)
            match_with(l, at, own, k);
        if (at && distance != heap[0].distance)
            heap[0].distance = distance;
        else
            heap[0] = heap[--n];
        sink(heap, n, 0);
    }
    free(heap);
}

static void highest_round(struct line *l, const size_t *rows, size_t m, long *match, size_t k)
{
    for (size_t i = 0; i < m; i++) {
        long *own = match + rows[i] * l->how->ratio;
        double distance;
        size_t at = best_place(l, rows[i], own, &distance);
        if (at)
            match_with(l, at, own, k);
    }
}

/* Those who have all matches of the rounds before. */
static size_t rows_of_round(const struct first *order, size_t m, const long *match, size_t ratio, size_t k,
                            size_t *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < m; i++)
        if (k == 0 || match[order[i].row * ratio + k - 1] != MATCH_NONE)
            rows[n++] = order[i].row;
    return n;
}

void match_nearest(const double *score, const double *treated, size_t n, const struct matching *how,
                   long *match)
{
    struct line l = {.how = how, .score = score, .n = n};
    struct first *order = xcalloc(n + 1, sizeof *order);
    size_t m = 0;
    line_init(&l, treated);
    for (size_t i = 0; i < n * how->ratio; i++)
        match[i] = MATCH_NONE;
    for (size_t i = 0; i < n; i++)
        if (treated[i] != 0)
            order[m++] = (struct first){score[i], i};
    qsort(order, m, sizeof *order, highest_first);
    size_t *rows = xcalloc(m + 1, sizeof *rows);
    for (size_t k = 0; k < how->ratio; k++) {
        size_t taking_part = rows_of_round(order, m, match, how->ratio, k, rows);
        (how->closest_first ? closest_round : highest_round)(&l, rows, taking_part, match, k);
    }
    free(rows);
    free(order);
    line_deinit(&l);
}

void match_weights(const long *match, const double *treated, size_t n, size_t ratio, double *weight)
{
    memset(weight, 0, n * sizeof *weight);
    for (size_t i = 0; i < n; i++) {
        size_t found = 0;
        while (treated[i] != 0 && found < ratio && match[i * ratio + found] != MATCH_NONE)
            found++;
        weight[i] += found ? 1 : 0;
        for (size_t k = 0; k < found; k++)
            weight[match[i * ratio + k]] += 1 / (double)found;
    }
}
