/* SPDX-License-Identifier: Apache-2.0
 * `accord disclose`: disclosure control from the command line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/checks.h"
#include "cli/command.h"
#include "cli/disclose_draw.h"
#include "cli/disclose_history.h"
#include "cli/disclose_log.h"
#include "cli/disclose_noise.h"
#include "cli/disclose_policy.h"
#include "disclose/audit.h"
#include "disclose/gate.h"
#include "disclose/instance.h"
#include "disclose/release.h"
#include "disclose/sacro.h"

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
                "%s: %u cells, %u secondary, value %.15g, %lld solves, %lld iterations, %.2f s of CPU; %u of "
                "%u parts proven cheapest\n",
                in->name, in->n_cells, p.n_added, value, (long long)p.solves, (long long)p.iterations,
                (double)(time_cpu_ns() - started) / 1e9, p.n_optimal, p.n_components);
    }
    free(p.hidden);
    instance_free(in);
    return s;
}

static enum status load_result(const char *path, struct result **out, struct err *e)
{
    struct js *j = NULL;
    enum status s = js_load(path, &j, e);
    if (s == ST_OK)
        s = result_from_json(j, out, e);
    js_free(j);
    return s;
}

static enum status load_both(const struct args *a, struct result **result, struct policy *policy,
                             struct err *e)
{
    enum status s = policy_load(args_get_or(a, "policy", "sde-10"), policy, e);
    return s == ST_OK ? load_result(args_operand(a, 0), result, e) : s;
}

static enum status run_check(const struct args *a, struct err *e)
{
    struct result *result = NULL;
    struct policy policy;
    struct gate *gate = NULL;
    struct js *noise = NULL;
    enum status s = load_both(a, &result, &policy, e);
    if (s == ST_OK)
        s = plan_noise(a, result, &noise, e);
    if (s == ST_OK)
        s = gate_run(result, &policy, &gate, e);
    if (s == ST_OK)
        s = checks_print(a, gate_view(gate, noise), e);
    js_free(noise);
    gate_free(gate);
    result_free(result);
    return s;
}

static enum status write_released(const struct released *r, const char *folder, struct err *e)
{
    struct arena *a = arena_new();
    struct js *j = released_to_json(r);
    struct buf text;
    uint32_t pictures;
    buf_init(&text, (size_t)1 << 30);
    enum status s = dir_make(folder, e);
    if (s == ST_OK)
        s = js_canonical(j, &text, e);
    if (s == ST_OK)
        s = file_replace(arena_printf(a, "%s/released.json", folder), buf_slice(&text), 0644, e);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++) {
        const struct released_table *t = released_table(r, i);
        buf_clear(&text);
        released_csv(t, &text);
        s = file_replace(arena_printf(a, "%s/%s.csv", folder, t->name), buf_slice(&text), 0644, e);
    }
    if (s == ST_OK)
        s = pictures_write(r, folder, PICTURE_WIDE, NULL, &pictures, e);
    char now[21];
    time_format(time_now_ms(), now);
    if (s == ST_OK)
        s = sacro_write(r, folder, now, e);
    buf_deinit(&text);
    js_free(j);
    arena_free(a);
    return s;
}

static enum status run_release(const struct args *a, struct err *e)
{
    struct result *result = NULL;
    struct policy policy;
    struct released *released = NULL;
    struct js *noise = NULL;
    const char *folder = args_get(a, "output");
    enum status s = load_both(a, &result, &policy, e);
    if (s == ST_OK)
        s = apply_noise(a, &result, &noise, e);
    if (s == ST_OK)
        s = disclose_release(result, &policy, noise, &released, e);
    js_free(noise);
    if (s == ST_OK && folder)
        s = write_released(released, folder, e);
    else if (s == ST_OK && args_format(a) == OUT_JSON) {
        struct js *j = released_to_json(released);
        s = out_json(j, e);
        js_free(j);
    } else if (s == ST_OK)
        released_print(released, stdout);
    released_free(released);
    result_free(result);
    return s;
}

static enum status run_verify(const struct args *a, struct err *e)
{
    struct js *j = NULL;
    struct released *released = NULL;
    char hash[2 * HASH_BYTES + 1];
    enum status s = js_load(args_operand(a, 0), &j, e);
    if (s == ST_OK)
        s = released_from_json(j, &released, e);
    if (s == ST_OK)
        s = released_verify(released, e);
    if (s == ST_OK)
        s = released_hash(released, hash, e);
    if (s == ST_OK && args_get(a, "log"))
        s = find_on_log(a, args_get(a, "log"), hash, e);
    if (s == ST_OK)
        printf("%s\n", hash);
    released_free(released);
    js_free(j);
    return s;
}

/* Rows of one audit; counts the hidden cells by what was found of them. */
static void audit_rows(struct out *o, const char *table, const struct audit *audit, uint32_t found[3])
{
    static const char *const words[] = {
        [FOUND_SAFE] = "safe", [FOUND_SHORT] = "narrow", [FOUND_EXACT] = "exact"};
    for (uint32_t i = 0; i < audit_n_cells(audit); i++) {
        const struct audit_cell *c = audit_cell(audit, i);
        char low[32], high[32] = "";
        released_format(c->low, low);
        if (!isinf(c->high))
            released_format(c->high, high);
        out_row(o, table, c->place, words[c->finding], low, high);
        found[c->finding]++;
    }
}

