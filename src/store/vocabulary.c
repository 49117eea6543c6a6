/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/reader.h"

static void open_texts(const struct arrays *file, const char *name, const char *at, struct text_array *out)
{
    out->bytes = arrays_get(file, name, 1, &out->n_bytes);
    out->at = arrays_get(file, at, 8, &out->n);
}

static enum status open_relation(const struct arrays *file, const char *from, const char *at, const char *to,
                                 struct relation *out, struct err *e)
{
    const void *p;
    out->from = arrays_get(file, from, 4, &out->n);
    out->to = arrays_get(file, to, 4, &out->n_to);
    if (!out->from || !out->to)
        return store_damaged(file->name, "a relation of concepts is not there", e);
    enum status st = arrays_need(file, at, 8, out->n + 1, &p, e);
    out->at = p;
    return st;
}

static enum status open_concepts(struct vocabulary_files *v, struct err *e)
{
    const void *p;
    v->id = arrays_get(&v->file, "concept.id", 4, &v->n);
    v->text = arrays_get(&v->file, "text", 1, &v->n_text);
    enum status st = arrays_need(&v->file, "concept.flags", 1, v->n, &p, e);
    v->flags = p;
    if (st == ST_OK)
        st = arrays_need(&v->file, "concept.domain", 2, v->n, &p, e);
    v->domain = p;
    if (st == ST_OK)
        st = arrays_need(&v->file, "concept.vocabulary", 2, v->n, &p, e);
    v->vocabulary = p;
    if (st == ST_OK)
        st = arrays_need(&v->file, "concept.class", 2, v->n, &p, e);
    v->concept_class = p;
    if (st == ST_OK)
        st = arrays_need(&v->file, "concept.text", 8, v->n, &p, e);
    v->text_at = p;
    open_texts(&v->file, "domain", "domain.at", &v->domains);
    open_texts(&v->file, "vocabulary", "vocabulary.at", &v->vocabularies);
    open_texts(&v->file, "class", "class.at", &v->classes);
    return st;
}

enum status vocabulary_open(struct store *s, struct err *e)
{
    struct vocabulary_files *v = &s->vocabulary;
    enum status st = store_open_arrays(s, "vocabulary.acc", &v->file, e);
    if (st == ST_OK) {
        arrays_fetch(&v->file, NULL);
        st = open_concepts(v, e);
    }
    if (st == ST_OK)
        st = open_relation(&v->file, "ancestor", "ancestor.at", "ancestor.to", &v->ancestors, e);
    if (st == ST_OK)
        st = open_relation(&v->file, "mapped", "mapped.at", "mapped.to", &v->mapped, e);
    return st;
}

static const int32_t *find_id(const int32_t *ids, uint64_t n, int32_t id)
{
    uint64_t low = 0, high = n;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && ids[low] == id ? ids + low : NULL;
}

static const char *coded_text(const struct text_array *t, uint16_t code)
{
    return t->at && code < t->n ? text_in(t->bytes, t->n_bytes, t->at[code]) : "";
}

bool store_concept_find(const struct store *s, int32_t id, struct store_concept *out)
{
    const struct vocabulary_files *v = &s->vocabulary;
    const int32_t *found = find_id(v->id, v->n, id);
    *out = (struct store_concept){
        .id = id, .name = "", .domain = "", .vocabulary = "", .code = "", .concept_class = ""};
    if (!found)
        return false;
    size_t i = (size_t)(found - v->id);
    out->in_concept = v->flags[i] & 1;
    out->invalid = v->flags[i] & 2;
    out->standard = v->flags[i] & 4;
    out->domain = coded_text(&v->domains, v->domain[i]);
    out->vocabulary = coded_text(&v->vocabularies, v->vocabulary[i]);
    out->concept_class = coded_text(&v->classes, v->concept_class[i]);
    out->name = text_in(v->text, v->n_text, v->text_at[i]);
    out->code = text_in(v->text, v->n_text, v->text_at[i] + strlen(out->name) + 1);
    return true;
}

static void related_at(const struct relation *r, uint64_t i, const int32_t **ids, uint32_t *n)
{
    *ids = NULL;
    *n = 0;
    uint64_t from = r->at[i], to = r->at[i + 1];
    if (from > to || to > r->n_to || to - from > UINT32_MAX)
        return;
    *ids = r->to + from;
    *n = (uint32_t)(to - from);
}

static void find_related(const struct relation *r, int32_t id, const int32_t **ids, uint32_t *n)
{
    const int32_t *found = find_id(r->from, r->n, id);
    *ids = NULL;
    *n = 0;
    if (found)
        related_at(r, (uint64_t)(found - r->from), ids, n);
}

void store_descendants(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n)
{
    find_related(&s->vocabulary.ancestors, id, ids, n);
}

void store_ancestors(const struct store *s, const int32_t **ids, uint32_t *n)
{
    const struct relation *r = &s->vocabulary.ancestors;
    *ids = r->from;
    *n = r->n < UINT32_MAX ? (uint32_t)r->n : UINT32_MAX;
}

void store_descendants_at(const struct store *s, uint32_t i, const int32_t **ids, uint32_t *n)
{
    related_at(&s->vocabulary.ancestors, i, ids, n);
}

void store_mapped_from(const struct store *s, int32_t id, const int32_t **ids, uint32_t *n)
{
    find_related(&s->vocabulary.mapped, id, ids, n);
}
