/* SPDX-License-Identifier: Apache-2.0 */
#include "store/merge_plan.h"

#include <stdlib.h>

#include "base/mem.h"

/* The rows of one concept in one run. */
struct segment {
    uint32_t key, run, first, n;
};

static int by_key(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->run > y->run) - (x->run < y->run);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t person_at(const struct run *runs, const struct segment *s, uint32_t row)
{
    return (uint32_t)run_value(&runs[s->run].columns[AT_PERSON], s->first + row);
}

/* The first row of the segment, from `low` on, whose person is at or behind `person`. */
static uint32_t row_of_person(const struct run *runs, const struct segment *s, uint32_t low, uint64_t person)
{
    uint32_t high = s->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (person_at(runs, s, mid) < person)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Persons before which to cut, so that parts have about PART_ROWS rows: every 4096th row's person is a
 * sample. */
static size_t choose_cuts(const struct run *runs, const struct segment *s, size_t n, uint32_t **cuts)
{
    enum { SAMPLE = 4096 };
    uint32_t *samples = NULL;
    size_t n_samples = 0, capacity = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        for (uint32_t row = SAMPLE / 2; row < s[i].n; row += SAMPLE) {
            GROW(samples, n_samples + 1, capacity);
            samples[n_samples++] = person_at(runs, &s[i], row);
        }
    if (n_samples)
        qsort(samples, n_samples, sizeof *samples, by_number);
    for (size_t i = PART_ROWS / SAMPLE; i < n_samples; i += PART_ROWS / SAMPLE)
        if (kept == 0 || samples[kept - 1] != samples[i])
            samples[kept++] = samples[i];
    *cuts = samples;
    return kept;
}

static void add_part(struct merge_plan *p, const struct segment *s, size_t n, const uint32_t *from,
                     const uint32_t *to)
{
    struct part part = {.key = s->key, .first_piece = p->n_pieces};
    for (size_t i = 0; i < n; i++) {
        if (from[i] == to[i])
            continue;
        GROW(p->pieces, p->n_pieces + 1, p->cap_pieces);
        p->pieces[p->n_pieces++] = (struct piece){s[i].run, s[i].first + from[i], to[i] - from[i]};
        part.rows += to[i] - from[i];
    }
    part.n_pieces = p->n_pieces - part.first_piece;
    if (!part.rows)
        return;
    GROW(p->parts, p->n_parts + 1, p->cap_parts);
    p->parts[p->n_parts++] = part;
    p->rows += part.rows;
}

/* The parts of one concept, whose segments are n. */
static void plan_concept(struct merge_plan *p, const struct run *runs, const struct segment *s, size_t n)
{
    uint32_t *cuts = NULL, *from = xcalloc(n, sizeof *from), *to = xcalloc(n, sizeof *to);
    size_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += s[i].n;
    size_t n_cuts = rows > PART_ROWS ? choose_cuts(runs, s, n, &cuts) : 0;
    for (size_t k = 0; k <= n_cuts; k++) {
        for (size_t i = 0; i < n; i++)
            to[i] = k < n_cuts ? row_of_person(runs, &s[i], from[i], cuts[k]) : s[i].n;
        add_part(p, s, n, from, to);
        for (size_t i = 0; i < n; i++)
            from[i] = to[i];
    }
    free(cuts);
    free(from);
    free(to);
}

void merge_plan_init(struct merge_plan *p, const struct run *runs, size_t n_runs)
{
    struct segment *segments = NULL;
    size_t n = 0, capacity = 0;
    *p = (struct merge_plan){0};
    for (size_t r = 0; r < n_runs; r++)
        for (size_t k = 0; k < runs[r].n_keys; k++) {
            GROW(segments, n + 1, capacity);
            segments[n++] = (struct segment){runs[r].keys[k], (uint32_t)r, runs[r].first[k],
                                             runs[r].first[k + 1] - runs[r].first[k]};
        }
    if (n)
        qsort(segments, n, sizeof *segments, by_key);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && segments[to].key == segments[from].key;)
            to++;
        plan_concept(p, runs, segments + from, to - from);
    }
    free(segments);
}

void merge_plan_deinit(struct merge_plan *p)
{
    free(p->pieces);
    free(p->parts);
    *p = (struct merge_plan){0};
}
