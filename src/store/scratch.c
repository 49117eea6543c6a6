/* SPDX-License-Identifier: Apache-2.0 */
#include "store/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

/* A first look at a page can map as many neighbours as the cache keeps in one piece with it: up to a huge page, on
 * Linux since 6.16; 15 of them before. */
enum { AROUND_BYTES = 2 << 20 };
enum { LEAST_ROWS = 1024, LEAST_SLICE = 1 << 12, SLICES_OF_LIMIT = 8 };

struct region {
    void *p;
    size_t bytes;
    int fd; /* -1 where it was written whole; else kept, since it may grow */
};

struct scratch {
    const char *folder;
    uint64_t limit; /* of the process's resident pages of files: the program's own and those allowed */
    size_t slice;   /* bytes that are sorted at once */
    _Atomic size_t between; /* pages that may be looked at before the limit is looked at */
    _Atomic size_t touched;
    int statm;
    pthread_mutex_t lock; /* of the regions */
    struct region *regions;
    size_t n, capacity;
};

/* Bytes of files that are resident in this process; UINT64_MAX where that is not known. */
static uint64_t files_resident(const struct scratch *s)
{
    char text[128];
    unsigned long long all, resident, of_files;
    ssize_t n = s->statm >= 0 ? pread(s->statm, text, sizeof text - 1, 0) : -1;
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu %llu", &all, &resident, &of_files) != 3)
        return UINT64_MAX;
    return of_files * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct scratch *scratch_new(const char *folder, uint64_t resident_bytes)
{
    struct scratch *s = xcalloc(1, sizeof *s);
    s->folder = folder;
    s->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    s->slice =
        resident_bytes / SLICES_OF_LIMIT > LEAST_SLICE ? resident_bytes / SLICES_OF_LIMIT : LEAST_SLICE;
    uint64_t program = files_resident(s);
    s->limit = program == UINT64_MAX ? 0 : program + resident_bytes;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void region_end(const struct region *r)
{
    if (r->bytes)
        munmap(r->p, r->bytes);
    else
        free(r->p);
    if (r->fd >= 0)
        close(r->fd);
}

void scratch_free(struct scratch *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        region_end(&s->regions[i]);
    free(s->regions);
    if (s->statm >= 0)
        close(s->statm);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum status failed(int number, struct err *e)
{
    return err_errno(e, number, "cannot make a", "temporary file of the import");
}

static enum status new_file(const struct scratch *s, int *fd, struct err *e)
{
    *fd = open(s->folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    return *fd < 0 ? err_errno(e, errno, "cannot make a temporary file in", s->folder) : ST_OK;
}

/* What is written to is looked at everywhere and soon resident as a whole: huge pages take fewer faults, and places far
 * apart are found sooner. What was written whole is read at many places that go on step by step, hundreds of
 * runs at once: there a look may not map more than the few pages around it. */
static enum status map_file(int fd, size_t bytes, bool written, void **out, struct err *e)
{
    int protection = written ? PROT_READ : PROT_READ | PROT_WRITE;
    void *p = bytes ? mmap(NULL, bytes, protection, MAP_SHARED, fd, 0) : xmalloc(1);
    if (p == MAP_FAILED)
        return failed(errno, e);
    if (bytes)
        madvise(p, bytes, written ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    *out = p;
    return ST_OK;
}

static void add_region(struct scratch *s, struct region r)
{
    pthread_mutex_lock(&s->lock);
    GROW(s->regions, s->n + 1, s->capacity);
    s->regions[s->n++] = r;
    pthread_mutex_unlock(&s->lock);
}

/* A full disk shows here and not at a write to the map. */
static enum status make_room(int fd, size_t bytes, struct err *e)
{
    int number = bytes ? posix_fallocate(fd, 0, (off_t)bytes) : 0;
    return number ? failed(number, e) : ST_OK;
}

enum status scratch_map(struct scratch *s, size_t bytes, void **out, struct err *e)
{
    int fd;
    *out = NULL;
    enum status st = new_file(s, &fd, e);
    if (st != ST_OK)
        return st;
    st = make_room(fd, bytes, e);
    if (st == ST_OK)
        st = map_file(fd, bytes, false, out, e);
    if (st == ST_OK)
        add_region(s, (struct region){*out, bytes, fd});
    else
        close(fd);
    return st;
}

static enum status write_all(int fd, const uint8_t *p, size_t n, struct err *e)
{
    while (n) {
        ssize_t k = write(fd, p, n < (1U << 30) ? n : 1U << 30);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return err_errno(e, errno, "cannot write a", "temporary file of the import");
        p += k;
        n -= (size_t)k;
    }
    return ST_OK;
}

enum status scratch_write(struct scratch *s, const void *bytes, size_t n, void **out, struct err *e)
{
    int fd;
    *out = NULL;
    enum status st = new_file(s, &fd, e);
    if (st != ST_OK)
        return st;
    st = write_all(fd, bytes, n, e);
    if (st == ST_OK)
        st = map_file(fd, n, true, out, e);
    if (st == ST_OK)
        add_region(s, (struct region){*out, n, -1});
    close(fd);
    return st;
}

/* The place of the region; the lock is held. Those made last are looked for most. */
static size_t place_of(const struct scratch *s, const void *p)
{
    size_t i = s->n;
    while (i > 0 && s->regions[i - 1].p != p)
        i--;
    return i - 1;
}

enum status scratch_grow(struct scratch *s, size_t bytes, void **region, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    struct region *r = &s->regions[place_of(s, *region)];
    enum status st = make_room(r->fd, bytes, e);
    if (st == ST_OK) {
        void *p = r->bytes ? mremap(r->p, r->bytes, bytes, MREMAP_MAYMOVE)
                           : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
        if (p == MAP_FAILED) {
            st = failed(errno, e);
        } else {
            if (!r->bytes)
                free(r->p);
            r->p = *region = p;
            r->bytes = bytes;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}

void scratch_unmap(struct scratch *s, void *region)
{
    if (!region)
        return;
    pthread_mutex_lock(&s->lock);
    size_t at = place_of(s, region);
    region_end(&s->regions[at]);
    s->regions[at] = s->regions[--s->n];
    pthread_mutex_unlock(&s->lock);
}

/* What threads look at meanwhile comes back from the cache. */
static void let_go(const struct scratch *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->regions[i].bytes)
            madvise(s->regions[i].p, s->regions[i].bytes, MADV_DONTNEED);
}

/* The limit is due to be looked at. */
static bool is_due(struct scratch *s)
{
    return atomic_load_explicit(&s->touched, memory_order_relaxed) >=
           atomic_load_explicit(&s->between, memory_order_relaxed);
}

void scratch_touched(struct scratch *s, size_t pages)
{
    atomic_fetch_add_explicit(&s->touched, pages, memory_order_relaxed);
    if (!is_due(s))
        return;
    pthread_mutex_lock(&s->lock);
    if (is_due(s)) { /* no other thread was at it meanwhile */
        uint64_t resident = files_resident(s);
        if (resident > s->limit) {
            let_go(s);
            resident = files_resident(s);
        }
        uint64_t room = resident < s->limit ? s->limit - resident : 0;
        atomic_store_explicit(&s->between, room / AROUND_BYTES, memory_order_relaxed);
        atomic_store_explicit(&s->touched, 0, memory_order_relaxed);
    }
    pthread_mutex_unlock(&s->lock);
}

enum status scratch_rows_reserve(struct scratch_rows *r, size_t more, struct err *e)
{
    scratch_walked(r->scratch, more * r->row_bytes);
    if (r->n + more <= r->capacity)
        return ST_OK;
    size_t capacity = r->n + more + r->n / 2 + LEAST_ROWS;
    enum status st = r->rows ? scratch_grow(r->scratch, capacity * r->row_bytes, &r->rows, e)
                             : scratch_map(r->scratch, capacity * r->row_bytes, &r->rows, e);
    if (st == ST_OK)
        r->capacity = capacity;
    return st;
}

void scratch_rows_deinit(struct scratch_rows *r)
{
    scratch_unmap(r->scratch, r->rows);
    r->rows = NULL;
    r->n = r->capacity = 0;
}

typedef int (*compare_rows)(const void *, const void *);

static const char *row_at(const struct scratch_rows *r, size_t i)
{
    return (const char *)r->rows + i * r->row_bytes;
}

static bool in_order(const struct scratch_rows *r, compare_rows compare)
{
    struct looks looks = {.scratch = r->scratch};
    size_t i = 1;
    for (; i < r->n && compare(row_at(r, i - 1), row_at(r, i)) <= 0; i++)
        look_at(&looks, i * r->row_bytes);
    looks_end(&looks);
    return i >= r->n;
}

/* Sorted slices while they are merged: a heap of their numbers by their next rows, then by number. */
struct slices {
    const struct scratch_rows *rows;
    compare_rows compare;
    size_t *next, *end, *heap, n;
};

static bool comes_before(const struct slices *s, size_t a, size_t b)
{
    int c = s->compare(row_at(s->rows, s->next[a]), row_at(s->rows, s->next[b]));
    return c ? c < 0 : a < b;
}

static void sift_down(struct slices *s, size_t at)
{
    for (size_t least = at;; at = least) {
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->n; child++)
            if (comes_before(s, s->heap[child], s->heap[least]))
                least = child;
        if (least == at)
            return;
        size_t slice = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = slice;
    }
}

static void merge_slices(struct slices *s, struct scratch_rows *out)
{
    const size_t bytes = out->row_bytes;
    struct looks looks = {.scratch = out->scratch};
    for (size_t i = s->n; i-- > 0;)
        sift_down(s, i);
    while (s->n) {
        size_t slice = s->heap[0];
        memcpy((char *)out->rows + out->n * bytes, row_at(s->rows, s->next[slice]), bytes);
        look_at(&looks, out->n++ * bytes);
        if (++s->next[slice] == s->end[slice])
            s->heap[0] = s->heap[--s->n];
        sift_down(s, 0);
    }
    looks_end(&looks);
}

enum status scratch_rows_sort(struct scratch_rows *r, compare_rows compare, struct err *e)
{
    if (in_order(r, compare))
        return ST_OK;
    size_t each = r->scratch->slice / r->row_bytes, n = (r->n + each - 1) / each;
    struct scratch_rows out = {.scratch = r->scratch, .row_bytes = r->row_bytes};
    enum status st = scratch_rows_reserve(&out, r->n, e);
    if (st != ST_OK)
        return st;
    size_t *numbers = xrealloc_array(NULL, 3 * n, sizeof *numbers);
    struct slices s = {r, compare, numbers, numbers + n, numbers + 2 * n, n};
    for (size_t i = 0; i < n; i++) {
        s.heap[i] = i;
        s.next[i] = i * each;
        s.end[i] = i + 1 < n ? (i + 1) * each : r->n;
        qsort((char *)r->rows + i * each * r->row_bytes, s.end[i] - s.next[i], r->row_bytes, compare);
        scratch_walked(r->scratch, each * r->row_bytes);
    }
    merge_slices(&s, &out);
    free(numbers);
    scratch_rows_deinit(r);
    *r = out;
    return ST_OK;
}