static enum status audit_csv(const struct args *a, struct out *o, uint32_t found[3], struct err *e)
{
    struct audit_form form = {args_get(a, "value"), args_get(a, "total"), 1};
    int64_t minimum = 10;
    struct audit *audit = audit_new();
    enum status s = args_int(a, "minimum", 2, INT32_MAX, 10, &minimum, e);
    if (s == ST_OK)
        s = args_int(a, "base", 1, 1000000, 1, &form.base, e);
    for (int i = 0; s == ST_OK && i < args_count(a); i++)
        s = audit_add_csv(audit, args_operand(a, i), &form, e);
    if (s == ST_OK)
        s = audit_run(audit, minimum, e);
    if (s == ST_OK)
        audit_rows(o, args_count(a) > 1 ? "all" : args_operand(a, 0), audit, found);
    audit_free(audit);
    return s;
}

static enum status audit_table(const struct args *a, const struct released_table *t, const struct policy *p,
                               struct out *o, uint32_t found[3], struct err *e)
{
    int64_t minimum;
    struct audit *audit = audit_new();
    enum status s = args_int(a, "minimum", 2, INT32_MAX, policy_minimum(p, t->type), &minimum, e);
    if (s == ST_OK)
        s = audit_add_released(audit, t, p, e);
    if (s == ST_OK)
        s = audit_run(audit, minimum, e);
    if (s == ST_OK)
        audit_rows(o, t->name, audit, found);
    else
        s = err_wrap(e, "table '%s'", t->name);
    audit_free(audit);
    return s;
}

static enum status audit_released(const struct args *a, struct out *o, uint32_t found[3], struct err *e)
{
    struct js *j = NULL;
    struct released *r = NULL;
    struct policy policy;
    enum status s = js_load(args_operand(a, 0), &j, e);
    if (s == ST_OK)
        s = released_from_json(j, &r, e);
    if (s == ST_OK)
        s = policy_from_json(js_get(released_record(r), "policy"), &policy, e);
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++)
        if (released_table(r, i)->type == OUTPUT_COUNT)
            s = audit_table(a, released_table(r, i), &policy, o, found, e);
    released_free(r);
    js_free(j);
    return s;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static enum status run_audit(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"table", "cell", "verdict", "#low", "#high", NULL};
    uint32_t found[3] = {0};
    bool released = args_count(a) == 1 && ends_with(args_operand(a, 0), ".json");
    struct out *o = out_new(a, columns);
    enum status s = released ? audit_released(a, o, found, e) : audit_csv(a, o, found, e);
    if (s != ST_OK) {
        out_drop(o);
        return s;
    }
    s = out_end(o, e);
    uint32_t n = found[FOUND_SAFE] + found[FOUND_SHORT] + found[FOUND_EXACT];
    if (s == ST_OK && n > found[FOUND_SAFE])
        s = err_set(e, ST_UNSAFE,
                    "of %u hidden cells %u can be worked out exactly and %u to a narrow interval", n,
                    found[FOUND_EXACT], found[FOUND_SHORT]);
    else if (s == ST_OK)
        fprintf(stderr, "none of %u hidden cells can be worked out\n", n);
    return s;
}

