/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <stdio.h>

#include "base/date.h"

uint64_t random_below(struct random *r, uint64_t n)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return n ? (r->state * 2685821657736338717u >> 33) % n : 0;
}

static uint64_t pick(struct random *r, uint64_t n)
{
    return r ? random_below(r, n) : 0;
}

static struct js *make_word(const char *words, struct random *r)
{
    size_t n = 1;
    char word[80];
    for (const char *p = words; *p; p++)
        n += *p == '|';
    const char *p = words;
    for (size_t at = pick(r, n); at; at--)
        p = strchr(p, '|') + 1;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(p, "|"), p);
    return js_string(word);
}

static const char *pick_id(const char *noun, struct random *r, id_pool pool)
{
    const char *const *ids = pool(noun);
    size_t n = 0;
    while (ids[n])
        n++;
    return n ? ids[pick(r, n)] : "none";
}

static struct js *make_about(const struct field *f, struct random *r, id_pool pool)
{
    struct js *word = make_word(f->arg ? f->arg : "project", r);
    char text[120];
    snprintf(text, sizeof text, "%s:%s", js_str(word), pick_id(js_str(word), r, pool));
    js_free(word);
    return js_string(text);
}

static struct js *make_date(struct random *r, int32_t today)
{
    char text[11];
    date_format(today + (r ? (int32_t)random_below(r, 60) - 30 : 0), text);
    return js_string(text);
}

static struct js *make_hash(struct random *r)
{
    char text[65];
    memset(text, "1a3"[pick(r, 3)], 64);
    text[64] = '\0';
    return js_string(text);
}

static struct js *make_object(const struct field *fields, struct random *r, id_pool pool, int32_t today);

static struct js *make_list(const struct field *f, struct random *r, id_pool pool, int32_t today)
{
    struct js *list = js_array();
    for (uint64_t n = 1 + pick(r, 3); n; n--)
        if (f->type == F_LIST)
            js_push(list, make_object(f->sub, r, pool, today));
        else if (f->type == F_IDS && f->arg)
            js_push(list, js_string(pick_id(f->arg, r, pool)));
        else
            js_push(list, js_string("any"));
    return list;
}

static struct js *make_value(const struct field *f, struct random *r, id_pool pool, int32_t today)
{
    struct js *v;
    switch (f->type) {
    case F_PERSONAL:
        v = js_object();
        js_put(v, "hashed", make_hash(r));
        return v;
    case F_ID:
        return js_string(f->arg ? pick_id(f->arg, r, pool) : "x1");
    case F_ABOUT:
        return make_about(f, r, pool);
    case F_ENUM:
        return make_word(f->arg, r);
    case F_CODE:
        return js_string("c1");
    case F_CODES:
        v = js_array();
        js_push(v, js_object());
        js_put_str(js_edit_at(v, 0), "scheme", "pathway-stage");
        js_put_str(js_edit_at(v, 0), "code", pick(r, 2) ? "c2" : "c1");
        return v;
    case F_INT:
        return js_integer((int64_t)pick(r, 4));
    case F_MONEY:
        return js_integer((int64_t)pick(r, 100000));
    case F_NUMBER:
        return js_integer((int64_t)pick(r, 10));
    case F_DATE:
        return make_date(r, today);
    case F_BOOL:
        return js_boolean(pick(r, 2) == 0);
    case F_HASH:
        return make_hash(r);
    case F_OBJECT:
        return make_object(f->sub, r, pool, today);
    case F_LIST:
    case F_IDS:
    case F_TEXTS:
        return make_list(f, r, pool, today);
    default:
        return js_string("text");
    }
}

static struct js *make_object(const struct field *fields, struct random *r, id_pool pool, int32_t today)
{
    struct js *object = js_object();
    for (const struct field *f = fields; f && f->name; f++)
        if (f->required || (r && random_below(r, 3) == 0))
            js_put(object, f->name, make_value(f, r, pool, today));
    return object;
}

struct js *generate_body(const struct verb *v, struct random *r, id_pool pool, int32_t today)
{
    return make_object(v->fields, r, pool, today);
}
