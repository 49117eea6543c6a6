/* SPDX-License-Identifier: Apache-2.0
 * Every cell of the permission table, verb by role by state, through registry_apply: what the table allows
 * gets past the table, what it does not is refused with the rule named; the same role for another body does
 * not count. */
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
#include "govern/items.h"

enum { INSIDE, OUTSIDE, SIDES };

static struct fixture {
    struct registry *r;
    struct identity *hub, *nobody, *person[SIDES][ROLES], *node[SIDES];
    int32_t today;
} f;

static const char *const bodies[SIDES] = {"inside", "outside"};

static void put_item(const char *noun, const char *id, const char *state, const char *body, const char *doc)
{
    struct js *j;
    assert_int_equal(js_parse(slice_of(doc), "doc", &j, NULL), ST_OK);
    const struct item i = {
        .doc = j, .state = (char *)(uintptr_t)state, .body = (char *)(uintptr_t)body, .about = NULL};
    assert_int_equal(item_put(ledger_db(registry_ledger(f.r)), noun, id, &i, NULL), ST_OK);
    js_free(j);
}

static void sql(const char *text)
{
    struct err e = {0};
    if (db_exec(ledger_db(registry_ledger(f.r)), text, &e) != ST_OK)
        fail_msg("%s: %s", text, e.detail);
}

static struct identity *make_person(enum role role, int side)
{
    char id[40], text[400], key[2 * SIGN_PUBLIC_BYTES + 1];
    struct identity *who = identity_new();
    snprintf(id, sizeof id, "%s-%s", role_name(role), bodies[side]);
    snprintf(
        text, sizeof text,
        "{\"body\":\"%s\",\"declared\":\"2026-06-01\",\"proofs\":[{\"kind\":\"safe-researcher\",\"until\":"
        "\"9999-01-01\"},{\"kind\":\"output-checking\",\"until\":\"9999-01-01\"}]}",
        bodies[side]);
    char day[11];
    date_format(f.today, day);
    memcpy(strstr(text, "2026-06-01"), day, 10);
    put_item("person", id, "registered", bodies[side], text);
    hex_encode(who->sign_public, SIGN_PUBLIC_BYTES, key);
    snprintf(text, sizeof text, "INSERT INTO actor VALUES('%s', 'person', '%s')", key, id);
    sql(text);
    snprintf(text, sizeof text, "INSERT INTO held VALUES('%s', '%s', '%s', '', 0, 9999999)", id,
             role_name(role), bodies[side]);
    sql(text);
    return who;
}

static struct identity *make_node(int side)
{
    char text[300], key[2 * SIGN_PUBLIC_BYTES + 1];
    struct identity *who = identity_new();
    hex_encode(who->sign_public, SIGN_PUBLIC_BYTES, key);
    put_item("node", bodies[side], "enrolled", bodies[side], "{}");
    snprintf(text, sizeof text, "INSERT INTO actor VALUES('%s', 'node', '%s')", key, bodies[side]);
    sql(text);
    return who;
}

static int setup(void **state)
{
    (void)state;
    f.today = (int32_t)(time_now_ms() / 86400000);
    f.hub = identity_new();
    f.nobody = identity_new();
    assert_int_equal(registry_open(":memory:", DB_CREATE, f.hub, "test.example/register", &f.r, NULL), ST_OK);
    for (int side = 0; side < SIDES; side++) {
        put_item("body", bodies[side], "registered", bodies[side], "{\"kind\":\"trust\",\"name\":\"x\"}");
        for (int r = ROLE_PUBLIC + 1; r < ROLE_NODE; r++)
            f.person[side][r] = make_person((enum role)r, side);
        f.node[side] = make_node(side);
    }
    sql("INSERT INTO vocabulary VALUES('pathway-stage', 'c1', -1000000, 9999999, 'c1', '', NULL)");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    registry_close(f.r);
    identity_free(f.hub);
    identity_free(f.nobody);
    for (int side = 0; side < SIDES; side++) {
        identity_free(f.node[side]);
        for (int r = 0; r < ROLES; r++)
            if (f.person[side][r])
                identity_free(f.person[side][r]);
    }
    return 0;
}