#define NOISE_OPTIONS                                                                                        \
    {"rho", "R", "with --noise: what to spend (see 'accord disclose budget')"},                              \
        {"data", "DIR", "with --noise: the node's folder, which holds the budgets"},                         \
        {"data-set", "NAME", "with --noise: whose budget"},                                                  \
        {"project", "NAME", "with --noise: whose budget"},                                                   \
    {                                                                                                        \
        "cells-per-person", "N", "with --noise: how many cells of a table a person can be in at most"        \
    }
static const struct option_spec check_options[] = {
    {"policy", "P", "a policy file or a built-in profile (sde-10)"},
    {"noise", "gaussian|laplace", "what a differentially private release would cost; nothing is charged"},
    NOISE_OPTIONS,
    {0},
};
static const struct option_spec release_options[] = {
    {"policy", "P", "a policy file or a built-in profile (sde-10)"},
    {"output", "DIR",
     "write released.json, results.json for SACRO Viewer, each table as CSV and SVG (else print)"},
    {"noise", "gaussian|laplace", "a differentially private release of counts, charged to a budget"},
    NOISE_OPTIONS,
    {0},
};
static const struct option_spec verify_options[] = {
    {"log", "COPY", "a copy of the log ('accord ledger copy')"},
    {"key", "VKEY", "with --log: the hub's key as you know it"},
    {0},
};
static const struct option_spec protect_options[] = {
    {"output", "OUT.csv", "where the pattern is written (standard output)"},
    {"insider", NULL, "also protect against a lone contributor who knows his own cell"},
    {0},
};

static const struct option_spec audit_options[] = {
    {"value", "COLUMN", "CSV: the column of values (value, count, n or the last)"},
    {"total", "LABEL", "CSV: a label that is a total, besides Total and All"},
    {"base", "B", "CSV: values were rounded to the nearest multiple of B (exact)"},
    {"minimum", "N", "an interval is narrow when it cannot hold both 1 and N - 1 (10, or the policy's)"},
    {0},
};

const struct command disclose_commands[] = {
    {"check", "RESULT.json", "what would become of every cell, those at risk first",
     "Runs the release gate over a raw result (accord-result-1) and shows each cell's verdict, the rule, "
     "what\n"
     "would be printed and what an attacker's interval of a hidden count surely holds. Only for the site "
     "itself.",
     check_options, 1, 1, run_check},
    {"release", "RESULT.json", "the safe tables with their disclosure record",
     "Prints the released tables, or writes released.json and each table as CSV and SVG. Nothing is "
     "released\n"
     "that the attacker could not prove safe.",
     release_options, 1, 1, run_release},
    {"verify", "RELEASED.json", "check a released document offline",
     "Checks form, hashes and policy of a released document, that what it prints obeys the policy, and that "
     "no\n"
     "hidden cell can be worked out from what it prints; prints its SHA-256. With --log, that a copy of the "
     "log "
     "is right\n"
     "to the last byte and has the document's release, signed by the node, and by how many it was checked.",
     verify_options, 1, 1, run_verify},
    {"audit", "TABLE...", "what an attacker can work out from published tables",
     "Between which two values each hidden cell must lie, given the printed cells and totals: of a released\n"
     "document (.json), or of anybody's tables as CSV with a column for each dimension and one of values. "
     "CSV\n"
     "tables given together are one puzzle, linked by the names of their dimensions. Hidden are *, c, [c], "
     "x,\n"
     "[x], NA, [REDACTED], an empty value, <N and <=N; values are not negative; cells left out are zeros. "
     "The\n"
     "exit status tells (as does `verify`) whether a cell is exact or narrow.",
     audit_options, 1, -1, run_audit},
    {"draw", "RELEASED.json", "the pictures of a released document", disclose_draw_about,
     disclose_draw_options, 1, 1, run_disclose_draw},
    {"budget", "", "what may be spent in private releases, and what is spent", disclose_budget_about,
     disclose_budget_options, 0, 0, run_disclose_budget},
    {"history", "", "what a site released, and what it would combine with", disclose_history_about,
     disclose_history_options, 0, 0, run_disclose_history},
    {"policy", "[POLICY]", "the rules that a policy file or a profile comes to", disclose_policy_about, NULL,
     0, 1, run_disclose_policy},
    {"protect", "INSTANCE.json", "hide what protects the primary cells of a table",
     "Reads a table with hierarchies and demands, and writes its key columns with a status: s (published), "
     "u\n"
     "(primary), x (secondary).",
     protect_options, 1, 1, run_protect},
    {0},
};
