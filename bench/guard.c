/* SPDX-License-Identifier: Apache-2.0
 *
 * The differencing guard's decision time: accord_bench_guard BOOK PERSONS CELLS. Fills a book with exact prints
 * (the hard case: rounded ones are only compared one by one) of cross-tabulations of cohorts, closes it and opens
 * it again, then asks for the cells of new tables, half of them of a cohort that was tabulated before, and for
 * random trackers. Every cell is a request of its own: judged, and written where it may pass. As a study
 * opens the book, asks and closes it, the first decision after an opening is measured a few times.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../tests/unit/disclose/histories.h"
#include "base/date.h"
#include "base/file.h"
#include "disclose/guard_tables.h"

enum { ASKED_TABLES = 8, TABLES_OF_A_COHORT = 6, MINIMUM = 10, MOST_ASKED = 4096, OPENINGS = 10 };
enum { TRACKERS = 100, TRACKED_PERSONS = 20000, AT_ONCE = 500 };

struct filling {
    const char *path;
    struct guard_book *b;
    size_t wanted, filled;
    uint32_t project, request;
    double ms[MOST_ASKED], open_ms[OPENINGS], first_ms[OPENINGS];
    size_t n, n_openings;
    uint64_t counted; /* persons of all cells */
    double fill_s, tidy_ms, longest_tidy_ms;
    int verdicts[3], trackers, caught;
};

static void must(enum status s, const struct err *e)
{
    if (s == ST_OK)
        return;
    fprintf(stderr, "%s (%s)\n", e->text, e->detail);
    exit(1);
}

static double ms_since(int64_t started)
{
    return (double)(time_cpu_ns() - started) / 1e6;
}

static void pseudonym_of(const void *context, size_t person, uint8_t out[PSEUDONYM_BYTES])
{
    uint8_t hash[HASH_BYTES];
    (void)context;
    sha256(&person, sizeof person, hash);
    memcpy(out, hash, PSEUDONYM_BYTES);
}

static void number(struct filling *f, size_t n)
{
    struct err e;
    uint32_t *numbers = malloc(n * sizeof *numbers);
    struct guard_population everybody = {"everybody", n, pseudonym_of, NULL};
    must(guard_book_number(f->b, &everybody, numbers, &e), &e);
    free(numbers);
}

static void reopen(struct filling *f)
{
    struct err e;
    guard_book_close(f->b);
    int64_t started = time_cpu_ns();
    must(guard_book_open(f->path, MINIMUM, &f->b, &e), &e);
    if (f->n_openings < OPENINGS)
        f->open_ms[f->n_openings] = ms_since(started);
}

/* What was released long ago: written without asking about each cell, which would take the longest. */
static void fill(void *context, const uint32_t *v, size_t n)
{
    struct filling *f = context;
    struct err e;
    struct stmt *q;
    int64_t id, started = time_cpu_ns();
    if (f->filled == f->wanted)
        return;
    if (f->filled % AT_ONCE == 0)
        must(book_begin(f->b, &e), &e);
    struct persons *set = persons_new(v, n);
    must(set_write(f->b, set, &id, &e), &e);
    must(db_prepare(f->b->db, "INSERT INTO cell VALUES(1, 'a cell', ?1, ?2, ?2, 0)", &q, &e), &e);
    stmt_bind_int(q, 1, id);
    stmt_bind_int(q, 2, (int64_t)n);
    must(stmt_run(q, &e), &e);
    persons_free(set);
    f->counted += n;
    if (++f->filled % AT_ONCE == 0 || f->filled == f->wanted)
        must(book_end(f->b, ST_OK, &e), &e);
    f->fill_s += ms_since(started) / 1e3;
}

static void ask(void *context, const uint32_t *v, size_t n)
{
    struct filling *f = context;
    struct err e;
    struct guard_answer answer;
    char run[32], project[32];
    snprintf(run, sizeof run, "asked-%zu", f->n + f->n_openings);
    snprintf(project, sizeof project, "project %u", f->project);
    struct persons *set = persons_new(v, n);
    struct guard_print print = {"a cell", set, (int64_t)n, (int64_t)n, false};
    struct guard_request r = {run, project, "asked", "everybody", "released", false, &print, 1};
    bool first = f->n_openings < OPENINGS && f->n % 20 == 0;
    if (first)
        reopen(f);
    int64_t started = time_cpu_ns();
    must(guard_book_decide(f->b, &r, &answer, &e), &e);
    double ms = ms_since(started);
    if (first)
        f->first_ms[f->n_openings++] = ms;
    else if (f->n < MOST_ASKED)
        f->ms[f->n++] = ms;
    f->verdicts[answer.verdict]++;
    persons_free(set);
    started = time_cpu_ns();
    guard_book_tidy(f->b);
    ms = ms_since(started);
    f->longest_tidy_ms = ms > f->longest_tidy_ms ? ms : f->longest_tidy_ms;
}

