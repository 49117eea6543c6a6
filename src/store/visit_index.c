/* SPDX-License-Identifier: Apache-2.0
 *
 * Which visit is an event's visit_occurrence_id? Visits by person, in unlinked files that are mapped: a
 * person's visits are few and lie together, and pages that are not needed can go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/importing.h"

enum { REST_PERSONS = 1 << 18 }; /* how often pages are let go */

static enum status map_scratch(const char *folder, size_t bytes, void **out, struct err *e)
{
    int fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "cannot make a temporary file in", folder);
    int failed =
        bytes ? posix_fallocate(fd, 0, (off_t)bytes) : 0; /* a full disk shows here, not at a store */
    if (!failed && bytes) {
        *out = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        failed = *out == MAP_FAILED ? errno : 0;
    }
    close(fd);
    if (failed)
        *out = NULL;
    return failed ? err_errno(e, failed, "cannot make a", "temporary file of the import") : ST_OK;
}

static void count_visits(struct visit_index *v, const struct run *runs, size_t n_runs, uint32_t persons)
{
    for (size_t r = 0; r < n_runs; r++) {
        for (size_t i = 0; i < runs[r].n; i++)
            v->first[run_value(&runs[r].columns[AT_PERSON], i) + 1]++;
        run_rest(&runs[r]);
    }
    for (uint32_t p = 0; p < persons; p++)
        v->first[p + 1] += v->first[p];
}

static void place_run(struct import *im, const struct run *r)
{
    struct visit_index *v = &im->visits;
    for (size_t k = 0; k < r->n_keys; k++) {
        int32_t concept = concept_of_key(&im->ranks, r->keys[k]);
        for (size_t i = r->first[k]; i < r->first[k + 1]; i++) {
            uint64_t at = v->first[run_value(&r->columns[AT_PERSON], i)]++;
            v->ids[at] = run_value(&r->columns[AT_ID], i);
            v->concepts[at] = concept;
        }
    }
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
            for (; to >= gaps[g] && ids[to - gaps[g]] > id; to -= gaps[g]) {
                ids[to] = ids[to - gaps[g]];
                concepts[to] = concepts[to - gaps[g]];
            }
            ids[to] = id;
            concepts[to] = concept;
        }
}

enum status visit_index_build(struct import *im, const struct run *runs, size_t n_runs, struct err *e)
{
    struct visit_index *v = &im->visits;
    void *ids = NULL, *concepts = NULL;
    for (size_t r = 0; r < n_runs; r++)
        v->n += runs[r].n;
    enum status st = map_scratch(im->folder, v->n * sizeof *v->ids, &ids, e);
    v->ids = ids;
    if (st == ST_OK)
        st = map_scratch(im->folder, v->n * sizeof *v->concepts, &concepts, e);
    v->concepts = concepts;
    if (st != ST_OK)
        return st;
    v->first = xcalloc((size_t)im->n_persons + 2, sizeof *v->first);
    count_visits(v, runs, n_runs, im->n_persons);
    for (size_t r = 0; r < n_runs; r++) {
        place_run(im, &runs[r]);
        run_rest(&runs[r]);
        visit_index_rest(v);
    }
    /* first[p] has moved to where person p ends, which is where p + 1 begins. */
    for (uint32_t p = im->n_persons; p > 0; p--)
        v->first[p] = v->first[p - 1];
    v->first[0] = 0;
    for (uint32_t p = 0; p < im->n_persons; p++) {
        sort_visits(v->ids + v->first[p], v->concepts + v->first[p], v->first[p + 1] - v->first[p]);
        if (p % REST_PERSONS == 0)
            visit_index_rest(v);
    }
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

void visit_index_rest(struct visit_index *v)
{
    if (!v->n)
        return;
    madvise(v->ids, v->n * sizeof *v->ids, MADV_DONTNEED);
    madvise(v->concepts, v->n * sizeof *v->concepts, MADV_DONTNEED);
}

void visit_index_deinit(struct visit_index *v)
{
    if (v->ids)
        munmap(v->ids, v->n * sizeof *v->ids);
    if (v->concepts)
        munmap(v->concepts, v->n * sizeof *v->concepts);
    free(v->first);
    *v = (struct visit_index){0};
}
