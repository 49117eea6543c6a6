/* SPDX-License-Identifier: Apache-2.0
 *
 * The document is the truth: disclose_release writes it, released_from_json reads it, and both give the same
 * struct.
 */
#include "disclose/release.h"

#include <math.h>
#include <stdlib.h>

#include "disclose/gate.h"

#define RELEASED_FORMAT "accord-released-1"
#define RECORD_FORMAT   "accord-disclosure-1"

struct released {
    struct arena *arena;
    struct js *document;
    const char *title;
    struct released_table *tables;
    uint32_t n_tables;
};

static struct js *cell_json(const struct result_cell *c, uint32_t n_dimensions, const struct verdict *v)
{
    struct js *j = js_object(), *at = js_array();
    for (uint32_t i = 0; i < n_dimensions; i++)
        js_push(at, js_integer(c->at[i]));
    js_put(j, "at", at);
    if (v->mark != CELL_SHOWN) {
        js_put(j, v->mark == CELL_ABSENT ? "not_estimated" : "hidden", js_boolean(true));
        return j;
    }
    js_put(j, "value", js_number(v->value));
    if (!isnan(v->lower))
        js_put(j, "lower", js_number(v->lower));
    if (!isnan(v->upper))
        js_put(j, "upper", js_number(v->upper));
    return j;
}

static struct js *table_json(const struct gate *g, uint32_t index)
{
    const struct result_table *t = &g->result->tables[index];
    struct js *j = js_object(), *dimensions = js_array(), *cells = js_array();
    js_put_str(j, "name", t->name);
    js_put_str(j, "title", t->title);
    js_put_str(j, "unit", t->unit);
    js_put_str(j, "type", output_type_name(t->type));
    if (picture_kind_name(t->picture))
        js_put_str(j, "picture", picture_kind_name(t->picture));
    for (uint32_t i = 0; i < t->n_dimensions; i++)
        js_push(dimensions, result_dimension_json(&t->dimensions[i]));
    for (uint64_t i = 0; i < t->n_cells; i++)
        js_push(cells, cell_json(&t->cells[i], t->n_dimensions, &g->verdicts[index][i]));
    js_put(j, "dimensions", dimensions);
    js_put(j, "cells", cells);
    return j;
}

static struct js *table_record(const struct gate *g, uint32_t index)
{
    const struct result_table *t = &g->result->tables[index];
    struct js *j = js_object();
    int64_t n[N_MARKS] = {0};
    js_put_str(j, "name", t->name);
    if (g->withheld[index]) {
        js_put_str(j, "withheld", g->withheld[index]);
        return j;
    }
    for (uint64_t i = 0; i < t->n_cells; i++)
        n[g->verdicts[index][i].mark]++;
    js_put_int(j, "cells", (int64_t)t->n_cells);
    js_put_int(j, "hidden", n[CELL_PRIMARY] + n[CELL_SECONDARY]);
    if (n[CELL_ABSENT])
        js_put_int(j, "not_estimated", n[CELL_ABSENT]);
    if (g->proofs[index].demands) {
        js_put_str(j, "attacker",
                   g->proofs[index].whole ? "linear and integer programmes over all sums"
                                          : "linear programmes over all sums");
        js_put_int(j, "linked_tables", g->proofs[index].tables);
        js_put_int(j, "solves", g->proofs[index].solves);
        js_put_int(j, "interval_low", 1);
        js_put_int(j, "interval_high", policy_minimum(g->policy, t->type) - 1);
    }
    return j;
}

static enum status tables_hash(const struct js *document, char hex[2 * HASH_BYTES + 1], struct err *e)
{
    struct js *body = js_object();
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    js_put(body, "title", js_share(js_get(document, "title")));
    js_put(body, "tables", js_share(js_get(document, "tables")));
    enum status s = js_canonical(body, &text, e);
    if (s == ST_OK)
        s = buf_check(&text, "released tables", e);
    if (s == ST_OK)
        sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    js_free(body);
    return s;
}

