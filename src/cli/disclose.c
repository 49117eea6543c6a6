/* SPDX-License-Identifier: Apache-2.0
 * `accord disclose`: disclosure control from the command line. */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "disclose/attack.h"
#include "disclose/instance.h"

/* Protects, then lets the attacker try: only a proven pattern is given out. */
static enum status protect(struct instance *in, bool with_insiders, struct protection *p, struct err *e)
{
    struct room room;
    struct insiders insiders = {0};
    struct attack_report report;
    uint32_t n;
    struct demand *demands = instance_demands(in, &n);
    instance_room(in, with_insiders, &room);
    if (with_insiders)
        instance_insiders(in, &insiders);
    for (uint32_t v = 0; v < in->n_cells; v++)
        p->hidden[v] = in->cells[v].primary;
    enum status s = protect_run(&in->system, &room, instance_weights(in), demands, n, &insiders, p, e);
    if (s != ST_OK)
        return s;
    attack_run(&in->system, &room, p->hidden, demands, n, &insiders, &report);
    fprintf(stderr, "%s: the attacker finds %u cells exactly and %u too narrowly of %u (%lld solves)\n",
            in->name, report.n_exact, report.n_short, n, (long long)report.solves);
    if (report.n_safe < n)
        s = err_set(e, ST_UNSAFE, "%u of %u protected cells could not be proven safe", n - report.n_safe, n);
    attack_report_deinit(&report);
    return s;
}

static enum status write_pattern(const struct instance *in, const bool *hidden, const char *path,
                                 struct err *e)
{
    struct buf csv;
    buf_init(&csv, (size_t)1 << 30);
    instance_csv(in, hidden, &csv);
    enum status s = buf_check(&csv, "the pattern", e);
    if (s == ST_OK && path)
        s = file_replace(path, buf_slice(&csv), 0644, e);
    else if (s == ST_OK)
        fputs(csv.p, stdout);
    buf_deinit(&csv);
    return s;
}

static enum status run_protect(const struct args *a, struct err *e)
{
    struct instance *in;
    int64_t started = time_cpu_ns();
    enum status s = instance_load(args_operand(a, 0), &in, e);
    if (s != ST_OK)
        return s;
    struct protection p = {.hidden = xcalloc((size_t)in->n_cells + 1, sizeof(bool))};
    s = protect(in, args_has(a, "insider"), &p, e);
    if (s == ST_OK)
        s = write_pattern(in, p.hidden, args_get(a, "output"), e);
    if (s == ST_OK) {
        double value = 0;
        for (uint32_t v = 0; v < in->n_cells; v++)
            if (p.hidden[v] && !in->cells[v].primary)
                value += in->cells[v].value;
        fprintf(stderr,
                "%s: %u cells, %u secondary, value %.15g, %lld solves, %lld iterations, %.2f s of CPU\n",
                in->name, in->n_cells, p.n_added, value, (long long)p.solves, (long long)p.iterations,
                (double)(time_cpu_ns() - started) / 1e9);
    }
    free(p.hidden);
    instance_free(in);
    return s;
}

static const struct option_spec protect_options[] = {
    {"output", "OUT.csv", "where the pattern is written (standard output)"},
    {"insider", NULL, "also protect against a lone contributor who knows his own cell"},
    {0},
};

const struct command disclose_commands[] = {
    {"protect", "INSTANCE.json", "hide what protects the primary cells of a table",
     "Reads a table with hierarchies and demands, and writes its key columns with a status: s (published), "
     "u\n"
     "(primary), x (secondary).",
     protect_options, 1, 1, run_protect},
    {0},
};
