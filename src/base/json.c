/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

/* struct js is jansson's json_t by another name; this file is the only place that knows. */
static json_t *as_json_t(const struct js *j)
{
    return (json_t *)(uintptr_t)j;
}

static struct js *from_json_t(json_t *j)
{
    return (struct js *)j;
}

static struct js *made(json_t *j)
{
    if (!j) {
        fputs("accord: out of memory\n", stderr);
        exit(status_exit_code(ST_NO_MEMORY));
    }
    return from_json_t(j);
}

enum status js_parse(struct slice text, const char *name, struct js **out, struct err *e)
{
    json_error_t je;
    *out = NULL;
    json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (!j) {
        /* jansson quotes the input after " near "; values stay out of the public text. */
        char *near = strstr(je.text, " near '");
        if (near)
            *near = '\0';
        enum status s = err_set(e, ST_INVALID, "%s: line %d, column %d: not valid JSON: %s", name, je.line,
                                je.column, je.text);
        if (near)
            err_detail(e, "near '%s", near + 7);
        return s;
    }
    *out = from_json_t(j);
    return ST_OK;
}

enum status js_load(const char *path, struct js **out, struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)64 << 20);
    *out = NULL;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct slice bytes = {NULL, 0};
    enum status s = file_read(path, &text, e);
    if (s == ST_OK)
        s = text_of_file(buf_slice(&text), name, &bytes, e);
    if (s == ST_OK)
        s = js_parse(bytes, name, out, e);
    buf_deinit(&text);
    return s;
}

void js_free(struct js *j)
{
    json_decref(as_json_t(j));
}

struct js *js_share(const struct js *j)
{
    return from_json_t(json_incref(as_json_t(j)));
}

struct js *js_copy(const struct js *j)
{
    return made(json_deep_copy(as_json_t(j)));
}

bool js_equal(const struct js *a, const struct js *b)
{
    return json_equal(as_json_t(a), as_json_t(b)) == 1;
}

enum js_type js_type(const struct js *j)
{
    switch (json_typeof(as_json_t(j))) {
    case JSON_OBJECT:
        return JS_OBJECT;
    case JSON_ARRAY:
        return JS_ARRAY;
    case JSON_STRING:
        return JS_STRING;
    case JSON_INTEGER:
        return JS_INTEGER;
    case JSON_REAL:
        return JS_REAL;
    case JSON_TRUE:
        return JS_TRUE;
    case JSON_FALSE:
        return JS_FALSE;
    default:
        return JS_NULL;
    }
}

bool js_is(const struct js *j, enum js_type t)
{
    return j && js_type(j) == t;
}

bool js_is_number(const struct js *j)
{
    return js_is(j, JS_INTEGER) || js_is(j, JS_REAL);
}

bool js_is_bool(const struct js *j)
{
    return js_is(j, JS_TRUE) || js_is(j, JS_FALSE);
}

const struct js *js_get(const struct js *object, const char *key)
{
    return object ? from_json_t(json_object_get(as_json_t(object), key)) : NULL;
}

size_t js_size(const struct js *j)
{
    if (js_is(j, JS_OBJECT))
        return json_object_size(as_json_t(j));
    return js_is(j, JS_ARRAY) ? json_array_size(as_json_t(j)) : 0;
}

bool js_has_text(const struct js *array, const char *text)
{
    for (size_t i = 0; text && js_is(array, JS_ARRAY) && i < js_size(array); i++) {
        const char *element = js_str(js_at(array, i));
        if (element && strcmp(element, text) == 0)
            return true;
    }
    return false;
}

const struct js *js_at(const struct js *array, size_t i)
{
    return array ? from_json_t(json_array_get(as_json_t(array), i)) : NULL;
}

const char *js_str(const struct js *j)
{
    return js_is(j, JS_STRING) ? json_string_value(as_json_t(j)) : NULL;
}

int64_t js_int(const struct js *j)
{
    return js_is(j, JS_INTEGER) ? json_integer_value(as_json_t(j)) : 0;
}

