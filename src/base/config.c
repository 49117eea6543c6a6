/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/file.h"
#include "base/mem.h"

enum { MAX_DEPTH = 32, MAX_FILE_BYTES = 1 << 20, MAX_NODES = 100000 };

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct tree {
    struct arena *arena;
    const char *name;
    yaml_parser_t parser;
    size_t n_nodes;
};

struct config {
    struct tree *tree;
    enum node_kind kind;
    bool quoted;
    long line;
    const char *text;        /* scalar */
    struct config *children; /* list elements or map values */
    const char **keys;       /* map */
    size_t n, capacity;
};

enum status config_refuse(const struct config *node, struct err *e, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(e, ST_INVALID, "%s, line %ld: %s", node->tree->name, node->line, text);
}

/* One more child (and key) of a node; grows by doubling inside the arena. */
static struct config *add_child(struct config *parent, const char *key)
{
    struct arena *a = parent->tree->arena;
    if (parent->n == parent->capacity) {
        size_t capacity = parent->capacity ? 2 * parent->capacity : 8;
        struct config *children = arena_array(a, capacity, sizeof *children);
        const char **keys = arena_array(a, capacity, sizeof *keys);
        if (parent->n) {
            memcpy(children, parent->children, parent->n * sizeof *children);
            memcpy(keys, parent->keys, parent->n * sizeof *keys);
        }
        parent->children = children;
        parent->keys = keys;
        parent->capacity = capacity;
    }
    parent->keys[parent->n] = key;
    struct config *child = &parent->children[parent->n++];
    child->tree = parent->tree;
    return child;
}

static enum status next_event(struct config *at, yaml_event_t *event, struct err *e)
{
    struct tree *t = at->tree;
    if (yaml_parser_parse(&t->parser, event))
        return ST_OK;
    at->line = (long)t->parser.problem_mark.line + 1;
    return config_refuse(at, e, "not valid YAML: %s", t->parser.problem ? t->parser.problem : "unknown");
}

/* Anchors and tags are refused: settings must read the same to people and programs. */
static enum status plain(const struct config *node, const unsigned char *anchor, const unsigned char *tag,
                         struct err *e)
{
    if (anchor)
        return config_refuse(node, e, "anchors (&) are not allowed; write the value out");
    if (tag)
        return config_refuse(node, e, "tags (!) are not allowed");
    return ST_OK;
}

static enum status scalar_text(struct config *node, const yaml_event_t *event, const char **out,
                               struct err *e)
{
    enum status s = plain(node, event->data.scalar.anchor, event->data.scalar.tag, e);
    if (s != ST_OK)
        return s;
    if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
        return config_refuse(node, e, "a text with a NUL byte");
    *out =
        arena_strndup(node->tree->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
    return ST_OK;
}

static enum status read_node(struct config *node, yaml_event_t *event, int depth, struct err *e);

static enum status read_key(struct config *map, const yaml_event_t *event, const char **key, struct err *e)
{
    struct config at = *map;
    at.line = (long)event->start_mark.line + 1;
    if (event->type != YAML_SCALAR_EVENT)
        return config_refuse(&at, e, "a key must be a plain text");
    enum status s = scalar_text(&at, event, key, e);
    if (s != ST_OK)
        return s;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i], *key) == 0)
            return config_refuse(&at, e, "the key '%.60s' is given twice", *key);
    return ST_OK;
}

/* Children until `end`. */
static enum status read_children(struct config *node, yaml_event_type_t end, int depth, struct err *e)
{
    for (;;) {
        yaml_event_t event;
        const char *key = NULL;
        enum status s = next_event(node, &event, e);
        if (s != ST_OK)
            return s;
        if (event.type == end) {
            yaml_event_delete(&event);
            return ST_OK;
        }
        if (node->kind == NODE_MAP) {
            s = read_key(node, &event, &key, e);
            yaml_event_delete(&event);
            if (s != ST_OK)
                return s;
            s = next_event(node, &event, e);
            if (s != ST_OK)
                return s;
        }
        s = read_node(add_child(node, key), &event, depth + 1, e);
        yaml_event_delete(&event);
        if (s != ST_OK)
            return s;
    }
}

