/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/audit_table.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/csv.h"
#include "base/log.h"
#include "base/mem.h"
#include "disclose/rounding.h"
#include "disclose/solver.h"

struct audit *audit_new(void)
{
    struct audit *a = xcalloc(1, sizeof *a);
    a->arena = arena_new();
    a->whole = true;
    system_init(&a->system);
    return a;
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    for (uint32_t d = 0; d < a->n_dimensions; d++)
        if (a->levels_capacity[d])
            free(a->dimensions[d].levels);
    system_deinit(&a->system);
    arena_free(a->arena);
    free(a->cells);
    free(a->entries);
    free(a);
}

const char *audit_place(const struct audit *a, const struct audit_entry *c)
{
    const char *place = "";
    for (uint32_t d = 0; d < a->n_dimensions; d++)
        place =
            arena_printf(a->arena, "%s%s%s", place, d ? ", " : "", a->dimensions[d].levels[c->at[d]].label);
    return place;
}

static struct audit_entry *add_cell(struct audit *a)
{
    GROW(a->cells, a->n_cells + 1, a->cells_capacity);
    struct audit_entry *c = &a->cells[a->n_cells++];
    *c = (struct audit_entry){.high = LP_INFINITY};
    return c;
}

static uint32_t add_level(struct audit *a, uint32_t d, struct slice label, int32_t parent)
{
    struct result_dimension *dimension = &a->dimensions[d];
    for (uint32_t i = 0; i < dimension->n_levels; i++)
        if (parent >= 0 && i > 0 && slice_is(label, dimension->levels[i].label))
            return i;
    GROW(dimension->levels, (size_t)dimension->n_levels + 1, a->levels_capacity[d]);
    dimension->levels[dimension->n_levels] =
        (struct result_level){arena_strndup(a->arena, label.p, label.n), parent};
    return dimension->n_levels++;
}

/* The dimension with this name, made with its total when it is new; AUDIT_MOST_DIMENSIONS = no more room. */
static uint32_t dimension_named(struct audit *a, const char *name)
{
    for (uint32_t d = 0; d < a->n_dimensions; d++)
        if (strcasecmp(a->dimensions[d].name, name) == 0)
            return d;
    if (a->n_dimensions == AUDIT_MOST_DIMENSIONS)
        return AUDIT_MOST_DIMENSIONS;
    uint32_t d = a->n_dimensions++;
    a->dimensions[d].name = arena_strdup(a->arena, name);
    add_level(a, d, SLICE("total"), -1);
    return d;
}

static bool is_total(struct slice label, const struct audit_form *form)
{
    return (label.n == 5 && strncasecmp(label.p, "total", 5) == 0) ||
           (label.n == 3 && strncasecmp(label.p, "all", 3) == 0) ||
           (form->total && slice_is(label, form->total));
}

static bool is_hidden_mark(struct slice s)
{
    static const char *const marks[] = {"", "*", "c", "[c]", "x", "[x]", "NA", "[REDACTED]"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (slice_is(s, marks[i]))
            return true;
    return false;
}

/* "<10" and "<=7": hidden, but not wholly. */
static bool read_ceiling(struct slice s, double *high)
{
    int64_t n;
    bool within = s.n > 1 && s.p[1] == '=';
    if (s.n == 0 || s.p[0] != '<' || !parse_i64((struct slice){s.p + 1 + within, s.n - 1 - within}, &n))
        return false;
    *high = (double)(within ? n : n - 1);
    return *high >= 0;
}

/* A number, which may have thousands separators: "1,234". */
static bool read_number(struct slice s, double *out)
{
    char digits[64];
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < sizeof digits; i++)
        if (s.p[i] != ',')
            digits[n++] = s.p[i];
    return parse_double((struct slice){digits, n}, out) && *out >= 0 && *out < 1e15;
}

static bool read_value(struct audit *a, struct slice text, int64_t base, struct audit_entry *c)
{
    double v;
    c->hidden = true;
    if (is_hidden_mark(text) || read_ceiling(text, &c->high))
        return true;
    if (!read_number(text, &v) || (base > 1 && v != floor(v)))
        return false;
    c->hidden = false;
    c->low = c->high = v;
    a->whole &= v == floor(v);
    if (base > 1) {
        struct count_range r = round_range((int64_t)v, ROUNDING_NEAREST, base, 0);
        c->low = (double)(r.low > 0 ? r.low : 0);
        c->high = (double)r.high;
    }
    return true;
}

static enum status value_column(const struct csv *csv, const struct audit_form *form, int *out, struct err *e)
{
    static const char *const usual[] = {"value", "count", "n"};
    if (form->value)
        return csv_need(csv, form->value, out, e);
    *out = -1;
    for (size_t i = 0; *out < 0 && i < sizeof usual / sizeof *usual; i++)
        *out = csv_find(csv, usual[i]);
    if (*out < 0)
        *out = csv_columns(csv) - 1;
    return ST_OK;
}

