/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes for people at work: what each verb asks for, what this person may do and what waits for them, and
 * checks of what is not on the register yet (a project, an agreement, a study, a cohort). Nothing here
 * changes anything or touches patient data.
 */
#include <stdio.h>

#include "base/date.h"
#include "cohort/cohort.h"
#include "govern/agreement.h"
#include "govern/fields.h"
#include "govern/items.h"
#include "govern/project.h"
#include "govern/standing.h"
#include "http/hub.h"
#include "http/tables.h"
#include "study/example.h"
#include "study/study.h"

static int32_t today(void)
{
    return (int32_t)(time_now_ms() / 86400000);
}

static struct db *db_of(struct call *c)
{
    return ledger_db(registry_ledger(c->registry));
}

static enum status answer_items(struct call *c, enum status s, struct js *list)
{
    if (s != ST_OK) {
        js_free(list);
        return s;
    }
    struct js *answer = js_object();
    js_put(answer, "items", list);
    return call_json(c, 200, answer);
}

/* --- verbs and vocabularies ---------------------------------------------------------------------------- */

static enum status get_verbs(struct call *c, struct err *e)
{
    struct js *list = js_array();
    (void)e;
    for (const struct verb *v = verbs; v->name; v++)
        js_push(list, verb_describe(v));
    return answer_items(c, ST_OK, list);
}

static enum status get_verb(struct call *c, struct err *e)
{
    const struct verb *v = verb_find(c->param[0]);
    return v ? call_json(c, 200, verb_describe(v))
             : err_set(e, ST_NOT_FOUND, "there is no verb '%.60s'", c->param[0]);
}

static struct js *code_row(struct stmt *q)
{
    struct js *row = js_object();
    js_put_str(row, "code", stmt_text(q, 0));
    js_put_str(row, "label", stmt_text(q, 1));
    js_put_str(row, "parent", stmt_text(q, 2));
    if (!stmt_is_null(q, 3))
        js_put_int(row, "amount", stmt_int(q, 3));
    return row;
}

static enum status get_vocabulary(struct call *c, struct err *e)
{
    struct stmt *q;
    bool row = true;
    struct js *list = js_array();
    enum status s = db_prepare(db_of(c),
                               "SELECT code, label, parent, amount FROM vocabulary WHERE scheme=?1 AND "
                               "from_day<=?2 AND until_day>=?2 ORDER BY parent, code",
                               &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, c->param[0]);
        stmt_bind_int(q, 2, today());
    }
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(list, code_row(q));
    stmt_done(q);
    if (s == ST_OK && js_size(list) == 0)
        s = err_set(e, ST_NOT_FOUND, "there is no vocabulary '%.60s'", c->param[0]);
    return answer_items(c, s, list);
}

/* --- this person --------------------------------------------------------------------------------------- */

/* The person whose key the account holds; ST_NOT_FOUND when nobody on the register has it. */
static enum status standing_of(struct call *c, struct standing *out, struct err *e)
{
    struct identity *id;
    struct js *actor = NULL;
    char *key = arena_alloc(c->request->arena, 2 * SIGN_PUBLIC_BYTES + 1);
    enum status s = account_identity(c->hub->accounts, c->account->person, &id, e);
    if (s != ST_OK)
        return s;
    hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, key);
    identity_free(id);
    s = registry_actor(c->registry, key, &actor, e);
    *out = (struct standing){c->registry, key, NULL, time_now_ms()};
    if (s == ST_OK)
        out->person = arena_strdup(c->request->arena, js_get_str(actor, "id"));
    js_free(actor);
    return s;
}

static enum status get_standing(struct call *c, struct err *e)
{
    struct standing p;
    struct js *roles = NULL, *answer = js_object();
    enum status s = standing_of(c, &p, e);
    if (s == ST_OK) {
        js_put_str(answer, "person", p.person);
        s = standing_roles(&p, &roles, e);
    }
    if (s == ST_OK || s == ST_NOT_FOUND) {
        js_put_str(answer, "account", c->account->person);
        js_put_str(answer, "key", p.key);
        js_put(answer, "roles", roles ? roles : js_array());
        return call_json(c, 200, answer);
    }
    js_free(roles);
    js_free(answer);
    return s;
}

static enum status get_item_verbs(struct call *c, struct err *e)
{
    struct standing p;
    struct js *list = NULL;
    enum status s = standing_of(c, &p, e);
    if (s == ST_OK)
        s = standing_verbs(&p, c->param[0], c->param[1], &list, e);
    return answer_items(c, s, list);
}

static enum status get_waiting(struct call *c, struct err *e)
{
    struct standing p;
    struct js *list = NULL;
    enum status s = standing_of(c, &p, e);
    if (s == ST_OK)
        s = standing_waiting(&p, &list, e);
    else if (s == ST_NOT_FOUND)
        return answer_items(c, ST_OK, js_array());
    return answer_items(c, s, list);
}

/* --- papers -------------------------------------------------------------------------------------------- */