static enum status read_node(struct config *node, yaml_event_t *event, int depth, struct err *e)
{
    enum status s;
    node->line = (long)event->start_mark.line + 1;
    if (depth > MAX_DEPTH || ++node->tree->n_nodes > MAX_NODES)
        return config_refuse(node, e, "nested deeper than %d or over %d values", MAX_DEPTH, MAX_NODES);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        node->kind = NODE_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return scalar_text(node, event, &node->text, e);
    case YAML_SEQUENCE_START_EVENT:
        node->kind = NODE_LIST;
        s = plain(node, event->data.sequence_start.anchor, event->data.sequence_start.tag, e);
        return s == ST_OK ? read_children(node, YAML_SEQUENCE_END_EVENT, depth, e) : s;
    case YAML_MAPPING_START_EVENT:
        node->kind = NODE_MAP;
        s = plain(node, event->data.mapping_start.anchor, event->data.mapping_start.tag, e);
        return s == ST_OK ? read_children(node, YAML_MAPPING_END_EVENT, depth, e) : s;
    default:
        return config_refuse(node, e, "aliases (*) are not allowed; write the value out");
    }
}

/* Stream start, at most one document, stream end. */
static enum status read_stream(struct config *root, struct err *e)
{
    bool seen = false;
    for (;;) {
        yaml_event_t event;
        enum status s = next_event(root, &event, e);
        if (s != ST_OK)
            return s;
        yaml_event_type_t type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && seen)
            s = config_refuse(root, e, "more than one document");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                 type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT) {
            seen = true;
            s = read_node(root, &event, 0, e);
        }
        yaml_event_delete(&event);
        if (s != ST_OK || type == YAML_STREAM_END_EVENT)
            return s;
    }
}

