/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stats_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/text.h"

/* Larger in size than any measurement, and small enough for fourth powers. */
#define MOST_NUMBER 1e60

static enum status keep_cell(const struct csv *c, const struct stats_table *t, int column, struct slice s,
                             const char **out, struct err *e)
{
    s = slice_trim(s);
    if (s.n && memchr(s.p, '\0', s.n))
        return csv_expected(c, column, "text without zero bytes", e);
    *out = s.n == 0 || slice_is(s, "NA") ? NULL : arena_strndup(t->arena, s.p, s.n);
    return ST_OK;
}

struct growing {
    const char **cells; /* row by row */
    uint64_t *lines;
    size_t n_rows, cap_cells, cap_lines;
};

static enum status read_rows(struct csv *c, struct stats_table *t, struct growing *g, struct err *e)
{
    const struct slice *fields;
    enum status s;
    while ((s = csv_next(c, &fields, e)) == ST_OK && fields) {
        GROW(g->cells, (g->n_rows + 1) * t->n_columns, g->cap_cells);
        GROW(g->lines, g->n_rows + 1, g->cap_lines);
        for (size_t i = 0; s == ST_OK && i < t->n_columns; i++)
            s = keep_cell(c, t, (int)i, fields[i], &g->cells[g->n_rows * t->n_columns + i], e);
        if (s != ST_OK)
            break;
        g->lines[g->n_rows++] = csv_line(c);
    }
    return s;
}

static void turn(const struct growing *g, struct stats_table *t)
{
    t->n_rows = g->n_rows;
    t->lines = arena_array(t->arena, g->n_rows, sizeof *t->lines);
    if (g->n_rows)
        memcpy(t->lines, g->lines, g->n_rows * sizeof *t->lines);
    for (size_t c = 0; c < t->n_columns; c++) {
        t->cells[c] = arena_array(t->arena, g->n_rows, sizeof **t->cells);
        for (size_t r = 0; r < g->n_rows; r++)
            t->cells[c][r] = g->cells[r * t->n_columns + c];
    }
}

enum status stats_table_read(const char *path, struct stats_table **out, struct err *e)
{
    struct csv *c;
    *out = NULL;
    enum status s = csv_open(path, &c, e);
    if (s != ST_OK)
        return s;
    struct arena *arena = arena_new();
    struct stats_table *t = arena_alloc(arena, sizeof *t);
    t->arena = arena;
    t->name = arena_strdup(arena, csv_name(c));
    t->n_columns = (size_t)csv_columns(c);
    t->columns = arena_array(arena, t->n_columns, sizeof *t->columns);
    t->cells = arena_array(arena, t->n_columns, sizeof *t->cells);
    for (size_t i = 0; i < t->n_columns; i++)
        t->columns[i] = arena_strdup(arena, csv_column(c, (int)i));
    struct growing g = {0};
    s = read_rows(c, t, &g, e);
    if (s == ST_OK)
        turn(&g, t);
    free(g.cells);
    free(g.lines);
    csv_close(c);
    if (s == ST_OK)
        *out = t;
    else
        arena_free(arena);
    return s;
}

void stats_table_close(struct stats_table *t)
{
    if (t)
        arena_free(t->arena);
}

void stats_table_keep(struct stats_table *t, const bool *keep)
{
    size_t n = 0;
    for (size_t r = 0; r < t->n_rows; r++) {
        if (!keep[r])
            continue;
        for (size_t c = 0; c < t->n_columns; c++)
            t->cells[c][n] = t->cells[c][r];
        t->lines[n++] = t->lines[r];
    }
    t->n_rows = n;
}

static bool same_cell(const char *cell, const char *wanted)
{
    double x, y;
    if (!cell)
        return false;
    return strcmp(cell, wanted) == 0 ||
           (parse_double(slice_of(cell), &x) && parse_double(slice_of(wanted), &y) && x == y);
}