static struct js *substitution_json(const struct js *project)
{
    struct substitution_case k = substitution_of(project, today());
    struct js *j = js_object();
    js_put_str(j, "class", substitution_name(k.class));
    js_put_int(j, "new", k.new_pence);
    js_put_int(j, "claimed", k.claimed_pence);
    js_put_int(j, "confirmed", k.confirmed_pence);
    js_put_int(j, "overrun", k.overrun);
    return j;
}

static struct js *contributions_json(const struct js *project)
{
    const struct js *parties = js_get(project, "parties");
    struct js *list = js_array();
    for (size_t i = 0; i < js_size(parties); i++) {
        struct js *one = js_object();
        js_put_str(one, "body", js_get_str(js_at(parties, i), "body"));
        js_put_int(one, "value", contribution_of(js_at(parties, i)));
        js_push(list, one);
    }
    return list;
}

static enum status check_project(struct call *c, const struct js *project, struct err *e)
{
    struct js *answer = js_object(), *faults = js_array(), *perspectives = js_array(), *advice = js_array();
    struct err first = {0};
    enum status s = project_faults(db_of(c), project, faults, &first);
    for (const char *const *p = project_perspectives(project); *p; p++)
        js_push(perspectives, js_string(*p));
    project_advice(project, advice);
    js_put(answer, "missing", faults);
    js_put(answer, "advice", advice);
    js_put(answer, "perspectives", perspectives);
    js_put(answer, "substitution", substitution_json(project));
    js_put(answer, "contributions", contributions_json(project));
    js_put(answer, "balance", js_real(contribution_balance(project)));
    if (s == ST_OK)
        return call_json(c, 200, answer);
    js_free(answer);
    if (e)
        *e = first;
    return s;
}

/* Terms that are to be checked keep the fields of a draft, of which none is required yet. */
static enum status post_check_project(struct call *c, struct err *e)
{
    enum status s = fields_check(db_of(c), c->body, verb_find("project.edit")->fields, today(), e);
    return s == ST_OK ? check_project(c, c->body, e) : s;
}

static enum status get_project_check(struct call *c, struct err *e)
{
    struct js *project = NULL;
    enum status s = registry_item(c->registry, "project", c->param[0], &project, e);
    if (s == ST_OK)
        s = check_project(c, project, e);
    js_free(project);
    return s;
}

static enum status check_agreement(struct call *c, const struct js *terms, struct err *e)
{
    char hex[2 * HASH_BYTES + 1];
    int64_t pence;
    enum status s = quote_total(db_of(c), terms, today(), &pence, e);
    if (s == ST_OK)
        s = agreement_terms(terms, hex, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put_str(answer, "terms", hex);
    js_put_int(answer, "quote", pence);
    js_put(answer, "transfers", agreement_promises(db_of(c), terms, today()));
    return call_json(c, 200, answer);
}

static enum status post_check_agreement(struct call *c, struct err *e)
{
    enum status s = fields_check(db_of(c), c->body, verb_find("agreement.edit")->fields, today(), e);
    return s == ST_OK ? check_agreement(c, c->body, e) : s;
}

static enum status get_agreement_check(struct call *c, struct err *e)
{
    struct js *agreement = NULL;
    enum status s = registry_item(c->registry, "agreement", c->param[0], &agreement, e);
    if (s == ST_OK)
        s = check_agreement(c, agreement, e);
    js_free(agreement);
    return s;
}

/* --- studies ------------------------------------------------------------------------------------------- */

static enum status get_kinds(struct call *c, struct err *e)
{
    struct js *list = js_array();
    enum status s = ST_OK;
    for (const struct analysis *const *a = analyses; s == ST_OK && *a; a++) {
        struct js *one = js_object(), *example = NULL;
        s = study_example(*a, &example, e);
        js_put_str(one, "kind", (*a)->kind);
        js_put_str(one, "summary", (*a)->summary);
        js_put(one, "example", example);
        js_push(list, one);
    }
    return answer_items(c, s, list);
}

static struct js *cohort_words(const struct cohort_definition *d)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    cohort_describe(d, &text);
    struct js *words = js_string(text.p ? text.p : "");
    buf_deinit(&text);
    return words;
}

