/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIMENSIONS = 12, MAX_LEVELS = 1000000, MAX_CELLS = 10000000 };

static const char *const type_names[] = {"count",    "rate",       "sum",  "quantile", "extreme",
                                         "survival", "regression", "test", "model",    NULL};

const char *output_type_name(enum output_type t)
{
    return type_names[t];
}

static const char *const picture_names[PICTURE_KINDS] = {[PICTURE_NONE] = "none",
                                                         [PICTURE_FUNNEL] = "funnel",
                                                         [PICTURE_GRADIENT] = "gradient",
                                                         [PICTURE_SURVIVAL] = "survival",
                                                         [PICTURE_INCIDENCE] = "cumulative_incidence",
                                                         [PICTURE_FOREST] = "forest",
                                                         [PICTURE_DIFFERENCES] = "differences",
                                                         [PICTURE_PATHWAYS] = "pathways",
                                                         [PICTURE_CALIBRATION] = "calibration",
                                                         [PICTURE_CONTROL] = "control_chart",
                                                         [PICTURE_SERIES] = "series"};

static const char *const no_estimate_names[] = {
    [NO_ESTIMATE_SAID] = "said", [NO_ESTIMATE_OF_NONE] = "of_none"};
static const char *const saturated_names[] = {[SATURATED_LOG_ODDS] = "log_odds",
                                              [SATURATED_ODDS] = "odds",
                                              [SATURATED_RATES] = "rates",
                                              [SATURATED_MEANS] = "means"};

const char *picture_kind_name(enum picture_kind k)
{
    return picture_names[k];
}

bool picture_kind_find(const char *name, enum picture_kind *out)
{
    *out = PICTURE_BY_SHAPE;
    for (int k = 0; name && k < PICTURE_KINDS; k++)
        if (picture_names[k] && strcmp(picture_names[k], name) == 0)
            *out = (enum picture_kind)k;
    return !name || *out != PICTURE_BY_SHAPE;
}

struct result *result_new(const char *title)
{
    struct arena *a = arena_new();
    struct result *r = arena_alloc(a, sizeof *r);
    r->arena = a;
    r->title = arena_strdup(a, title);
    return r;
}

void result_free(struct result *r)
{
    if (!r)
        return;
    js_free(r->source);
    arena_free(r->arena);
}

static const struct result_cell blank_cell = {.lower = NAN,
                                              .upper = NAN,
                                              .numerator = NAN,
                                              .denominator = NAN,
                                              .top1 = NAN,
                                              .top2 = NAN,
                                              .quantile = NAN,
                                              .event_persons = -1,
                                              .below = -1,
                                              .above = -1,
                                              .level_persons = -1,
                                              .against = -1,
                                              .against_events = -1,
                                              .key = -1};

struct result_table *result_add_table(struct result *r, const char *name, const char *title,
                                      enum output_type type, uint32_t n_dimensions, uint64_t n_cells)
{
    struct result_table *tables = arena_array(r->arena, r->n_tables + 1, sizeof *tables);
    if (r->n_tables)
        memcpy(tables, r->tables, r->n_tables * sizeof *tables);
    r->tables = tables;
    struct result_table *t = &tables[r->n_tables++];
    *t = (struct result_table){.name = arena_strdup(r->arena, name),
                               .title = arena_strdup(r->arena, title),
                               .unit = "persons",
                               .type = type,
                               .n_dimensions = n_dimensions,
                               .n_cells = n_cells,
                               .degrees_of_freedom = -1,
                               .persons = -1,
                               .parameters = -1};
    t->dimensions = arena_array(r->arena, n_dimensions, sizeof *t->dimensions);
    t->cells = arena_array(r->arena, n_cells, sizeof *t->cells);
    for (uint64_t i = 0; i < n_cells; i++)
        t->cells[i] = blank_cell;
    return t;
}

