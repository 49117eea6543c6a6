/* SPDX-License-Identifier: Apache-2.0
 * Hostile bodies made from the table of verbs: each required member left out, each member of another type,
 * too long, unknown beside the known: all refused with the member named, nothing appended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "generate.h"
#include "govern/fields.h"
#include "story.h"

static struct story *story;
static int32_t today;

static const char *const *pool(const char *noun)
{
    static const char *const body[] = {"T0", NULL}, *const person[] = {"ada", NULL},
                             *const any[] = {"a1", NULL};
    if (strcmp(noun, "body") == 0)
        return body;
    return strcmp(noun, "person") == 0 ? person : any;
}

static int setup(void **state)
{
    (void)state;
    story = story_new();
    story_people(story);
    story_agreement(story);
    today = (int32_t)(time_now_ms() / 86400000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    story_free(story);
    return 0;
}

static struct db *db(void)
{
    return ledger_db(registry_ledger(story->r));
}

/* The body must be refused, and the fault must name the member. */
static void named(const struct verb *v, const struct js *body, const char *member)
{
    struct err e = {0};
    char path[120];
    snprintf(path, sizeof path, "$.body.%s", member);
    enum status s = fields_check(db(), body, v->fields, today, &e);
    if (s == ST_OK || status_http(s) >= 500 || !strstr(e.text, path))
        fail_msg("%s, %s: %s '%s'", v->name, member, status_name(s), e.text);
}

static void every_required_member_left_out_is_named(void **state)
{
    (void)state;
    for (const struct verb *v = verbs; v->name; v++)
        for (const struct field *f = v->fields; f && f->name; f++) {
            struct field only[] = {*f, {0}}; /* others may refer to what this small register does not have */
            struct verb one = *v;
            struct js *empty = js_object();
            one.fields = only;
            if (f->required)
                named(&one, empty, f->name);
            js_free(empty);
        }
}

static struct js *hostile(enum field_type t, int kind)
{
    static char long_text[70000];
    struct js *deep = js_array();
    memset(long_text, 'x', sizeof long_text - 1);
    switch (kind) {
    case 0:
        js_free(deep);
        return js_null();
    case 1:
        js_free(deep);
        return t == F_NUMBER || t == F_INT || t == F_MONEY ? js_string("7") : js_integer(-7);
    case 2:
        js_free(deep);
        return js_string(long_text);
    case 3:
        for (int i = 0; i < 100; i++) {
            struct js *outer = js_array();
            js_push(outer, deep);
            deep = outer;
        }
        return deep;
    default:
        js_free(deep);
        return t == F_TEXT ? js_string(" \t\n") : js_string("\x01 ' OR 1=1 --");
    }
}

static void every_member_of_a_wrong_kind_is_named(void **state)
{
    (void)state;
    for (const struct verb *v = verbs; v->name; v++)
        for (const struct field *f = v->fields; f && f->name; f++)
            for (int kind = 0; kind < 5; kind++) {
                struct field only[] = {*f, {0}};
                struct verb one = *v;
                struct js *body = js_object();
                one.fields = only;
                js_put(body, f->name, hostile(f->type, kind));
                named(&one, body, f->name);
                js_free(body);
            }
}

static void an_unknown_member_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    for (const struct verb *v = verbs; v->name; v++) {
        struct err e = {0};
        struct js *body = generate_body(v, NULL, pool, today);
        js_put_str(body, "patient_name", "x");
        assert_int_equal(fields_check(db(), body, v->fields, today, &e), ST_INVALID);
        assert_non_null(strstr(e.text, "patient_name"));
        js_free(body);
    }
}

static void a_refused_body_leaves_no_entry(void **state)
{
    int64_t before, after;
    (void)state;
    assert_int_equal(ledger_size(registry_ledger(story->r), &before, NULL), ST_OK);
    for (const struct verb *v = verbs; v->name; v++) {
        char *subject = xasprintf("%.*s:x", (int)strcspn(v->name, "."), v->name);
        assert_int_not_equal(act(story, story->steward, v->name, subject, "{'nonsense': [1, {'a': null}]}"),
                             ST_OK);
        free(subject);
    }
    assert_int_equal(ledger_size(registry_ledger(story->r), &after, NULL), ST_OK);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_required_member_left_out_is_named),
        cmocka_unit_test(every_member_of_a_wrong_kind_is_named),
        cmocka_unit_test(an_unknown_member_is_refused_with_the_nearest_name),
        cmocka_unit_test(a_refused_body_leaves_no_entry),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
