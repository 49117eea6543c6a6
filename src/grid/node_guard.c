/* SPDX-License-Identifier: Apache-2.0
 *
 * The differencing guard in a federated run. Who is behind a cell is known at each site and nowhere else, and
 * what a site has given into a masked total it cannot take back: so every site asks its own guard, about its
 * own persons, before its first part leaves. The lead node, which decides on the release, knows totals only
 * and could not. A site that refuses is a site that declines: the run goes on without it or not at all.
 *
 * What was given counts as released from then on, whatever becomes of the run, until somebody at the site
 * says that nothing left (`accord disclose history --withdraw`): a hub that says so could lie.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "disclose/network.h"
#include "grid/node_state.h"
#include "study/guarding.h"

/* A run that the guard sent to a person has a mark in meta, the store's content that it was about, so that the
   person's yes is known as such. */
static char *mark_of(const char *run)
{
    return xasprintf("differencing:%s", run);
}

/* With a snapshot: for this content only. */
static enum status is_marked(struct node *n, const char *run, const char *snapshot, bool *out, struct err *e)
{
    char *mark = mark_of(run), *value = NULL;
    enum status s = meta_get(n, mark, &value, e);
    *out = value && (!snapshot || strcmp(value, snapshot) == 0);
    free(value);
    free(mark);
    return s;
}

static enum status ask_person(struct node *n, const char *run, const char *snapshot, struct err *e)
{
    char *mark = mark_of(run);
    struct js *body = js_object();
    js_put_str(body, "reason", "a person at this site looks at the run: rule differencing");
    enum status s = db_begin(n->db, e);
    if (s == ST_OK) {
        s = node_tell(n, run, "run.defer", js_share(body), NULL, e);
        if (s == ST_OK)
            s = node_run_state(n, run, "asking", "differencing: " GUARD_REFUSAL, e);
        if (s == ST_OK)
            s = meta_set(n, mark, snapshot, e);
        if (s == ST_OK)
            s = db_commit(n->db, e);
        else
            db_rollback(n->db);
    }
    js_free(body);
    free(mark);
    return s;
}

enum status differencing_passed(struct node *n, const char *run, bool *mine, struct err *e)
{
    enum status s = is_marked(n, run, NULL, mine, e);
    return s == ST_OK && *mine ? node_run_state(n, run, "checked", "", e) : s;
}

static enum status answered(struct node *n, const char *run, const char *snapshot,
                            const struct guard_answer *answer, struct err *e)
{
    bool refuse = answer->verdict == GUARD_REFUSE && n->policy.differencing == DIFFERENCING_REFUSE;
    enum status s = ST_OK;
    log_event(LOG_WARN, "node.differencing", "run", run, "cell", answer->cell, "with", answer->with, NULL);
    if (!refuse)
        s = ask_person(n, run, snapshot, e);
    return s == ST_OK ? err_set(e, ST_UNSAFE, GUARD_REFUSAL) : s;
}

/* Every output that this node holds or released, in the order in which they were made. */
static enum status read_outputs(struct node *n, struct released ***out, size_t *count, struct err *e)
{
    struct stmt *q;
    bool row = false;
    size_t room = 0;
    enum status s = db_prepare(
        n->db, "SELECT document FROM output WHERE state IN ('held', 'released') ORDER BY made, id", &q, e);
    if (s != ST_OK)
        return s;
    while ((s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *document = NULL;
        GROW(*out, *count + 1, room);
        s = js_parse(slice_of(stmt_text(q, 0)), "node.db", &document, e);
        if (s == ST_OK)
            s = released_from_json(document, &(*out)[*count], e);
        js_free(document);
        if (s != ST_OK)
            break;
        ++*count;
    }
    stmt_done(q);
    return s;
}

enum status differencing_network(struct node *n, const struct released *fresh, struct js **findings,
                                 struct err *e)
{
    struct released **earlier = NULL;
    size_t count = 0;
    *findings = js_array();
    enum status s = read_outputs(n, &earlier, &count, e);
    if (s == ST_OK)
        s = network_compare(fresh, earlier, count, *findings, e);
    for (size_t i = 0; i < count; i++)
        released_free(earlier[i]);
    free(earlier);
    return s;
}

enum status differencing_check(struct node *n, const struct node_run *r, const char *run,
                               const char *snapshot, struct site *site, struct err *e)
{
    struct policy policy;
    struct guard_answer answer;
    const char *project = js_get_str(r->terms, "project");
    char *book = xasprintf("%s/guard.db", n->data);
    struct guarding how = {.book = book,
                           .run = run,
                           .project = project ? project : js_get_str(r->terms, "agreement"),
                           .policy = &policy,
                           .federated = true};
    enum status s = is_marked(n, run, snapshot, &how.insist, e);
    if (s == ST_OK)
        s = policy_from_json(js_get(r->terms, "policy"), &policy, e);
    if (s == ST_OK)
        s = study_guard(&how, &site, 1, &answer, e);
    if (s == ST_OK && answer.verdict != GUARD_ALLOW)
        s = answered(n, run, snapshot, &answer, e);
    free(book);
    return s;
}
