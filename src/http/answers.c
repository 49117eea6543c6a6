/* SPDX-License-Identifier: Apache-2.0 */
#include "http/answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, MOST_EXTRA = 8 };

/* One allocation: the texts lie behind it. */
struct answer {
    struct answer *next;
    const char *address;
    const char *type; /* static text, as in a response */
    struct slice body;
    struct http_header extra[MOST_EXTRA];
    size_t n_extra;
    char bytes[];
};

struct answers {
    pthread_mutex_t lock;
    int64_t version;
    size_t bytes;
    struct answer *bucket[BUCKETS];
};

struct answers *answers_new(void)
{
    struct answers *a = xcalloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
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
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* FNV-1a: addresses come from anybody, but the whole table is bounded and dropped with each entry. */
static size_t bucket_of(const char *address)
{
    uint64_t h = 14695981039346656037U;
    for (; *address; address++)
        h = (h ^ (uint8_t)*address) * 1099511628211U;
    return h % BUCKETS;
}

static const struct answer *look(const struct answers *a, const char *address)
{
    const struct answer *one = a->bucket[bucket_of(address)];
    while (one && strcmp(one->address, address) != 0)
        one = one->next;
    return one;
}

static struct slice lend(struct arena *a, struct slice s)
{
    return (struct slice){arena_strndup(a, s.p, s.n), s.n};
}

bool answers_find(struct answers *a, int64_t version, const char *address, struct arena *arena,
                  struct http_response *response)
{
    pthread_mutex_lock(&a->lock);
    const struct answer *one = a->version == version ? look(a, address) : NULL;
    if (one) {
        response->code = 200;
        response->type = one->type;
        buf_add(&response->body, one->body.p, one->body.n);
        for (size_t i = 0; i < one->n_extra; i++)
            response->extra[i] =
                (struct http_header){lend(arena, one->extra[i].name), lend(arena, one->extra[i].value)};
        response->n_extra = one->n_extra;
    }
    pthread_mutex_unlock(&a->lock);
    return one != NULL;
}

static size_t size_of(const char *address, const struct http_response *r)
{
    size_t n = sizeof(struct answer) + strlen(address) + 1 + r->body.n + 1;
    for (size_t i = 0; i < r->n_extra; i++)
        n += r->extra[i].name.n + r->extra[i].value.n + 2;
    return n;
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
    one->type = r->type;
    one->n_extra = r->n_extra;
    one->address = put(&at, slice_of(address)).p;
    one->body = put(&at, buf_slice(&r->body));
    for (size_t i = 0; i < r->n_extra; i++)
        one->extra[i] = (struct http_header){put(&at, r->extra[i].name), put(&at, r->extra[i].value)};
    return one;
}

void answers_keep(struct answers *a, int64_t version, const char *address,
                  const struct http_response *response)
{
    size_t bytes = size_of(address, response);
    if (response->body.failed || bytes > ANSWERS_MOST / 8)
        return;
    pthread_mutex_lock(&a->lock);
    if (a->version < version || a->bytes + bytes > ANSWERS_MOST) {
        drop_all(a);
        a->version = version > a->version ? version : a->version;
    }
    if (a->version == version && !look(a, address)) {
        struct answer *one = answer_new(address, response, bytes);
        size_t at = bucket_of(address);
        one->next = a->bucket[at];
        a->bucket[at] = one;
        a->bytes += bytes;
    }
    pthread_mutex_unlock(&a->lock);
}
