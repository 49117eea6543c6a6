/* SPDX-License-Identifier: Apache-2.0
 *
 * Times a logistic and an Efron Cox fit on a file of doubles that bench/stats.R wrote: n and p, then columns
 * x1..xp, y, time, status. Prints the CPU seconds of the best of three runs and the coefficients, one thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "stats/cox.h"
#include "stats/glm.h"

struct data {
    size_t n, p;
    const double **x; /* the intercept first */
    const double *y, *time;
    int *status;
};

static void print(const char *name, double seconds, const double *beta, size_t p)
{
    printf("%s %.4f", name, seconds);
    for (size_t j = 0; j < p; j++)
        printf(" %.17g", beta[j]);
    printf("\n");
}

static enum status run_glm(const struct data *d, const char *const *names, struct err *e)
{
    struct glm_model m = {GLM_BINOMIAL, GLM_LOGIT, 0};
    struct glm_data g = {.n = d->n, .p = d->p + 1, .x = d->x, .y = d->y};
    double best = 1e9;
    for (int run = 0; run < 3; run++) {
        struct arena *a = arena_new();
        struct glm_fit f;
        int64_t from = time_cpu_ns();
        enum status s = glm_fit(&m, &g, names, a, &f, e);
        double seconds = (double)(time_cpu_ns() - from) / 1e9;
        best = seconds < best ? seconds : best;
        if (s == ST_OK && run == 2)
            print("logistic", best, f.beta, f.p);
        arena_free(a);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

static enum status run_cox(const struct data *d, const char *const *names, struct err *e)
{
    struct cox_data c = {.rows = {d->n, NULL, d->time, d->status, NULL}, .p = d->p, .x = d->x + 1};
    double best = 1e9;
    for (int run = 0; run < 3; run++) {
        struct arena *a = arena_new();
        struct cox_fit f;
        int64_t from = time_cpu_ns();
        enum status s = cox_fit(&c, COX_EFRON, names, a, &f, e);
        double seconds = (double)(time_cpu_ns() - from) / 1e9;
        best = seconds < best ? seconds : best;
        if (s == ST_OK && run == 2)
            print("cox", best, f.beta, f.p);
        arena_free(a);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct file_map map;
    if (argc != 2 || file_map_open(argv[1], &map, &e) != ST_OK) {
        fprintf(stderr, "usage: accord_bench_stats FILE %s\n", e.text);
        return 2;
    }
    const double *v = (const double *)(const void *)map.p;
    struct data d = {.n = (size_t)v[0], .p = (size_t)v[1]};
    double *ones = xcalloc(d.n, sizeof *ones);
    const char **names = xcalloc(d.p + 1, sizeof *names);
    d.x = xcalloc(d.p + 1, sizeof *d.x);
    d.status = xcalloc(d.n, sizeof *d.status);
    d.x[0] = ones;
    for (size_t j = 0; j <= d.p; j++) {
        names[j] = "x";
        if (j)
            d.x[j] = v + 2 + (j - 1) * d.n;
    }
    d.y = v + 2 + d.p * d.n;
    d.time = d.y + d.n;
    for (size_t i = 0; i < d.n; i++) {
        ones[i] = 1;
        d.status[i] = d.time[d.n + i] != 0;
    }
    enum status s = run_glm(&d, names, &e);
    if (s == ST_OK)
        s = run_cox(&d, names, &e);
    if (s != ST_OK)
        fprintf(stderr, "%s\n", e.text);
    free(ones);
    free(names);
    free(d.x);
    free(d.status);
    file_map_close(&map);
    return status_exit_code(s);
}