static struct js *record_json(const struct gate *g, const struct js *context, const char *hash)
{
    struct js *j = js_object(), *tables = js_array();
    char policy_hex[2 * HASH_BYTES + 1];
    policy_hash(g->policy, policy_hex);
    js_put_str(j, "format", RECORD_FORMAT);
    js_put_str(j, "software", "accord " ACCORD_VERSION);
    js_put(j, "policy", policy_to_json(g->policy));
    js_put_str(j, "policy_sha256", policy_hex);
    js_put_str(j, "tables_sha256", hash);
    if (context)
        js_put(j, "context", js_copy(context));
    for (uint32_t i = 0; i < g->result->n_tables; i++)
        js_push(tables, table_record(g, i));
    js_put(j, "tables", tables);
    return j;
}

static enum status document_json(const struct gate *g, const struct js *context, struct js **out,
                                 struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    struct js *j = js_object(), *tables = js_array();
    js_put_str(j, "format", RELEASED_FORMAT);
    js_put_str(j, "title", g->result->title);
    for (uint32_t i = 0; i < g->result->n_tables; i++)
        if (!g->withheld[i])
            js_push(tables, table_json(g, i));
    js_put(j, "tables", tables);
    enum status s = tables_hash(j, hash, e);
    if (s == ST_OK)
        js_put(j, "record", record_json(g, context, hash));
    *out = j;
    return s;
}

/* A result of which nothing leaves is no release. */
static enum status check_any_leaves(const struct gate *g, struct err *e)
{
    uint32_t n = g->result->n_tables;
    for (uint32_t i = 0; i < n; i++)
        if (!g->withheld[i])
            return ST_OK;
    return n ? err_set(e, ST_UNSAFE, "table '%s' is withheld: %s%s", g->result->tables[0].name,
                       g->withheld[0], n > 1 ? "; nor may any other leave" : "")
             : ST_OK;
}

enum status disclose_release_viewed(const struct result *result, const struct policy *policy,
                                    const struct js *context, struct released **out, struct js **view,
                                    struct err *e)
{
    struct gate *g = NULL;
    struct js *document = NULL;
    *out = NULL;
    *view = NULL;
    enum status s = gate_run(result, policy, &g, e);
    if (s == ST_OK)
        s = check_any_leaves(g, e);
    if (s == ST_OK)
        s = document_json(g, context, &document, e);
    if (s == ST_OK)
        s = released_from_json(document, out, e);
    if (s == ST_OK)
        *view = gate_view(g, context);
    js_free(document);
    gate_free(g);
    return s;
}

enum status disclose_release(const struct result *result, const struct policy *policy,
                             const struct js *context, struct released **out, struct err *e)
{
    struct js *view;
    enum status s = disclose_release_viewed(result, policy, context, out, &view, e);
    js_free(view);
    return s;
}

static enum status read_levels(const struct js *levels, const char *path, struct arena *a,
                               struct result_dimension *d, struct err *e)
{
    d->n_levels = (uint32_t)js_size(levels);
    d->levels = arena_array(a, d->n_levels, sizeof *d->levels);
    for (uint32_t i = 0; i < d->n_levels; i++) {
        const struct js *j = js_at(levels, i);
        const char *label = js_get_str(j, "label");
        int64_t parent = js_get_int(j, "parent", -1);
        if (!label || parent < -1 || parent >= (int64_t)d->n_levels)
            return err_set(e, ST_INVALID, "%s.levels[%u]: expected a label and a parent that exists", path,
                           i);
        d->levels[i] = (struct result_level){label, (int32_t)parent};
    }
    return ST_OK;
}

static enum status read_dimensions(const struct js *dimensions, const char *path, struct arena *a,
                                   struct released_table *t, struct err *e)
{
    enum status s = ST_OK;
    t->n_dimensions = (uint32_t)js_size(dimensions);
    t->dimensions = arena_array(a, t->n_dimensions, sizeof *t->dimensions);
    for (uint32_t i = 0; s == ST_OK && i < t->n_dimensions; i++) {
        const struct js *j = js_at(dimensions, i), *levels;
        s = js_need_str(j, "name", path, &t->dimensions[i].name, e);
        t->dimensions[i].nested = js_bool(js_get(j, "nested"));
        if (s == ST_OK)
            s = js_need(j, "levels", JS_ARRAY, path, &levels, e);
        if (s == ST_OK)
            s = read_levels(levels, path, a, &t->dimensions[i], e);
    }
    return s;
}