/* The members of a cell beyond its place and persons, as they are named in the JSON form. */
static const struct cell_member {
    const char *key;
    size_t offset;
    bool whole;
} cell_members[] = {
    {"value", offsetof(struct result_cell, value), false},
    {"lower", offsetof(struct result_cell, lower), false},
    {"upper", offsetof(struct result_cell, upper), false},
    {"numerator", offsetof(struct result_cell, numerator), false},
    {"denominator", offsetof(struct result_cell, denominator), false},
    {"top1", offsetof(struct result_cell, top1), false},
    {"top2", offsetof(struct result_cell, top2), false},
    {"quantile", offsetof(struct result_cell, quantile), false},
    {"event_persons", offsetof(struct result_cell, event_persons), true},
    {"below", offsetof(struct result_cell, below), true},
    {"above", offsetof(struct result_cell, above), true},
    {"level_persons", offsetof(struct result_cell, level_persons), true},
    {"against", offsetof(struct result_cell, against), true},
    {"against_events", offsetof(struct result_cell, against_events), true},
    {"key", offsetof(struct result_cell, key), true},
};
enum { N_CELL_MEMBERS = sizeof cell_members / sizeof *cell_members };

struct js *result_dimension_json(const struct result_dimension *d)
{
    struct js *j = js_object(), *levels = js_array();
    js_put_str(j, "name", d->name);
    if (d->nested)
        js_put(j, "nested", js_boolean(true));
    for (uint32_t i = 0; i < d->n_levels; i++) {
        struct js *level = js_object();
        js_put_str(level, "label", d->levels[i].label);
        if (d->levels[i].parent >= 0)
            js_put_int(level, "parent", d->levels[i].parent);
        js_push(levels, level);
    }
    js_put(j, "levels", levels);
    return j;
}

static struct js *cell_to_json(const struct result_cell *c, uint32_t n_dimensions)
{
    struct js *j = js_object(), *at = js_array();
    for (uint32_t i = 0; i < n_dimensions; i++)
        js_push(at, js_integer(c->at[i]));
    js_put(j, "at", at);
    js_put_int(j, "persons", c->persons);
    for (size_t i = 0; i < N_CELL_MEMBERS; i++) {
        const void *member = (const char *)c + cell_members[i].offset;
        if (cell_members[i].whole && *(const int64_t *)member >= 0)
            js_put_int(j, cell_members[i].key, *(const int64_t *)member);
        else if (!cell_members[i].whole && !isnan(*(const double *)member))
            js_put(j, cell_members[i].key, js_real(*(const double *)member));
    }
    if (isnan(c->value)) /* left out it would be the persons */
        js_put(j, "value", js_null());
    return j;
}

static struct js *table_to_json(const struct result_table *t)
{
    struct js *j = js_object(), *dimensions = js_array(), *cells = js_array();
    js_put_str(j, "name", t->name);
    js_put_str(j, "title", t->title);
    js_put_str(j, "unit", t->unit);
    js_put_str(j, "type", type_names[t->type]);
    if (picture_kind_name(t->picture))
        js_put_str(j, "picture", picture_kind_name(t->picture));
    if (t->found)
        js_put(j, "found", js_boolean(true));
    if (t->mean)
        js_put(j, "mean", js_boolean(true));
    if (t->no_estimate)
        js_put_str(j, "no_estimate", no_estimate_names[t->no_estimate]);
    if (t->saturated)
        js_put_str(j, "saturated", saturated_names[t->saturated]);
    for (uint32_t i = 0; i < t->n_dimensions; i++)
        js_push(dimensions, result_dimension_json(&t->dimensions[i]));
    for (uint64_t i = 0; i < t->n_cells; i++)
        js_push(cells, cell_to_json(&t->cells[i], t->n_dimensions));
    js_put(j, "dimensions", dimensions);
    js_put(j, "cells", cells);
    if (t->degrees_of_freedom >= 0)
        js_put_int(j, "degrees_of_freedom", t->degrees_of_freedom);
    if (t->persons >= 0)
        js_put_int(j, "persons", t->persons);
    if (t->parameters >= 0)
        js_put_int(j, "parameters", t->parameters);
    if (t->notes)
        js_put(j, "notes", js_copy(t->notes));
    return j;
}

