/* SPDX-License-Identifier: Apache-2.0 */
#include "study/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"

static bool has_kind(const char *const *allowed)
{
    for (; *allowed; allowed++)
        if (strcmp(*allowed, "kind") == 0)
            return true;
    return false;
}

static void note(struct spec *s, const struct err *fault)
{
    if (s->status == ST_OK) {
        s->status = fault->status;
        bool first = !s->scope->faults || (s->e && s->e->status == ST_OK);
        if (s->e && first)
            *s->e = *fault;
    }
    if (s->scope->faults)
        js_push(s->scope->faults, js_string(fault->text));
}

/* Each member by itself, so that every unknown one is told. */
static void only(struct spec *s, const char *const *allowed)
{
    for (void *it = js_first(s->object); it && spec_goes_on(s); it = js_next(s->object, it)) {
        struct err fault = {0};
        struct js *one = js_object();
        js_put(one, js_key(it), js_null());
        if (js_only(one, allowed, s->path, &fault) != ST_OK)
            note(s, &fault);
        js_free(one);
    }
}

struct spec spec_open(const struct js *object, const char *path, const struct analysis_scope *scope,
                      const char *const *allowed, struct err *e)
{
    struct spec s = {.object = object, .path = path, .scope = scope, .e = e};
    const char *all[48] = {"comment"};
    size_t n = 1;
    if (has_kind(allowed))
        all[n++] = "name";
    for (size_t i = 0; allowed[i] && n < 47; i++)
        all[n++] = allowed[i];
    struct err fault = {0};
    if (js_is(object, JS_OBJECT)) {
        only(&s, all);
    } else {
        err_set(&fault, ST_INVALID, "%s: expected an object", path);
        note(&s, &fault);
    }
    return s;
}

enum status spec_done(const struct spec *s)
{
    return s->status;
}

bool spec_goes_on(const struct spec *s)
{
    return s->status == ST_OK || s->scope->faults;
}

void spec_join(struct spec *s, enum status nested)
{
    if (s->status == ST_OK)
        s->status = nested;
}

void spec_fault(struct spec *s, const char *key, const char *format, ...)
{
    bool told = s->faulty && strcmp(s->faulty, key) == 0;
    if (told || !spec_goes_on(s))
        return;
    char text[320];
    struct err fault = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->faulty = key;
    err_set(&fault, ST_INVALID, "%s.%s: %s", s->path, key, text);
    note(s, &fault);
}

char *spec_path(const struct spec *s, const char *key)
{
    return arena_printf(s->scope->arena, "%s.%s", s->path, key);
}

/* The member, or NULL when it is absent, null or a fault stands. */
static const struct js *member(struct spec *s, const char *key, bool required)
{
    if (!spec_goes_on(s))
        return NULL;
    const struct js *v = js_get(s->object, key);
    if (js_is(v, JS_NULL))
        v = NULL;
    if (!v && required)
        spec_fault(s, key, "required, but missing");
    return v;
}

const char *spec_text(struct spec *s, const char *key, const char *absent)
{
    const struct js *v = member(s, key, false);
    if (!v)
        return absent;
    if (!js_is(v, JS_STRING)) {
        spec_fault(s, key, "expected a string");
        return absent;
    }
    return arena_strdup(s->scope->arena, js_str(v));
}

const char *spec_need_text(struct spec *s, const char *key)
{
    const char *text = member(s, key, true) ? spec_text(s, key, "") : "";
    if (!*text)
        spec_fault(s, key, "must not be empty");
    return text;
}

double spec_number(struct spec *s, const char *key, double min, double max, double absent)
{
    const struct js *v = member(s, key, isnan(absent));
    if (!v)
        return absent;
    double x = js_num(v);
    if (!js_is_number(v) || x < min || x > max) {
        spec_fault(s, key, "expected a number from %g to %g", min, max);
        return min;
    }
    return x;
}

int64_t spec_int(struct spec *s, const char *key, int64_t min, int64_t max, int64_t absent)
{
    const struct js *v = member(s, key, absent == SPEC_REQUIRED_INT);
    if (!v)
        return absent == SPEC_REQUIRED_INT ? min : absent;
    int64_t x = js_int(v);
    if (!js_is(v, JS_INTEGER) || x < min || x > max) {
        spec_fault(s, key, "expected a whole number from %lld to %lld", (long long)min, (long long)max);
        return min;
    }
    return x;
}

bool spec_bool(struct spec *s, const char *key, bool absent)
{
    const struct js *v = member(s, key, false);
    if (!v)
        return absent;
    if (!js_is_bool(v))
        spec_fault(s, key, "expected true or false");
    return js_bool(v);
}

static size_t count_names(const char *const *names)
{
    size_t n = 0;
    while (names[n])
        n++;
    return n;
}

