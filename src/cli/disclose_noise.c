/* SPDX-License-Identifier: Apache-2.0
 * `accord disclose release --noise` and `accord disclose budget`. */
#include "cli/disclose_noise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disclose/private.h"

const char disclose_budget_about[] =
    "What each project may spend on each data set in differentially private releases, as rho of\n"
    "zero-concentrated differential privacy, and what it has spent. With --rho the budget of --data-set and\n"
    "--project is set; a new or larger one needs --approved-by. What is spent is never given back.";

const struct option_spec disclose_budget_options[] = {
    {"data", "DIR", "the node's folder"},
    {"data-set", "NAME", "the data set"},
    {"project", "NAME", "the project"},
    {"rho", "R", "what may be spent in all"},
    {"approved-by", "NAME", "who approved a new or larger budget"},
    {0},
};

static enum status need_real(const struct args *a, const char *name, double *out, struct err *e)
{
    const char *text;
    enum status s = args_need(a, name, &text, e);
    if (s == ST_OK && !parse_double(slice_of(text), out))
        s = err_set(e, ST_USAGE, "--%s: expected a number, such as 0.1", name);
    return s;
}

static enum status open_book(const struct args *a, struct privacy_book **out, struct err *e)
{
    const char *data;
    enum status s = args_need(a, "data", &data, e);
    *out = NULL;
    if (s != ST_OK)
        return s;
    char *path = xasprintf("%s/privacy.db", data);
    s = privacy_open(path, out, e);
    free(path);
    return s;
}

static enum status set_budget(const struct args *a, struct privacy_book *book, struct err *e)
{
    const char *data_set, *project;
    double rho = 0;
    enum status s = args_need(a, "data-set", &data_set, e);
    if (s == ST_OK)
        s = args_need(a, "project", &project, e);
    if (s == ST_OK)
        s = need_real(a, "rho", &rho, e);
    return s == ST_OK ? privacy_allow(book, data_set, project, rho, args_get(a, "approved-by"), e) : s;
}

static const char *figure(struct arena *a, double v)
{
    return arena_printf(a, "%.6g", v);
}

static enum status print_budgets(const struct args *args, const struct js *list, struct err *e)
{
    static const char *const columns[] = {
        "data set", "project", "#allowed", "#spent", "#epsilon spent at delta 1e-6", "approved by", NULL};
    struct out *o = out_new(args, columns);
    struct arena *a = arena_new();
    for (size_t i = 0; i < js_size(list); i++) {
        const struct js *row = js_at(list, i);
        double spent = js_num(js_get(row, "spent"));
        out_row(o, js_get_str(row, "data_set"), js_get_str(row, "project"),
                figure(a, js_num(js_get(row, "allowed"))), figure(a, spent),
                figure(a, spent > 0 ? epsilon_of(spent, 1e-6) : 0), js_get_str(row, "approved_by"));
    }
    enum status s = out_end(o, e);
    arena_free(a);
    return s;
}

enum status run_disclose_budget(const struct args *a, struct err *e)
{
    struct privacy_book *book;
    struct js *list = NULL;
    enum status s = open_book(a, &book, e);
    if (s == ST_OK && args_get(a, "rho"))
        s = set_budget(a, book, e);
    if (s == ST_OK)
        s = privacy_list(book, &list, e);
    if (s == ST_OK)
        s = print_budgets(a, list, e);
    js_free(list);
    privacy_close(book);
    return s;
}

static enum status read_how(const struct args *a, struct private_how *how, struct err *e)
{
    const char *kind = args_get(a, "noise");
    *how = (struct private_how){.laplace = strcmp(kind, "laplace") == 0, .from = &noise_system};
    if (!how->laplace && strcmp(kind, "gaussian") != 0)
        return err_set(e, ST_USAGE, "--noise: expected gaussian or laplace");
    enum status s = args_need(a, "data-set", &how->data_set, e);
    if (s == ST_OK)
        s = args_need(a, "project", &how->project, e);
    if (s == ST_OK)
        s = need_real(a, "rho", &how->rho, e);
    if (s == ST_OK)
        s = args_int(a, "cells-per-person", 1, 1000000, 0, &how->cells_per_person, e);
    return s;
}

static void tell_plan(const struct js *plan)
{
    const struct js *scale = js_get(plan, "scale");
    double spread = js_num(scale ? scale : js_get(plan, "variance"));
    /* 95% of the noise of a cell without parts: of Laplace's, scale ln 20; of Gauss's, 1.96 deviations. */
    double within = scale ? spread * log(20) : 1.96 * sqrt(spread);
    fprintf(stderr,
            "with %s noise (a cell without parts within %.3g of its count in 95 of 100) this would cost rho "
            "%.6g of %.6g left; verdicts and prints below are those of the counts before the noise\n",
            js_get_str(plan, "noise"), within, js_num(js_get(plan, "rho")), js_num(js_get(plan, "left")));
}

/* What was asked for and the book it is charged to; book NULL: no noise was asked for. */
static enum status begin_noise(const struct args *a, struct private_how *how, struct privacy_book **book,
                               struct err *e)
{
    *book = NULL;
    if (!args_get(a, "noise"))
        return ST_OK;
    enum status s = read_how(a, how, e);
    return s == ST_OK ? open_book(a, book, e) : s;
}

enum status plan_noise(const struct args *a, const struct result *result, struct js **record, struct err *e)
{
    struct private_how how;
    struct privacy_book *book;
    *record = NULL;
    enum status s = begin_noise(a, &how, &book, e);
    if (s != ST_OK || !book)
        return s;
    s = private_plan(result, &how, book, record, e);
    if (s == ST_OK)
        tell_plan(*record);
    privacy_close(book);
    return s;
}

enum status apply_noise(const struct args *a, struct result **result, struct js **record, struct err *e)
{
    struct private_how how;
    struct privacy_book *book;
    struct result *noisy = NULL;
    *record = NULL;
    enum status s = begin_noise(a, &how, &book, e);
    if (s != ST_OK || !book)
        return s;
    s = private_result(*result, &how, book, &noisy, record, e);
    if (s == ST_OK) {
        result_free(*result);
        *result = noisy;
    }
    privacy_close(book);
    return s;
}
