/* SPDX-License-Identifier: Apache-2.0 */
#include "study/study.h"

#include <stdlib.h>
#include <string.h>

#include "study/parts.h"
#include "study/spec.h"

enum { MAX_COHORTS = 64, MAX_ANALYSES = 256, MAX_NAME = 40, MAX_TITLE = 200 };

/* Where every fault is wanted this one is noted and reading goes on; `before` is how many there were before
   what failed, which may have told its own. */
static enum status noted(struct study *s, enum status st, size_t before, const struct err *fault,
                         struct err *e)
{
    if (st == ST_OK)
        return ST_OK;
    if (!s->faults && e)
        *e = *fault;
    if (!s->faults)
        return st;
    if (js_size(s->faults) == before)
        js_push(s->faults, js_string(fault->text));
    if (s->first.status == ST_OK)
        s->first = *fault;
    return ST_OK;
}

/* Names become parts of table names and file names. */
static enum status need_name(const struct js *object, const char *path, const char **out, struct err *e)
{
    enum status st = js_need_str(object, "name", path, out, e);
    if (st != ST_OK) {
        *out = "";
        return st;
    }
    size_t n = strlen(*out);
    if (n == 0 || n > MAX_NAME || strspn(*out, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return err_set(e, ST_INVALID, "%s.name: expected 1 to %d lower-case letters, digits and underscores",
                       path, MAX_NAME);
    return ST_OK;
}

static enum status name_taken(const char *what, const char *path, const char *name, struct err *e)
{
    return err_set(e, ST_INVALID, "%s.name: there is already %s called '%s'", path, what, name);
}

static enum status only_members(struct study *s, const struct js *j, const char *path,
                                const char *const *allowed, struct err *e)
{
    struct analysis_scope scope = {.path = path, .arena = s->arena, .faults = s->faults};
    struct spec members = spec_open(j, path, &scope, allowed, e);
    return spec_done(&members);
}

static enum status name_cohort(struct study *s, size_t i, const struct js *j, const char *path, struct err *e)
{
    enum status st = need_name(j, path, &s->cohort_names[i], e);
    for (size_t k = 0; st == ST_OK && k < i; k++)
        if (strcmp(s->cohort_names[k], s->cohort_names[i]) == 0)
            st = name_taken("a cohort", path, s->cohort_names[i], e);
    return st;
}

static enum status define_cohort(struct study *s, size_t i, const struct js *j, const char *path,
                                 struct err *e)
{
    enum status st = js_need(j, "definition", JS_OBJECT, path, &s->cohort_json[i], e);
    if (st != ST_OK)
        return st;
    const char *prefix = arena_printf(s->arena, "%s.definition: ", path);
    st = s->faults ? cohort_faults(s->cohort_json[i], prefix, s->faults, e)
                   : cohort_parse(s->cohort_json[i], &s->cohorts[i], e);
    return st == ST_OK ? st : err_wrap(e, "%s.definition", path);
}

/* A cohort with a fault keeps its name, so that those who refer to it are not at fault too. */
static enum status parse_cohort(struct study *s, size_t i, const struct js *j, struct err *e)
{
    static const char *const allowed[] = {"name", "definition", NULL};
    const char *path = arena_printf(s->arena, "$.cohorts[%zu]", i);
    struct err fault[3] = {{0}};
    size_t before = js_size(s->faults);
    enum status st = noted(s, only_members(s, j, path, allowed, &fault[0]), before, &fault[0], e);
    if (st != ST_OK || !js_is(j, JS_OBJECT))
        return st;
    before = js_size(s->faults);
    st = noted(s, name_cohort(s, i, j, path, &fault[1]), before, &fault[1], e);
    before = js_size(s->faults);
    return st == ST_OK ? noted(s, define_cohort(s, i, j, path, &fault[2]), before, &fault[2], e) : st;
}

static enum status unknown_kind(const char *path, const char *kind, struct err *e)
{
    const char *names[64];
    size_t n = 0;
    for (; analyses[n] && n < 64; n++)
        names[n] = analyses[n]->kind;
    const char *near = text_nearest(kind, names, n);
    return err_set(e, ST_INVALID,
                   "%s.kind: there is no analysis '%.40s'%s%s%s; 'accord study list' lists them", path, kind,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum status name_analysis(struct study *s, size_t i, const struct js *j, const char *path,
                                 struct err *e)
{
    struct study_analysis *a = &s->analyses[i];
    enum status st = need_name(j, path, &a->name, e);
    for (size_t k = 0; st == ST_OK && k < i; k++)
        if (strcmp(s->analyses[k].name, a->name) == 0)
            st = name_taken("an analysis", path, a->name, e);
    return st;
}

static enum status specify_analysis(struct study *s, size_t i, const struct js *j, const char *path,
                                    struct err *e)
{
    struct study_analysis *a = &s->analyses[i];
    const char *kind;
    enum status st = js_need_str(j, "kind", path, &kind, e);
    if (st != ST_OK)
        return st;
    a->analysis = analysis_find(kind);
    if (!a->analysis)
        return unknown_kind(path, kind, e);
    struct analysis_scope scope = {path,         a->name,  s->cohort_names, s->cohort_json,
                                   s->n_cohorts, s->arena, s->faults};
    s->n_analyses = i + 1;
    return a->analysis->parse(j, &scope, &a->spec, e);
}

static enum status parse_analysis(struct study *s, size_t i, const struct js *j, struct err *e)
{
    const char *path = arena_printf(s->arena, "$.analyses[%zu]", i);
    struct err fault[2] = {{0}};
    size_t before = js_size(s->faults);
    if (!js_is(j, JS_OBJECT)) {
        enum status st = err_set(&fault[0], ST_INVALID, "%s: expected an object", path);
        return noted(s, st, before, &fault[0], e);
    }
    enum status st = noted(s, name_analysis(s, i, j, path, &fault[0]), before, &fault[0], e);
    before = js_size(s->faults);
    return st == ST_OK ? noted(s, specify_analysis(s, i, j, path, &fault[1]), before, &fault[1], e) : st;
}

static enum status need_array(const struct js *document, const char *key, size_t most, const struct js **out,
                              struct err *e)
{
    enum status st = js_need(document, key, JS_ARRAY, "$", out, e);
    if (st == ST_OK && (js_size(*out) == 0 || js_size(*out) > most))
        st = err_set(e, ST_INVALID, "$.%s: expected 1 to %zu elements", key, most);
    return st;
}

static enum status parse_cohorts(struct study *s, const struct js *list, struct err *e)
{
    enum status st = ST_OK;
    size_t n = js_size(list);
    s->cohort_names = arena_array(s->arena, n + 1, sizeof *s->cohort_names);
    s->cohort_json = arena_array(s->arena, n + 1, sizeof *s->cohort_json);
    s->cohorts = arena_array(s->arena, n, sizeof *s->cohorts);
    s->cohort_names[0] = ""; /* where there is none at all, what refers to one still reads this */
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        s->cohort_names[i] = "";
        st = parse_cohort(s, i, js_at(list, i), e);
        s->n_cohorts = i + 1;
    }
    return st;
}

static enum status parse_analyses(struct study *s, const struct js *list, struct err *e)
{
    enum status st = ST_OK;
    s->analyses = arena_array(s->arena, js_size(list), sizeof *s->analyses);
    for (size_t i = 0; st == ST_OK && i < js_size(list); i++) {
        s->analyses[i].name = "";
        st = parse_analysis(s, i, js_at(list, i), e);
    }
    return st;
}

static enum status need_title(struct study *s, struct err *e)
{
    enum status st = js_need_str(s->document, "title", "$", &s->title, e);
    if (st == ST_OK && (!*s->title || strlen(s->title) > MAX_TITLE))
        st = err_set(e, ST_INVALID, "$.title: expected 1 to %d bytes of text", MAX_TITLE);
    return st;
}

static enum status parse_document(struct study *s, struct err *e)
{
    static const char *const allowed[] = {"title", "cohorts", "analyses", NULL};
    const struct js *cohorts = NULL, *list = NULL;
    struct err fault[4] = {{0}};
    if (!js_is(s->document, JS_OBJECT))
        return err_set(e, ST_INVALID, "$: a study is a JSON object");
    size_t before = js_size(s->faults);
    enum status st = noted(s, only_members(s, s->document, "$", allowed, &fault[0]), before, &fault[0], e);
    before = js_size(s->faults);
    if (st == ST_OK)
        st = noted(s, need_title(s, &fault[1]), before, &fault[1], e);
    before = js_size(s->faults);
    if (st == ST_OK)
        st = noted(s, need_array(s->document, "cohorts", MAX_COHORTS, &cohorts, &fault[2]), before, &fault[2],
                   e);
    before = js_size(s->faults);
    if (st == ST_OK)
        st = noted(s, need_array(s->document, "analyses", MAX_ANALYSES, &list, &fault[3]), before, &fault[3],
                   e);
    if (st == ST_OK)
        st = parse_cohorts(s, cohorts, e);
    return st == ST_OK ? parse_analyses(s, list, e) : st;
}

static enum status hash_document(struct study *s, struct err *e)
{
    struct buf canonical;
    buf_init(&canonical, (size_t)64 << 20);
    enum status st = js_canonical(s->document, &canonical, e);
    if (st == ST_OK)
        st = buf_check(&canonical, "the study", e);
    if (st == ST_OK)
        sha256_hex(buf_slice(&canonical), s->hash);
    buf_deinit(&canonical);
    return st;
}

enum status study_parse(const struct js *document, struct study **out, struct err *e)
{
    struct study *s = xcalloc(1, sizeof *s);
    s->arena = arena_new();
    s->document = js_share(document);
    enum status st = parse_document(s, e);
    if (st == ST_OK)
        st = hash_document(s, e);
    if (st != ST_OK) {
        study_free(s);
        s = NULL;
    }
    *out = s;
    return st;
}

enum status study_faults(const struct js *document, struct js *faults, struct err *e)
{
    struct study *s = xcalloc(1, sizeof *s);
    s->arena = arena_new();
    s->document = js_share(document);
    s->faults = faults;
    struct err fault = {0};
    if (parse_document(s, &fault) != ST_OK) { /* not even an object */
        js_push(faults, js_string(fault.text));
        s->first = fault;
    }
    enum status st = s->first.status;
    if (st != ST_OK && e)
        *e = s->first;
    study_free(s);
    return st;
}

enum status study_load(const char *path, struct study **out, struct err *e)
{
    struct js *document = NULL;
    *out = NULL;
    enum status st = js_load(path, &document, e);
    if (st == ST_OK)
        st = study_parse(document, out, e);
    js_free(document);
    return st;
}

void study_free(struct study *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_cohorts; i++)
        cohort_definition_free(s->cohorts[i]);
    js_free(s->document);
    arena_free(s->arena);
    free(s);
}

const struct js *study_document(const struct study *s)
{
    return s->document;
}

const char *study_title(const struct study *s)
{
    return s->title;
}

void study_hash(const struct study *s, char out[2 * HASH_BYTES + 1])
{
    memcpy(out, s->hash, sizeof s->hash);
}

size_t study_n_cohorts(const struct study *s)
{
    return s->n_cohorts;
}

const char *study_cohort_name(const struct study *s, size_t i)
{
    return s->cohort_names[i];
}

struct js *study_cohort_hashes(const struct study *s)
{
    struct js *out = js_object();
    struct buf text;
    buf_init(&text, (size_t)64 << 20);
    for (size_t i = 0; i < s->n_cohorts; i++) {
        char hex[2 * HASH_BYTES + 1];
        struct err ignored;
        buf_clear(&text);
        if (js_canonical(s->cohort_json[i], &text, &ignored) != ST_OK || text.failed)
            continue; /* cannot happen: the whole study has a canonical form */
        sha256_hex(buf_slice(&text), hex);
        js_put_str(out, s->cohort_names[i], hex);
    }
    buf_deinit(&text);
    return out;
}

size_t study_n_analyses(const struct study *s)
{
    return s->n_analyses;
}

const char *study_analysis_name(const struct study *s, size_t i)
{
    return s->analyses[i].name;
}

const char *study_analysis_kind(const struct study *s, size_t i)
{
    return s->analyses[i].analysis->kind;
}
