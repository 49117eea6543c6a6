/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stats_design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "stats/interval.h"
#include "stats/special.h"

/* A factor's levels, and each row's: SIZE_MAX for missing. */
struct levels {
    size_t n;
    const char **names;
    size_t *of;
};

struct level {
    const char *name;
    double number;
    bool is_number;
};

static int by_level(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    if (x->is_number && y->is_number)
        return (x->number > y->number) - (x->number < y->number);
    return strcmp(x->name, y->name);
}

/* The list of --levels COLUMN=..., or NULL. */
static const char *given_levels(const struct args *a, const char *column)
{
    size_t n = strlen(column);
    const char *text;
    for (int i = 0; (text = args_get_nth(a, "levels", i)); i++)
        if (strncmp(text, column, n) == 0 && text[n] == '=')
            return text + n + 1;
    return NULL;
}

static void sorted_levels(const struct stats_table *t, int column, struct levels *out)
{
    struct stats_groups g;
    struct err unused = {0};
    if (stats_group_by(t, &column, 1, &g, &unused) != ST_OK)
        return;
    struct level *l = arena_array(t->arena, g.n_groups, sizeof *l);
    size_t n = 0;
    for (size_t i = 0; i < g.n_groups; i++) {
        const char *cell = t->cells[column][g.first[i]];
        if (!cell)
            continue;
        l[n].name = cell;
        l[n].is_number = parse_double(slice_of(cell), &l[n].number);
        n++;
    }
    qsort(l, n, sizeof *l, by_level);
    out->names = arena_array(t->arena, n, sizeof *out->names);
    for (size_t i = 0; i < n; i++)
        out->names[i] = l[i].name;
    out->n = n;
}

static void levels_of(const struct args *a, const struct stats_table *t, int column, struct levels *out)
{
    const char *given = given_levels(a, t->columns[column]);
    *out = (struct levels){.n = 0};
    if (given)
        out->names = stats_words(t->arena, given, &out->n);
    else
        sorted_levels(t, column, out);
    out->of = arena_array(t->arena, t->n_rows, sizeof *out->of);
    for (size_t r = 0; r < t->n_rows; r++) {
        const char *cell = t->cells[column][r];
        out->of[r] = SIZE_MAX;
        for (size_t i = 0; cell && i < out->n; i++)
            if (strcmp(cell, out->names[i]) == 0)
                out->of[r] = i;
    }
}

/* The columns that one factor or number gives (before products). */
struct part {
    const char *term;
    size_t p;
    const char **names;
    double **x;
};

struct builder {
    const struct args *args;
    struct stats_table *table;
    struct part *terms;
    size_t n_terms;
    bool *missing; /* of each row */
};

static bool listed(const struct args *a, const struct stats_table *t, int column)
{
    size_t n;
    const char **words = stats_words(t->arena, args_get(a, "factor"), &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], t->columns[column]) == 0)
            return true;
    return given_levels(a, t->columns[column]) != NULL;
}

static bool has_text(const struct stats_table *t, int column)
{
    for (size_t r = 0; r < t->n_rows; r++)
        if (t->cells[column][r] && !stats_is_number(t->cells[column][r]))
            return true;
    return false;
}

static void factor_part(const struct builder *b, int column, const char *prefix, struct part *out)
{
    struct stats_table *t = b->table;
    struct levels l;
    levels_of(b->args, t, column, &l);
    out->term = prefix;
    out->p = l.n ? l.n - 1 : 0;
    out->names = arena_array(t->arena, out->p, sizeof *out->names);
    out->x = arena_array(t->arena, out->p, sizeof *out->x);
    for (size_t j = 0; j < out->p; j++) {
        out->names[j] = arena_printf(t->arena, "%s%s", prefix, l.names[j + 1]);
        out->x[j] = arena_array(t->arena, t->n_rows, sizeof **out->x);
        for (size_t r = 0; r < t->n_rows; r++)
            out->x[j][r] = l.of[r] == j + 1;
    }
    for (size_t r = 0; r < t->n_rows; r++)
        b->missing[r] = b->missing[r] || l.of[r] == SIZE_MAX;
}

