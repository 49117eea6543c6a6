/* SPDX-License-Identifier: Apache-2.0
 *
 * What grows with the source while it is imported: the state of persons, sorted runs, visits. It lies in
 * unlinked files that are mapped. Whoever goes through such memory tells which pages it looks at; once more
 * of the process's mapped files is resident than the limit, the pages of all regions are let go. The system
 * keeps them in its cache while it has room and reads them from disk when it has not, so memory has a bound
 * whatever the number of persons and rows, and only time grows.
 *
 * Regions may be mapped, told of and unmapped on any thread; growing one is for its only user.
 */
#ifndef ACCORD_STORE_SCRATCH_H
#define ACCORD_STORE_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct scratch;
/* The folder is borrowed. Resident are at most `resident_bytes` beside what the program has mapped already, and
 * what SCRATCH_LOOKS looks of each thread map. */
struct scratch *scratch_new(const char *folder, uint64_t resident_bytes);
void scratch_free(struct scratch *s); /* with all regions; NULL is fine */

/* Zeroed memory for `bytes`; ST_IO where the disk has no room. Unmap with scratch_unmap. */
MUST_CHECK enum status scratch_map(struct scratch *s, size_t bytes, void **out, struct err *e);
/* A copy of the bytes, which are written to the file and not yet resident. */
MUST_CHECK enum status scratch_write(struct scratch *s, const void *bytes, size_t n, void **out,
                                     struct err *e);
/* Makes the region larger; it may move. */
MUST_CHECK enum status scratch_grow(struct scratch *s, size_t bytes, void **region, struct err *e);
void scratch_unmap(struct scratch *s, void *region); /* NULL is fine */

/* So many pages of regions were, or will be, looked at: call it at least every few MiB. */
void scratch_touched(struct scratch *s, size_t pages);
enum { SCRATCH_PAGE = 4096, SCRATCH_LOOKS = 16 };
/* The same for `bytes` that lie together. */
static inline void scratch_walked(struct scratch *s, size_t bytes)
{
    scratch_touched(s, bytes / SCRATCH_PAGE + 1);
}

/* The same for n looks at elements of so many bytes, each behind the one before it, from place `first` to `last`; or
 * at any, where last is not behind first. */
static inline void scratch_spanned(struct scratch *s, size_t n, uint64_t first, uint64_t last, size_t bytes)
{
    uint64_t pages = last < first ? n : (last - first) * bytes / SCRATCH_PAGE + 1;
    scratch_touched(s, pages < n ? (size_t)pages : n);
}

/* The same for looks at elements of so many bytes at those of the n places that rise from `from` on; returns where the
 * next ones begin. */
static inline size_t scratch_risen(struct scratch *s, const int64_t *places, size_t from, size_t n,
                                   size_t bytes)
{
    size_t to = from + 1;
    while (to < n && places[to] >= places[to - 1])
        to++;
    scratch_spanned(s, to - from, (uint64_t)places[from], (uint64_t)places[to - 1], bytes);
    return to;
}

/* Looks at single places: those on the page of the look before cost nothing. Begin with {.scratch = s}. */
struct looks {
    struct scratch *scratch;
    uint64_t page;
    size_t n;
};
static inline void look_at(struct looks *l, uint64_t byte)
{
    if (byte / SCRATCH_PAGE == l->page)
        return;
    l->page = byte / SCRATCH_PAGE;
    if (++l->n < SCRATCH_LOOKS)
        return;
    scratch_touched(l->scratch, l->n);
    l->n = 0;
}
static inline void looks_end(struct looks *l)
{
    scratch_touched(l->scratch, l->n + 1);
}

/* A growing array of rows in a region. Begin with {.scratch = s, .row_bytes = sizeof row}. */
struct scratch_rows {
    struct scratch *scratch;
    size_t row_bytes, n, capacity;
    void *rows;
};
/* Room for `more` rows behind the n; the caller writes them and adds to n. */
MUST_CHECK enum status scratch_rows_reserve(struct scratch_rows *r, size_t more, struct err *e);
/* Stable; rows in order already are left as they are. Merges slices that are sorted in memory. */
MUST_CHECK enum status scratch_rows_sort(struct scratch_rows *r, int (*compare)(const void *, const void *),
                                         struct err *e);
void scratch_rows_deinit(struct scratch_rows *r);

#endif