/* One --where COLUMN=VALUE[,VALUE]. */
static enum status apply_where(struct stats_table *t, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    int column;
    if (!equals)
        return err_set(e, ST_USAGE, "--where must be COLUMN=VALUE, not '%.40s'", text);
    enum status s = stats_column(t, arena_strndup(t->arena, text, (size_t)(equals - text)), &column, e);
    if (s != ST_OK)
        return s;
    size_t n;
    const char **values = stats_words(t->arena, equals + 1, &n);
    bool *keep = arena_array(t->arena, t->n_rows, sizeof *keep);
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t i = 0; i < n; i++)
            keep[r] = keep[r] || same_cell(t->cells[column][r], values[i]);
    stats_table_keep(t, keep);
    return ST_OK;
}

enum status stats_table_open(const struct args *a, struct stats_table **out, struct err *e)
{
    enum status s = stats_table_read(args_operand(a, 0), out, e);
    const char *where;
    for (int i = 0; s == ST_OK && (where = args_get_nth(a, "where", i)); i++)
        s = apply_where(*out, where, e);
    if (s == ST_OK && (*out)->n_rows == 0)
        s = err_set(e, ST_INVALID, "%s has no rows%s", (*out)->name,
                    args_get(a, "where") ? " that --where lets through" : " below its header");
    if (s != ST_OK) {
        stats_table_close(*out);
        *out = NULL;
    }
    return s;
}

/* Names compare without case and with every other sign as '_'. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = isalnum((unsigned char)*a) ? tolower((unsigned char)*a) : '_';
        int y = isalnum((unsigned char)*b) ? tolower((unsigned char)*b) : '_';
        if (x != y)
            return false;
    }
    return *a == *b;
}

static int find_column(const struct stats_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (strcmp(t->columns[i], name) == 0)
            return (int)i;
    for (size_t i = 0; i < t->n_columns; i++)
        if (same_name(t->columns[i], name))
            return (int)i;
    return -1;
}

enum status stats_column(const struct stats_table *t, const char *name, int *out, struct err *e)
{
    *out = find_column(t, name);
    if (*out >= 0)
        return ST_OK;
    const char *near = text_nearest(name, t->columns, t->n_columns);
    return err_set(e, ST_INVALID, "%s has no column '%.60s'%s%s%s", t->name, name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum status stats_choose(const struct args *a, const struct stats_table *t, const char *option,
                         const char *usual, bool needed, int *out, struct err *e)
{
    const char *given = args_get(a, option);
    if (given)
        return stats_column(t, given, out, e);
    *out = -1;
    for (const char *p = usual; *p && *out < 0;) {
        size_t n = strcspn(p, " ");
        char word[64];
        if (n < sizeof word) {
            memcpy(word, p, n);
            word[n] = '\0';
            *out = find_column(t, word);
        }
        p += n + strspn(p + n, " ");
    }
    if (*out >= 0 || !needed)
        return ST_OK;
    return err_set(e, ST_INVALID, "%s has none of the columns %s: name one with --%s", t->name, usual,
                   option);
}

static bool cell_number(const char *cell, double *v)
{
    if (parse_double(slice_of(cell), v))
        return fabs(*v) <= MOST_NUMBER;
    if (strcmp(cell, "TRUE") == 0 || strcmp(cell, "FALSE") == 0) {
        *v = cell[0] == 'T';
        return true;
    }
    return false;
}

bool stats_is_number(const char *cell)
{
    double v;
    return cell && cell_number(cell, &v);
}

enum status stats_numbers(const struct stats_table *t, int column, double **out, struct err *e)
{
    double *v = arena_array(t->arena, t->n_rows, sizeof *v);
    for (size_t r = 0; r < t->n_rows; r++) {
        const char *cell = t->cells[column][r];
        v[r] = (double)NAN;
        if (cell && !cell_number(cell, &v[r])) {
            err_set(e, ST_INVALID,
                    "%s line %llu, column %s: expected a number (up to 1e60 in size), NA or nothing", t->name,
                    (unsigned long long)t->lines[r], t->columns[column]);
            err_detail(e, "'%.60s'", cell);
            return e->status;
        }
    }
    *out = v;
    return ST_OK;
}

enum status stats_choose_numbers(const struct args *a, const struct stats_table *t, const char *option,
                                 const char *usual, bool needed, double **out, struct err *e)
{
    int column;
    *out = NULL;
    enum status s = stats_choose(a, t, option, usual, needed, &column, e);
    return s == ST_OK && column >= 0 ? stats_numbers(t, column, out, e) : s;
}

enum status stats_at(const struct stats_table *t, size_t row, struct err *e)
{
    return err_wrap(e, "%s line %llu", t->name, (unsigned long long)t->lines[row]);
}

static bool same_key(const struct stats_table *t, const int *keys, size_t n, size_t a, size_t b)
{
    for (size_t i = 0; i < n; i++) {
        const char *x = t->cells[keys[i]][a], *y = t->cells[keys[i]][b];
        if (x != y && (!x || !y || strcmp(x, y) != 0))
            return false;
    }
    return true;
}

static uint64_t hash_key(const struct stats_table *t, const int *keys, size_t n, size_t row)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) {
        for (const char *p = t->cells[keys[i]][row]; p && *p; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211u;
        h = (h ^ 31) * 1099511628211u;
    }
    return h;
}

static void collect_rows(const struct stats_table *t, struct stats_groups *g)
{
    for (size_t i = 0; i < g->n_groups; i++) {
        g->rows[i] = arena_array(t->arena, g->size[i], sizeof **g->rows);
        g->size[i] = 0;
    }
    for (size_t r = 0; r < t->n_rows; r++)
        g->rows[g->of[r]][g->size[g->of[r]]++] = r;
}

enum status stats_group_by(const struct stats_table *t, const int *keys, size_t n_keys,
                           struct stats_groups *g, struct err *e)
{
    size_t slots = 16;
    while (slots < 2 * t->n_rows)
        slots *= 2;
    if (slots > UINT32_MAX)
        return err_set(e, ST_NO_MEMORY, "%s has too many rows to group", t->name);
    uint32_t *table = xcalloc(slots, sizeof *table); /* group + 1 */
    *g = (struct stats_groups){.n_keys = n_keys, .keys = arena_array(t->arena, n_keys, sizeof *g->keys)};
    if (n_keys)
        memcpy(g->keys, keys, n_keys * sizeof *keys);
    g->of = arena_array(t->arena, t->n_rows, sizeof *g->of);
    g->first = arena_array(t->arena, t->n_rows, sizeof *g->first);
    g->size = arena_array(t->arena, t->n_rows, sizeof *g->size);
    for (size_t r = 0; r < t->n_rows; r++) {
        size_t at = hash_key(t, keys, n_keys, r) & (slots - 1);
        while (table[at] && !same_key(t, keys, n_keys, g->first[table[at] - 1], r))
            at = (at + 1) & (slots - 1);
        if (!table[at]) {
            g->first[g->n_groups] = r;
            table[at] = (uint32_t)++g->n_groups;
        }
        g->of[r] = table[at] - 1;
        g->size[g->of[r]]++;
    }
    free(table);
    g->rows = arena_array(t->arena, g->n_groups, sizeof *g->rows);
    collect_rows(t, g);
    return ST_OK;
}