static enum status number_part(const struct builder *b, int column, struct part *out, struct err *e)
{
    struct stats_table *t = b->table;
    *out = (struct part){t->columns[column], 1, arena_array(t->arena, 1, sizeof *out->names),
                         arena_array(t->arena, 1, sizeof *out->x)};
    out->names[0] = t->columns[column];
    enum status s = stats_numbers(t, column, &out->x[0], e);
    for (size_t r = 0; s == ST_OK && r < t->n_rows; r++)
        b->missing[r] = b->missing[r] || isnan(out->x[0][r]);
    return s;
}

/* COLUMN or factor(COLUMN). */
static enum status simple_part(const struct builder *b, const char *word, struct part *out, struct err *e)
{
    struct stats_table *t = b->table;
    size_t n = strlen(word);
    bool factor = n > 8 && strncmp(word, "factor(", 7) == 0 && word[n - 1] == ')';
    struct err unused = {0};
    int column;
    if (factor && stats_column(t, word, &column, &unused) == ST_OK)
        factor = false; /* a design file's own column of that name */
    const char *name = factor ? arena_strndup(t->arena, word + 7, n - 8) : word;
    enum status s = stats_column(t, name, &column, e);
    if (s != ST_OK)
        return s;
    if (factor || listed(b->args, t, column) || has_text(t, column)) {
        factor_part(b, column, factor ? word : t->columns[column], out);
        return ST_OK;
    }
    return number_part(b, column, out, e);
}

static void product(const struct builder *b, const struct part *l, const struct part *r, struct part *out)
{
    struct arena *arena = b->table->arena;
    *out = (struct part){arena_printf(arena, "%s:%s", l->term, r->term), l->p * r->p,
                         arena_array(arena, l->p * r->p, sizeof *out->names),
                         arena_array(arena, l->p * r->p, sizeof *out->x)};
    for (size_t j = 0; j < r->p; j++)
        for (size_t i = 0; i < l->p; i++) {
            size_t at = j * l->p + i;
            out->names[at] = arena_printf(arena, "%s:%s", l->names[i], r->names[j]);
            out->x[at] = arena_array(arena, b->table->n_rows, sizeof **out->x);
            for (size_t k = 0; k < b->table->n_rows; k++)
                out->x[at][k] = l->x[i][k] * r->x[j][k];
        }
}

/* A term of --x. A word that is a column's whole name is that column, whatever signs it holds. */
static enum status add_term(struct builder *b, const char *word, struct err *e)
{
    struct err unused = {0};
    int column;
    const char *sign = strpbrk(word, ":*");
    if (!sign || stats_column(b->table, word, &column, &unused) == ST_OK)
        return simple_part(b, word, &b->terms[b->n_terms++], e);
    struct part left, right;
    enum status s = simple_part(b, arena_strndup(b->table->arena, word, (size_t)(sign - word)), &left, e);
    if (s == ST_OK)
        s = simple_part(b, sign + 1, &right, e);
    if (s != ST_OK)
        return s;
    if (*sign == '*') {
        b->terms[b->n_terms++] = left;
        b->terms[b->n_terms++] = right;
    }
    product(b, &left, &right, &b->terms[b->n_terms++]);
    return ST_OK;
}

static bool has_role(const struct stats_roles *roles, size_t column)
{
    for (const int *u = roles->used; *u >= 0; u++)
        if ((size_t)*u == column)
            return true;
    return false;
}

static enum status add_terms(struct builder *b, const struct stats_roles *roles, struct err *e)
{
    struct stats_table *t = b->table;
    size_t n;
    const char *given = args_get(b->args, "x");
    const char **words = stats_words(t->arena, given, &n);
    b->terms = arena_array(t->arena, 3 * (n + t->n_columns) + 1, sizeof *b->terms);
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < n; i++)
        s = add_term(b, words[i], e);
    for (size_t c = 0; s == ST_OK && !given && c < t->n_columns; c++)
        if (!has_role(roles, c))
            s = simple_part(b, t->columns[c], &b->terms[b->n_terms++], e);
    return s;
}

static void pack(double *v, const bool *drop, size_t n)
{
    for (size_t r = 0, to = 0; r < n; r++)
        if (!drop[r])
            v[to++] = v[r];
}