static bool read_place(const struct js *at, const struct released_table *t, uint32_t *levels)
{
    if (!js_is(at, JS_ARRAY) || js_size(at) != t->n_dimensions)
        return false;
    for (uint32_t i = 0; i < t->n_dimensions; i++) {
        int64_t level = js_is(js_at(at, i), JS_INTEGER) ? js_int(js_at(at, i)) : -1;
        if (level < 0 || level >= (int64_t)t->dimensions[i].n_levels)
            return false;
        levels[i] = (uint32_t)level;
    }
    return true;
}

static double number_or_nan(const struct js *j)
{
    return js_is_number(j) ? js_num(j) : (double)NAN;
}

static bool read_cell(const struct js *j, const struct released_table *t, uint32_t *levels,
                      struct released_cell *c)
{
    if (!read_place(js_get(j, "at"), t, levels))
        return false;
    bool not_estimated = js_bool(js_get(j, "not_estimated"));
    bool hidden = not_estimated || js_bool(js_get(j, "hidden"));
    *c = (struct released_cell){.at = levels,
                                .hidden = hidden,
                                .not_estimated = not_estimated,
                                .value = number_or_nan(js_get(j, "value")),
                                .lower = number_or_nan(js_get(j, "lower")),
                                .upper = number_or_nan(js_get(j, "upper"))};
    bool bare = isnan(c->value) && isnan(c->lower) && isnan(c->upper);
    return (hidden ? bare : !isnan(c->value)) && !(not_estimated && t->type == OUTPUT_COUNT);
}

static enum status read_cells(const struct js *cells, const char *path, struct arena *a,
                              struct released_table *t, struct err *e)
{
    t->n_cells = js_size(cells);
    t->cells = arena_array(a, t->n_cells, sizeof *t->cells);
    uint32_t *levels = arena_array(a, t->n_cells * t->n_dimensions + 1, sizeof *levels);
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (!read_cell(js_at(cells, i), t, levels + i * t->n_dimensions, &t->cells[i]))
            return err_set(e, ST_INVALID,
                           "%s.cells[%llu]: expected levels and one of value, hidden and not_estimated", path,
                           (unsigned long long)i);
    return ST_OK;
}

static enum status read_type(const struct js *j, const char *path, enum output_type *out, struct err *e)
{
    const char *name;
    enum status s = js_need_str(j, "type", path, &name, e);
    if (s != ST_OK)
        return s;
    for (int i = 0; i < OUTPUT_TYPES; i++)
        if (strcmp(output_type_name((enum output_type)i), name) == 0) {
            *out = (enum output_type)i;
            return ST_OK;
        }
    return err_set(e, ST_INVALID, "%s.type: '%.40s' is no type of output", path, name);
}

static enum status read_picture(const struct js *j, const char *path, enum picture_kind *out, struct err *e)
{
    const char *name = js_get_str(j, "picture");
    if (picture_kind_find(name, out))
        return ST_OK;
    return err_set(e, ST_INVALID, "%s.picture: '%.40s' is no kind of picture", path, name);
}

static enum status read_table(const struct js *j, const char *path, struct arena *a, struct released_table *t,
                              struct err *e)
{
    const struct js *dimensions, *cells;
    enum status s = js_need_str(j, "name", path, &t->name, e);
    if (s == ST_OK)
        s = js_need_str(j, "title", path, &t->title, e);
    if (s == ST_OK)
        s = js_need_str(j, "unit", path, &t->unit, e);
    if (s == ST_OK)
        s = read_type(j, path, &t->type, e);
    if (s == ST_OK)
        s = read_picture(j, path, &t->picture, e);
    if (s == ST_OK)
        s = js_need(j, "dimensions", JS_ARRAY, path, &dimensions, e);
    if (s == ST_OK)
        s = js_need(j, "cells", JS_ARRAY, path, &cells, e);
    if (s == ST_OK)
        s = read_dimensions(dimensions, path, a, t, e);
    if (s == ST_OK)
        s = read_cells(cells, path, a, t, e);
    return s;
}

