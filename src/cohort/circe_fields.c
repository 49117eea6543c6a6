/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/circe_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/date.h"

static void where_append(const struct where *w, struct buf *out)
{
    if (!w->up) {
        buf_addc(out, '$');
        return;
    }
    where_append(w->up, out);
    if (w->key)
        buf_printf(out, ".%.60s", w->key);
    else
        buf_printf(out, "[%zu]", w->index);
}

/* Long paths lose their middle: what is wrong must still fit behind them in an error. */
char *where_format(const struct where *w, struct arena *a)
{
    enum { MOST = 240, HEAD = 60, TAIL = 160 };
    struct buf text;
    buf_init(&text, 1 << 20);
    where_append(w, &text);
    char *s = text.n <= MOST ? arena_strdup(a, text.p)
                             : arena_printf(a, "%.*s ... %s", HEAD, text.p, text.p + text.n - TAIL);
    buf_deinit(&text);
    return s;
}

/* More faults of one definition than anybody mends at once. */
enum { MOST_FAULTS = 100 };

static bool lies_in(const char *path, const char *place)
{
    size_t n = strlen(place);
    return strncmp(path, place, n) == 0 && (!path[n] || path[n] == '.' || path[n] == '[');
}

static enum status note_fault(struct parser *p, const struct where *w, const struct err *fault)
{
    if (p->e && p->n_places == 0)
        *p->e = *fault;
    if (!p->faults)
        return fault->status;
    struct buf path;
    buf_init(&path, 1 << 20);
    where_append(w, &path);
    for (size_t i = 0; i < p->n_places; i++)
        if (lies_in(path.p, p->places[i])) {
            buf_deinit(&path);
            return ST_OK;
        }
    bool more = p->n_places == MOST_FAULTS;
    GROW(p->places, p->n_places + 1, p->places_capacity);
    p->places[p->n_places++] = arena_strdup(p->arena, path.p);
    char *text = more ? arena_printf(p->arena, "%smore mistakes follow these %d", p->prefix, MOST_FAULTS)
                      : arena_printf(p->arena, "%s%s", p->prefix, fault->text);
    js_push(p->faults, js_string(text));
    buf_deinit(&path);
    return more ? fault->status : ST_OK;
}

enum status circe_refuse(struct parser *p, const struct where *w, const char *format, ...)
{
    char what[256];
    struct err fault = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    err_set(&fault, ST_INVALID, "%s: %s", where_format(w, p->arena), what);
    return note_fault(p, w, &fault);
}

enum status unsupported(struct parser *p, const struct where *w, const char *feature, const char *why)
{
    struct err fault = {0};
    err_set(&fault, ST_UNSUPPORTED, "Circe feature %.60s at %s is not supported: %s", feature,
            where_format(w, p->arena), why);
    return note_fault(p, w, &fault);
}

/* The member, or NULL where it is absent or null: circe-be treats both alike. */
static const struct js *member(const struct js *o, const char *key)
{
    const struct js *v = js_get(o, key);
    return js_is(v, JS_NULL) ? NULL : v;
}

static bool as_number(const struct js *v, double *out)
{
    if (js_is_number(v)) {
        *out = js_num(v);
        return true;
    }
    return js_is(v, JS_STRING) && parse_double(slice_of(js_str(v)), out);
}

enum status field_number(struct parser *p, const struct js *o, const struct where *w, const char *key,
                         bool *has, double *out)
{
    const struct js *v = member(o, key);
    *has = v != NULL;
    *out = 0;
    if (!v || as_number(v, out))
        return ST_OK;
    struct where at = at_key(w, key);
    return circe_refuse(p, &at, "expected a number");
}

enum status field_int(struct parser *p, const struct js *o, const struct where *w, const char *key,
                      int32_t absent, bool *has, int32_t *out)
{
    double v;
    bool there;
    *out = absent;
    enum status s = field_number(p, o, w, key, &there, &v);
    if (has)
        *has = there;
    if (s != ST_OK || !there)
        return s;
    if (v < INT32_MIN || v > INT32_MAX) {
        struct where at = at_key(w, key);
        return circe_refuse(p, &at, "expected a whole number from %d to %d", INT32_MIN, INT32_MAX);
    }
    *out = (int32_t)v;
    return ST_OK;
}

