/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/fields.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/items.h"

enum { LIST_MOST = 200 };
static const int64_t money_most_pence = 10000000000000, whole_most = 9007199254740991; /* 2^53 - 1 */

struct check {
    struct db *db;
    int32_t today;
};

static enum status check_value(const struct check *k, const struct js *v, const struct field *f,
                               const char *path, struct err *e);
static enum status check_object(const struct check *k, const struct js *object, const struct field *fields,
                                const char *path, struct err *e);

const char *field_type_name(enum field_type t)
{
    static const char *const names[] = {
        [F_TEXT] = "text",
        [F_PERSONAL] = "personal text, hashed",
        [F_ID] = "id",
        [F_ABOUT] = "noun:id",
        [F_ENUM] = "one of",
        [F_CODE] = "code",
        [F_INT] = "whole number",
        [F_NUMBER] = "number",
        [F_MONEY] = "pence",
        [F_DATE] = "date",
        [F_BOOL] = "true or false",
        [F_HASH] = "64 hex digits",
        [F_OBJECT] = "object",
        [F_LIST] = "list of objects",
        [F_TEXTS] = "list of texts",
        [F_IDS] = "list of ids",
        [F_CODES] = "list of codes",
        [F_ANY] = "anything",
    };
    return names[t];
}

static enum status wrong(struct err *e, const char *path, const char *expected)
{
    return err_set(e, ST_INVALID, "%s: expected %s", path, expected);
}

static bool blank(const char *s)
{
    return slice_trim(slice_of(s)).n == 0;
}

static enum status check_text(const struct js *v, const struct field *f, const char *path, struct err *e)
{
    const char *s = js_str(v);
    size_t most = f->most ? (size_t)f->most : FIELD_TEXT_MOST;
    if (!s || blank(s) || strlen(s) > most)
        return err_set(e, ST_INVALID, "%s: expected a text of 1 to %zu bytes", path, most);
    return ST_OK;
}

static enum status check_id(const struct check *k, const struct js *v, const struct field *f,
                            const char *path, struct err *e)
{
    const char *s = js_str(v);
    bool there = true;
    if (!s || !item_id_valid(s))
        return wrong(e, path, "an id (1 to 64 letters, digits, '.', '_', '-')");
    enum status st = f->arg ? item_exists(k->db, f->arg, s, &there, e) : ST_OK;
    if (st == ST_OK && !there)
        st = refuse(e, RULE_REFERENCE, "%s: there is no %s '%s'", path, f->arg, s);
    return st;
}

static enum status check_about(const struct check *k, const struct js *v, const struct field *f,
                               const char *path, struct err *e)
{
    char noun[24], id[72];
    bool there;
    const char *s = js_str(v);
    if (!s || !about_split(s, noun, id) || (f->arg && !word_in(f->arg, noun)))
        return err_set(e, ST_INVALID, "%s: expected noun:id%s%s", path, f->arg ? ", of " : "",
                       f->arg ? f->arg : "");
    enum status st = item_exists(k->db, noun, id, &there, e);
    if (st == ST_OK && !there)
        st = refuse(e, RULE_REFERENCE, "%s: there is no %s", path, s);
    return st;
}

static enum status check_code(const struct check *k, const char *scheme, const char *code, const char *path,
                              struct err *e)
{
    char day[16];
    int64_t n;
    if (!scheme || !code)
        return wrong(e, path, "a code {\"scheme\": …, \"code\": …}");
    snprintf(day, sizeof day, "%" PRId32, k->today);
    enum status s =
        db_number(k->db,
                  "SELECT count(*) FROM vocabulary WHERE scheme=?1 AND code=?2 AND from_day<=CAST(?3 AS INT) "
                  "AND until_day>=CAST(?3 AS INT)",
                  PARAMS(scheme, code, day), 0, &n, e);
    if (s == ST_OK && n == 0)
        s = refuse(e, RULE_VOCABULARY, "%s: '%.60s' is not a code of %.60s today", path, code, scheme);
    return s;
}

/* Each code once: whoever names one twice meant another. */
static enum status code_again(const struct js *list, size_t i, const char *path, struct err *e)
{
    const char *scheme = js_get_str(js_at(list, i), "scheme"), *code = js_get_str(js_at(list, i), "code");
    for (size_t k = 0; k < i; k++) {
        const struct js *other = js_at(list, k);
        if (strcmp(js_get_str(other, "scheme"), scheme) == 0 && strcmp(js_get_str(other, "code"), code) == 0)
            return err_set(e, ST_INVALID, "%.140s[%zu]: the code %.60s of %.60s is there already, as [%zu]",
                           path, i, code, scheme, k);
    }
    return ST_OK;
}

static enum status check_codes(const struct check *k, const struct js *v, const char *path, struct err *e)
{
    enum status s = js_is(v, JS_ARRAY) && js_size(v) > 0 && js_size(v) <= LIST_MOST
                        ? ST_OK
                        : wrong(e, path, "a list of 1 to 200 codes {\"scheme\", \"code\"}");
    for (size_t i = 0; s == ST_OK && i < js_size(v); i++) {
        char at[160];
        snprintf(at, sizeof at, "%.140s[%zu]", path, i);
        const struct js *c = js_at(v, i);
        s = js_size(c) == 2 ? check_code(k, js_get_str(c, "scheme"), js_get_str(c, "code"), at, e)
                            : wrong(e, at, "a code {\"scheme\": …, \"code\": …}");
        if (s == ST_OK)
            s = code_again(v, i, path, e);
    }
    return s;
}

