/* SPDX-License-Identifier: Apache-2.0 */
#include "store/merge_plan.h"

#include <stdlib.h>

#include "base/mem.h"

/* The rows of one concept in one run. */
struct segment {
    uint32_t key, run, first, n;
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t person_at(struct merge_plan *p, const struct segment *s, uint32_t row)
{
    const struct run_column *c = &p->runs[s->run].columns[AT_PERSON];
    look_at(&p->looks, (uintptr_t)c->codes + ((size_t)s->first + row) * c->width);
    return (uint32_t)run_value(c, s->first + row);
}

/* The first row of the segment, from `low` on, whose person is at or behind `person`. */
static uint32_t row_of_person(struct merge_plan *p, const struct segment *s, uint32_t low, uint64_t person)
{
    uint32_t high = s->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (person_at(p, s, mid) < person)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Persons before which to cut, so that parts have about PART_ROWS rows: every 4096th row's person is a
 * sample. */
static size_t choose_cuts(struct merge_plan *p, const struct segment *s, size_t n, uint32_t **cuts)
{
    enum { SAMPLE = 4096 };
    uint32_t *samples = NULL;
    size_t n_samples = 0, capacity = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        for (uint32_t row = SAMPLE / 2; row < s[i].n; row += SAMPLE) {
            GROW(samples, n_samples + 1, capacity);
            samples[n_samples++] = person_at(p, &s[i], row);
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
}

/* Adds the parts of one concept, whose segments are n. */
static void plan_concept(struct merge_plan *p, size_t n)
{
    const struct segment *s = p->segments;
    uint32_t *cuts = NULL, *from = xcalloc(n, sizeof *from), *to = xcalloc(n, sizeof *to);
    size_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += s[i].n;
    size_t n_cuts = rows > PART_ROWS ? choose_cuts(p, s, n, &cuts) : 0;
    for (size_t k = 0; k <= n_cuts; k++) {
        for (size_t i = 0; i < n; i++)
            to[i] = k < n_cuts ? row_of_person(p, &s[i], from[i], cuts[k]) : s[i].n;
        add_part(p, s, n, from, to);
        for (size_t i = 0; i < n; i++)
            from[i] = to[i];
    }
    free(cuts);
    free(from);
    free(to);
}

static bool comes_before(const struct merge_plan *p, uint32_t a, uint32_t b)
{
    uint32_t x = p->runs[a].keys[p->next[a]], y = p->runs[b].keys[p->next[b]];
    return x != y ? x < y : a < b;
}

static void sift_down(struct merge_plan *p, size_t at)
{
    for (size_t least = at;; at = least) {
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < p->n_heap; child++)
            if (comes_before(p, p->heap[child], p->heap[least]))
                least = child;
        if (least == at)
            return;
        uint32_t run = p->heap[at];
        p->heap[at] = p->heap[least];
        p->heap[least] = run;
    }
}

void merge_plan_init(struct merge_plan *p, const struct run *runs, size_t n_runs, struct scratch *scratch)
{
    *p = (struct merge_plan){.runs = runs, .looks = {.scratch = scratch}, .n_heap = n_runs};
    p->heap = xrealloc_array(NULL, n_runs, sizeof *p->heap);
    p->next = xcalloc(n_runs, sizeof *p->next);
    p->segments = xrealloc_array(NULL, n_runs, sizeof *p->segments);
    for (size_t r = 0; r < n_runs; r++) {
        p->heap[r] = (uint32_t)r;
        p->rows += runs[r].n;
    }
    for (size_t r = n_runs; r-- > 0;)
        sift_down(p, r);
}

/* The rows of the least concept that is left, in the order of the runs. */
static size_t take_concept(struct merge_plan *p)
{
    size_t n = 0;
    do {
        const uint32_t r = p->heap[0];
        const struct run *run = &p->runs[r];
        size_t k = p->next[r]++;
        p->segments[n++] =
            (struct segment){run->keys[k], r, run->first[k], run->first[k + 1] - run->first[k]};
        if (p->next[r] == run->n_keys)
            p->heap[0] = p->heap[--p->n_heap];
        sift_down(p, 0);
    } while (p->n_heap && p->runs[p->heap[0]].keys[p->next[p->heap[0]]] == p->segments[0].key);
    scratch_touched(p->looks.scratch, n);
    return n;
}

void merge_plan_next(struct merge_plan *p, size_t parts, size_t rows)
{
    p->n_parts = p->n_pieces = 0;
    for (size_t planned = 0, counted = 0; p->n_heap && p->n_parts < parts && planned < rows;) {
        plan_concept(p, take_concept(p));
        for (; counted < p->n_parts; counted++)
            planned += p->parts[counted].rows;
    }
}

bool merge_plan_ended(const struct merge_plan *p)
{
    return !p->n_heap;
}

void merge_plan_deinit(struct merge_plan *p)
{
    free(p->pieces);
    free(p->parts);
    free(p->heap);
    free(p->next);
    free(p->segments);
    *p = (struct merge_plan){0};
}