struct js *result_to_json(const struct result *r)
{
    struct js *j = js_object(), *tables = js_array();
    js_put_str(j, "format", "accord-result-1");
    js_put_str(j, "title", r->title);
    for (uint32_t i = 0; i < r->n_tables; i++)
        js_push(tables, table_to_json(&r->tables[i]));
    js_put(j, "tables", tables);
    return j;
}

static enum status level_from_json(const struct js *j, const char *path, struct arena *a,
                                   struct result_level *level, struct err *e)
{
    static const char *const keys[] = {"label", "parent", NULL};
    const char *label;
    int64_t parent = -1;
    if (!js_is(j, JS_OBJECT))
        return err_set(e, ST_INVALID, "%s: expected an object with a label", path);
    enum status s = js_only(j, keys, path, e);
    if (s == ST_OK)
        s = js_need_str(j, "label", path, &label, e);
    if (s == ST_OK && js_get(j, "parent"))
        s = js_need_int(j, "parent", path, 0, MAX_LEVELS, &parent, e);
    if (s == ST_OK)
        *level = (struct result_level){arena_strdup(a, label), (int32_t)parent};
    return s;
}

static enum status dimension_from_json(const struct js *j, const char *table_path, size_t index,
                                       struct arena *a, struct result_dimension *d, struct err *e)
{
    static const char *const keys[] = {"name", "levels", "nested", NULL};
    const struct js *levels;
    const char *name;
    char path[200];
    snprintf(path, sizeof path, "%s.dimensions[%zu]", table_path, index);
    if (!js_is(j, JS_OBJECT))
        return err_set(e, ST_INVALID, "%s: expected an object", path);
    enum status s = js_only(j, keys, path, e);
    if (s == ST_OK)
        s = js_need_str(j, "name", path, &name, e);
    if (s == ST_OK)
        s = js_need(j, "levels", JS_ARRAY, path, &levels, e);
    if (s != ST_OK)
        return s;
    if (js_size(levels) == 0 || js_size(levels) > MAX_LEVELS)
        return err_set(e, ST_INVALID, "%s.levels: expected 1 to %d levels", path, MAX_LEVELS);
    d->name = arena_strdup(a, name);
    d->nested = js_bool(js_get(j, "nested"));
    d->n_levels = (uint32_t)js_size(levels);
    d->levels = arena_array(a, d->n_levels, sizeof *d->levels);
    for (uint32_t i = 0; s == ST_OK && i < d->n_levels; i++) {
        char level_path[240];
        snprintf(level_path, sizeof level_path, "%s.levels[%u]", path, i);
        s = level_from_json(js_at(levels, i), level_path, a, &d->levels[i], e);
    }
    return s;
}

static enum status members_from_json(const struct js *j, const char *path, struct result_cell *c,
                                     struct err *e)
{
    for (size_t i = 0; i < N_CELL_MEMBERS; i++) {
        const struct js *v = js_get(j, cell_members[i].key);
        void *member = (char *)c + cell_members[i].offset;
        if (!v || (js_is(v, JS_NULL) && cell_members[i].offset == offsetof(struct result_cell, value)))
            continue;
        if (cell_members[i].whole ? !js_is(v, JS_INTEGER) || js_int(v) < 0 : !js_is_number(v))
            return err_set(e, ST_INVALID, "%s.%s: expected a %s", path, cell_members[i].key,
                           cell_members[i].whole ? "count" : "number");
        if (cell_members[i].whole)
            *(int64_t *)member = js_int(v);
        else
            *(double *)member = js_num(v);
    }
    return ST_OK;
}