enum status field_bool(struct parser *p, const struct js *o, const struct where *w, const char *key,
                       bool absent, bool *out)
{
    const struct js *v = member(o, key);
    *out = absent;
    if (!v)
        return ST_OK;
    struct where at = at_key(w, key);
    if (!js_is_bool(v))
        return circe_refuse(p, &at, "expected true or false");
    *out = js_bool(v);
    return ST_OK;
}

enum status field_text(struct parser *p, const struct js *o, const struct where *w, const char *key,
                       const char **out)
{
    const struct js *v = member(o, key);
    *out = js_str(v);
    struct where at = at_key(w, key);
    return !v || *out ? ST_OK : circe_refuse(p, &at, "expected a text in quotes");
}

/* "2010-01-31"; circe-be also takes parts without leading zeros. */
static bool parse_day(const char *text, int32_t *out)
{
    int year, month, day, used = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || text[used])
        return false;
    if (strspn(text, "0123456789-") != strlen(text) || !date_valid(year, month, day))
        return false;
    *out = date_of(year, month, day);
    return true;
}

enum status field_date(struct parser *p, const struct js *o, const struct where *w, const char *key,
                       bool *has, int32_t *out)
{
    const char *text;
    *out = DATE_NONE;
    enum status s = field_text(p, o, w, key, &text);
    *has = text != NULL;
    if (s != ST_OK || !text || parse_day(text, out))
        return s;
    struct where at = at_key(w, key);
    return circe_refuse(p, &at, "expected a date such as 2010-01-31");
}

enum status field_object(struct parser *p, const struct js *o, const struct where *w, const char *key,
                         const struct js **out)
{
    const struct js *v = member(o, key);
    struct where at = at_key(w, key);
    *out = js_is(v, JS_OBJECT) ? v : NULL;
    return !v || *out ? ST_OK : circe_refuse(p, &at, "expected an object");
}

enum status field_array(struct parser *p, const struct js *o, const struct where *w, const char *key,
                        const struct js **out)
{
    const struct js *v = member(o, key);
    struct where at = at_key(w, key);
    *out = js_is(v, JS_ARRAY) ? v : NULL;
    return !v || *out ? ST_OK : circe_refuse(p, &at, "expected an array");
}

/* --- values of attributes --- */

