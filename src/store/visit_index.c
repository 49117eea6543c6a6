/* SPDX-License-Identifier: Apache-2.0
 *
 * Which visit is an event's visit_occurrence_id? Visits by person, in scratch: a person's visits are few and lie
 * together.
 */
#include "store/importing.h"

static void count_visits(struct import *im, const struct run *runs, size_t n_runs)
{
    struct visit_index *v = &im->visits;
    struct looks looks = {.scratch = im->scratch};
    for (size_t r = 0; r < n_runs; r++)
        for (size_t i = 0; i < runs[r].n; i++) {
            uint64_t person = (uint64_t)run_value(&runs[r].columns[AT_PERSON], i);
            look_at(&looks, person * sizeof *v->first);
            v->first[person + 1]++;
        }
    for (uint32_t p = 0; p < im->n_persons; p++) {
        look_at(&looks, p * sizeof *v->first);
        v->first[p + 1] += v->first[p];
    }
    looks_end(&looks);
}

static void place_run(struct import *im, const struct run *r)
{
    struct visit_index *v = &im->visits;
    struct looks looks = {.scratch = im->scratch};
    for (size_t k = 0; k < r->n_keys; k++) {
        int32_t concept = concept_of_key(&im->ranks, r->keys[k]);
        for (size_t i = r->first[k]; i < r->first[k + 1]; i++) {
            uint64_t at = v->first[run_value(&r->columns[AT_PERSON], i)]++;
            look_at(&looks, at * sizeof *v->ids);
            v->ids[at] = run_value(&r->columns[AT_ID], i);
            v->concepts[at] = concept;
        }
    }
    looks_end(&looks);
}

/* Visits of one id (which OMOP forbids) go by concept, so that it is always the same one that is found. */
static inline bool comes_after(int64_t id, int32_t concept, int64_t than, int32_t than_concept)
{
    return id > than || (id == than && concept > than_concept);
}

/* A person's visits by id: insertion, since there are few; a heap of them goes by a shell sort's gaps (Ciura
 * 2001). */
static void sort_visits(int64_t *ids, int32_t *concepts, size_t n)
{
    static const size_t gaps[] = {57590, 25596, 11376, 5056, 2247, 999, 444, 197, 88, 39, 17, 7, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (size_t i = gaps[g]; i < n; i++) {
            int64_t id = ids[i];
            int32_t concept = concepts[i];
            size_t to = i;
            for (; to >= gaps[g] && comes_after(ids[to - gaps[g]], concepts[to - gaps[g]], id, concept);
                 to -= gaps[g]) {
                ids[to] = ids[to - gaps[g]];
                concepts[to] = concepts[to - gaps[g]];
            }
            ids[to] = id;
            concepts[to] = concept;
        }
}

static enum status map_visits(struct import *im, struct err *e)
{
    struct visit_index *v = &im->visits;
    void *first = NULL, *ids = NULL, *concepts = NULL;
    enum status st = scratch_map(im->scratch, v->n * sizeof *v->ids, &ids, e);
    if (st == ST_OK)
        st = scratch_map(im->scratch, v->n * sizeof *v->concepts, &concepts, e);
    if (st == ST_OK)
        st = scratch_map(im->scratch, ((size_t)im->n_persons + 2) * sizeof *v->first, &first, e);
    v->ids = ids;
    v->concepts = concepts;
    v->first = first;
    return st;
}

/* first[p] has moved to where person p ends, which is where p + 1 begins. */
static void move_back(struct visit_index *v, uint32_t persons, struct scratch *scratch)
{
    struct looks looks = {.scratch = scratch};
    for (uint32_t p = persons; p > 0; p--) {
        v->first[p] = v->first[p - 1];
        look_at(&looks, p * sizeof *v->first);
    }
    v->first[0] = 0;
    looks_end(&looks);
}

static void sort_all(struct visit_index *v, uint32_t persons, struct scratch *scratch)
{
    struct looks looks = {.scratch = scratch};
    for (uint32_t p = 0; p < persons; p++) {
        sort_visits(v->ids + v->first[p], v->concepts + v->first[p], v->first[p + 1] - v->first[p]);
        look_at(&looks, v->first[p] * sizeof *v->ids);
    }
    looks_end(&looks);
}

enum status visit_index_build(struct import *im, const struct run *runs, size_t n_runs, struct err *e)
{
    struct visit_index *v = &im->visits;
    for (size_t r = 0; r < n_runs; r++)
        v->n += runs[r].n;
    enum status st = map_visits(im, e);
    if (st != ST_OK)
        return st;
    count_visits(im, runs, n_runs);
    for (size_t r = 0; r < n_runs; r++)
        place_run(im, &runs[r]);
    move_back(v, im->n_persons, im->scratch);
    sort_all(v, im->n_persons, im->scratch);
    return ST_OK;
}

/* The place of the visit among ids[low..high), sorted. Mostly a person's visits are numbered one after the
 * other, and its distance from the first is its place. */
static uint64_t find_visit(const int64_t *ids, uint64_t low, uint64_t high, int64_t visit)
{
    uint64_t guess = (uint64_t)visit - (uint64_t)ids[low];
    if (guess < high - low && ids[low + guess] == visit)
        return low + guess;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (ids[mid] < visit)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int32_t visit_index_concept(const struct visit_index *v, uint32_t person, int64_t visit)
{
    if (!v->first || visit == NONE_I64)
        return NONE_I32;
    uint64_t low = v->first[person], end = v->first[person + 1];
    if (low == end)
        return NONE_I32;
    uint64_t at = find_visit(v->ids, low, end, visit);
    return at < end && v->ids[at] == visit ? v->concepts[at] : NONE_I32;
}