static enum status cell_from_json(const struct js *j, const char *path, uint32_t n_dimensions,
                                  struct arena *a, struct result_cell *c, struct err *e)
{
    static const char *const keys[] = {
        "at",          "persons",       "value",   "lower",          "upper",         "numerator",
        "denominator", "top1",          "top2",    "quantile",       "event_persons", "below",
        "above",       "level_persons", "against", "against_events", "key",           NULL};
    const struct js *at;
    if (!js_is(j, JS_OBJECT))
        return err_set(e, ST_INVALID, "%s: expected an object", path);
    enum status s = js_only(j, keys, path, e);
    if (s == ST_OK)
        s = js_need(j, "at", JS_ARRAY, path, &at, e);
    if (s == ST_OK)
        s = js_need_int(j, "persons", path, 0, INT64_C(1) << 53, &c->persons, e);
    if (s != ST_OK)
        return s;
    if (js_size(at) != n_dimensions)
        return err_set(e, ST_INVALID, "%s.at: expected one level for each of the %u dimensions", path,
                       n_dimensions);
    uint32_t *levels = arena_array(a, n_dimensions, sizeof *levels);
    for (uint32_t i = 0; i < n_dimensions; i++) {
        int64_t level = js_is(js_at(at, i), JS_INTEGER) ? js_int(js_at(at, i)) : -1;
        if (level < 0 || level > MAX_LEVELS)
            return err_set(e, ST_INVALID, "%s.at[%u]: expected the number of a level", path, i);
        levels[i] = (uint32_t)level;
    }
    c->at = levels;
    c->value = js_is(js_get(j, "value"), JS_NULL) ? (double)NAN : (double)c->persons;
    return members_from_json(j, path, c, e);
}

static enum status optional_count(const struct js *j, const char *key, const char *path, int64_t *out,
                                  struct err *e)
{
    return js_get(j, key) ? js_need_int(j, key, path, 0, INT64_C(1) << 53, out, e) : ST_OK;
}

static enum status table_body(const struct js *j, const char *path, const struct js *dimensions,
                              const struct js *cells, struct arena *a, struct result_table *t, struct err *e)
{
    enum status s = ST_OK;
    for (uint32_t i = 0; s == ST_OK && i < t->n_dimensions; i++)
        s = dimension_from_json(js_at(dimensions, i), path, i, a, &t->dimensions[i], e);
    for (uint64_t i = 0; s == ST_OK && i < t->n_cells; i++) {
        char cell_path[200];
        snprintf(cell_path, sizeof cell_path, "%s.cells[%llu]", path, (unsigned long long)i);
        s = cell_from_json(js_at(cells, i), cell_path, t->n_dimensions, a, &t->cells[i], e);
    }
    if (s == ST_OK)
        s = optional_count(j, "degrees_of_freedom", path, &t->degrees_of_freedom, e);
    if (s == ST_OK)
        s = optional_count(j, "persons", path, &t->persons, e);
    if (s == ST_OK)
        s = optional_count(j, "parameters", path, &t->parameters, e);
    return s;
}

static enum status type_from_name(const char *name, const char *path, enum output_type *out, struct err *e)
{
    for (int i = 0; i < OUTPUT_TYPES; i++)
        if (strcmp(type_names[i], name) == 0) {
            *out = (enum output_type)i;
            return ST_OK;
        }
    const char *near = text_nearest(name, type_names, OUTPUT_TYPES);
    return err_set(e, ST_INVALID, "%s.type: '%.40s' is no type of output; did you mean '%s'?", path, name,
                   near ? near : "count");
}

/* An optional member that is one of the names at 1 and up; 0 where it is not there. */
static enum status optional_name(const struct js *j, const char *key, const char *path,
                                 const char *const *names, int n, int *out, struct err *e)
{
    const char *name = js_get_str(j, key);
    *out = 0;
    if (!js_get(j, key))
        return ST_OK;
    for (int i = 1; name && i < n; i++)
        if (strcmp(name, names[i]) == 0)
            *out = i;
    return *out ? ST_OK
                : err_set(e, ST_INVALID, "%s.%s: expected '%s' or another of its names", path, key, names[1]);
}

static enum status read_kinds(const struct js *j, const char *path, struct result_table *t, struct err *e)
{
    int no_estimate = 0, saturated = 0;
    enum status s =
        optional_name(j, "no_estimate", path, no_estimate_names, NO_ESTIMATE_OF_NONE + 1, &no_estimate, e);
    if (s == ST_OK)
        s = optional_name(j, "saturated", path, saturated_names, SATURATED_MEANS + 1, &saturated, e);
    t->no_estimate = (enum no_estimate)no_estimate;
    t->saturated = (enum saturated)saturated;
    return s;
}