static int name_find(const char *name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static enum status field_op(struct parser *p, const struct js *v, const struct where *w, enum range_op *out)
{
    const char *op;
    enum status s = field_text(p, v, w, "Op", &op);
    if (s != ST_OK)
        return s;
    int i = op ? name_find(op, range_op_names, N_RANGE_OPS) : -1;
    struct where at = at_key(w, "Op");
    if (i < 0)
        return circe_refuse(p, &at, "expected one of lt, lte, eq, !eq, gt, gte, bt, !bt");
    *out = (enum range_op)i;
    return ST_OK;
}

static bool op_between(enum range_op op)
{
    return op == OP_BT || op == OP_NOT_BT;
}

double round_decimal(double v)
{
    char text[48];
    js_format_double(v, text);
    char *point = strchr(text, '.'), *exponent = strchr(text, 'e');
    if (exponent)
        return exponent[1] == '-' ? 0 : v;
    if (!point || strlen(point) <= 5)
        return v;
    bool up = point[5] >= '5';
    point[5] = '\0';
    double cut = strtod(text, NULL);
    if (up)
        cut += v < 0 ? -0.0001 : 0.0001;
    snprintf(text, sizeof text, "%.4f", cut);
    return strtod(text, NULL);
}

static double as_written(double v, bool whole)
{
    if (!whole)
        return round_decimal(v);
    return v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : trunc(v);
}

static enum status need_number(struct parser *p, const struct js *v, const struct where *w, const char *key,
                               bool whole, double *out)
{
    bool has;
    enum status s = field_number(p, v, w, key, &has, out);
    if (s != ST_OK)
        return s;
    struct where at = at_key(w, key);
    if (!has)
        return circe_refuse(p, &at, "expected a number");
    *out = as_written(*out, whole);
    return ST_OK;
}

static const char *const range_keys[] = {"Op", "Value", "Extent", NULL};

enum status field_number_range(struct parser *p, const struct js *v, const struct where *w, bool whole,
                               struct number_range *out)
{
    enum status s = check_keys(p, v, w, range_keys, NULL);
    if (s == ST_OK)
        s = field_op(p, v, w, &out->op);
    if (s == ST_OK)
        s = need_number(p, v, w, "Value", whole, &out->value);
    if (s == ST_OK && op_between(out->op))
        s = need_number(p, v, w, "Extent", whole, &out->extent);
    return s;
}

static enum status need_date(struct parser *p, const struct js *v, const struct where *w, const char *key,
                             int32_t *out)
{
    bool has;
    enum status s = field_date(p, v, w, key, &has, out);
    struct where at = at_key(w, key);
    return s != ST_OK || has ? s : circe_refuse(p, &at, "expected a date such as 2010-01-31");
}

enum status field_date_range(struct parser *p, const struct js *v, const struct where *w,
                             struct date_range *out)
{
    enum status s = check_keys(p, v, w, range_keys, NULL);
    if (s == ST_OK)
        s = field_op(p, v, w, &out->op);
    if (s == ST_OK)
        s = need_date(p, v, w, "Value", &out->value);
    if (s == ST_OK && op_between(out->op))
        s = need_date(p, v, w, "Extent", &out->extent);
    return s;
}

/* circe-be takes backslashes away before a quote when it writes the text into SQL. */
static char *unescape_quotes(const char *text, struct arena *a)
{
    char *out = arena_alloc(a, strlen(text) + 1), *q = out;
    for (const char *s = text; *s;) {
        size_t slashes = strspn(s, "\\");
        if (s[slashes] == '\'')
            s += slashes;
        else
            for (; slashes; slashes--)
                *q++ = *s++;
        if (*s)
            *q++ = *s++;
    }
    return out;
}

static bool parse_text_op(const char *op, struct text_filter *out)
{
    out->negated = op[0] == '!';
    op += out->negated;
    int i = name_find(op, text_op_names, N_TEXT_OPS);
    if (i < 0)
        return false;
    out->op = (enum text_op)i;
    return true;
}

enum status field_text_filter(struct parser *p, const struct js *v, const struct where *w,
                              struct text_filter *out)
{
    static const char *const keys[] = {"Op", "Text", NULL};
    const char *op, *text;
    enum status s = check_keys(p, v, w, keys, NULL);
    if (s == ST_OK)
        s = field_text(p, v, w, "Op", &op);
    if (s == ST_OK)
        s = field_text(p, v, w, "Text", &text);
    if (s != ST_OK)
        return s;
    if (!op || !parse_text_op(op, out)) {
        struct where at = at_key(w, "Op");
        return circe_refuse(p, &at,
                            "expected eq, startsWith, endsWith or contains, with ! before it for 'not'");
    }
    struct where at = at_key(w, "Text");
    if (!text)
        return circe_refuse(p, &at, "expected a text in quotes");
    out->text = unescape_quotes(text, p->arena);
    text_filter_make(out, p->arena);
    return ST_OK;
}

static const char *const concept_keys[] = {"CONCEPT_ID",
                                           "CONCEPT_NAME",
                                           "STANDARD_CONCEPT",
                                           "STANDARD_CONCEPT_CAPTION",
                                           "INVALID_REASON",
                                           "INVALID_REASON_CAPTION",
                                           "CONCEPT_CODE",
                                           "DOMAIN_ID",
                                           "VOCABULARY_ID",
                                           "CONCEPT_CLASS_ID",
                                           "VALID_START_DATE",
                                           "VALID_END_DATE",
                                           NULL};

static enum status one_concept(struct parser *p, const struct js *v, const struct where *w,
                               struct concept_ref *out)
{
    if (!js_is(v, JS_OBJECT))
        return circe_refuse(p, w, "expected a concept: an object with CONCEPT_ID");
    bool has;
    enum status s = check_keys(p, v, w, concept_keys, NULL);
    if (s == ST_OK)
        s = field_int(p, v, w, "CONCEPT_ID", 0, &has, &out->id);
    struct where at = at_key(w, "CONCEPT_ID");
    if (s == ST_OK && !has)
        return circe_refuse(p, &at, "expected a concept id");
    const char *name = js_get_str(v, "CONCEPT_NAME");
    out->name = arena_strdup(p->arena, name ? name : "");
    return s;
}

enum status field_concepts(struct parser *p, const struct js *v, const struct where *w,
                           struct concept_list *out)
{
    out->n = js_size(v);
    out->items = arena_array(p->arena, out->n, sizeof *out->items);
    for (size_t i = 0; i < out->n; i++) {
        struct where at = at_index(w, i);
        enum status s = one_concept(p, js_at(v, i), &at, &out->items[i]);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}

enum status field_choice(struct parser *p, const struct js *v, const struct where *w, struct set_choice *out)
{
    static const char *const keys[] = {"CodesetId", "IsExclusion", NULL};
    enum status s = check_keys(p, v, w, keys, NULL);
    if (s == ST_OK)
        s = field_int(p, v, w, "CodesetId", 0, &out->has_set, &out->set);
    if (s == ST_OK)
        s = field_bool(p, v, w, "IsExclusion", false, &out->exclusion);
    return s;
}

/* --- keys --- */

/* Keys that newer versions of Circe give a meaning; the value says whether it differs from what we do. */
static bool newer_key(const char *key, const struct js *v)
{
    static const char *const units[] = {"IntervalUnit", "TimeUnit"};
    static const char *const others[] = {"TimeUnitValue", "MeasurementOperand", "UseDatetime",
                                         "EpisodeConcept"};
    if (js_is(v, JS_NULL) || js_is(v, JS_FALSE))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(key, units[i]) == 0)
            return !js_str(v) || strcasecmp(js_str(v), "day") != 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(key, others[i]) == 0)
            return true;
    return false;
}