enum status stats_group(const struct args *a, const struct stats_table *t, const char *option,
                        struct stats_groups *out, struct err *e)
{
    size_t n;
    const char **words = stats_words(t->arena, args_get(a, option), &n);
    int *keys = arena_array(t->arena, n, sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        enum status s = stats_column(t, words[i], &keys[i], e);
        if (s != ST_OK)
            return s;
    }
    return stats_group_by(t, keys, n, out, e);
}

const char *stats_group_name(const struct stats_table *t, const struct stats_groups *g, size_t group)
{
    char *s = arena_strdup(t->arena, "");
    for (size_t i = 0; i < g->n_keys; i++) {
        const char *cell = t->cells[g->keys[i]][g->first[group]];
        s = arena_printf(t->arena, "%s%s%s=%s", s, i ? ", " : "", t->columns[g->keys[i]], cell ? cell : "NA");
    }
    return s;
}

void stats_put_cell(struct js *row, const struct stats_table *t, int column, size_t row_index)
{
    const char *cell = t->cells[column][row_index];
    js_put(row, t->columns[column], cell ? js_string(cell) : js_null());
}

void stats_put_keys(struct js *row, const struct stats_table *t, const struct stats_groups *g, size_t group)
{
    for (size_t i = 0; i < g->n_keys; i++)
        stats_put_cell(row, t, g->keys[i], g->first[group]);
}
