/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/instance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/log.h"

/* MAX_CELLS: of all tables together, 20 times what protection does in a minute (bench/README.md). */
enum { MAX_DIMENSIONS = 12, MAX_TABLES = 64, MAX_CELLS = 1000000 };
/* Hiding costs a little less than its value, because that keeps the range of costs that the solver sees
   shorter. Measured against the value itself (power 1): tauargus_linked4 305 cells of 194.9 million instead
   of 317 of 196.6, nuts_size 32.6 million instead of 33.0, act_size and ssb_z3_t10 the same, ssb_z3 1,085
   instead of 1,078. */
#define WEIGHT_POWER 0.85

/* Level names while a dimension is read. */
static enum status level_of(struct instance_dimension *d, const char *name, struct err *e, uint32_t *out)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (strcmp(d->levels[i], name) == 0) {
            *out = i;
            return ST_OK;
        }
    return err_set(e, ST_INVALID, "dimension '%s': there is no level '%.60s'", d->name, name);
}

static uint32_t level_add(struct instance_dimension *d, const char *name)
{
    struct err e;
    uint32_t level = 0;
    if (level_of(d, name, &e, &level) == ST_OK)
        return level;
    d->levels[d->n_levels] = name;
    return d->n_levels++;
}

static enum status read_sum(const struct js *j, const char *path, struct arena *a,
                            struct instance_dimension *d, struct lattice_sum *sum, struct err *e)
{
    const char *total = js_str(js_at(j, 0));
    const struct js *children = js_at(j, 1);
    if (!total || !js_is(children, JS_ARRAY) || js_size(children) == 0)
        return err_set(e, ST_INVALID, "%s: expected [\"total\", [\"part\", ...]]", path);
    uint32_t *levels = arena_array(a, js_size(children), sizeof *levels);
    sum->total = level_add(d, total);
    sum->n_children = (uint32_t)js_size(children);
    sum->children = levels;
    for (uint32_t i = 0; i < sum->n_children; i++) {
        const char *child = js_str(js_at(children, i));
        if (!child)
            return err_set(e, ST_INVALID, "%s: a part that is not a text", path);
        levels[i] = level_add(d, child);
        if (levels[i] == sum->total)
            return err_set(e, ST_INVALID, "%s: '%.60s' is a part of itself", path, child);
    }
    return ST_OK;
}

static enum status read_dimension(const char *name, const struct js *j, struct arena *a,
                                  struct instance_dimension *d, struct err *e)
{
    const struct js *sums;
    const char *total;
    char path[120];
    size_t names = 1;
    snprintf(path, sizeof path, "$.dims.%.80s", name);
    d->name = arena_strdup(a, name);
    enum status s = js_need_str(j, "total", path, &total, e);
    if (s == ST_OK)
        s = js_need(j, "sums", JS_ARRAY, path, &sums, e);
    if (s != ST_OK)
        return s;
    for (size_t i = 0; i < js_size(sums); i++)
        names += 1 + js_size(js_at(js_at(sums, i), 1));
    d->levels = arena_array(a, names, sizeof *d->levels);
    d->total = level_add(d, total);
    d->n_sums = (uint32_t)js_size(sums);
    d->sums = arena_array(a, d->n_sums, sizeof *d->sums);
    for (uint32_t i = 0; s == ST_OK && i < d->n_sums; i++)
        s = read_sum(js_at(sums, i), path, a, d, &d->sums[i], e);
    return s;
}

static enum status read_dimensions(const struct js *j, struct instance *in, struct err *e)
{
    const struct js *dimensions;
    enum status s = js_need(j, "dims", JS_OBJECT, "$", &dimensions, e);
    if (s != ST_OK)
        return s;
    if (js_size(dimensions) == 0 || js_size(dimensions) > MAX_DIMENSIONS)
        return err_set(e, ST_INVALID, "$.dims: expected 1 to %d dimensions", MAX_DIMENSIONS);
    in->dimensions = arena_array(in->arena, js_size(dimensions), sizeof *in->dimensions);
    for (void *it = js_first(dimensions); s == ST_OK && it; it = js_next(dimensions, it))
        s = read_dimension(js_key(it), js_value(it), in->arena, &in->dimensions[in->n_dimensions++], e);
    return s;
}