/* The dimension of every column, -1 for those that are none. */
static enum status find_dimensions(struct audit *a, const struct csv *csv, int value, int32_t *dimension,
                                   struct err *e)
{
    for (int i = 0; i < csv_columns(csv); i++) {
        const char *name = csv_column(csv, i);
        bool none = i == value || strcasecmp(name, "lower") == 0 || strcasecmp(name, "upper") == 0 ||
                    strcasecmp(name, "status") == 0;
        dimension[i] = none ? -1 : (int32_t)dimension_named(a, name);
        if (dimension[i] == AUDIT_MOST_DIMENSIONS)
            return err_set(e, ST_UNSUPPORTED, "%s: over %d dimensions; leave out columns that are none",
                           csv_name(csv), AUDIT_MOST_DIMENSIONS);
    }
    return ST_OK;
}

static enum status check_room(const struct audit *a, const char *name, struct err *e)
{
    if (interrupted())
        return interrupted_err(e);
    if (a->n_cells < AUDIT_MOST_CELLS)
        return ST_OK;
    return err_set(e, ST_UNSUPPORTED,
                   "%s: the tables have over %d cells together; audit fewer of them at once, or coarser ones",
                   name, AUDIT_MOST_CELLS);
}

static enum status check_label(const struct audit *a, const struct csv *csv, int column, uint32_t dimension,
                               struct slice label, struct err *e)
{
    if (label.n > AUDIT_MOST_LABEL)
        return csv_expected(csv, column, "a label of at most 1,000 bytes", e);
    if (a->dimensions[dimension].n_levels < AUDIT_MOST_LEVELS)
        return ST_OK;
    return err_set(e, ST_UNSUPPORTED, "%s: the column %s has over %d labels; is it a dimension of a table?",
                   csv_name(csv), csv_column(csv, column), AUDIT_MOST_LEVELS);
}

static enum status read_rows(struct audit *a, struct csv *csv, const struct audit_form *form,
                             const int32_t *dimension, int value, struct err *e)
{
    const struct slice *fields;
    enum status s;
    while ((s = csv_next(csv, &fields, e)) == ST_OK && fields) {
        if ((s = check_room(a, csv_name(csv), e)) != ST_OK)
            return s;
        struct audit_entry *c = add_cell(a);
        for (int i = 0; i < csv_columns(csv); i++) {
            struct slice label = slice_trim(fields[i]);
            if (dimension[i] < 0 || is_total(label, form))
                continue;
            if ((s = check_label(a, csv, i, (uint32_t)dimension[i], label, e)) != ST_OK)
                return s;
            c->at[dimension[i]] = add_level(a, (uint32_t)dimension[i], label, 0);
        }
        if (!read_value(a, slice_trim(fields[value]), form->base, c))
            return csv_expected(
                csv, value,
                "a number of 0 or more (whole when rounded), or a mark of a hidden cell (*, [c], "
                "c, x, <10, empty)",
                e);
    }
    return s;
}

enum status audit_add_csv(struct audit *a, const char *path, const struct audit_form *form, struct err *e)
{
    int32_t dimension[CSV_MOST_COLUMNS];
    int value;
    struct csv *csv = NULL;
    enum status s = csv_open(path, &csv, e);
    if (s == ST_OK)
        s = value_column(csv, form, &value, e);
    if (s == ST_OK)
        s = find_dimensions(a, csv, value, dimension, e);
    if (s == ST_OK)
        s = read_rows(a, csv, form, dimension, value, e);
    csv_close(csv);
    return s;
}

enum status audit_add_released(struct audit *a, const struct released_table *t, const struct policy *policy,
                               struct err *e)
{
    if (t->n_dimensions > AUDIT_MOST_DIMENSIONS)
        return err_set(e, ST_UNSUPPORTED, "table '%s': over %d dimensions", t->name, AUDIT_MOST_DIMENSIONS);
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        a->dimensions[d] = t->dimensions[d];
    a->n_dimensions = t->n_dimensions;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        enum status s = check_room(a, t->name, e);
        if (s != ST_OK)
            return s;
        struct audit_entry *c = add_cell(a);
        const struct released_cell *cell = &t->cells[i];
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            c->at[d] = cell->at[d];
        c->hidden = cell->hidden;
        if (cell->hidden)
            continue;
        struct count_range r =
            print_range(policy, (int64_t)cell->value, policy_minimum(policy, OUTPUT_COUNT));
        c->low = (double)r.low;
        c->high = (double)r.high;
    }
    return ST_OK;
}
