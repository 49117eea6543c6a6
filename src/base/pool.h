/* SPDX-License-Identifier: Apache-2.0
 *
 * A pool of threads for work that is split by data. pool_run calls task(context, i) for i in 0..n-1, each
 * exactly once, on any thread; callers write results by index and combine them in order afterwards, so that
 * the number of threads never shows.
 */
#ifndef ACCORD_BASE_POOL_H
#define ACCORD_BASE_POOL_H

#include <stddef.h>

#include "base/err.h"

struct pool;
/* 0 threads = as many as the process may use (ACCORD_THREADS overrides). 1 runs everything on the caller's
 * thread. */
struct pool *pool_new(unsigned threads);
void pool_free(struct pool *p);
unsigned pool_threads(const struct pool *p); /* the caller's thread included */
typedef enum status (*pool_task)(void *context, size_t i, struct err *e);
/* Returns the first failure by index (later tasks are then not started). NULL pool = caller's thread. */
MUST_CHECK enum status pool_run(struct pool *p, size_t n, pool_task task, void *context, struct err *e);

#endif