double js_num(const struct js *j)
{
    return js_is_number(j) ? json_number_value(as_json_t(j)) : 0;
}

bool js_bool(const struct js *j)
{
    return js_is(j, JS_TRUE);
}

const char *js_get_str(const struct js *object, const char *key)
{
    return js_str(js_get(object, key));
}

int64_t js_get_int(const struct js *object, const char *key, int64_t absent)
{
    const struct js *v = js_get(object, key);
    return js_is(v, JS_INTEGER) ? js_int(v) : absent;
}

void *js_first(const struct js *object)
{
    return js_is(object, JS_OBJECT) ? json_object_iter(as_json_t(object)) : NULL;
}

void *js_next(const struct js *object, void *it)
{
    return json_object_iter_next(as_json_t(object), it);
}

const char *js_key(void *it)
{
    return json_object_iter_key(it);
}

const struct js *js_value(void *it)
{
    return from_json_t(json_object_iter_value(it));
}

static const char *const type_words[] = {
    [JS_OBJECT] = "an object", [JS_ARRAY] = "an array",
    [JS_STRING] = "a string",  [JS_INTEGER] = "a whole number",
    [JS_REAL] = "a number",    [JS_TRUE] = "true",
    [JS_FALSE] = "false",      [JS_NULL] = "null",
};

enum status js_need(const struct js *object, const char *key, enum js_type t, const char *path,
                    const struct js **out, struct err *e)
{
    *out = js_get(object, key);
    if (js_is(*out, t))
        return ST_OK;
    const char *found = *out ? type_words[js_type(*out)] : "nothing";
    *out = NULL;
    return err_set(e, ST_INVALID, "%s.%s: expected %s, found %s", path, key, type_words[t], found);
}

enum status js_need_str(const struct js *object, const char *key, const char *path, const char **out,
                        struct err *e)
{
    const struct js *v;
    enum status s = js_need(object, key, JS_STRING, path, &v, e);
    *out = s == ST_OK ? js_str(v) : NULL;
    return s;
}

enum status js_need_int(const struct js *object, const char *key, const char *path, int64_t min, int64_t max,
                        int64_t *out, struct err *e)
{
    const struct js *v;
    enum status s = js_need(object, key, JS_INTEGER, path, &v, e);
    *out = s == ST_OK ? js_int(v) : 0;
    if (s == ST_OK && (*out < min || *out > max))
        return err_set(e, ST_INVALID, "%s.%s: expected a whole number from %" PRId64 " to %" PRId64, path,
                       key, min, max);
    return s;
}

