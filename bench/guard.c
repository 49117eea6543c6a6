/* SPDX-License-Identifier: Apache-2.0
 *
 * The differencing guard's decision time: accord_bench_guard PERSONS CELLS. Fills a history with exact prints
 * (the hard case: rounded ones are only compared one by one) of cross-tabulations of cohorts, then asks for
 * the cells of new tables, half of them of a cohort that was tabulated before, and for random trackers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../tests/unit/disclose/histories.h"
#include "base/date.h"

enum { ASKED_TABLES = 8, TABLES_OF_A_COHORT = 6, MINIMUM = 10, MOST_ASKED = 4096 };
enum { TRACKERS = 100, TRACKED_PERSONS = 20000 };

struct filling {
    struct guard *g;
    size_t wanted;
    uint32_t project, request;
    double ms[MOST_ASKED];
    size_t n;
    uint64_t counted; /* persons of all cells */
    double fill_s, first_ms;
    int verdicts[3], trackers, caught;
};

static struct guard_cell cell_of(const struct filling *f, const struct persons *set, size_t n)
{
    return (struct guard_cell){set, (int64_t)n, (int64_t)n, false, f->project, f->request};
}

static void fill(void *context, const uint32_t *v, size_t n)
{
    struct filling *f = context;
    struct persons *set = persons_new(v, n);
    struct guard_cell cell = cell_of(f, set, n);
    int64_t started = time_cpu_ns();
    if (guard_n_sets(f->g) < f->wanted) {
        guard_add(f->g, set, &cell);
        f->counted += n;
    } else {
        persons_free(set);
    }
    f->fill_s += (double)(time_cpu_ns() - started) / 1e9;
}

static void ask(void *context, const uint32_t *v, size_t n)
{
    struct filling *f = context;
    struct guard_finding finding;
    struct persons *set = persons_new(v, n);
    struct guard_cell cell = cell_of(f, set, n);
    int64_t started = time_cpu_ns();
    struct err e;
    if (guard_ask(f->g, &cell, &finding, &e) != ST_OK)
        abort();
    double ms = (double)(time_cpu_ns() - started) / 1e6;
    if (!f->first_ms)
        f->first_ms = ms; /* it builds the index of persons */
    else if (f->n < MOST_ASKED)
        f->ms[f->n++] = ms;
    f->verdicts[finding.verdict]++;
    guard_add(f->g, set, &cell);
}

/* Trackers among all this: each cell after the other, as a requester would ask. */
static void track(struct world *w, struct filling *f)
{
    struct tracker t;
    bool good = world_tracker(w, 1 + (int)world_draw(w, GUARD_DEPTH), MINIMUM, TRACKED_PERSONS, &t);
    int refused = f->verdicts[GUARD_REFUSE];
    f->project++;
    for (int i = 0; good && i < t.n && f->verdicts[GUARD_REFUSE] == refused; i++) {
        f->request++;
        ask(f, t.cell[i].v, t.cell[i].n);
    }
    f->trackers += good;
    f->caught += f->verdicts[GUARD_REFUSE] > refused;
    tracker_deinit(&t);
}

static double peak_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const uint8_t secret[HASH_BYTES] = {1};
    static struct filling f;
    struct world w;
    struct crowd cohort = {0};
    if (argc != 3)
        return 2;
    crypto_init();
    world_init(&w, (uint32_t)atol(argv[1]), 1);
    f.g = guard_new(MINIMUM, secret, (struct guard_source){0});
    f.wanted = (size_t)atol(argv[2]);
    for (int i = 0; guard_n_sets(f.g) < f.wanted; i++) {
        if (i % TABLES_OF_A_COHORT == 0) {
            free(cohort.v);
            cohort = world_cohort(&w, 10 + world_draw(&w, 50));
            f.project++;
        }
        f.request++;
        world_crosstab(&w, &cohort, (int)world_draw(&w, 4), 4 + (int)world_draw(&w, 4), MINIMUM, fill, &f);
    }
    for (int i = 0; i < ASKED_TABLES; i++) {
        if (i % 2) {
            free(cohort.v);
            cohort = world_cohort(&w, 10 + world_draw(&w, 50));
            f.project++;
        }
        f.request++;
        world_crosstab(&w, &cohort, (int)world_draw(&w, 4), 4 + (int)world_draw(&w, 4), MINIMUM, ask, &f);
    }
    for (int i = 0; i < TRACKERS; i++)
        track(&w, &f);
    qsort(f.ms, f.n, sizeof *f.ms, by_value);
    printf("%s persons, %zu cells of %.0f persons in the mean, remembered in %.1f s; first decision %.0f ms; "
           "%zu more, median %.2f ms, "
           "99%% %.2f ms, longest %.2f ms; allowed %d, review %d, refused %d; "
           "trackers caught %d of %d; %.0f MB\n",
           argv[1], f.wanted, (double)f.counted / (double)f.wanted, f.fill_s, f.first_ms, f.n, f.ms[f.n / 2],
           f.ms[f.n * 99 / 100], f.ms[f.n - 1], f.verdicts[0], f.verdicts[1], f.verdicts[2], f.caught,
           f.trackers, peak_mb());
    guard_free(f.g);
    free(cohort.v);
    world_deinit(&w);
    return 0;
}