static const char *const *pool(const char *noun)
{
    static const char *const one[] = {"t1", NULL}, *const body[] = {"inside", NULL},
                             *const person[] = {"member-inside", NULL};
    if (strcmp(noun, "body") == 0)
        return body;
    return strcmp(noun, "person") == 0 ? person : one;
}

/* One item of each noun that references may name, and the subject itself. */
static void put_references(void)
{
    static const char *const nouns[] = {"agreement", "run",      "artefact", "project",    "signal",
                                        "measure",   "transfer", "review",   "vocabulary", "template"};
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        put_item(nouns[i], "t1", "draft", "inside", "{\"body\":\"inside\"}");
    sql("DELETE FROM party; INSERT INTO party VALUES('agreement', 't1', 'inside', 'site');"
        "INSERT INTO party VALUES('run', 't1', 'inside', 'site'); INSERT INTO party VALUES('project', 't1', "
        "'inside', "
        "'site'); INSERT INTO party VALUES('artefact', 't1', 'inside', 'site');");
}

struct cell {
    const struct verb *verb;
    enum role role;
    int side;
    const char *state; /* NULL = the item does not exist */
};

static const struct identity *actor_of(const struct cell *k)
{
    if (k->role == ROLE_HUB)
        return f.hub;
    if (k->role == ROLE_NODE)
        return f.node[k->side];
    return k->role == ROLE_PUBLIC ? f.nobody : f.person[k->side][k->role];
}

static bool is_person(enum role r)
{
    return r != ROLE_PUBLIC && r != ROLE_NODE && r != ROLE_HUB;
}

/* What the table says, worked out from its row alone. */
static bool table_allows(const struct cell *k)
{
    const struct verb *v = k->verb;
    bool has = v->roles >> k->role & 1, inside = k->side == INSIDE;
    if (v->roles & ROLE(PUBLIC))
        return v->relation != OF_SELF || is_person(k->role);
    if (!has || k->role == ROLE_HUB || k->role == ROLE_STEWARD)
        return has;
    switch (v->relation) {
    case OF_OWNER:
    case OF_PARTY:
        return inside;
    case OF_OUTSIDE:
        return !inside;
    default:
        return true;
    }
}

static void subject_of(const struct cell *k, char noun[24], char id[72])
{
    snprintf(noun, 24, "%.*s", (int)strcspn(k->verb->name, "."), k->verb->name);
    if (strcmp(noun, "person") == 0 && k->verb->relation == OF_SELF && is_person(k->role))
        snprintf(id, 72, "%s-%s", role_name(k->role), bodies[k->side]);
    else
        snprintf(id, 72, "%s", strcmp(noun, "register") == 0 ? "accord" : "subject");
}

static void put_subject(const struct cell *k, const char *noun, const char *id)
{
    char doc[300];
    if (!k->state)
        return;
    snprintf(doc, sizeof doc,
             "{\"body\":\"inside\",\"person\":\"%s-%s\",\"declared\":\"9999-01-01\",\"role\":\"member\"}",
             role_name(k->role), bodies[k->side]);
    put_item(noun, id, k->state, "inside", doc);
    char text[300];
    snprintf(text, sizeof text, "INSERT OR IGNORE INTO party VALUES('%s', '%s', 'inside', 'site')", noun, id);
    sql(text);
}