/* "expected one of a, b, c; did you mean b?" */
static void unknown_name(struct spec *s, const char *key, const char *given, const char *what,
                         const char *const *names, size_t n)
{
    char list[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof list - 1; i++) {
        int w = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
        used += w > 0 ? (size_t)w : 0;
    }
    const char *near = text_nearest(given, names, n);
    spec_fault(s, key, "'%.40s' is not %s; expected one of %s%s%s%s", given, what, list,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int name_index(const char *given, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(given, names[i]) == 0)
            return (int)i;
    return -1;
}

int spec_choice(struct spec *s, const char *key, const char *const *names, int absent)
{
    const struct js *v = member(s, key, absent < 0);
    if (!v)
        return absent < 0 ? 0 : absent;
    const char *given = js_is(v, JS_STRING) ? js_str(v) : "";
    int i = name_index(given, names, count_names(names));
    if (i < 0)
        unknown_name(s, key, given, "a choice here", names, count_names(names));
    return i < 0 ? 0 : i;
}

int32_t spec_date(struct spec *s, const char *key, int32_t absent)
{
    const struct js *v = member(s, key, absent == DATE_NONE);
    if (!v)
        return absent;
    int32_t day = DATE_MIN;
    if (!js_is(v, JS_STRING) || !date_parse(slice_of(js_str(v)), &day))
        spec_fault(s, key, "expected a date as \"YYYY-MM-DD\"");
    return day;
}

static size_t cohort_named(struct spec *s, const char *key, const struct js *v)
{
    const char *given = js_is(v, JS_STRING) ? js_str(v) : "";
    int i = name_index(given, s->scope->cohorts, s->scope->n_cohorts);
    if (i < 0)
        unknown_name(s, key, given, "a cohort of this study", s->scope->cohorts, s->scope->n_cohorts);
    return i < 0 ? 0 : (size_t)i;
}

size_t spec_cohort(struct spec *s, const char *key, bool required)
{
    const struct js *v = member(s, key, required);
    return v ? cohort_named(s, key, v) : SIZE_MAX;
}

size_t *spec_cohorts(struct spec *s, const char *key, size_t most, size_t *n)
{
    const struct js *list = spec_array(s, key, most, false, n);
    size_t *out = list ? arena_array(s->scope->arena, *n, sizeof *out) : NULL;
    for (size_t i = 0; i < *n; i++) {
        out[i] = cohort_named(s, key, js_at(list, i));
        for (size_t k = 0; k < i; k++)
            if (out[k] == out[i])
                spec_fault(s, key, "'%s' is there twice", s->scope->cohorts[out[i]]);
    }
    return out;
}

static int32_t window_end(struct spec *s, const char *key, const struct js *v, int32_t unbounded)
{
    if (js_is(v, JS_NULL))
        return unbounded;
    int64_t days = js_int(v);
    if (!js_is(v, JS_INTEGER) || days < -100000 || days > 100000) {
        spec_fault(s, key, "expected [from, to] in days from the index date, null for no end");
        return 0;
    }
    return (int32_t)days;
}

struct day_window spec_window(struct spec *s, const char *key, struct day_window absent)
{
    const struct js *v = member(s, key, false);
    if (!v)
        return absent;
    if (!js_is(v, JS_ARRAY) || js_size(v) != 2) {
        spec_fault(s, key, "expected [from, to] in days from the index date, null for no end");
        return absent;
    }
    struct day_window w = {window_end(s, key, js_at(v, 0), -SPEC_UNBOUNDED),
                           window_end(s, key, js_at(v, 1), SPEC_UNBOUNDED)};
    if (w.from > w.to)
        spec_fault(s, key, "the window ends before it starts");
    return w;
}

const struct js *spec_array(struct spec *s, const char *key, size_t most, bool required, size_t *n)
{
    *n = 0;
    const struct js *v = member(s, key, required);
    if (!v)
        return NULL;
    if (!js_is(v, JS_ARRAY) || js_size(v) == 0 || js_size(v) > most) {
        spec_fault(s, key, "expected an array of 1 to %zu elements", most);
        return NULL;
    }
    *n = js_size(v);
    return v;
}

double *spec_ascending(struct spec *s, const char *key, double min, double max, size_t *n)
{
    const struct js *v = spec_array(s, key, 1000, false, n);
    if (!v)
        return NULL;
    double *out = arena_array(s->scope->arena, *n, sizeof *out);
    for (size_t i = 0; i < *n; i++) {
        out[i] = js_num(js_at(v, i));
        if (!js_is_number(js_at(v, i)) || out[i] < min || out[i] > max)
            spec_fault(s, key, "element %zu: expected a number from %g to %g", i, min, max);
        if (i && out[i] <= out[i - 1])
            spec_fault(s, key, "element %zu: the numbers must ascend", i);
    }
    return out;
}

struct concept_list spec_concepts(struct spec *s, bool required)
{
    struct concept_list c = {.descendants = spec_bool(s, "descendants", true)};
    const struct js *v = spec_array(s, "concepts", 10000, required, &c.n);
    c.ids = arena_array(s->scope->arena, c.n, sizeof *c.ids);
    for (size_t i = 0; i < c.n; i++) {
        int64_t id = js_int(js_at(v, i));
        if (!js_is(js_at(v, i), JS_INTEGER) || id < 0 || id > INT32_MAX)
            spec_fault(s, "concepts", "element %zu: expected a concept id", i);
        else
            c.ids[i] = (int32_t)id;
    }
    return c;
}

enum status spec_no_parameters(const struct js *parameters, struct err *e)
{
    return parameters ? err_set(e, ST_INVALID, "there is only one round, without parameters") : ST_OK;
}

void spec_refuse(struct spec *s, const char *key, const char *because)
{
    if (spec_goes_on(s) && js_get(s->object, key))
        spec_fault(s, key, "%s", because);
}