static enum status post_describe_cohort(struct call *c, struct err *e)
{
    static const char *const members[] = {"definition", NULL};
    const struct js *definition;
    struct cohort_definition *d = NULL;
    enum status s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need(c->body, "definition", JS_OBJECT, "$", &definition, e);
    if (s == ST_OK)
        s = cohort_parse(definition, &d, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object(), *ignored = js_array();
    js_put(answer, "text", cohort_words(d));
    for (size_t i = 0; cohort_ignored_field(d, i); i++)
        js_push(ignored, js_string(cohort_ignored_field(d, i)));
    js_put(answer, "ignored", ignored);
    cohort_definition_free(d);
    return call_json(c, 200, answer);
}

static enum status push_cohort(const struct js *cohort, struct js *list, struct err *e)
{
    struct cohort_definition *d = NULL;
    enum status s = cohort_parse(js_get(cohort, "definition"), &d, e);
    if (s != ST_OK)
        return s;
    struct js *one = js_object();
    js_put_str(one, "name", js_get_str(cohort, "name"));
    js_put(one, "text", cohort_words(d));
    js_push(list, one);
    cohort_definition_free(d);
    return ST_OK;
}

static struct js *analyses_asked(const struct study *study)
{
    struct js *list = js_array();
    for (size_t i = 0; i < study_n_analyses(study); i++) {
        struct js *one = js_object();
        js_put_str(one, "name", study_analysis_name(study, i));
        js_put_str(one, "kind", study_analysis_kind(study, i));
        js_put_str(one, "asks", analysis_find(study_analysis_kind(study, i))->summary);
        js_put(one, "specification", js_share(js_at(js_get(study_document(study), "analyses"), i)));
        js_push(list, one);
    }
    return list;
}

/* What every site will be asked, in words, and the hash by which an agreement's annex may name it. */
static enum status post_check_study(struct call *c, struct err *e)
{
    struct study *study = NULL;
    struct js *cohorts = js_array();
    char hash[2 * HASH_BYTES + 1];
    enum status s = study_parse(c->body, &study, e);
    const struct js *listed = s == ST_OK ? js_get(study_document(study), "cohorts") : NULL;
    for (size_t i = 0; s == ST_OK && i < js_size(listed); i++)
        s = push_cohort(js_at(listed, i), cohorts, e);
    if (s == ST_OK) {
        struct js *answer = js_object();
        study_hash(study, hash);
        js_put_str(answer, "title", study_title(study));
        js_put_str(answer, "hash", hash);
        js_put(answer, "cohorts", js_share(cohorts));
        js_put(answer, "analyses", analyses_asked(study));
        s = call_json(c, 200, answer);
    }
    js_free(cohorts);
    study_free(study);
    return s;
}

const struct route work_routes[] = {
    {"GET", "/api/v1/verbs", ACCESS_PUBLIC, "every verb with its fields: what forms are made from", NULL,
     NULL, "items", get_verbs, HOLD_NOTHING},
    {"GET", "/api/v1/verbs/{verb}", ACCESS_PUBLIC, "one verb with its fields", NULL, NULL,
     "verb, about, roles, from, to, fields", get_verb, HOLD_NOTHING},
    {"GET", "/api/v1/vocabularies/{scheme}", ACCESS_PUBLIC, "the codes of a vocabulary that are valid today",
     NULL, NULL, "items", get_vocabulary, HOLD_REGISTER},
    {"GET", "/api/v1/standing", ACCESS_ACCOUNT,
     "who one is on the register: one's roles, and whether they count", NULL, NULL,
     "account, key, person, roles", get_standing, HOLD_SNAPSHOT},
    {"GET", "/api/v1/register/{noun}/{id}/verbs", ACCESS_ACCOUNT,
     "what one may do with an item now, and why not the rest", NULL, NULL, "items", get_item_verbs,
     HOLD_SNAPSHOT},
    {"GET", "/api/v1/waiting", ACCESS_ACCOUNT, "what waits for one, the most urgent first", NULL, NULL,
     "items", get_waiting, HOLD_SNAPSHOT},
    {"POST", "/api/v1/project/check", ACCESS_PUBLIC,
     "what a project lacks before it may be submitted, without saving it", NULL, "the project's fields",
     "missing, advice, perspectives, substitution, contributions, balance", post_check_project,
     HOLD_SNAPSHOT},
    {"GET", "/api/v1/register/project/{id}/check", ACCESS_PUBLIC,
     "what a project lacks before it may be submitted", NULL, NULL,
     "missing, advice, perspectives, substitution, contributions, balance", get_project_check, HOLD_REGISTER},
    {"POST", "/api/v1/agreement/check", ACCESS_PUBLIC,
     "the quote of terms and the transfers that they promise, without saving them", NULL,
     "the agreement's fields", "terms (their hash), quote (pence), transfers", post_check_agreement,
     HOLD_SNAPSHOT},
    {"GET", "/api/v1/register/agreement/{id}/check", ACCESS_PUBLIC,
     "an agreement's quote, its promised transfers, and the hash to sign", NULL, NULL,
     "terms (their hash), quote (pence), transfers", get_agreement_check, HOLD_REGISTER},
    {"GET", "/api/v1/study/kinds", ACCESS_PUBLIC, "the kinds of analysis, each with a study to start from",
     NULL, NULL, "items", get_kinds, HOLD_NOTHING},
    {"POST", "/api/v1/study/check", ACCESS_PUBLIC, "what a study would ask every site, in words", NULL,
     "a study (docs/study.schema.json)", "title, hash, cohorts, analyses", post_check_study, HOLD_NOTHING},
    {"POST", "/api/v1/cohort/describe", ACCESS_PUBLIC, "what a cohort means, in words", NULL,
     "definition: a cohort expression as ATLAS writes it", "text, ignored", post_describe_cohort,
     HOLD_NOTHING},
    {0},
};