static enum status try_cell(const struct cell *k, struct err *e)
{
    char noun[24], id[72], subject[100];
    struct js *command, *body = generate_body(k->verb, NULL, pool, f.today);
    subject_of(k, noun, id);
    put_subject(k, noun, id);
    snprintf(subject, sizeof subject, "%s:%s", noun, id);
    if (strcmp(k->verb->name, "agreement.draft") == 0 || strcmp(k->verb->name, "project.draft") == 0)
        assert_int_equal(js_parse(SLICE("[{\"body\":\"inside\",\"role\":\"site\"}]"), "p", &command, NULL),
                         ST_OK),
            js_put(body, "parties", command);
    assert_int_equal(command_make(actor_of(k), k->verb->name, subject, body, &command, e), ST_OK);
    enum status s = registry_apply(f.r, command, NULL, e);
    js_free(command);
    return s;
}

static void check_cell(const struct cell *k)
{
    struct err e = {0};
    bool self = k->verb->relation == OF_SELF && strncmp(k->verb->name, "person.", 7) == 0;
    if (self && is_person(k->role) && !k->state)
        return; /* whoever acts for themselves is there */
    put_references();
    enum status s = try_cell(k, &e);
    bool by_table = strstr(e.text, "rule permission") && strstr(e.text, " is for: ");
    bool by_state = strstr(e.text, "rule state") && strstr(e.text, " needs ");
    bool right;
    if (!k->state && !verb_in_state(k->verb, NULL))
        right = s == ST_NOT_FOUND;
    else if (k->state && !k->verb->from)
        right = s == ST_CONFLICT && strstr(e.text, "rule exists");
    else if (!table_allows(k))
        right = s == ST_DENIED && by_table;
    else if (!verb_in_state(k->verb, k->state))
        right = s == ST_CONFLICT && by_state;
    else
        right = !by_table && !by_state; /* a guard may still refuse */
    if (!right)
        fail_msg("%s by %s of %s, state %s: %s '%s'", k->verb->name, role_name(k->role), bodies[k->side],
                 k->state ? k->state : "(none)", status_name(s), e.text);
}

/* Every state that some verb of the noun leaves or reaches. */
static size_t states_of(const char *noun, char states[24][24])
{
    size_t n = 0;
    for (const struct verb *v = verbs; v->name; v++) {
        if (strncmp(v->name, noun, strlen(noun)) != 0 || v->name[strlen(noun)] != '.')
            continue;
        char *words = xasprintf("%s|%s", v->from ? v->from : "", v->to ? v->to : ""), *rest = words;
        for (char *w; (w = strsep(&rest, "|"));) {
            size_t i = 0;
            while (i < n && strcmp(states[i], w) != 0)
                i++;
            if (i == n && *w && strcmp(w, "new") != 0 && strcmp(w, "*") != 0)
                snprintf(states[n++], 24, "%s", w);
        }
        free(words);
    }
    return n;
}

static void every_cell_of_the_table_holds(void **state)
{
    size_t cells = 0;
    (void)state;
    for (const struct verb *v = verbs; v->name; v++) {
        char noun[24], states[24][24];
        snprintf(noun, sizeof noun, "%.*s", (int)strcspn(v->name, "."), v->name);
        size_t n = states_of(noun, states);
        for (int side = 0; side < SIDES; side++)
            for (int r = 0; r < ROLES; r++)
                for (size_t i = 0; i <= n; i++) {
                    const struct cell k = {v, (enum role)r, side, i < n ? states[i] : NULL};
                    assert_int_equal(registry_begin(f.r, NULL), ST_OK);
                    check_cell(&k);
                    ledger_rollback(registry_ledger(f.r));
                    cells++;
                }
    }
    print_message("%zu cells\n", cells);
}

static void every_verb_is_for_somebody_and_leads_somewhere(void **state)
{
    (void)state;
    for (const struct verb *v = verbs; v->name; v++) {
        assert_true(v->roles != 0);
        assert_non_null(strchr(v->name, '.'));
        assert_true(v->from || v->to);
        for (const struct verb *w = v + 1; w->name; w++)
            assert_string_not_equal(v->name, w->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_holds),
        cmocka_unit_test(every_verb_is_for_somebody_and_leads_somewhere),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