static enum status read_protect(const struct js *j, struct instance *in, struct err *e)
{
    static const char *const kinds[] = {"below", "pct", "width"};
    const struct js *p;
    const char *kind;
    enum status s = js_need(j, "protect", JS_OBJECT, "$", &p, e);
    if (s == ST_OK)
        s = js_need_str(p, "kind", "$.protect", &kind, e);
    if (s != ST_OK)
        return s;
    while (in->kind <= PROTECT_WIDTH && strcmp(kinds[in->kind], kind) != 0)
        in->kind++;
    in->threshold = js_num(js_get(p, "t"));
    in->least = js_num(js_get(p, "lo"));
    in->share = js_num(js_get(p, "p")) / 100;
    in->width = js_num(js_get(p, "min"));
    if (in->kind > PROTECT_WIDTH)
        return err_set(e, ST_INVALID, "$.protect.kind: expected below, pct or width, got '%.40s'", kind);
    if ((in->kind == PROTECT_BELOW && !(in->threshold > 1 && in->least >= 0)) ||
        (in->kind == PROTECT_PERCENT && !(in->share > 0 && in->share < 1)) || !(in->width >= 0))
        return err_set(e, ST_INVALID, "$.protect: expected t over 1, p from 0 to 100, min not negative");
    in->whole = js_bool(js_get(j, "integer"));
    return ST_OK;
}

static enum status table_dimensions(const struct js *vars, const char *path, struct instance *in, uint32_t t,
                                    struct err *e)
{
    uint32_t *use = arena_array(in->arena, js_size(vars), sizeof *use);
    in->tables[t] = use;
    in->table_sizes[t] = (uint32_t)js_size(vars);
    for (uint32_t i = 0; i < in->table_sizes[t]; i++) {
        const char *name = js_str(js_at(vars, i));
        while (use[i] < in->n_dimensions && name && strcmp(in->dimensions[use[i]].name, name) != 0)
            use[i]++;
        if (!name || use[i] == in->n_dimensions)
            return err_set(e, ST_INVALID, "%s.vars[%u]: no such dimension", path, i);
    }
    return ST_OK;
}

struct cell_list {
    struct instance_cell *p;
    size_t n, capacity;
};

/* The columns of a table's CSV: its keys, then value, freq, primary. */
static enum status find_columns(const struct csv *c, const struct instance *in, uint32_t t, int *columns,
                                struct err *e)
{
    static const char *const facts[] = {"value", "freq", "primary"};
    enum status s = ST_OK;
    for (uint32_t i = 0; s == ST_OK && i < in->table_sizes[t]; i++)
        s = csv_need(c, in->dimensions[in->tables[t][i]].name, &columns[i], e);
    for (uint32_t i = 0; s == ST_OK && i < 3; i++)
        s = csv_need(c, facts[i], &columns[in->table_sizes[t] + i], e);
    return s;
}

static enum status read_keys(const struct csv *c, const struct slice *fields, struct instance *in, uint32_t t,
                             const int *columns, uint32_t *at, struct err *e)
{
    for (uint32_t d = 0; d < in->n_dimensions; d++)
        at[d] = in->dimensions[d].total;
    for (uint32_t i = 0; i < in->table_sizes[t]; i++) {
        struct instance_dimension *d = &in->dimensions[in->tables[t][i]];
        struct slice name = slice_trim(fields[columns[i]]);
        uint32_t level = 0;
        while (level < d->n_levels && !slice_is(name, d->levels[level]))
            level++;
        if (level == d->n_levels)
            return csv_expected(c, columns[i], "a level of the dimension", e);
        at[in->tables[t][i]] = level;
    }
    return ST_OK;
}

