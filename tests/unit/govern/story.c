/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/agreement.h"

static struct story *story_at(const char *path)
{
    struct story *s = xcalloc(1, sizeof *s);
    int32_t today = (int32_t)(time_now_ms() / 86400000);
    struct err e = {0};
    date_format(today, s->day);
    date_format(today + 360, s->later);
    snprintf(s->path, sizeof s->path, "%s", path);
    s->hub = identity_new();
    s->steward = identity_new();
    if (registry_open(path, DB_CREATE, s->hub, "test.example/register", &s->r, &e) != ST_OK)
        fail_msg("open: %s %s", e.text, e.detail);
    if (registry_found(s->r, "national", "A national body", "stella", s->steward->sign_public, &e) != ST_OK)
        fail_msg("found: %s %s", e.text, e.detail);
    return s;
}

struct story *story_new(void)
{
    return story_at(":memory:");
}

struct story *story_on_disk(void)
{
    char path[64] = "/tmp/accord-story-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return story_at(path);
}

void story_free(struct story *s)
{
    struct identity *all[] = {s->hub,        s->steward,   s->analyst,   s->checker[0], s->checker[1],
                              s->certifier,  s->signer[0], s->signer[1], s->signer[2],  s->signer[3],
                              s->controller, s->node[0],   s->node[1],   s->node[2]};
    registry_close(s->r);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i])
            identity_free(all[i]);
    if (s->path[0] == '/') {
        char *wal = xasprintf("%s-wal", s->path), *shm = xasprintf("%s-shm", s->path);
        unlink(s->path);
        unlink(wal);
        unlink(shm);
        free(wal);
        free(shm);
    }
    free(s);
}

static void replace_all(struct buf *out, const char *text, const char *const *pairs)
{
    while (*text) {
        size_t i = 0;
        for (; pairs[i]; i += 2)
            if (strncmp(text, pairs[i], strlen(pairs[i])) == 0)
                break;
        if (pairs[i]) {
            buf_adds(out, pairs[i + 1]);
            text += strlen(pairs[i]);
        } else {
            buf_addc(out, *text++);
        }
    }
}

/* Members that begin with "personal:" become hashed texts. */
static void hide_personal(struct js *command)
{
    static const char *const members[] = {"name", "email", "text"};
    struct js *body = js_edit(command, "body");
    for (size_t i = 0; i < 3; i++) {
        const char *text = js_get_str(body, members[i]);
        if (text && strncmp(text, "personal:", 9) == 0) {
            char *copy = xstrdup(text + 9);
            command_put_personal(command, members[i], copy);
            free(copy);
        }
    }
}

enum status act_err(struct story *s, const struct identity *who, const char *verb, const char *subject,
                    const char *body, struct err *e)
{
    const char *const pairs[] = {"'", "\"", "$day", s->day, "$later", s->later, NULL};
    struct buf text;
    struct js *j, *command;
    buf_init(&text, 1 << 20);
    replace_all(&text, body && *body ? body : "{}", pairs);
    if (js_parse(buf_slice(&text), "test body", &j, e) != ST_OK)
        fail_msg("%s: %s", text.p, e->text);
    command = command_new(verb, subject, j, NULL);
    hide_personal(command);
    enum status status = command_sign(command, who, e);
    if (status == ST_OK)
        status = registry_apply(s->r, command, NULL, e);
    js_free(command);
    buf_deinit(&text);
    return status;
}

enum status act(struct story *s, const struct identity *who, const char *verb, const char *subject,
                const char *body)
{
    struct err e = {0};
    return act_err(s, who, verb, subject, body, &e);
}

void must(struct story *s, const struct identity *who, const char *verb, const char *subject,
          const char *body)
{
    struct err e = {0};
    if (act_err(s, who, verb, subject, body, &e) != ST_OK)
        fail_msg("%s %s: %s (%s)", verb, subject, e.text, e.detail);
}

struct identity *person_with(struct story *s, const char *id, const char *body, const char *role,
                             const char *scope)
{
    struct identity *who = identity_new();
    char *subject = xasprintf("person:%s", id),
         *grant = xasprintf("grant:%s.%s.%s%s%s", id, role, body, scope ? "." : "", scope ? scope : "");
    char *register_body = xasprintf("{'name': 'personal:%s', 'body': '%s'}", id, body);
    char *offer = xasprintf("{'person': '%s', 'role': '%s', 'body': '%s', 'until': '$later'%s%s%s}", id, role,
                            body, scope ? ", 'scope': '" : "", scope ? scope : "", scope ? "'" : "");
    must(s, who, "person.register", subject, register_body);
    must(s, s->steward, "person.prove", subject, "{'kind': 'safe-researcher', 'until': '$later'}");
    must(s, s->steward, "person.prove", subject, "{'kind': 'output-checking', 'until': '$later'}");
    must(s, who, "person.declare", subject, "{'nil': true}");
    must(s, s->steward, "grant.offer", grant, offer);
    must(s, who, "grant.hold", grant, "");
    free(subject);
    free(grant);
    free(register_body);
    free(offer);
    return who;
}

