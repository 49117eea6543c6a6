/* SPDX-License-Identifier: Apache-2.0
 *
 * Latency inside one process, as a node has it: each run reads the query's JSON, parses and answers over the
 * open store. A query is a Circe cohort (its persons are counted), {"study", "answer"} (one table of its raw
 * result), or {"profile": "scan" | "sealed"}. One line of JSON per query: the best CPU and wall time of the
 * warm runs, the first, cold one, the answer, and from one more run that is not timed the memory it took
 * beside the mapped store: the most anonymous memory the process had, read every millisecond.
 *
 *   accord_bench STORE RUNS FILE.json...
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cohort/cohort.h"
#include "study/study.h"

struct measured {
    int64_t cpu_ns, wall_ns, first_wall_ns;
    long own_kib;
};

/* What a query file asks, and the answer as JSON rows where it is wanted. Only asking is timed. */
struct query {
    const struct js *json;
    const struct store *store;
    struct pool *pool;
    struct buf *answer; /* NULL = not wanted */
};

static enum status count_cohort(const struct query *q, struct err *e)
{
    struct cohort_definition *definition = NULL;
    struct cohort_rows rows = {0};
    enum status s = cohort_parse(q->json, &definition, e);
    if (s == ST_OK)
        s = cohort_evaluate(definition, q->store, q->pool, &rows, e);
    if (q->answer)
        buf_printf(q->answer, "[\"%u\"]", rows.n_persons);
    cohort_rows_deinit(&rows);
    cohort_definition_free(definition);
    return s;
}

static double figure_of(const struct result_cell *c, const char *figure)
{
    if (strcmp(figure, "persons") == 0)
        return (double)c->persons;
    if (strcmp(figure, "numerator") == 0)
        return c->numerator;
    return strcmp(figure, "days") == 0 ? c->denominator * 365.25 : c->value;
}

static bool is_total(const struct result_table *t, const struct result_cell *c)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        for (uint32_t k = 0; k < t->dimensions[d].n_levels; k++)
            if (t->dimensions[d].levels[k].parent == (int32_t)c->at[d])
                return true;
    return false;
}

/* Levels and figures of a cell, where the first figure is at least what the answer asks: SQL has no row for
   nothing. */
static void add_cell(const struct result_table *t, const struct result_cell *c, const struct js *wanted,
                     struct buf *answer)
{
    const struct js *figures = js_get(wanted, "figures");
    if (!(figure_of(c, js_str(js_at(figures, 0))) >= (double)js_get_int(wanted, "least", 1)) ||
        is_total(t, c))
        return;
    buf_adds(answer, answer->n ? ",[" : "[");
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        buf_printf(answer, "\"%s\",", t->dimensions[d].levels[c->at[d]].label);
    for (size_t i = 0; i < js_size(figures); i++) {
        const char *figure = js_str(js_at(figures, i));
        int digits = strcmp(figure, "value") == 0 ? 4 : 0;
        buf_printf(answer, "%s\"%.*f\"", i ? "," : "", digits, figure_of(c, figure));
    }
    buf_adds(answer, "]");
}

static enum status add_table(const struct result *result, const struct js *wanted, struct buf *answer,
                             struct err *e)
{
    const char *name = js_get_str(wanted, "table");
    for (uint32_t i = 0; i < result->n_tables; i++) {
        const struct result_table *t = &result->tables[i];
        if (strcmp(t->name, name) != 0)
            continue;
        for (uint64_t c = 0; c < t->n_cells; c++)
            add_cell(t, &t->cells[c], wanted, answer);
        return ST_OK;
    }
    return err_set(e, ST_NOT_FOUND, "the result has no table '%s'", name);
}

static enum status run_study(const struct query *q, struct err *e)
{
    struct study *study = NULL;
    struct site *site = NULL;
    struct result *result = NULL;
    enum status s = study_parse(js_get(q->json, "study"), &study, e);
    if (s == ST_OK)
        s = study_site_open(study, q->store, q->pool, &site, e);
    if (s == ST_OK)
        s = study_run_at(study, &site, 1, &result, e);
    if (s == ST_OK && q->answer)
        s = add_table(result, js_get(q->json, "answer"), q->answer, e);
    result_free(result);
    study_site_close(site);
    study_free(study);
    return s;
}