/* Shaped as Circe shapes what filters: a range, a concept set choice, a list of concepts, criteria. */
static bool looks_like_filter(const struct js *v)
{
    if (js_is(v, JS_ARRAY))
        return js_size(v) > 0 && js_get(js_at(v, 0), "CONCEPT_ID");
    return js_is(v, JS_OBJECT) && (js_get(v, "Op") || js_get(v, "CodesetId") || js_get(v, "CriteriaList") ||
                                   js_get(v, "Coeff") || js_get(v, "StartDate"));
}

enum { MOST_KEYS = 64 };

static size_t all_keys(const char *const *known, const struct attribute_spec *attributes,
                       const char *out[MOST_KEYS])
{
    size_t n = 0;
    for (; known && *known && n < MOST_KEYS; known++)
        out[n++] = *known;
    for (; attributes && attributes->key && n < MOST_KEYS; attributes++)
        out[n++] = attributes->key;
    return n;
}

static const char *misspelt(const char *key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(key, keys[i]) == 0)
            return keys[i];
    const char *near = text_nearest(key, keys, n);
    return near && text_distance(key, near) <= 2 ? near : NULL;
}

static enum status check_unknown(struct parser *p, const char *key, const struct js *v, const struct where *w,
                                 const char *const *keys, size_t n)
{
    if (newer_key(key, v))
        return unsupported(p, w, key, "only newer versions of Circe know it");
    const char *near = js_is(v, JS_NULL) ? NULL : misspelt(key, keys, n);
    if (near)
        return circe_refuse(p, w, "Circe does not know this field; did you mean '%s'?", near);
    if (looks_like_filter(v))
        return circe_refuse(p, w, "this looks like a condition, but Circe has no such field here");
    GROW(p->d->ignored, p->d->n_ignored + 1, p->ignored_capacity);
    p->d->ignored[p->d->n_ignored++] = where_format(w, p->arena);
    return ST_OK;
}

enum status check_keys(struct parser *p, const struct js *o, const struct where *w, const char *const *known,
                       const struct attribute_spec *attributes)
{
    if (!js_is(o, JS_OBJECT))
        return circe_refuse(p, w, "expected an object");
    const char *keys[MOST_KEYS];
    size_t n = all_keys(known, attributes, keys);
    for (void *it = js_first(o); it; it = js_next(o, it)) {
        if (name_find(js_key(it), keys, (int)n) >= 0)
            continue;
        struct where at = at_key(w, js_key(it));
        enum status s = check_unknown(p, js_key(it), js_value(it), &at, keys, n);
        if (s != ST_OK)
            return s;
    }
    return ST_OK;
}