enum status config_parse(struct slice text, const char *name, struct config **out, struct err *e)
{
    struct arena *a = arena_new();
    struct config *root = arena_alloc(a, sizeof *root);
    root->tree = arena_alloc(a, sizeof *root->tree);
    root->tree->arena = a;
    root->tree->name = arena_strdup(a, name);
    root->kind = NODE_MAP;
    root->line = 1;
    *out = NULL;
    if (!yaml_parser_initialize(&root->tree->parser)) {
        arena_free(a);
        return err_set(e, ST_NO_MEMORY, "%s: no memory to read it", name);
    }
    yaml_parser_set_input_string(&root->tree->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    enum status s = read_stream(root, e);
    yaml_parser_delete(&root->tree->parser);
    if (s == ST_OK && root->kind != NODE_MAP)
        s = config_refuse(root, e, "expected 'key: value' lines");
    if (s != ST_OK) {
        arena_free(a);
        return s;
    }
    *out = root;
    return ST_OK;
}

enum status config_load(const char *path, struct config **out, struct err *e)
{
    struct buf text;
    const char *slash = strrchr(path, '/');
    buf_init(&text, MAX_FILE_BYTES);
    *out = NULL;
    enum status s = file_read(path, &text, e);
    if (s == ST_OK)
        s = config_parse(buf_slice(&text), slash ? slash + 1 : path, out, e);
    buf_deinit(&text);
    return s;
}

void config_free(struct config *root)
{
    if (root)
        arena_free(root->tree->arena);
}

static enum status read_choice(const struct config *node, const struct config_field *f, int *into,
                               struct err *e)
{
    size_t n = 0;
    for (; f->choices[n]; n++)
        if (strcmp(f->choices[n], node->text) == 0) {
            *into = (int)n;
            return ST_OK;
        }
    const char *near = text_nearest(node->text, f->choices, n);
    return config_refuse(node, e, "'%.60s' is no value of '%s'; %s '%s'", node->text, f->key,
                         near ? "did you mean" : "the first choice is", near ? near : f->choices[0]);
}

static enum status read_scalar(const struct config *node, const struct config_field *f, void *into,
                               struct err *e)
{
    struct slice text = slice_of(node->text);
    double real;
    int64_t whole;
    switch (f->type) {
    case CONFIG_TEXT:
        *(const char **)into = node->text;
        return ST_OK;
    case CONFIG_INT:
        if (!parse_i64(text, &whole) || (double)whole < f->min || (double)whole > f->max)
            return config_refuse(node, e, "'%s' must be a whole number from %.15g to %.15g", f->key, f->min,
                                 f->max);
        *(int64_t *)into = whole;
        return ST_OK;
    case CONFIG_REAL:
        if (!parse_double(text, &real) || !(real >= f->min && real <= f->max))
            return config_refuse(node, e, "'%s' must be a number from %.15g to %.15g", f->key, f->min,
                                 f->max);
        *(double *)into = real;
        return ST_OK;
    case CONFIG_FLAG:
        if (node->quoted || (!slice_is(text, "true") && !slice_is(text, "false")))
            return config_refuse(node, e, "'%s' must be true or false", f->key);
        *(bool *)into = node->text[0] == 't';
        return ST_OK;
    default:
        return read_choice(node, f, into, e);
    }
}

static enum status read_field(const struct config *node, const struct config_field *f, void *into,
                              struct err *e)
{
    enum node_kind want = f->type == CONFIG_MAP ? NODE_MAP : f->type == CONFIG_LIST ? NODE_LIST : NODE_SCALAR;
    static const char *const words[] = {"one value", "a list", "'key: value' lines"};
    if (node->kind != want)
        return config_refuse(node, e, "'%s' must be %s", f->key, words[want]);
    if (want == NODE_SCALAR)
        return read_scalar(node, f, into, e);
    *(const struct config **)into = node;
    return ST_OK;
}

static enum status unknown_key(const struct config *map, size_t i, const struct config_field *fields,
                               struct err *e)
{
    const char *names[64];
    size_t n = 0;
    for (; fields[n].key && n < 64; n++)
        names[n] = fields[n].key;
    const char *near = text_nearest(map->keys[i], names, n);
    return config_refuse(&map->children[i], e, "unknown key '%.60s'%s%s%s", map->keys[i],
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum status config_read(const struct config *map, const struct config_field *fields, void *into,
                        struct err *e)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct config_field *f = fields;
        while (f->key && strcmp(f->key, map->keys[i]) != 0)
            f++;
        if (!f->key)
            return unknown_key(map, i, fields, e);
        enum status s = read_field(&map->children[i], f, (char *)into + f->offset, e);
        if (s != ST_OK)
            return s;
    }
    for (const struct config_field *f = fields; f->key; f++)
        if (f->required && !config_get(map, f->key))
            return config_refuse(map, e, "the key '%s' is missing", f->key);
    return ST_OK;
}

const struct config *config_get(const struct config *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i], key) == 0)
            return &map->children[i];
    return NULL;
}

size_t config_size(const struct config *list_or_map)
{
    return list_or_map ? list_or_map->n : 0;
}

const struct config *config_at(const struct config *list, size_t i)
{
    return list && list->kind == NODE_LIST && i < list->n ? &list->children[i] : NULL;
}

const char *config_text(const struct config *scalar)
{
    return scalar && scalar->kind == NODE_SCALAR ? scalar->text : NULL;
}

const char *config_key(const struct config *map, size_t i)
{
    return map && map->kind == NODE_MAP && i < map->n ? map->keys[i] : NULL;
}

const struct config *config_value(const struct config *map, size_t i)
{
    return map && map->kind == NODE_MAP && i < map->n ? &map->children[i] : NULL;
}
