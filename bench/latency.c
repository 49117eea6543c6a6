/* SPDX-License-Identifier: Apache-2.0
 *
 * Cohort latency inside one process, as a node has it: each run reads the definition's JSON, parses,
 * evaluates over the open store and counts. One line of JSON per definition: the best CPU time of the warm
 * runs, and the first, cold one.
 *
 *   accord_bench STORE RUNS FILE.json...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/pool.h"
#include "cohort/cohort.h"

struct measured {
    int64_t cpu_ns, wall_ns, first_wall_ns;
    uint32_t persons;
};

static enum status evaluate_once(const char *path, const struct store *store, struct pool *pool,
                                 uint32_t *persons, struct err *e)
{
    struct js *json = NULL;
    struct cohort_definition *definition = NULL;
    struct cohort_rows rows = {0};
    enum status s = js_load(path, &json, e);
    if (s == ST_OK)
        s = cohort_parse(json, &definition, e);
    if (s == ST_OK)
        s = cohort_evaluate(definition, store, pool, &rows, e);
    *persons = rows.n_persons;
    cohort_rows_deinit(&rows);
    cohort_definition_free(definition);
    js_free(json);
    return s;
}

static enum status measure(const char *path, const struct store *store, struct pool *pool, long runs,
                           struct measured *m, struct err *e)
{
    *m = (struct measured){.cpu_ns = INT64_MAX, .wall_ns = INT64_MAX};
    for (long i = 0; i <= runs; i++) {
        int64_t cpu = time_cpu_ns(), wall = time_monotonic_ns();
        enum status s = evaluate_once(path, store, pool, &m->persons, e);
        if (s != ST_OK)
            return s;
        cpu = time_cpu_ns() - cpu;
        wall = time_monotonic_ns() - wall;
        if (i == 0)
            m->first_wall_ns = wall;
        else if (cpu < m->cpu_ns)
            m->cpu_ns = cpu, m->wall_ns = wall;
    }
    return ST_OK;
}

static void print(const char *path, const struct measured *m)
{
    struct rusage usage;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"engine\":\"accord\",\"step\":\"query\",\"query\":\"%.*s\",\"cpu_ms\":%.4f,\"wall_ms\":%.4f,"
           "\"first_wall_ms\":%.4f,\"answer\":[[\"%u\"]],\"peak_kib\":%ld}\n",
           (int)strcspn(name, "."), name, (double)m->cpu_ns / 1e6, (double)m->wall_ns / 1e6,
           (double)m->first_wall_ns / 1e6, m->persons, usage.ru_maxrss);
}

static enum status run(int argc, char **argv, struct err *e)
{
    struct store *store = NULL;
    long runs = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
    if (runs < 1)
        return err_set(e, ST_USAGE, "usage: accord_bench STORE RUNS FILE.json...");
    int64_t opening = time_monotonic_ns();
    enum status s = store_open(argv[1], &store, e);
    if (s != ST_OK)
        return s;
    printf("{\"engine\":\"accord\",\"step\":\"open\",\"wall_ms\":%.4f}\n",
           (double)(time_monotonic_ns() - opening) / 1e6);
    struct pool *pool = pool_new(0);
    for (int i = 3; i < argc && s == ST_OK; i++) {
        struct measured m;
        s = measure(argv[i], store, pool, runs, &m, e);
        if (s == ST_OK)
            print(argv[i], &m);
    }
    pool_free(pool);
    store_close(store);
    return s;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    crypto_init();
    if (run(argc, argv, &e) == ST_OK)
        return 0;
    fprintf(stderr, "accord_bench: %s %s\n", e.text, e.detail);
    return 1;
}
