/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary tables: CONCEPT, CONCEPT_ANCESTOR, CONCEPT_RELATIONSHIP ('Maps to' only).
 *
 * Concepts are numbered in hierarchy order: depth first over the direct steps of CONCEPT_ANCESTOR, children
 * in order of their ids, each concept where it is met first. A concept with its descendants is then mostly
 * one range of rows. What has no place in the hierarchy follows in order of ids; so does what only a circle
 * reaches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/importing.h"
#include "store/pairs.h"

struct concept {
    int32_t id;
    uint8_t flags;
    uint16_t domain, vocabulary, concept_class;
    uint64_t text; /* where its name and its code begin */
};

struct vocabulary {
    struct concept *concepts;
    size_t n, capacity;
    struct text_list *domains, *vocabularies, *classes;
    struct buf text;
    struct pairs ancestors, children, mapped;
    struct arrays_writer *file;
};

enum { IN_CONCEPT_ID, IN_NAME, IN_DOMAIN, IN_VOCABULARY, IN_CLASS, IN_STANDARD, IN_CODE, IN_INVALID };
static const struct table_column concept_columns[] = {
    {"concept_id", NULL, TABLE_I32, TABLE_VALUE},
    {"concept_name", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"domain_id", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"vocabulary_id", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"concept_class_id", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"standard_concept", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"concept_code", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"invalid_reason", NULL, TABLE_TEXT, TABLE_OPTIONAL},
};

static struct slice text_of(const struct table_chunk *c, size_t column, size_t row)
{
    const struct slice *texts = c->columns[column];
    return texts && texts[row].p ? texts[row] : SLICE("");
}

static void add_text(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_addc(out, s.p[i] ? s.p[i] : ' ');
    buf_addc(out, '\0');
}

static void add_concept(struct vocabulary *v, const struct table_chunk *c, size_t row)
{
    struct slice standard = text_of(c, IN_STANDARD, row);
    GROW(v->concepts, v->n + 1, v->capacity);
    v->concepts[v->n++] = (struct concept){
        .id = ((const int32_t *)c->columns[IN_CONCEPT_ID])[row],
        .flags = (uint8_t)(1 | (text_of(c, IN_INVALID, row).n ? 2 : 0) | (slice_is(standard, "S") ? 4 : 0)),
        .domain = (uint16_t)text_list_add(v->domains, text_of(c, IN_DOMAIN, row)),
        .vocabulary = (uint16_t)text_list_add(v->vocabularies, text_of(c, IN_VOCABULARY, row)),
        .concept_class = (uint16_t)text_list_add(v->classes, text_of(c, IN_CLASS, row)),
        .text = v->text.n,
    };
    add_text(&v->text, text_of(c, IN_NAME, row));
    add_text(&v->text, text_of(c, IN_CODE, row));
}

static enum status take_concepts(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                 void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    const int32_t *ids = c->columns[IN_CONCEPT_ID];
    for (size_t i = 0; i < c->n; i++) {
        if (ids[i] < 0)
            table_fault_add(c, c->line[i], IN_CONCEPT_ID, "a concept id of 0 or more");
        else
            add_concept(context, c, i);
    }
    return ST_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct concept *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->text > y->text) - (x->text < y->text);
}

/* Sorted by id, each id once: the first row counts. */
static void sort_concepts(struct import *im, struct vocabulary *v)
{
    if (v->n)
        qsort(v->concepts, v->n, sizeof *v->concepts, by_id);
    size_t kept = 0;
    for (size_t i = 0; i < v->n; i++)
        if (kept == 0 || v->concepts[i].id != v->concepts[kept - 1].id)
            v->concepts[kept++] = v->concepts[i];
    if (kept < v->n)
        import_remark(im, "concept: %zu rows repeat a concept_id; the first of each counts", v->n - kept);
    v->n = kept;
}

#define WRITE_FIELD(array, field)                                                                            \
    do {                                                                                                     \
        arrays_begin(v->file, array, sizeof v->concepts->field);                                             \
        for (size_t i = 0; i < v->n; i++)                                                                    \
            arrays_append(v->file, &v->concepts[i].field, sizeof v->concepts->field);                        \
        arrays_end(v->file);                                                                                 \
    } while (0)

static void write_concepts(struct vocabulary *v)
{
    WRITE_FIELD("concept.id", id);
    WRITE_FIELD("concept.flags", flags);
    WRITE_FIELD("concept.domain", domain);
    WRITE_FIELD("concept.vocabulary", vocabulary);
    WRITE_FIELD("concept.class", concept_class);
    WRITE_FIELD("concept.text", text);
    arrays_add(v->file, "text", 1, v->text.p, v->text.n);
    text_list_write(v->domains, "domain", v->file);
    text_list_write(v->vocabularies, "vocabulary", v->file);
    text_list_write(v->classes, "class", v->file);
}

