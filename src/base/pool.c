/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* One job at a time. Workers wait for `generation` to move, take indices from `next`, and report when they
 * find none left. */
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    pthread_t *threads;
    unsigned n_threads; /* without the caller */
    unsigned busy;
    uint64_t generation;
    bool stop;
    size_t n;
    atomic_size_t next;
    pool_task task;
    void *context;
    size_t failed_at; /* SIZE_MAX = none */
    struct err failure;
};

static void work_off(struct pool *p)
{
    for (;;) {
        size_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->n)
            return;
        struct err e = {0};
        if (p->task(p->context, i, &e) == ST_OK)
            continue;
        pthread_mutex_lock(&p->lock);
        if (i < p->failed_at) {
            p->failed_at = i;
            p->failure = e;
        }
        pthread_mutex_unlock(&p->lock);
        atomic_store(&p->next, p->n);
        return;
    }
}

static void *worker(void *context)
{
    struct pool *p = context;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->generation == seen)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stop)
            break;
        seen = p->generation;
        pthread_mutex_unlock(&p->lock);
        work_off(p);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static unsigned default_threads(void)
{
    uint64_t asked;
    const char *variable = getenv("ACCORD_THREADS");
    if (variable && parse_u64(slice_of(variable), &asked) && asked >= 1 && asked <= 1024)
        return (unsigned)asked;
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (unsigned)n : 1;
}

struct pool *pool_new(unsigned threads)
{
    struct pool *p = xcalloc(1, sizeof *p);
    unsigned wanted = (threads ? threads : default_threads()) - 1;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    p->threads = xcalloc(wanted, sizeof *p->threads);
    while (p->n_threads < wanted && pthread_create(&p->threads[p->n_threads], NULL, worker, p) == 0)
        p->n_threads++;
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->idle);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}

unsigned pool_threads(const struct pool *p)
{
    return p ? p->n_threads + 1 : 1;
}

static enum status run_here(size_t n, pool_task task, void *context, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        enum status s = task(context, i, e);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

enum status pool_run(struct pool *p, size_t n, pool_task task, void *context, struct err *e)
{
    if (!p || p->n_threads == 0 || n < 2)
        return run_here(n, task, context, e);
    pthread_mutex_lock(&p->lock);
    p->n = n;
    p->task = task;
    p->context = context;
    p->failed_at = SIZE_MAX;
    atomic_store(&p->next, 0);
    p->busy = p->n_threads;
    p->generation++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    work_off(p);
    pthread_mutex_lock(&p->lock);
    while (p->busy)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (p->failed_at == SIZE_MAX)
        return ST_OK;
    if (e)
        *e = p->failure;
    return p->failure.status;
}
