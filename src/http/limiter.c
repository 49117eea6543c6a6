/* SPDX-License-Identifier: Apache-2.0 */
#include "http/limiter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct bucket {
    char *name;
    double tokens;
    unsigned most, seconds;
    int64_t at_ns;
};

struct limiter {
    pthread_mutex_t lock;
    struct bucket *buckets;
    size_t n, capacity;
};

enum { SWEEP_AT = 4096 };

struct limiter *limiter_new(void)
{
    struct limiter *l = xcalloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limiter_free(struct limiter *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free(l->buckets[i].name);
    free(l->buckets);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void refill(struct bucket *b, int64_t now_ns)
{
    double rate = (double)b->most / (double)b->seconds;
    b->tokens += (double)(now_ns - b->at_ns) / 1e9 * rate;
    if (b->tokens > b->most)
        b->tokens = b->most;
    b->at_ns = now_ns;
}

/* A full bucket says the same as none. */
static void sweep(struct limiter *l, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        refill(&l->buckets[i], now_ns);
        if (l->buckets[i].tokens >= l->buckets[i].most)
            free(l->buckets[i].name);
        else
            l->buckets[kept++] = l->buckets[i];
    }
    l->n = kept;
}

static struct bucket *find(struct limiter *l, const char *name, unsigned most, unsigned seconds,
                           int64_t now_ns)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->buckets[i].name, name) == 0)
            return &l->buckets[i];
    if (l->n >= SWEEP_AT)
        sweep(l, now_ns);
    GROW(l->buckets, l->n + 1, l->capacity);
    l->buckets[l->n] = (struct bucket){xstrdup(name), most, most, seconds, now_ns};
    return &l->buckets[l->n++];
}

bool limiter_take(struct limiter *l, const char *name, unsigned most, unsigned seconds, int64_t now_ns)
{
    pthread_mutex_lock(&l->lock);
    struct bucket *b = find(l, name, most, seconds, now_ns);
    refill(b, now_ns);
    bool has = b->tokens >= 1;
    if (has)
        b->tokens -= 1;
    pthread_mutex_unlock(&l->lock);
    return has;
}

unsigned limiter_login(struct limiter *l, const char *peer, const char *person, int64_t now_ns)
{
    enum { TRIES = 5, SECONDS = 300, PEER_TRIES = 20, PEER_SECONDS = 60 };
    char name[128];
    snprintf(name, sizeof name, "peer:%s", peer);
    if (!limiter_take(l, name, PEER_TRIES, PEER_SECONDS, now_ns))
        return PEER_SECONDS / PEER_TRIES + 1;
    snprintf(name, sizeof name, "login:%s", person);
    return limiter_take(l, name, TRIES, SECONDS, now_ns) ? 0 : SECONDS / TRIES + 1;
}