/* The record belongs to these tables. */
static enum status check_record(const struct js *document, struct err *e)
{
    const struct js *record;
    const char *given;
    char hash[2 * HASH_BYTES + 1];
    struct policy p;
    enum status s = js_need(document, "record", JS_OBJECT, "$", &record, e);
    if (s == ST_OK)
        s = js_need_str(record, "tables_sha256", "$.record", &given, e);
    if (s == ST_OK)
        s = tables_hash(document, hash, e);
    if (s == ST_OK && strcmp(hash, given) != 0)
        s = err_set(e, ST_CORRUPT, "$.record.tables_sha256: the tables are not those of this record");
    if (s == ST_OK)
        s = policy_from_json(js_get(record, "policy"), &p, e);
    if (s != ST_OK)
        return s;
    policy_hash(&p, hash);
    given = js_get_str(record, "policy_sha256");
    if (!given || strcmp(hash, given) != 0)
        return err_set(e, ST_CORRUPT, "$.record.policy_sha256: the policy is not the one hashed");
    return ST_OK;
}

static enum status read_document(struct released *r, struct err *e)
{
    const char *format;
    const struct js *tables;
    enum status s = js_need_str(r->document, "format", "$", &format, e);
    if (s == ST_OK && strcmp(format, RELEASED_FORMAT) != 0)
        s = err_set(e, ST_INVALID, "$.format: expected '" RELEASED_FORMAT "', got '%.40s'", format);
    if (s == ST_OK)
        s = js_need_str(r->document, "title", "$", &r->title, e);
    if (s == ST_OK)
        s = js_need(r->document, "tables", JS_ARRAY, "$", &tables, e);
    if (s != ST_OK)
        return s;
    r->n_tables = (uint32_t)js_size(tables);
    r->tables = arena_array(r->arena, r->n_tables, sizeof *r->tables);
    for (uint32_t i = 0; s == ST_OK && i < r->n_tables; i++) {
        char path[64];
        snprintf(path, sizeof path, "$.tables[%u]", i);
        s = read_table(js_at(tables, i), path, r->arena, &r->tables[i], e);
    }
    return s == ST_OK ? check_record(r->document, e) : s;
}

enum status released_from_json(const struct js *j, struct released **out, struct err *e)
{
    struct arena *a = arena_new();
    struct released *r = arena_alloc(a, sizeof *r);
    *r = (struct released){.arena = a, .document = js_share(j)};
    *out = NULL;
    enum status s = read_document(r, e);
    if (s == ST_OK)
        *out = r;
    else
        released_free(r);
    return s;
}

void released_free(struct released *r)
{
    if (!r)
        return;
    js_free(r->document);
    arena_free(r->arena);
}

struct js *released_to_json(const struct released *r)
{
    return js_share(r->document);
}

enum status released_hash(const struct released *r, char hex[2 * HASH_BYTES + 1], struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    enum status s = js_canonical(r->document, &text, e);
    if (s == ST_OK)
        s = buf_check(&text, "released document", e);
    if (s == ST_OK)
        sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    return s;
}

const char *released_title(const struct released *r)
{
    return r->title;
}

uint32_t released_n_tables(const struct released *r)
{
    return r->n_tables;
}

const struct released_table *released_table(const struct released *r, uint32_t i)
{
    return i < r->n_tables ? &r->tables[i] : NULL;
}

const struct js *released_record(const struct released *r)
{
    return js_get(r->document, "record");
}

const struct js *released_withheld(const struct released *r, uint32_t k)
{
    const struct js *tables = js_get(released_record(r), "tables");
    for (size_t i = 0; i < js_size(tables); i++)
        if (js_get_str(js_at(tables, i), "withheld") && k-- == 0)
            return js_at(tables, i);
    return NULL;
}

const char *released_mark(const struct released_cell *c)
{
    return c->not_estimated ? "[x]" : c->hidden ? "[c]" : NULL;
}

uint64_t released_n_suppressed(const struct released_table *t)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < t->n_cells; i++)
        n += t->cells[i].hidden && !t->cells[i].not_estimated;
    return n;
}

uint64_t released_n_not_estimated(const struct released_table *t)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < t->n_cells; i++)
        n += t->cells[i].not_estimated;
    return n;
}

const struct released_cell *released_cell_find(const struct released_table *t, const uint32_t *at)
{
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (memcmp(t->cells[i].at, at, t->n_dimensions * sizeof *at) == 0)
            return &t->cells[i];
    return NULL;
}