static void add_sites(struct story *s)
{
    char hash[2 * HASH_BYTES + 1];
    for (int i = 0; i < SITES; i++) {
        char *body = xasprintf("body:T%d", i), *node = xasprintf("node:n%d", i),
             *token = xasprintf("token-%d", i);
        sha256_hex(slice_of(token), hash);
        char *invite = xasprintf("{'body': 'T%d', 'token_hash': '%s', 'until': '$later'}", i, hash);
        char *enrol = xasprintf("{'token': '%s', 'box_key': '%s'}", token, hash),
             *name = xasprintf("signer%d", i);
        s->node[i] = identity_new();
        must(s, s->steward, "body.add", body, "{'name': 'A trust', 'kind': 'trust'}");
        must(s, s->hub, "node.invite", node, invite);
        must(s, s->node[i], "node.enrol", node, enrol);
        s->signer[i] = person_with(s, name, body + 5, "signatory", NULL);
        free(body);
        free(node);
        free(token);
        free(invite);
        free(enrol);
        free(name);
    }
}

void story_people(struct story *s)
{
    add_sites(s);
    must(s, s->steward, "body.add", "body:acme", "{'name': 'Acme', 'kind': 'company'}");
    must(s, s->steward, "body.add", "body:uni", "{'name': 'A university', 'kind': 'university'}");
    s->analyst = person_with(s, "ada", "acme", "analyst", NULL);
    s->signer[SITES] = person_with(s, "sid", "acme", "signatory", NULL);
    s->controller = person_with(s, "cora", "T1", "controller", NULL);
    s->checker[0] = person_with(s, "chris", "uni", "checker", NULL);
    s->checker[1] = person_with(s, "carol", "uni", "checker", NULL);
    s->certifier = person_with(s, "cerys", "national", "certifier", NULL);
    must(s, s->steward, "template.publish", "template:daa-8",
         "{'name': 'SDE data access agreement', 'kind': 'DAA', 'version': '8.0', 'hash': "
         "'0000000000000000000000000000000000000000000000000000000000000008'}");
    must(s, s->steward, "vocabulary.load", "vocabulary:prices-sde",
         "{'version': '2026-04-01', 'source': 'test', 'rows': [{'code': 'application', 'label': 'New "
         "application', "
         "'amount': 143100}, {'code': 'set-up', 'label': 'Set-up', 'amount': 43400}]}");
}

char *terms_of(struct story *s, const char *agreement)
{
    struct js *item;
    char hex[2 * HASH_BYTES + 1];
    assert_int_equal(registry_item(s->r, "agreement", agreement, &item, NULL), ST_OK);
    assert_int_equal(agreement_terms(item, hex, NULL), ST_OK);
    js_free(item);
    return xasprintf("{'terms': '%s'}", hex);
}

void story_agreement(struct story *s)
{
    must(s, s->signer[SITES], "agreement.draft", "agreement:a1",
         "{'title': 'COPD', 'template': '0000000000000000000000000000000000000000000000000000000000000008', "
         "'parties': [{'body': 'T0', 'role': 'lead_site'}, {'body': 'T1', 'role': 'site'}, {'body': 'T2', "
         "'role': "
         "'site'}, {'body': 'acme', 'role': 'partner'}], 'annex': {'analyses': ['count', 'crosstab'], "
         "'studies': "
         "['any']}, 'from': '$day', 'to': '$later', 'purpose': 'Find undiagnosed COPD', 'access': "
         "'nhs_runs', 'use': "
         "'commercial', 'exit_plan': 'The work ends with the term.', 'quote': [{'code': 'application', "
         "'quantity': 1}, "
         "{'code': 'set-up', 'quantity': 2}]}");
    must(s, s->certifier, "agreement.check", "agreement:a1", "");
    must(s, s->signer[0], "agreement.summarise", "agreement:a1",
         "{'summary': 'Three trusts and Acme count COPD.'}");
    char *terms = terms_of(s, "a1");
    for (int i = 0; i <= SITES; i++)
        must(s, s->signer[i], "agreement.sign", "agreement:a1", terms);
    free(terms);
    assert_string_equal(state_of(s, "agreement", "a1"), "in_force");
}

const char *state_of(struct story *s, const char *noun, const char *id)
{
    static char state[32];
    struct js *item;
    struct err e = {0};
    if (registry_item(s->r, noun, id, &item, &e) != ST_OK)
        fail_msg("%s", e.text);
    snprintf(state, sizeof state, "%s", js_get_str(item, "state"));
    js_free(item);
    return state;
}

void assert_replay_equal(struct story *s)
{
    uint8_t before[HASH_BYTES], after[HASH_BYTES];
    struct err e = {0};
    assert_int_equal(registry_digest(s->r, before, NULL), ST_OK);
    if (registry_replay(s->r, &e) != ST_OK)
        fail_msg("replay: %s (%s)", e.text, e.detail);
    assert_int_equal(registry_digest(s->r, after, NULL), ST_OK);
    assert_memory_equal(before, after, HASH_BYTES);
}