static enum status table_from_json(const struct js *j, const char *path, struct result *r, struct err *e)
{
    static const char *const keys[] = {"name",        "title",      "unit",    "type",
                                       "mean",        "dimensions", "cells",   "degrees_of_freedom",
                                       "persons",     "parameters", "notes",   "found",
                                       "no_estimate", "saturated",  "picture", NULL};
    const char *name, *title, *unit, *type;
    const struct js *dimensions, *cells;
    enum output_type output = OUTPUT_COUNT;
    if (!js_is(j, JS_OBJECT))
        return err_set(e, ST_INVALID, "%s: expected an object", path);
    enum status s = js_only(j, keys, path, e);
    if (s == ST_OK)
        s = js_need_str(j, "name", path, &name, e);
    if (s == ST_OK)
        s = js_need_str(j, "title", path, &title, e);
    if (s == ST_OK)
        s = js_need_str(j, "unit", path, &unit, e);
    if (s == ST_OK)
        s = js_need_str(j, "type", path, &type, e);
    if (s == ST_OK)
        s = type_from_name(type, path, &output, e);
    if (s == ST_OK)
        s = js_need(j, "dimensions", JS_ARRAY, path, &dimensions, e);
    if (s == ST_OK)
        s = js_need(j, "cells", JS_ARRAY, path, &cells, e);
    if (s != ST_OK)
        return s;
    if (js_size(dimensions) > MAX_DIMENSIONS || js_size(cells) > MAX_CELLS)
        return err_set(e, ST_INVALID, "%s: over %d dimensions or %d cells", path, MAX_DIMENSIONS, MAX_CELLS);
    struct result_table *t =
        result_add_table(r, name, title, output, (uint32_t)js_size(dimensions), js_size(cells));
    t->unit = arena_strdup(r->arena, unit);
    t->found = js_bool(js_get(j, "found"));
    t->mean = js_bool(js_get(j, "mean"));
    if (!picture_kind_find(js_get_str(j, "picture"), &t->picture))
        return err_set(e, ST_INVALID, "%s.picture: '%.40s' is no kind of picture", path,
                       js_get_str(j, "picture"));
    s = read_kinds(j, path, t, e);
    if (s != ST_OK)
        return s;
    t->notes = js_get(j, "notes");
    return table_body(j, path, dimensions, cells, r->arena, t, e);
}

enum status result_from_json(const struct js *j, struct result **out, struct err *e)
{
    static const char *const keys[] = {"format", "title", "tables", NULL};
    const char *format, *title;
    const struct js *tables;
    *out = NULL;
    if (!js_is(j, JS_OBJECT))
        return err_set(e, ST_INVALID, "$: expected a result object");
    enum status s = js_only(j, keys, "$", e);
    if (s == ST_OK)
        s = js_need_str(j, "format", "$", &format, e);
    if (s == ST_OK && strcmp(format, "accord-result-1") != 0)
        s = err_set(e, ST_INVALID, "$.format: expected 'accord-result-1', got '%.40s'", format);
    if (s == ST_OK)
        s = js_need_str(j, "title", "$", &title, e);
    if (s == ST_OK)
        s = js_need(j, "tables", JS_ARRAY, "$", &tables, e);
    if (s != ST_OK)
        return s;
    struct result *r = result_new(title);
    r->source = js_share(j);
    for (size_t i = 0; s == ST_OK && i < js_size(tables); i++) {
        char path[64];
        snprintf(path, sizeof path, "$.tables[%zu]", i);
        s = table_from_json(js_at(tables, i), path, r, e);
    }
    if (s == ST_OK)
        s = result_check(r, e);
    if (s == ST_OK)
        *out = r;
    else
        result_free(r);
    return s;
}