static enum status check_list(const struct check *k, const struct js *v, const struct field *f,
                              const char *path, struct err *e)
{
    size_t most = f->most ? (size_t)f->most : LIST_MOST;
    struct field one = {.name = f->name, .arg = f->arg, .sub = f->sub};
    one.type = f->type == F_TEXTS ? F_TEXT : f->type == F_IDS ? F_ID : F_OBJECT;
    one.most = f->type == F_TEXTS ? 2000 : 0;
    if (!js_is(v, JS_ARRAY) || js_size(v) > most || (f->type == F_LIST && js_size(v) == 0))
        return err_set(e, ST_INVALID, "%s: expected a list of at most %zu", path, most);
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(v); i++) {
        char at[160];
        snprintf(at, sizeof at, "%.140s[%zu]", path, i);
        s = check_value(k, js_at(v, i), &one, at, e);
    }
    return s;
}

static enum status check_whole(const struct js *v, int64_t most, const char *path, struct err *e)
{
    if (!js_is(v, JS_INTEGER) || js_int(v) < 0 || js_int(v) > most)
        return err_set(e, ST_INVALID, "%s: expected a whole number from 0 to %" PRId64, path, most);
    return ST_OK;
}

static bool is_hash(const char *s)
{
    return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static enum status check_plain(const struct js *v, const struct field *f, const char *path, struct err *e)
{
    int32_t day;
    const char *s = js_str(v), *hashed = js_get_str(v, "hashed");
    switch (f->type) {
    case F_TEXT:
        return check_text(v, f, path, e);
    case F_PERSONAL:
        return is_hash(hashed) && js_size(v) == 1 ? ST_OK : wrong(e, path, "{\"hashed\": 64 hex digits}");
    case F_ENUM:
        return s && word_in(f->arg, s) ? ST_OK
                                       : err_set(e, ST_INVALID, "%s: expected one of %s", path, f->arg);
    case F_INT:
        return check_whole(v, f->most ? f->most : whole_most, path, e);
    case F_MONEY:
        return check_whole(v, money_most_pence, path, e);
    case F_NUMBER:
        return js_is_number(v) ? ST_OK : wrong(e, path, "a number");
    case F_DATE:
        return s && date_parse(slice_of(s), &day) ? ST_OK : wrong(e, path, "a date such as 2026-11-22");
    case F_BOOL:
        return js_is_bool(v) ? ST_OK : wrong(e, path, "true or false");
    case F_HASH:
        return is_hash(s) ? ST_OK : wrong(e, path, "64 lower-case hex digits");
    default:
        return ST_OK;
    }
}

static enum status check_value(const struct check *k, const struct js *v, const struct field *f,
                               const char *path, struct err *e)
{
    switch (f->type) {
    case F_ID:
        return check_id(k, v, f, path, e);
    case F_ABOUT:
        return check_about(k, v, f, path, e);
    case F_CODE:
        return check_code(k, f->arg, js_str(v), path, e);
    case F_CODES:
        return check_codes(k, v, path, e);
    case F_LIST:
    case F_TEXTS:
    case F_IDS:
        return check_list(k, v, f, path, e);
    case F_OBJECT:
        if (!js_is(v, JS_OBJECT))
            return wrong(e, path, "an object");
        return f->sub ? check_object(k, v, f->sub, path, e) : ST_OK;
    default:
        return check_plain(v, f, path, e);
    }
}

static enum status check_known(const struct js *object, const struct field *fields, const char *path,
                               struct err *e)
{
    const char *names[40];
    int n = 0;
    for (const struct field *f = fields; f && f->name && n < 39; f++)
        names[n++] = f->name;
    names[n] = NULL;
    return js_only(object, names, path, e);
}

static enum status check_object(const struct check *k, const struct js *object, const struct field *fields,
                                const char *path, struct err *e)
{
    enum status s = check_known(object, fields, path, e);
    for (const struct field *f = fields; s == ST_OK && f && f->name; f++) {
        char at[160];
        const struct js *v = js_get(object, f->name);
        snprintf(at, sizeof at, "%.120s.%s", path, f->name);
        if (v)
            s = check_value(k, v, f, at, e);
        else if (f->required)
            s = err_set(e, ST_INVALID, "%s: is missing", at);
    }
    return s;
}

static enum status text_check(const char *text, const char *path, struct err *e)
{
    return text_is_plain(text)
               ? ST_OK
               : err_set(e, ST_INVALID,
                         "%s: expected text without control characters and marks that turn its direction",
                         path);
}

enum status texts_check(const struct js *v, const char *path, struct err *e)
{
    char at[160];
    enum status s = js_is(v, JS_STRING) ? text_check(js_str(v), path, e) : ST_OK;
    for (size_t i = 0; js_is(v, JS_ARRAY) && s == ST_OK && i < js_size(v); i++) {
        snprintf(at, sizeof at, "%.140s[%zu]", path, i);
        s = texts_check(js_at(v, i), at, e);
    }
    for (void *it = js_is(v, JS_OBJECT) ? js_first(v) : NULL; it && s == ST_OK; it = js_next(v, it)) {
        s = text_check(js_key(it), path, e);
        snprintf(at, sizeof at, "%.120s.%.36s", path, js_key(it));
        if (s == ST_OK)
            s = texts_check(js_value(it), at, e);
    }
    return s;
}

enum status fields_check(struct db *d, const struct js *body, const struct field *fields, int32_t today,
                         struct err *e)
{
    const struct check k = {d, today};
    return check_object(&k, body, fields, "$.body", e);
}