static enum status read_cells(struct csv *c, struct instance *in, uint32_t t, struct cell_list *cells,
                              struct err *e)
{
    int columns[MAX_DIMENSIONS + 3] = {0};
    uint32_t n = in->table_sizes[t];
    const struct slice *fields = NULL;
    int64_t primary;
    enum status s = find_columns(c, in, t, columns, e);
    while (s == ST_OK && (s = csv_next(c, &fields, e)) == ST_OK && fields) {
        if (interrupted())
            return interrupted_err(e);
        if (cells->n == MAX_CELLS)
            return err_set(e, ST_UNSUPPORTED,
                           "%s: the tables have over %d cells together; protect fewer, or coarser ones",
                           csv_name(c), MAX_CELLS);
        struct instance_cell cell = {0};
        uint32_t *at = arena_array(in->arena, in->n_dimensions, sizeof *at);
        s = read_keys(c, fields, in, t, columns, at, e);
        if (s == ST_OK)
            s = csv_double(c, columns[n], 0, &cell.value, e);
        if (s == ST_OK)
            s = csv_double(c, columns[n + 1], 0, &cell.persons, e);
        if (s == ST_OK)
            s = csv_i64(c, columns[n + 2], 0, &primary, e);
        if (s == ST_OK && !(cell.value >= 0))
            s = csv_expected(c, columns[n], "a value that is not negative", e);
        if (s != ST_OK)
            break;
        cell.at = at;
        cell.primary = primary != 0;
        GROW(cells->p, cells->n + 1, cells->capacity);
        cells->p[cells->n++] = cell;
    }
    return s;
}

static enum status read_table(const struct js *j, const char *folder, struct instance *in, uint32_t t,
                              struct cell_list *cells, struct err *e)
{
    const struct js *vars;
    const char *file;
    char path[40];
    struct csv *c = NULL;
    snprintf(path, sizeof path, "$.tables[%u]", t);
    enum status s = js_need(j, "vars", JS_ARRAY, path, &vars, e);
    if (s == ST_OK)
        s = js_need_str(j, "cells", path, &file, e);
    if (s == ST_OK && js_size(vars) > in->n_dimensions)
        s = err_set(e, ST_INVALID, "%s.vars: more than the dimensions there are", path);
    if (s == ST_OK)
        s = table_dimensions(vars, path, in, t, e);
    if (s == ST_OK && strchr(file, '/'))
        s = err_set(e, ST_INVALID, "%s.cells: expected the name of a file beside the JSON", path);
    if (s == ST_OK)
        s = csv_open(arena_printf(in->arena, "%s/%s", folder, file), &c, e);
    if (s == ST_OK)
        s = read_cells(c, in, t, cells, e);
    csv_close(c);
    return s;
}

static struct lattice lattice_of(const struct instance *in, struct lattice_dimension *dimensions)
{
    for (uint32_t d = 0; d < in->n_dimensions; d++)
        dimensions[d] = (struct lattice_dimension){in->dimensions[d].n_levels, in->dimensions[d].sums,
                                                   in->dimensions[d].n_sums};
    return (struct lattice){.dimensions = dimensions, .n_dimensions = in->n_dimensions};
}

/* Cells that tables share become one; they must agree. */
static enum status merge_cells(struct instance *in, const struct cell_list *cells, struct lattice *l,
                               struct err *e)
{
    l->cells = arena_array(in->arena, cells->n, sizeof *l->cells);
    l->n_cells = cells->n;
    in->cells = arena_array(in->arena, cells->n, sizeof *in->cells);
    for (uint32_t i = 0; i < cells->n; i++)
        l->cells[i] = (struct lattice_cell){lattice_key(l, cells->p[i].at), i};
    lattice_sort(l);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < l->n_cells; i++) {
        const struct instance_cell *cell = &cells->p[l->cells[i].variable];
        if (kept && l->cells[kept - 1].key == l->cells[i].key) {
            struct instance_cell *same = &in->cells[in->n_cells - 1];
            if (fabs(same->value - cell->value) > 1e-6 * (1 + fabs(cell->value)))
                return err_set(e, ST_INVALID, "a cell that is given twice has two values");
            same->primary |= cell->primary;
            continue;
        }
        l->cells[kept++] = (struct lattice_cell){l->cells[i].key, in->n_cells};
        in->cells[in->n_cells++] = *cell;
    }
    l->n_cells = kept;
    return ST_OK;
}

