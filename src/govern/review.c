/* SPDX-License-Identifier: Apache-2.0
 *
 * Reviews: one signed verdict of one person in one perspective. The system recuses who has an interest;
 * nobody can override it. */
#include "base/date.h"
#include "govern/nouns.h"

#define PERSPECTIVES "patient|clinical|research|finance|commercial|ig|statistical"

const struct field review_ask_fields[] = {
    {"about", F_ABOUT, true, "project|artefact|agreement|transfer|measure", 0, NULL},
    {"perspective", F_ENUM, true, PERSPECTIVES, 0, NULL},
    {"person", F_ID, true, "person", 0, NULL},
    {"due", F_DATE, false, NULL, 0, NULL},
    {0},
};
const struct field review_give_fields[] = {
    {"about", F_ABOUT, true, "project|artefact|agreement|transfer|measure", 0, NULL},
    {"perspective", F_ENUM, true, PERSPECTIVES, 0, NULL},
    {"verdict", F_ENUM, true, "yes|conditions|return|no", 0, NULL},
    {"text", F_TEXT, false, NULL, 8000, NULL},
    {"conditions", F_TEXTS, false, NULL, 50, NULL},
    {"hash", F_HASH, false, NULL, 0, NULL},
    {"rules", F_OBJECT, false, NULL, 0, NULL},
    {0},
};

/* ST_DENIED by a rule when the person may not decide on the item. */
static enum status may_decide(struct change *c, const char *person, const char *about, struct err *e)
{
    char noun[24], id[72];
    const char *body;
    bool party = false;
    if (!about_split(about, noun, id))
        return err_set(e, ST_INVALID, "$.body.about: expected noun:id");
    enum status s = db_text(c->db, c->arena, "SELECT body FROM item WHERE noun='person' AND id=?1",
                            PARAMS(person), &body, e);
    if (s == ST_OK && body)
        s = parties_have(c->db, noun, id, body, &party, e);
    if (s == ST_OK && party)
        s = refuse(e, RULE_NOT_A_PARTY, "%s belongs to %s", person, body);
    return s == ST_OK ? access_no_interest(c->db, person, noun, id, c->today, e) : s;
}

FOLD(review_ask_fold)
{
    struct err why = {0};
    merge_all(c);
    js_put(c->doc, "asked", done_by(c));
    enum status s = may_decide(c, js_get_str(c->body, "person"), js_get_str(c->body, "about"), &why);
    if (s == ST_DENIED) {
        c->to = "recused";
        js_put_str(c->doc, "recused", why.text);
        return ST_OK;
    }
    if (s != ST_OK && e)
        *e = why;
    return s;
}

/* Whether this person, or for a project anybody in this perspective, has decided already. A return may be
 * followed; what was decided before a project was submitted again was about something else. */
static enum status given_already(struct change *c, int64_t *out, struct err *e)
{
    const char *about = js_get_str(c->body, "about"), *perspective = js_get_str(c->body, "perspective");
    bool project = strncmp(about, "project:", 8) == 0;
    return db_number(
        c->db,
        project ? "SELECT count(*) FROM item r JOIN item p ON p.noun='project' AND p.id=substr(?1, 9) WHERE "
                  "r.noun='review' AND r.about=?1 AND r.state='given' AND json_extract(r.doc, "
                  "'$.verdict')<>'return' "
                  "AND json_extract(r.doc, '$.given.at')>json_extract(p.doc, '$.submitted.at') AND "
                  "(json_extract(r.doc, '$.perspective')=?2 OR json_extract(r.doc, '$.person')=?3)"
                : "SELECT count(*) FROM item WHERE noun='review' AND about=?1 AND state='given' AND "
                  "json_extract(doc, '$.perspective')=?2 AND json_extract(doc, '$.person')=?3",
        PARAMS(about, perspective, c->person), 0, out, e);
}

/* A draft can still become anything: verdicts are on what was submitted; those that an emergency owes come
   after its approval. */
static enum status check_submitted(struct change *c, const char *about, struct err *e)
{
    struct item project = {0};
    bool found = false, open = true;
    enum status s = strncmp(about, "project:", 8) == 0
                        ? item_find(c->db, "project", about + 8, &project, &found, e)
                        : ST_OK;
    if (s == ST_OK && found) {
        const struct js *due =
            list_find(js_get(project.doc, "reviews_due"), "perspective", js_get_str(c->body, "perspective"));
        open =
            strcmp(project.state, "submitted") == 0 ||
            (js_bool(js_get(due, "after")) && word_in("approved|agreed|live|paused|closed", project.state));
    }
    item_deinit(&project);
    return s == ST_OK && !open ? refuse(e, RULE_STATE, "%s is not submitted", about) : s;
}

/* A reviewer's grant names the perspective; a checker gives statistical verdicts. */
static enum status scope_held(struct change *c, bool *out, struct err *e)
{
    int64_t n;
    const char *perspective = js_get_str(c->body, "perspective");
    bool statistical = strcmp(perspective, "statistical") == 0;
    enum status s =
        db_number(c->db,
                  "SELECT count(*) FROM held WHERE person=?1 AND ((role='reviewer' AND scope=?2) OR "
                  "(role='checker' AND ?3='1'))",
                  PARAMS(c->person, perspective, statistical ? "1" : "0"), 0, &n, e);
    *out = n > 0;
    return s;
}

GUARD(review_give_guard)
{
    int64_t n = 0;
    bool scope = false;
    const char *about = js_get_str(c->body, "about"), *asked = js_get_str(c->doc, "person");
    if (asked && strcmp(asked, c->person) != 0)
        return refuse(e, RULE_PERMISSION, "this review was asked of %s", asked);
    if (asked && !doc_is(c->doc, "about", about))
        return err_set(e, ST_INVALID, "$.body.about: this review is about %s", js_get_str(c->doc, "about"));
    if (strncmp(about, "artefact:", 9) == 0 && !js_get(c->body, "hash"))
        return err_set(e, ST_INVALID,
                       "$.body.hash: a verdict on an artefact names the hash of what was looked at");
    enum status s = scope_held(c, &scope, e);
    if (s == ST_OK && !scope)
        s = refuse(e, RULE_PERMISSION, "no grant in the perspective '%s'",
                   js_get_str(c->body, "perspective"));
    if (s == ST_OK)
        s = check_submitted(c, about, e);
    if (s == ST_OK)
        s = may_decide(c, c->person, about, e);
    if (s == ST_OK)
        s = given_already(c, &n, e);
    return s == ST_OK && n ? refuse(e, RULE_ONE_VERDICT, NULL) : s;
}

FOLD(review_give_fold)
{
    merge_all(c);
    js_put_str(c->doc, "person", c->person ? c->person : "");
    js_put(c->doc, "given", done_by(c));
    (void)e;
    return ST_OK;
}