static enum status read_concepts(struct import *im, struct vocabulary *v, struct err *e)
{
    bool found;
    struct import_table t = {"concept", concept_columns, sizeof concept_columns / sizeof *concept_columns,
                             true};
    v->domains = text_list_new(1 << 20);
    v->vocabularies = text_list_new(1 << 20);
    v->classes = text_list_new(1 << 20);
    buf_init(&v->text, (size_t)1 << 32);
    enum status st = import_read(im, &t, take_concepts, v, &found, e);
    if (st == ST_OK)
        st = buf_check(&v->text, "the names of the concepts", e);
    if (st != ST_OK)
        return st;
    sort_concepts(im, v);
    write_concepts(v);
    buf_deinit(&v->text);
    return ST_OK;
}

static const struct table_column ancestor_columns[] = {
    {"ancestor_concept_id", NULL, TABLE_I32, TABLE_VALUE},
    {"descendant_concept_id", NULL, TABLE_I32, TABLE_VALUE},
    {"min_levels_of_separation", NULL, TABLE_I32, TABLE_OPTIONAL},
};

static bool not_negative(struct table_chunk *c, size_t row, size_t column)
{
    if (((const int32_t *)c->columns[column])[row] >= 0)
        return true;
    table_fault_add(c, c->line[row], column, "a concept id of 0 or more");
    return false;
}

static enum status take_ancestors(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                  void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    struct vocabulary *v = context;
    const int32_t *ancestor = c->columns[0], *descendant = c->columns[1], *levels = c->columns[2];
    for (size_t i = 0; i < c->n; i++) {
        if (!not_negative(c, i, 0) || !not_negative(c, i, 1))
            continue;
        pairs_add(&v->ancestors, ancestor[i], descendant[i]);
        if (levels && levels[i] == 1 && ancestor[i] != descendant[i])
            pairs_add(&v->children, ancestor[i], descendant[i]);
    }
    return ST_OK;
}

static const struct table_column relationship_columns[] = {
    {"concept_id_1", NULL, TABLE_I32, TABLE_VALUE},
    {"concept_id_2", NULL, TABLE_I32, TABLE_VALUE},
    {"relationship_id", NULL, TABLE_TEXT, TABLE_VALUE},
    {"invalid_reason", NULL, TABLE_TEXT, TABLE_OPTIONAL},
};