enum status js_only(const struct js *object, const char *const *allowed, const char *path, struct err *e)
{
    size_t n = 0;
    while (allowed[n])
        n++;
    for (void *it = js_first(object); it; it = js_next(object, it)) {
        size_t i = 0;
        while (i < n && strcmp(allowed[i], js_key(it)) != 0)
            i++;
        if (i < n)
            continue;
        const char *near = text_nearest(js_key(it), allowed, n);
        return err_set(e, ST_INVALID, "%s.%.60s: unknown field%s%s%s", path, js_key(it),
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return ST_OK;
}

struct js *js_object(void)
{
    return made(json_object());
}

struct js *js_array(void)
{
    return made(json_array());
}

struct js *js_string(const char *utf8)
{
    json_t *j = json_string(utf8);
    if (j)
        return from_json_t(j);
    struct buf clean; /* replace each byte that is not ASCII: only foreign, broken text gets here */
    buf_init(&clean, strlen(utf8) * 3 + 1);
    for (const char *p = utf8; *p; p++) {
        if ((unsigned char)*p < 0x80)
            buf_addc(&clean, *p);
        else
            buf_adds(&clean, "\xef\xbf\xbd");
    }
    j = json_string(clean.p);
    buf_deinit(&clean);
    return made(j);
}

struct js *js_integer(int64_t v)
{
    return made(json_integer(v));
}

struct js *js_real(double v)
{
    return isfinite(v) ? made(json_real(v)) : made(json_null());
}

struct js *js_number(double v)
{
    return v == floor(v) && fabs(v) < 9007199254740992.0 ? js_integer((int64_t)v) : js_real(v);
}

struct js *js_boolean(bool v)
{
    return made(json_boolean(v));
}

struct js *js_null(void)
{
    return made(json_null());
}

void js_put(struct js *object, const char *key, struct js *value)
{
    if (json_object_set_new(as_json_t(object), key, as_json_t(value)) != 0)
        abort(); /* only a caller's fault: not an object, bad UTF-8 in a key, or itself as a member */
}

void js_put_str(struct js *object, const char *key, const char *utf8)
{
    js_put(object, key, js_string(utf8));
}

void js_put_int(struct js *object, const char *key, int64_t v)
{
    js_put(object, key, js_integer(v));
}

struct js *js_edit(struct js *object, const char *key)
{
    return from_json_t(json_object_get(as_json_t(object), key));
}

struct js *js_edit_at(struct js *array, size_t i)
{
    return from_json_t(json_array_get(as_json_t(array), i));
}

void js_drop(struct js *object, const char *key)
{
    json_object_del(as_json_t(object), key);
}

void js_push(struct js *array, struct js *value)
{
    if (json_array_append_new(as_json_t(array), as_json_t(value)) != 0)
        abort();
}

/* --- writing: one writer for the three styles; jansson's own prints reals with 17 digits and sorts keys by
 * bytes --- */

/* The digits and exponent of the shortest decimal that reads back as v (try 15, 16, 17 digits), then laid out
   as ECMA-262 section 6.1.6.1.20 (Number::toString) says. */
void js_format_double(double v, char out[32])
{
    if (v == 0) {
        strcpy(out, "0");
        return;
    }
    char text[40];
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        if (strtod(text, NULL) == v)
            break;
    }
    char digits[24];
    int n_digits = 0;
    const char *p = text;
    bool negative = *p == '-';
    for (p += negative; *p != 'e'; p++)
        if (*p != '.')
            digits[n_digits++] = *p;
    int point = atoi(p + 1) + 1; /* value = 0.digits * 10^point */
    char *q = out;
    if (negative)
        *q++ = '-';
    if (point > 21 || point < -5) {
        *q++ = digits[0];
        if (n_digits > 1) {
            *q++ = '.';
            memcpy(q, digits + 1, (size_t)n_digits - 1);
            q += n_digits - 1;
        }
        snprintf(q, 8, "e%+d", point - 1);
        return;
    }
    for (int i = point <= 0 ? point - 1 : 0; i < (n_digits > point ? n_digits : point); i++) {
        if (i == point)
            *q++ = '.';
        if (i == point - 1 && point <= 0) {
            *q++ = '0';
            continue;
        }
        *q++ = i >= 0 && i < n_digits ? digits[i] : '0';
    }
    *q = '\0';
}

static void write_string(const char *s, struct buf *out)
{
    static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    buf_addc(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            buf_addc(out, '\\');
            buf_addc(out, *s);
        } else if (c < 0x20 && c < sizeof short_form && short_form[c]) {
            buf_addc(out, '\\');
            buf_addc(out, short_form[c]);
        } else if (c < 0x20) {
            buf_printf(out, "\\u%04x", c);
        } else {
            buf_addc(out, *s);
        }
    }
    buf_addc(out, '"');
}

enum write_mode { WRITE_COMPACT, WRITE_PRETTY, WRITE_CANONICAL };

/* UTF-16 code unit order of two UTF-8 texts (RFC 8785 section 3.2.3). It differs from byte order only where a
   character above U+FFFF (a surrogate pair, 0xD800..) meets one in U+E000..U+FFFF: lead bytes 0xF0.. against
   0xEE, 0xEF. */