static bool name_is_plain(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* Every level reaches a root in at most n steps. */
static bool is_forest(const struct result_dimension *d)
{
    for (uint32_t i = 0; i < d->n_levels; i++) {
        uint32_t steps = 0;
        for (int32_t at = (int32_t)i; at >= 0; at = d->levels[at].parent)
            if (at >= (int32_t)d->n_levels || ++steps > d->n_levels)
                return false;
    }
    return true;
}

static enum status check_dimension(const struct result_table *t, const struct result_dimension *d,
                                   struct err *e)
{
    if (!d->name || !*d->name || d->n_levels == 0)
        return err_set(e, ST_INVALID, "table '%s': a dimension without a name or levels", t->name);
    if (!is_forest(d))
        return err_set(e, ST_INVALID,
                       "table '%s', dimension '%s': a parent that does not exist or is its own ancestor",
                       t->name, d->name);
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (!d->levels[i].label || (d->nested && d->levels[i].parent >= 0))
            return err_set(
                e, ST_INVALID,
                "table '%s', dimension '%s': level %u has no label, or a parent in a nested dimension",
                t->name, d->name, i);
    return ST_OK;
}

static enum status check_cell(const struct result_table *t, const struct result_cell *c, uint64_t index,
                              struct err *e)
{
    for (uint32_t i = 0; i < t->n_dimensions; i++)
        if (c->at[i] >= t->dimensions[i].n_levels)
            return err_set(e, ST_INVALID, "table '%s', cell %llu: dimension '%s' has no level %u", t->name,
                           (unsigned long long)index, t->dimensions[i].name, c->at[i]);
    if (c->persons < 0 || c->persons > INT64_C(1) << 53)
        return err_set(e, ST_INVALID, "table '%s', cell %llu: persons must be a count", t->name,
                       (unsigned long long)index);
    if (t->type == OUTPUT_COUNT &&
        !(c->value >= 0 && c->value <= 9007199254740992.0 && c->value == floor(c->value)))
        return err_set(e, ST_INVALID, "table '%s', cell %llu: a count must be whole and not negative",
                       t->name, (unsigned long long)index);
    return ST_OK;
}

struct cell_key {
    const struct result_table *table;
    const struct result_cell *cell;
};

static int compare_keys(const void *a, const void *b)
{
    const struct cell_key *x = a, *y = b;
    for (uint32_t i = 0; i < x->table->n_dimensions; i++)
        if (x->cell->at[i] != y->cell->at[i])
            return x->cell->at[i] < y->cell->at[i] ? -1 : 1;
    return 0;
}

static enum status check_unique(const struct result_table *t, struct err *e)
{
    struct cell_key *keys = xcalloc(t->n_cells, sizeof *keys);
    enum status s = ST_OK;
    for (uint64_t i = 0; i < t->n_cells; i++)
        keys[i] = (struct cell_key){t, &t->cells[i]};
    qsort(keys, t->n_cells, sizeof *keys, compare_keys);
    for (uint64_t i = 1; s == ST_OK && i < t->n_cells; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            s = err_set(e, ST_INVALID, "table '%s': the cell %llu is given twice", t->name,
                        (unsigned long long)(keys[i].cell - t->cells));
    free(keys);
    return s;
}

static enum status check_table(const struct result *r, uint32_t index, struct err *e)
{
    const struct result_table *t = &r->tables[index];
    enum status s = ST_OK;
    if (!t->name || !name_is_plain(t->name))
        return err_set(e, ST_INVALID, "table %u: its name must be of a-z, 0-9 and _", index);
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(r->tables[i].name, t->name) == 0)
            return err_set(e, ST_INVALID, "the table name '%s' is given twice", t->name);
    for (uint32_t i = 0; s == ST_OK && i < t->n_dimensions; i++)
        s = check_dimension(t, &t->dimensions[i], e);
    for (uint64_t i = 0; s == ST_OK && i < t->n_cells; i++)
        s = check_cell(t, &t->cells[i], i, e);
    return s == ST_OK ? check_unique(t, e) : s;
}

enum status result_check(const struct result *r, struct err *e)
{
    enum status s = ST_OK;
    for (uint32_t i = 0; s == ST_OK && i < r->n_tables; i++)
        s = check_table(r, i, e);
    return s;
}
