/* SPDX-License-Identifier: Apache-2.0
 *
 * Cohort latency inside one process, as a node has it: each run reads the definition's JSON, parses,
 * evaluates over the open store and counts. One line of JSON per definition: the best CPU time of the warm
 * runs, and the first, cold one.
 *
 *   accord_bench STORE RUNS FILE.json...
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/pool.h"
#include "cohort/cohort.h"
#include "study/study.h"

struct measured {
    int64_t cpu_ns, wall_ns, first_wall_ns;
};

static enum status count_cohort(const struct js *json, const struct store *store, struct pool *pool,
                                struct buf *answer, struct err *e)
{
    struct cohort_definition *definition = NULL;
    struct cohort_rows rows = {0};
    enum status s = cohort_parse(json, &definition, e);
    if (s == ST_OK)
        s = cohort_evaluate(definition, store, pool, &rows, e);
    buf_printf(answer, "[\"%u\"]", rows.n_persons);
    cohort_rows_deinit(&rows);
    cohort_definition_free(definition);
    return s;
}

/* Levels, numerator and days of every cell of a rate table that is no total. */
static void add_cells(const struct result_table *t, struct buf *answer)
{
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct result_cell *c = &t->cells[i];
        bool total = c->denominator <= 0;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            for (uint32_t k = 0; k < t->dimensions[d].n_levels; k++)
                total |= t->dimensions[d].levels[k].parent == (int32_t)c->at[d];
        if (total)
            continue;
        buf_adds(answer, answer->n ? ",[" : "[");
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            buf_printf(answer, "\"%s\",", t->dimensions[d].levels[c->at[d]].label);
        buf_printf(answer, "\"%.0f\",\"%.0f\"]", c->numerator, c->denominator * 365.25);
    }
}

static enum status run_study(const struct js *json, const struct store *store, struct pool *pool,
                             struct buf *answer, struct err *e)
{
    struct study *study = NULL;
    struct site *site = NULL;
    struct result *result = NULL;
    enum status s = study_parse(json, &study, e);
    if (s == ST_OK)
        s = study_site_open(study, store, pool, &site, e);
    if (s == ST_OK)
        s = study_run_at(study, &site, 1, &result, e);
    if (s == ST_OK)
        add_cells(&result->tables[0], answer);
    result_free(result);
    study_site_close(site);
    study_free(study);
    return s;
}

static enum status answer_once(const char *path, const struct store *store, struct pool *pool,
                               struct buf *answer, struct err *e)
{
    struct js *json = NULL;
    enum status s = js_load(path, &json, e);
    buf_clear(answer);
    if (s == ST_OK)
        s = js_get(json, "analyses") ? run_study(json, store, pool, answer, e)
                                     : count_cohort(json, store, pool, answer, e);
    js_free(json);
    return s;
}

static enum status measure(const char *path, const struct store *store, struct pool *pool, long runs,
                           struct measured *m, struct buf *answer, struct err *e)
{
    *m = (struct measured){.cpu_ns = INT64_MAX, .wall_ns = INT64_MAX};
    for (long i = 0; i <= runs; i++) {
        int64_t cpu = time_cpu_ns(), wall = time_monotonic_ns();
        enum status s = answer_once(path, store, pool, answer, e);
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

static void print(const char *path, const struct measured *m, const struct buf *answer)
{
    struct rusage usage;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"engine\":\"accord\",\"step\":\"query\",\"query\":\"%.*s\",\"cpu_ms\":%.4f,\"wall_ms\":%.4f,"
           "\"first_wall_ms\":%.4f,\"answer\":[%s],\"peak_kib\":%ld}\n",
           (int)strcspn(name, "."), name, (double)m->cpu_ns / 1e6, (double)m->wall_ns / 1e6,
           (double)m->first_wall_ns / 1e6, answer->p, usage.ru_maxrss);
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
    struct buf answer;
    buf_init(&answer, 1 << 20);
    for (int i = 3; i < argc && s == ST_OK; i++) {
        struct measured m;
        s = measure(argv[i], store, pool, runs, &m, &answer, e);
        if (s == ST_OK)
            print(argv[i], &m, &answer);
    }
    buf_deinit(&answer);
    pool_free(pool);
    store_close(store);
    return s;
}

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, 64 << 20); /* as accord itself does */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    struct err e = {0};
    crypto_init();
    if (run(argc, argv, &e) == ST_OK)
        return 0;
    fprintf(stderr, "accord_bench: %s %s\n", e.text, e.detail);
    return 1;
}