static enum status check_sums(const struct instance *in, struct err *e)
{
    uint32_t equation = 0;
    double largest = 1;
    for (uint32_t v = 0; v < in->n_cells; v++)
        if (in->cells[v].value > largest)
            largest = in->cells[v].value;
    double gap = system_worst_gap(&in->system, &equation);
    if (gap <= (in->whole ? 1e-6 : 1e-8 * largest + 0.01))
        return ST_OK;
    return err_set(e, ST_INVALID, "the cells do not add up: a total differs from its parts by %.6g", gap);
}

static enum status build_system(struct instance *in, const struct cell_list *cells, struct err *e)
{
    struct lattice_dimension *dimensions = arena_array(in->arena, in->n_dimensions, sizeof *dimensions);
    struct lattice l = lattice_of(in, dimensions);
    uint32_t rest[MAX_DIMENSIONS];
    enum status s = lattice_check(&l, e);
    if (s == ST_OK)
        s = merge_cells(in, cells, &l, e);
    if (s != ST_OK)
        return s;
    for (uint32_t d = 0; d < in->n_dimensions; d++)
        rest[d] = in->dimensions[d].total;
    for (uint32_t v = 0; v < in->n_cells; v++)
        system_add_variable(&in->system, in->cells[v].value, in->cells[v].value, in->cells[v].value);
    for (uint32_t t = 0; t < in->n_tables; t++) {
        uint32_t uses = 0;
        for (uint32_t i = 0; i < in->table_sizes[t]; i++)
            uses |= UINT32_C(1) << in->tables[t][i];
        lattice_add_equations(&l, uses, rest, &in->system);
    }
    system_close(&in->system);
    system_place(&in->system, &l);
    return check_sums(in, e);
}

static enum status read_tables(const struct js *j, const char *folder, struct instance *in, struct err *e)
{
    const struct js *tables;
    struct cell_list cells = {0};
    enum status s = js_need(j, "tables", JS_ARRAY, "$", &tables, e);
    if (s != ST_OK)
        return s;
    if (js_size(tables) == 0 || js_size(tables) > MAX_TABLES)
        return err_set(e, ST_INVALID, "$.tables: expected 1 to %d tables", MAX_TABLES);
    in->n_tables = (uint32_t)js_size(tables);
    in->tables = arena_array(in->arena, in->n_tables, sizeof *in->tables);
    in->table_sizes = arena_array(in->arena, in->n_tables, sizeof *in->table_sizes);
    for (uint32_t t = 0; s == ST_OK && t < in->n_tables; t++)
        s = read_table(js_at(tables, t), folder, in, t, &cells, e);
    if (s == ST_OK)
        s = build_system(in, &cells, e);
    free(cells.p);
    return s;
}

static const char *folder_of(const char *path, struct arena *a)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(a, path, (size_t)(slash - path)) : ".";
}