static enum status take_relationships(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                      void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    struct vocabulary *v = context;
    const int32_t *from = c->columns[0], *to = c->columns[1];
    for (size_t i = 0; i < c->n; i++)
        if (slice_is(text_of(c, 2, i), "Maps to") && text_of(c, 3, i).n == 0 && not_negative(c, i, 0) &&
            not_negative(c, i, 1))
            pairs_add(&v->mapped, to[i], from[i]);
    return ST_OK;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All ids of CONCEPT and CONCEPT_ANCESTOR, sorted, each once. */
static void gather_ids(struct ranks *r, const struct vocabulary *v)
{
    const struct pairs *p = &v->ancestors;
    r->ids = xrealloc_array(NULL, v->n + 2 * p->n, sizeof *r->ids);
    for (size_t i = 0; i < v->n; i++)
        r->ids[r->n++] = v->concepts[i].id;
    for (size_t i = 0; i < p->n; i++) {
        if (i == 0 || p->packed[i] >> 32 != p->packed[i - 1] >> 32)
            r->ids[r->n++] = (int64_t)(p->packed[i] >> 32);
        r->ids[r->n++] = (int64_t)(uint32_t)p->packed[i];
    }
    if (r->n)
        qsort(r->ids, r->n, sizeof *r->ids, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++)
        if (i == 0 || r->ids[i] != r->ids[i - 1])
            r->ids[kept++] = r->ids[i];
    r->n = kept;
    r->ids = xrealloc_array(r->ids, kept, sizeof *r->ids);
    idmap_init(&r->map, r->ids, kept);
}

struct frame {
    uint64_t parent;
    size_t next; /* pair */
};

static struct frame frame_of(const struct ranks *r, const struct pairs *children, uint32_t place)
{
    return (struct frame){(uint64_t)r->ids[place], pairs_find(children, (int32_t)r->ids[place])};
}

/* Numbers the concept at `root` and what is under it and has no number yet. */
static void number_from(struct ranks *r, const struct pairs *children, uint32_t root, uint32_t *next,
                        struct frame *stack)
{
    size_t depth = 0;
    if (r->rank[root] != UINT32_MAX)
        return;
    r->rank[root] = (*next)++;
    stack[depth++] = frame_of(r, children, root);
    while (depth) {
        struct frame *top = &stack[depth - 1];
        if (top->next >= children->n || children->packed[top->next] >> 32 != top->parent) {
            depth--;
            continue;
        }
        uint32_t child = idmap_find(&r->map, (int64_t)(uint32_t)children->packed[top->next++]);
        if (r->rank[child] != UINT32_MAX)
            continue;
        r->rank[child] = (*next)++;
        stack[depth++] = frame_of(r, children, child);
    }
}

/* Has children: concepts without any hierarchy come later. */
static bool begins_tree(const struct ranks *r, const struct pairs *children, uint32_t place)
{
    struct frame f = frame_of(r, children, place);
    return f.next < children->n && children->packed[f.next] >> 32 == f.parent;
}

static void number_concepts(struct ranks *r, const struct pairs *children)
{
    uint8_t *has_parent = xcalloc(r->n, 1);
    struct frame *stack = xrealloc_array(NULL, r->n + 1, sizeof *stack);
    uint32_t next = 0;
    for (size_t i = 0; i < children->n; i++)
        has_parent[idmap_find(&r->map, (int64_t)(uint32_t)children->packed[i])] = 1;
    r->rank = xrealloc_array(NULL, r->n, sizeof *r->rank);
    memset(r->rank, 0xff, r->n * sizeof *r->rank);
    for (uint32_t i = 0; i < r->n; i++)
        if (!has_parent[i] && begins_tree(r, children, i))
            number_from(r, children, i, &next, stack);
    for (uint32_t i = 0; i < r->n; i++)
        number_from(r, children, i, &next, stack);
    r->order = xrealloc_array(NULL, r->n, sizeof *r->order);
    for (uint32_t i = 0; i < r->n; i++)
        r->order[r->rank[i]] = i;
    free(stack);
    free(has_parent);
}

int32_t concept_of_key(const struct ranks *r, uint32_t key)
{
    if (key == KEY_MISSING)
        return NONE_I32;
    return key & KEY_UNKNOWN ? (int32_t)(key & ~KEY_UNKNOWN) : (int32_t)r->ids[r->order[key]];
}

void ranks_deinit(struct ranks *r)
{
    idmap_deinit(&r->map);
    free(r->ids);
    free(r->rank);
    free(r->order);
    *r = (struct ranks){0};
}

static void write_relations(struct import *im, struct vocabulary *v)
{
    pairs_write(&v->ancestors, "ancestor", v->file);
    pairs_write(&v->mapped, "mapped", v->file);
    arrays_begin(v->file, "order", 4);
    for (size_t i = 0; i < im->ranks.n; i++) {
        int32_t id = (int32_t)im->ranks.ids[im->ranks.order[i]];
        arrays_append(v->file, &id, sizeof id);
    }
    arrays_end(v->file);
}

static enum status read_relations(struct import *im, struct vocabulary *v, struct err *e)
{
    bool found;
    struct import_table a = {"concept_ancestor", ancestor_columns, 3, false};
    struct import_table r = {"concept_relationship", relationship_columns, 4, false};
    enum status st = import_read(im, &a, take_ancestors, v, &found, e);
    if (st == ST_OK)
        st = import_read(im, &r, take_relationships, v, &found, e);
    if (st != ST_OK)
        return st;
    pairs_sort(&v->ancestors);
    pairs_sort(&v->children);
    pairs_sort(&v->mapped);
    gather_ids(&im->ranks, v);
    number_concepts(&im->ranks, &v->children);
    write_relations(im, v);
    return ST_OK;
}

enum status import_vocabulary(struct import *im, struct err *e)
{
    struct vocabulary v = {0};
    char *path = import_path(im, "vocabulary.acc");
    enum status st = arrays_create(path, &v.file, e);
    free(path);
    if (st == ST_OK)
        st = read_concepts(im, &v, e);
    if (st == ST_OK)
        st = read_relations(im, &v, e);
    if (st == ST_OK)
        st = arrays_commit(v.file, e);
    else
        arrays_abandon(v.file);
    buf_deinit(&v.text);
    text_list_free(v.domains);
    text_list_free(v.vocabularies);
    text_list_free(v.classes);
    pairs_deinit(&v.ancestors);
    pairs_deinit(&v.children);
    pairs_deinit(&v.mapped);
    free(v.concepts);
    return st;
}