static void collect(struct builder *b, struct stats_roles *roles, bool intercept, struct stats_design *out)
{
    struct stats_table *t = b->table;
    size_t total = 1;
    bool own = false;
    for (size_t i = 0; i < b->n_terms; i++) {
        total += b->terms[i].p;
        own = own || (b->terms[i].p == 1 && strcmp(b->terms[i].names[0], "_intercept") == 0);
    }
    *out = (struct stats_design){.names = arena_array(t->arena, total, sizeof *out->names),
                                 .x = arena_array(t->arena, total, sizeof *out->x),
                                 .term = arena_array(t->arena, total, sizeof *out->term),
                                 .terms = arena_array(t->arena, b->n_terms + 1, sizeof *out->terms)};
    if (intercept && !own) {
        out->names[0] = "_intercept";
        out->x[0] = arena_array(t->arena, t->n_rows, sizeof **out->x);
        for (size_t r = 0; r < t->n_rows; r++)
            out->x[0][r] = 1;
        out->terms[out->n_terms++] = "_intercept";
        out->p = 1;
    }
    for (size_t i = 0; i < b->n_terms; i++) {
        out->terms[out->n_terms++] = b->terms[i].term;
        for (size_t j = 0; j < b->terms[i].p; j++) {
            out->term[out->p] = out->n_terms - 1;
            out->names[out->p] = b->terms[i].names[j];
            out->x[out->p++] = b->terms[i].x[j];
        }
    }
    for (size_t j = 0; j < out->p; j++) {
        double *own_copy = arena_array(t->arena, t->n_rows, sizeof *own_copy);
        memcpy(own_copy, out->x[j], t->n_rows * sizeof *own_copy);
        out->x[j] = own_copy;
        pack(out->x[j], b->missing, t->n_rows);
    }
    for (double **v = roles->needed; *v; v++)
        pack(*v, b->missing, t->n_rows);
    bool *keep = arena_array(t->arena, t->n_rows, sizeof *keep);
    for (size_t r = 0; r < t->n_rows; r++) {
        keep[r] = !b->missing[r];
        out->dropped += b->missing[r];
    }
    stats_table_keep(t, keep);
    out->n = t->n_rows;
}

enum status stats_design(const struct args *a, struct stats_table *t, struct stats_roles *roles,
                         bool intercept, struct stats_design *out, struct err *e)
{
    struct builder b = {
        .args = a, .table = t, .missing = arena_array(t->arena, t->n_rows, sizeof *b.missing)};
    enum status s = add_terms(&b, roles, e);
    if (s != ST_OK)
        return s;
    for (double **v = roles->needed; *v; v++)
        for (size_t r = 0; r < t->n_rows; r++)
            b.missing[r] = b.missing[r] || isnan((*v)[r]);
    collect(&b, roles, intercept, out);
    if (out->n == 0)
        return err_set(e, ST_INVALID, "%s: every row has a missing value in a column of the model", t->name);
    return ST_OK;
}

struct js *stats_coefficient(const char *term, double estimate, double se, double confidence, double df,
                             bool aliased)
{
    struct js *row = js_object();
    double z = normal_z(confidence), t = estimate / se, missing = (double)NAN;
    js_put_str(row, "term", term);
    stats_put(row, "estimate", aliased ? missing : estimate);
    stats_put(row, "se", aliased ? missing : se);
    stats_put(row, "lower", aliased ? missing : estimate - z * se);
    stats_put(row, "upper", aliased ? missing : estimate + z * se);
    stats_put(row, "statistic", aliased ? missing : t);
    stats_put(row, "p", aliased ? missing : t_two_sided(t, df));
    const char *reason = aliased     ? reason_aliased
                         : isnan(se) ? reason_no_freedom
                         : !(se > 0) ? reason_no_spread
                         : isinf(se) ? reason_not_finite
                                     : NULL;
    js_put(row, "reason", reason ? js_string(reason) : js_null());
    if (reason)
        js_put_str(row, "explanation", reason_text(reason));
    return row;
}

struct js *stats_matrix(const char *const *names, const double *m, size_t p)
{
    struct js *doc = js_object(), *terms = js_array(), *rows = js_array();
    for (size_t i = 0; i < p; i++) {
        js_push(terms, js_string(names[i]));
        struct js *row = js_array();
        for (size_t j = 0; j < p; j++)
            js_push(row, js_real(m[i * p + j]));
        js_push(rows, row);
    }
    js_put(doc, "terms", terms);
    js_put(doc, "matrix", rows);
    return doc;
}