enum status instance_load(const char *path, struct instance **out, struct err *e)
{
    struct js *j = NULL;
    struct arena *a = arena_new();
    struct instance *in = arena_alloc(a, sizeof *in);
    const char *name;
    in->arena = a;
    system_init(&in->system);
    *out = NULL;
    enum status s = js_load(path, &j, e);
    if (s == ST_OK)
        s = js_need_str(j, "name", "$", &name, e);
    if (s == ST_OK) {
        in->name = arena_strdup(a, name);
        s = read_protect(j, in, e);
    }
    if (s == ST_OK)
        s = read_dimensions(j, in, e);
    if (s == ST_OK)
        s = read_tables(j, folder_of(path, a), in, e);
    /* Level names were borrowed from the JSON. */
    for (uint32_t d = 0; s == ST_OK && d < in->n_dimensions; d++)
        for (uint32_t i = 0; i < in->dimensions[d].n_levels; i++)
            in->dimensions[d].levels[i] = arena_strdup(a, in->dimensions[d].levels[i]);
    js_free(j);
    if (s == ST_OK)
        *out = in;
    else
        instance_free(in);
    return s;
}

void instance_free(struct instance *in)
{
    if (!in)
        return;
    system_deinit(&in->system);
    arena_free(in->arena);
}

static struct demand demand_of(const struct instance *in, uint32_t v)
{
    double value = in->cells[v].value;
    struct demand d = {.variable = v, .whole = in->whole};
    switch (in->kind) {
    case PROTECT_BELOW:
        d.down = fmax(0, value - in->least);
        d.up = fmax(0, in->threshold - 1 - value);
        break;
    case PROTECT_PERCENT:
        d.down = d.up = value * in->share;
        break;
    case PROTECT_WIDTH:
        d.either = true;
        d.up = d.down = in->whole ? 1 + in->width : fmax(in->width, 1e-3 * value);
        d.down = fmin(d.down, value);
        break;
    }
    return d;
}

struct demand *instance_demands(struct instance *in, uint32_t *n)
{
    struct demand *d = arena_array(in->arena, in->n_cells, sizeof *d);
    *n = 0;
    for (uint32_t v = 0; v < in->n_cells; v++)
        if (in->cells[v].primary)
            d[(*n)++] = demand_of(in, v);
    return d;
}

void instance_room(struct instance *in, bool zeros, struct room *out)
{
    double *low = arena_array(in->arena, in->n_cells, sizeof *low);
    double *high = arena_array(in->arena, in->n_cells, sizeof *high);
    for (uint32_t v = 0; v < in->n_cells; v++) {
        bool zero = in->cells[v].value == 0 && !in->cells[v].primary && !zeros;
        low[v] = 0;
        high[v] = zero ? 0 : HUGE_VAL;
    }
    *out = (struct room){in->system.low, in->system.high, low, high};
}

double *instance_weights(struct instance *in)
{
    double *w = arena_array(in->arena, in->n_cells, sizeof *w);
    double largest = 1;
    for (uint32_t v = 0; v < in->n_cells; v++)
        largest = fmax(largest, w[v] = pow(in->cells[v].value, WEIGHT_POWER));
    for (uint32_t v = 0; v < in->n_cells; v++)
        if (w[v] == 0)
            w[v] = largest;
    return w;
}

void instance_insiders(struct instance *in, struct insiders *out)
{
    uint32_t *variables = arena_array(in->arena, in->n_cells, sizeof *variables);
    *out = (struct insiders){variables, 0};
    for (uint32_t v = 0; v < in->n_cells; v++)
        if (in->cells[v].primary && in->cells[v].persons == 1)
            variables[out->n++] = v;
}

void instance_csv(const struct instance *in, const bool *hidden, struct buf *out)
{
    uint32_t n = in->n_tables == 1 ? in->table_sizes[0] : in->n_dimensions;
    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%s,", in->dimensions[in->n_tables == 1 ? in->tables[0][i] : i].name);
    buf_adds(out, "status\n");
    for (uint32_t v = 0; v < in->n_cells; v++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t d = in->n_tables == 1 ? in->tables[0][i] : i;
            buf_printf(out, "%s,", in->dimensions[d].levels[in->cells[v].at[d]]);
        }
        buf_adds(out, in->cells[v].primary ? "u\n" : hidden[v] ? "x\n" : "s\n");
    }
}