/* Trackers among all this: each cell after the other, as a requester would ask. */
static void track(struct world *w, struct filling *f)
{
    struct tracker t;
    bool good = world_tracker(w, 1 + (int)world_draw(w, GUARD_DEPTH), MINIMUM, TRACKED_PERSONS, &t);
    int refused = f->verdicts[GUARD_REFUSE];
    f->project++;
    for (int i = 0; good && i < t.n && f->verdicts[GUARD_REFUSE] == refused; i++)
        ask(f, t.cell[i].v, t.cell[i].n);
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

/* Since the last call: of the filling, which builds segments, and of the decisions. */
static void reset_peak(void)
{
    malloc_trim(0);
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f && fputs("5", f) >= 0)
        fclose(f);
}

static double high_water_mb(void)
{
    char line[128];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lf", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb / 1024;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void new_cohort(struct world *w, struct crowd *cohort, struct filling *f)
{
    free(cohort->v);
    *cohort = world_cohort(w, 10 + world_draw(w, 50));
    f->project++;
}

static void crosstab(struct world *w, const struct crowd *cohort, cell_fn fn, struct filling *f)
{
    world_crosstab(w, cohort, (int)world_draw(w, 4), 4 + (int)world_draw(w, 4), MINIMUM, fn, f);
}

static void fill_book(struct world *w, struct crowd *cohort, struct filling *f)
{
    struct err e;
    must(db_exec(f->b->db,
                 "INSERT INTO project(id, name) VALUES(1, 'project 0');"
                 "INSERT INTO request VALUES(1, 'long ago', 1, 'many', 'everybody', 'released',"
                 " '2026-01-01T00:00:00Z')",
                 &e),
         &e);
    for (int i = 0; f->filled < f->wanted; i++) {
        if (i % TABLES_OF_A_COHORT == 0)
            new_cohort(w, cohort, f);
        crosstab(w, cohort, fill, f);
    }
    reopen(f);
    int64_t started = time_cpu_ns();
    guard_book_tidy(f->b);
    f->tidy_ms = ms_since(started);
}

static void report(struct filling *f, const char *persons)
{
    qsort(f->ms, f->n, sizeof *f->ms, by_value);
    qsort(f->open_ms, f->n_openings, sizeof *f->open_ms, by_value);
    qsort(f->first_ms, f->n_openings, sizeof *f->first_ms, by_value);
    printf(
        "%s persons, %zu cells of %.0f persons in the mean, remembered in %.1f s, indexed in %.1f s (%zu "
        "segments); opening %.0f ms, first decision %.1f ms (longest %.0f and %.0f); %zu more, median %.2f "
        "ms, 99%% %.2f ms, longest %.2f ms, longest tidying %.0f ms; allowed %d, review %d, refused %d; "
        "trackers caught %d of %d; %.0f MB, with indexing %.0f MB\n",
        persons, f->wanted, (double)f->counted / (double)f->wanted, f->fill_s, f->tidy_ms / 1e3,
        f->b->n_segments, f->open_ms[f->n_openings / 2], f->first_ms[f->n_openings / 2],
        f->open_ms[f->n_openings - 1], f->first_ms[f->n_openings - 1], f->n, f->ms[f->n / 2],
        f->ms[f->n * 99 / 100], f->ms[f->n - 1], f->longest_tidy_ms, f->verdicts[0], f->verdicts[1],
        f->verdicts[2], f->caught, f->trackers, high_water_mb(), peak_mb());
}

int main(int argc, char **argv)
{
    static struct filling f;
    struct world w;
    struct crowd cohort = {0};
    struct err e;
    if (argc != 4)
        return 2;
    crypto_init();
    world_init(&w, (uint32_t)atol(argv[2]), 1);
    f.path = argv[1];
    f.wanted = (size_t)atol(argv[3]);
    must(guard_book_open(f.path, MINIMUM, &f.b, &e), &e);
    number(&f, w.n);
    fill_book(&w, &cohort, &f);
    reset_peak();
    for (int i = 0; i < ASKED_TABLES; i++) {
        if (i % 2)
            new_cohort(&w, &cohort, &f);
        crosstab(&w, &cohort, ask, &f);
    }
    for (int i = 0; i < TRACKERS; i++)
        track(&w, &f);
    report(&f, argv[2]);
    guard_book_close(f.b);
    free(cohort.v);
    world_deinit(&w);
    return 0;
}