static int utf16_order(const void *a, const void *b)
{
    const unsigned char *p = *(const unsigned char *const *)a, *q = *(const unsigned char *const *)b;
    while (*p && *p == *q) {
        p++;
        q++;
    }
    bool p_astral = *p >= 0xf0, q_astral = *q >= 0xf0;
    if (p_astral != q_astral && (*p >= 0xee && *q >= 0xee))
        return p_astral ? -1 : 1;
    return (int)*p - (int)*q;
}

static void write_value(const struct js *j, enum write_mode mode, int depth, struct buf *out);

static void write_break(enum write_mode mode, int depth, struct buf *out)
{
    if (mode != WRITE_PRETTY)
        return;
    buf_addc(out, '\n');
    for (int i = 0; i < depth; i++)
        buf_adds(out, "  ");
}

static void write_object(const struct js *j, enum write_mode mode, int depth, struct buf *out)
{
    size_t n = js_size(j), i = 0;
    const char **keys = xcalloc(n, sizeof *keys);
    for (void *it = js_first(j); it; it = js_next(j, it))
        keys[i++] = js_key(it);
    if (mode == WRITE_CANONICAL)
        qsort(keys, n, sizeof *keys, utf16_order);
    buf_addc(out, '{');
    for (i = 0; i < n; i++) {
        if (i)
            buf_addc(out, ',');
        write_break(mode, depth + 1, out);
        write_string(keys[i], out);
        buf_adds(out, mode == WRITE_PRETTY ? ": " : ":");
        write_value(js_get(j, keys[i]), mode, depth + 1, out);
    }
    if (n)
        write_break(mode, depth, out);
    buf_addc(out, '}');
    free(keys);
}

static void write_array(const struct js *j, enum write_mode mode, int depth, struct buf *out)
{
    size_t n = js_size(j);
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_addc(out, ',');
        write_break(mode, depth + 1, out);
        write_value(js_at(j, i), mode, depth + 1, out);
    }
    if (n)
        write_break(mode, depth, out);
    buf_addc(out, ']');
}

static void write_value(const struct js *j, enum write_mode mode, int depth, struct buf *out)
{
    char number[32];
    switch (js_type(j)) {
    case JS_OBJECT:
        write_object(j, mode, depth, out);
        break;
    case JS_ARRAY:
        write_array(j, mode, depth, out);
        break;
    case JS_STRING:
        write_string(js_str(j), out);
        break;
    case JS_INTEGER:
        buf_printf(out, "%" PRId64, js_int(j));
        break;
    case JS_REAL:
        js_format_double(js_num(j), number);
        buf_adds(out, number);
        /* keep a real a real when it is read again; canonical numbers have one form only */
        if (mode != WRITE_CANONICAL && !strpbrk(number, ".e"))
            buf_adds(out, ".0");
        break;
    default:
        buf_adds(out, js_is(j, JS_NULL) ? "null" : js_bool(j) ? "true" : "false");
    }
}

void js_format(const struct js *j, enum js_style style, struct buf *out)
{
    write_value(j, style == JS_PRETTY ? WRITE_PRETTY : WRITE_COMPACT, 0, out);
}

static bool integers_fit(const struct js *j)
{
    const int64_t most = ((int64_t)1 << 53) - 1;
    if (js_is(j, JS_INTEGER))
        return js_int(j) <= most && js_int(j) >= -most;
    if (js_is(j, JS_ARRAY))
        for (size_t i = 0; i < js_size(j); i++)
            if (!integers_fit(js_at(j, i)))
                return false;
    for (void *it = js_first(j); it; it = js_next(j, it))
        if (!integers_fit(js_value(it)))
            return false;
    return true;
}

enum status js_canonical(const struct js *j, struct buf *out, struct err *e)
{
    if (!integers_fit(j))
        return err_set(
            e, ST_INVALID,
            "a whole number lies outside +-(2^53 - 1), which canonical JSON (RFC 8785) cannot hold");
    write_value(j, WRITE_CANONICAL, 0, out);
    return buf_check(out, "canonical JSON", e);
}