/* Persons and records of every concept of a table, from its rows or as the import sealed them. */
static enum status profile_table(const struct query *q, enum store_table t, bool scan, struct err *e)
{
    const struct store_run *sealed;
    uint32_t n;
    store_runs(q->store, t, &sealed, &n);
    struct store_run *runs = xcalloc((size_t)n + 1, sizeof *runs);
    enum status s = ST_OK;
    if (scan)
        s = store_recount(q->store, t, q->pool, runs, e);
    else if (n)
        memcpy(runs, sealed, n * sizeof *runs);
    for (uint32_t i = 0; s == ST_OK && q->answer && i < n; i++)
        buf_printf(q->answer, "%s[\"%d\",\"%u\",\"%llu\"]", q->answer->n ? "," : "", runs[i].concept_id,
                   runs[i].persons, (unsigned long long)runs[i].n);
    free(runs);
    return s;
}

static enum status profile(const struct query *q, struct err *e)
{
    bool scan = strcmp(js_get_str(q->json, "profile"), "scan") == 0;
    enum status s = ST_OK;
    for (int t = 0; s == ST_OK && t < STORE_N_TABLES; t++)
        s = profile_table(q, (enum store_table)t, scan, e);
    return s;
}

static enum status ask(const char *path, struct query q, struct err *e)
{
    struct js *json = NULL;
    enum status s = js_load(path, &json, e);
    q.json = json;
    if (s == ST_OK)
        s = js_get(json, "study")     ? run_study(&q, e)
            : js_get(json, "profile") ? profile(&q, e)
                                      : count_cohort(&q, e);
    js_free(json);
    return s;
}

/* --- memory --- */

struct sampling {
    pthread_t thread;
    atomic_bool stop;
    long peak_kib;
};

static long anonymous_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static void *sample(void *context)
{
    struct sampling *x = context;
    while (!atomic_load(&x->stop)) {
        long kib = anonymous_kib();
        x->peak_kib = kib > x->peak_kib ? kib : x->peak_kib;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

static enum status ask_sampled(const char *path, struct query q, long *peak_kib, struct err *e)
{
    struct sampling x = {.peak_kib = 0};
    malloc_trim(0);
    if (pthread_create(&x.thread, NULL, sample, &x) != 0)
        return err_set(e, ST_IO, "no thread to watch the memory");
    enum status s = ask(path, q, e);
    atomic_store(&x.stop, true);
    pthread_join(x.thread, NULL);
    *peak_kib = x.peak_kib;
    return s;
}

static enum status measure(const char *path, const struct store *store, struct pool *pool, long runs,
                           struct measured *m, struct buf *answer, struct err *e)
{
    *m = (struct measured){.cpu_ns = INT64_MAX, .wall_ns = INT64_MAX};
    for (long i = 0; i <= runs; i++) {
        int64_t cpu = time_cpu_ns(), wall = time_monotonic_ns();
        enum status s = ask(path, (struct query){.store = store, .pool = pool}, e);
        if (s != ST_OK)
            return s;
        cpu = time_cpu_ns() - cpu;
        wall = time_monotonic_ns() - wall;
        if (i == 0)
            m->first_wall_ns = wall;
        m->cpu_ns = i && cpu < m->cpu_ns ? cpu : m->cpu_ns;
        m->wall_ns = i && wall < m->wall_ns ? wall : m->wall_ns;
    }
    buf_clear(answer);
    return ask_sampled(path, (struct query){.store = store, .pool = pool, .answer = answer}, &m->own_kib, e);
}

static void print(const char *path, const struct measured *m, unsigned threads, const struct buf *answer)
{
    struct rusage usage;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "{\"engine\":\"accord\",\"step\":\"query\",\"query\":\"%.*s\",\"threads\":%u,\"cpu_ms\":%.4f,\"wall_"
        "ms\":%.4f,"
        "\"first_wall_ms\":%.4f,\"answer\":[%s],\"peak_kib\":%ld,\"own_kib\":%ld}\n",
        (int)strcspn(name, "."), name, threads, (double)m->cpu_ns / 1e6, (double)m->wall_ns / 1e6,
        (double)m->first_wall_ns / 1e6, answer->p, usage.ru_maxrss, m->own_kib);
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
    buf_init(&answer, 64 << 20);
    for (int i = 3; i < argc && s == ST_OK; i++) {
        struct measured m;
        s = measure(argv[i], store, pool, runs, &m, &answer, e);
        if (s == ST_OK)
            print(argv[i], &m, pool_threads(pool), &answer);
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
