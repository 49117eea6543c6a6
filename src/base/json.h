/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to JSON (jansson; only json.c includes it, hence the prefix js_ and not json_). Values are
 * reference-counted; a parsed or built tree is freed by js_free on its root. Duplicate keys, NaN, \u0000, bad
 * UTF-8, trailing bytes and nesting over 2048 are refused. Getters borrow: what they return lives as long as
 * the tree. Not thread-safe for writing.
 */
#ifndef ACCORD_BASE_JSON_H
#define ACCORD_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct js;
enum js_type { JS_OBJECT, JS_ARRAY, JS_STRING, JS_INTEGER, JS_REAL, JS_TRUE, JS_FALSE, JS_NULL };

/* `name` is what errors call the text ("study.json", "request body"); errors say line and column. */
MUST_CHECK enum status js_parse(struct slice text, const char *name, struct js **out, struct err *e);
MUST_CHECK enum status js_load(const char *path, struct js **out,
                               struct err *e); /* a file of at most 64 MiB */
void js_free(struct js *j);                    /* gives back one reference; NULL is fine */
struct js *js_share(const struct js *j);       /* one more reference */
struct js *js_copy(const struct js *j);        /* deep */
bool js_equal(const struct js *a, const struct js *b);

/* Reading. Absent, or of another type: NULL, 0, false. */
enum js_type js_type(const struct js *j);
bool js_is(const struct js *j, enum js_type t); /* false for NULL */
bool js_is_number(const struct js *j);
bool js_is_bool(const struct js *j);
const struct js *js_get(const struct js *object, const char *key);
size_t js_size(const struct js *j); /* members or elements */
/* Whether one of the array's elements is this text; never for NULL, and for what is no array. */
bool js_has_text(const struct js *array, const char *text);
const struct js *js_at(const struct js *array, size_t i);
const char *js_str(const struct js *j); /* UTF-8 without NUL inside */
int64_t js_int(const struct js *j);     /* integers only */
double js_num(const struct js *j);      /* integer or real */
bool js_bool(const struct js *j);
const char *js_get_str(const struct js *object, const char *key); /* js_str(js_get(...)) */
int64_t js_get_int(const struct js *object, const char *key, int64_t absent);
/* Members in insertion order: for (void *it = js_first(o); it; it = js_next(o, it)) js_key(it), js_value(it).
 */
void *js_first(const struct js *object);
void *js_next(const struct js *object, void *it);
const char *js_key(void *it);
const struct js *js_value(void *it);

/* Required members: ST_INVALID says "path.key: expected a string". `path` is where `object` is ("$",
 * "$.cohorts[0]"). */
MUST_CHECK enum status js_need_str(const struct js *object, const char *key, const char *path,
                                   const char **out, struct err *e);
MUST_CHECK enum status js_need_int(const struct js *object, const char *key, const char *path, int64_t min,
                                   int64_t max, int64_t *out, struct err *e);
MUST_CHECK enum status js_need(const struct js *object, const char *key, enum js_type t, const char *path,
                               const struct js **out, struct err *e);
/* Refuses members that are not in `allowed` (NULL-terminated), with the nearest name. */
MUST_CHECK enum status js_only(const struct js *object, const char *const *allowed, const char *path,
                               struct err *e);

/* Building. Each new value is owned by the caller until put or pushed, which take it over (also on error).
 * Put replaces. */
struct js *js_object(void);
struct js *js_array(void);
struct js *js_string(const char *utf8); /* bad UTF-8 becomes U+FFFD */
struct js *js_integer(int64_t v);
struct js *js_real(double v);   /* NaN and infinities become null */
struct js *js_number(double v); /* an integer where it is one within +-2^53, else js_real */
struct js *js_boolean(bool v);
struct js *js_null(void);
void js_put(struct js *object, const char *key, struct js *value);
void js_put_str(struct js *object, const char *key, const char *utf8);
void js_put_int(struct js *object, const char *key, int64_t v);
void js_drop(struct js *object, const char *key);
/* A member or element that may be changed in place, because the whole tree may be; NULL when absent. */
struct js *js_edit(struct js *object, const char *key);
struct js *js_edit_at(struct js *array, size_t i);
void js_push(struct js *array, struct js *value);

/* Writing. CANONICAL is RFC 8785 (sorted keys, ECMAScript numbers), the form that is hashed and signed;
   integers must be within +-(2^53 - 1) there, which js_canonical checks. PRETTY indents by two. */
enum js_style { JS_COMPACT, JS_PRETTY };
void js_format(const struct js *j, enum js_style style, struct buf *out);
MUST_CHECK enum status js_canonical(const struct js *j, struct buf *out, struct err *e);
/* ECMAScript Number::toString of a finite double into out (at most 32 bytes with the NUL). */
void js_format_double(double v, char out[32]);

#endif
