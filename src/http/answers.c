/* SPDX-License-Identifier: Apache-2.0 */
#include "http/answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUCKETS = 4096, MOST_EXTRA = 8, NAMES = 1 << 16, CLAIMS = 32, WAIT_S = 5 };

/* One allocation: the texts lie behind it. */
struct answer {
    struct answer *next;
    struct moment made;
    struct reads from;
    size_t size;
    const char *address;
    const char *type; /* static text, as in a response */
    struct slice body;
    struct http_header extra[MOST_EXTRA];
    size_t n_extra;
    char bytes[];
};

struct answers {
    pthread_mutex_t lock;
    pthread_cond_t made;
    int64_t known;          /* size of the log up to which changes are known */
    int64_t change[NAMES];  /* size behind the last change of a name of this hash */
    uint64_t claim[CLAIMS]; /* addresses that are being made, by hash; 0 = free */
    size_t bytes;
    struct answer *bucket[BUCKETS];
};

struct answers *answers_new(void)
{
    struct answers *a = xcalloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->made, NULL);
    return a;
}

static void drop_all(struct answers *a)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (a->bucket[i]) {
            struct answer *one = a->bucket[i];
            a->bucket[i] = one->next;
            free(one);
        }
    a->bytes = 0;
}

void answers_free(struct answers *a)
{
    if (!a)
        return;
    drop_all(a);
    pthread_cond_destroy(&a->made);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* FNV-1a: addresses come from anybody, but the whole table is bounded. */
static uint64_t hash_of(const char *address)
{
    uint64_t h = 14695981039346656037U;
    for (; *address; address++)
        h = (h ^ (uint8_t)*address) * 1099511628211U;
    return h;
}

/* --- what has changed ------------------------------------------------------------------------------------
 */

int64_t answers_known(struct answers *a)
{
    pthread_mutex_lock(&a->lock);
    int64_t known = a->known;
    pthread_mutex_unlock(&a->lock);
    return known;
}

void answers_changed(void *answers, uint64_t name, int64_t size)
{
    struct answers *a = answers;
    pthread_mutex_lock(&a->lock);
    int64_t *last = &a->change[name % NAMES];
    *last = *last > size ? *last : size;
    pthread_mutex_unlock(&a->lock);
}

void answers_seen(struct answers *a, int64_t size)
{
    pthread_mutex_lock(&a->lock);
    a->known = a->known > size ? a->known : size;
    pthread_mutex_unlock(&a->lock);
}

/* Whether what was made at that moment from these reads is what would be made now. */
static bool holds(const struct answers *a, struct moment made, const struct reads *from, int64_t day)
{
    if (made.day != day || (from->everything && made.size < a->known))
        return false;
    for (size_t i = 0; i < from->n; i++)
        if (a->change[from->of[i] % NAMES] > made.size)
            return false;
    return true;
}

/* --- the answers -----------------------------------------------------------------------------------------
 */

/* Where the answer hangs, *NULL when there is none. */
static struct answer **place_of(struct answers *a, const char *address)
{
    struct answer **at = &a->bucket[hash_of(address) % BUCKETS];
    while (*at && strcmp((*at)->address, address) != 0)
        at = &(*at)->next;
    return at;
}

static size_t size_of(const char *address, const struct http_response *r)
{
    size_t n = sizeof(struct answer) + strlen(address) + 1 + r->body.n + 1;
    for (size_t i = 0; i < r->n_extra; i++)
        n += r->extra[i].name.n + r->extra[i].value.n + 2;
    return n;
}

static void drop(struct answers *a, struct answer **at)
{
    struct answer *one = *at;
    *at = one->next;
    a->bytes -= one->size;
    free(one);
}

static struct slice lend(struct arena *a, struct slice s)
{
    return (struct slice){arena_strndup(a, s.p, s.n), s.n};
}

static void fill(const struct answer *one, struct arena *arena, struct http_response *response)
{
    response->code = 200;
    response->type = one->type;
    buf_add(&response->body, one->body.p, one->body.n);
    for (size_t i = 0; i < one->n_extra; i++)
        response->extra[i] =
            (struct http_header){lend(arena, one->extra[i].name), lend(arena, one->extra[i].value)};
    response->n_extra = one->n_extra;
}

bool answers_find(struct answers *a, struct moment now, const char *address, struct arena *arena,
                  struct http_response *response)
{
    pthread_mutex_lock(&a->lock);
    struct answer **at = place_of(a, address);
    bool found = *at && holds(a, (*at)->made, &(*at)->from, now.day);
    if (found)
        fill(*at, arena, response);
    else if (*at)
        drop(a, at);
    pthread_mutex_unlock(&a->lock);
    return found;
}

static uint64_t *claim_of(struct answers *a, uint64_t hash)
{
    for (size_t i = 0; i < CLAIMS; i++)
        if (a->claim[i] == hash)
            return &a->claim[i];
    return NULL;
}

bool answers_claim(struct answers *a, const char *address)
{
    uint64_t hash = hash_of(address) | 1;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&a->lock);
    bool waits = claim_of(a, hash);
    while (claim_of(a, hash) && pthread_cond_timedwait(&a->made, &a->lock, &until) == 0)
        continue;
    uint64_t *slot = waits ? NULL : claim_of(a, 0);
    if (slot)
        *slot = hash;
    pthread_mutex_unlock(&a->lock);
    return !waits;
}

void answers_made(struct answers *a, const char *address)
{
    pthread_mutex_lock(&a->lock);
    uint64_t *slot = claim_of(a, hash_of(address) | 1);
    if (slot)
        *slot = 0;
    pthread_cond_broadcast(&a->made);
    pthread_mutex_unlock(&a->lock);
}

/* Copies behind the answer; *at moves on. */
static struct slice put(char **at, struct slice s)
{
    struct slice copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    (*at)[s.n] = '\0';
    *at += s.n + 1;
    return copy;
}

static struct answer *answer_new(const char *address, const struct http_response *r, size_t size)
{
    struct answer *one = xcalloc(1, size);
    char *at = one->bytes;
    one->size = size;
    one->type = r->type;
    one->n_extra = r->n_extra;
    one->address = put(&at, slice_of(address)).p;
    one->body = put(&at, buf_slice(&r->body));
    for (size_t i = 0; i < r->n_extra; i++)
        one->extra[i] = (struct http_header){put(&at, r->extra[i].name), put(&at, r->extra[i].value)};
    return one;
}

void answers_keep(struct answers *a, struct moment made, const struct reads *from, const char *address,
                  const struct http_response *response)
{
    size_t bytes = size_of(address, response);
    if (response->body.failed || bytes > ANSWERS_MOST / 8)
        return;
    pthread_mutex_lock(&a->lock);
    struct answer **at = place_of(a, address);
    if (holds(a, made, from, made.day) && (!*at || (*at)->made.size < made.size)) {
        if (*at)
            drop(a, at);
        if (a->bytes + bytes > ANSWERS_MOST)
            drop_all(a);
        struct answer *one = answer_new(address, response, bytes);
        at = &a->bucket[hash_of(address) % BUCKETS];
        one->made = made;
        one->from = *from;
        one->next = *at;
        *at = one;
        a->bytes += bytes;
    }
    pthread_mutex_unlock(&a->lock);
}
