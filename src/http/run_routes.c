/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of runs: submit, watch, result; and what nodes need: work, dossiers, sealed parts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "grid/mask.h"
#include "http/hub.h"
#include "http/tables.h"
#include "ledger/proof.h"

enum { LONGEST_HOLD = 60, MOST_RUNS = 1000 };

/* --- commands ------------------------------------------------------------------------------------------ */

/* Verbs whose command names bytes that come with it: a site's part, the lead node's order of a round. */
static bool comes_sealed(const char *verb)
{
    return strcmp(verb, "run.part") == 0 || strcmp(verb, "run.round") == 0;
}

static enum status post_command(struct call *c, struct err *e)
{
    struct ledger_entry entry = {0};
    const char *verb = js_get_str(c->body, "verb");
    if (verb && comes_sealed(verb))
        return err_set(e, ST_INVALID, "a %s command goes to /api/v1/runs/{id}/parts, with what it names",
                       verb);
    const char *subject = js_get_str(c->body, "subject");
    enum status s = subject ? call_if_match(c, subject, e) : ST_OK;
    if (s == ST_OK)
        s = hub_submit(c->hub, c->body, &entry, e);
    if (s == ST_OK)
        s = call_json(c, entry.repeated ? 200 : 201, js_share(entry.json));
    ledger_entry_deinit(&entry);
    return s;
}

/* The command's hash binds the sealed bytes that come with it. */
static enum status decode_sealed(const struct js *command, const char *text, struct buf *sealed,
                                 struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    size_t n = strlen(text);
    uint8_t *bytes = xmalloc(n);
    long got = base64_decode((struct slice){text, n}, bytes, n);
    if (got >= 0)
        buf_add(sealed, bytes, (size_t)got);
    free(bytes);
    sha256_hex(buf_slice(sealed), hash);
    const char *expected = js_get_str(js_get(command, "body"), "hash");
    if (got < 0 || sealed->failed || !expected || strcmp(hash, expected) != 0)
        return err_set(e, ST_INVALID,
                       "$.sealed: expected base64 of the bytes whose SHA-256 the command names");
    return ST_OK;
}

static enum status check_part_command(const struct js *command, const char *run, struct err *e)
{
    const char *verb = js_get_str(command, "verb"), *subject = js_get_str(command, "subject");
    if (!verb || !comes_sealed(verb))
        return err_set(e, ST_INVALID, "$.command.verb: expected run.part or run.round");
    if (!subject || strncmp(subject, "run:", 4) != 0 || strcmp(subject + 4, run) != 0)
        return err_set(e, ST_INVALID, "$.command.subject: expected run:%.40s", run);
    return ST_OK;
}

static enum status keep_sealed(struct hub *h, const struct ledger_entry *entry, const struct buf *sealed,
                               struct err *e)
{
    const char *run = entry->subject + strlen("run:");
    int round = (int)js_get_int(entry->body, "round", 0),
        attempt = (int)js_get_int(entry->body, "attempt", 0);
    enum status s = strcmp(entry->verb, "run.part") == 0
                        ? board_part_put(h->board, run, round, attempt, entry->actor, buf_slice(sealed), e)
                        : board_order_put(h->board, run, round, buf_slice(sealed), e);
    if (s == ST_OK)
        server_wake(h->server);
    return s;
}

static enum status post_part(struct call *c, struct err *e)
{
    static const char *const members[] = {"command", "sealed", NULL};
    const struct js *command;
    const char *text;
    struct ledger_entry entry = {0};
    struct buf sealed;
    buf_init(&sealed, (size_t)MASK_MOST_SUMS * SUM_BYTES + 4096);
    enum status s = js_only(c->body, members, "$", e);
    if (s == ST_OK)
        s = js_need(c->body, "command", JS_OBJECT, "$", &command, e);
    if (s == ST_OK)
        s = js_need_str(c->body, "sealed", "$", &text, e);
    if (s == ST_OK)
        s = check_part_command(command, c->param[0], e);
    if (s == ST_OK)
        s = decode_sealed(command, text, &sealed, e);
    if (s == ST_OK)
        s = hub_submit(c->hub, command, &entry, e);
    if (s == ST_OK)
        s = keep_sealed(c->hub, &entry, &sealed, e);
    if (s == ST_OK)
        s = call_json(c, entry.repeated ? 200 : 201, js_share(entry.json));
    ledger_entry_deinit(&entry);
    buf_deinit(&sealed);
    return s;
}

/* --- runs for everybody -------------------------------------------------------------------------------- */

static enum status get_runs(struct call *c, struct err *e)
{
    const char *before;
    int64_t limit;
    struct js *list = NULL;
    enum status s = call_query(c, "before", &before, e);
    if (s == ST_OK)
        s = call_query_int(c, "limit", 1, MOST_RUNS, 100, &limit, e);
    if (s == ST_OK)
        s = board_runs(c->board, before, (int)limit, &list, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    js_put(answer, "items", list);
    size_t n = js_size(list);
    if (n == (size_t)limit)
        js_put_str(answer, "next_before", js_get_str(js_at(list, n - 1), "id"));
    return call_json(c, 200, answer);
}

/* With wait and state, held until the run's state is another one: how `accord run` follows without polling.
 */
static enum status get_run(struct call *c, struct err *e)
{
    const char *state;
    int64_t wait;
    struct js *run = NULL;
    enum status s = call_query(c, "state", &state, e);
    if (s == ST_OK)
        s = call_query_int(c, "wait", 0, LONGEST_HOLD, 0, &wait, e);
    if (s == ST_OK)
        s = board_run(c->board, c->param[0], &run, e);
    if (s != ST_OK)
        return s;
    if (wait && state && strcmp(state, js_get_str(run, "state")) == 0 && call_park(c, (int)wait)) {
        js_free(run);
        return ST_OK;
    }
    return call_json(c, 200, run);
}

static enum status get_result(struct call *c, struct err *e)
{
    int64_t request, release = -1;
    struct ledger_entry entry = {0};
    enum status s = board_run_entries(c->board, c->param[0], &request, &release, e);
    if (s == ST_OK && release < 0)
        s = err_set(e, ST_NOT_FOUND, "the run has no released result; its status says where it is");
    if (s == ST_OK)
        s = ledger_get(registry_ledger(c->registry), release, &entry, e);
    if (s == ST_OK)
        s = call_json(c, 200, js_copy(js_get(entry.body, "document")));
    ledger_entry_deinit(&entry);
    return s;
}

/* --- nodes --------------------------------------------------------------------------------------------- */

static enum status get_work(struct call *c, struct err *e)
{
    const char *seen;
    int64_t wait;
    struct js *work = NULL;
    struct buf text;
    char mark[2 * HASH_BYTES + 1];
    enum status s = call_query(c, "seen", &seen, e);
    if (s == ST_OK)
        s = call_query_int(c, "wait", 0, LONGEST_HOLD, 0, &wait, e);
    if (s == ST_OK && !c->request->parked_before)
        board_seen(c->board, c->signer, time_now_ms());
    if (s == ST_OK)
        s = board_work(c->board, c->signer, &work, e);
    if (s != ST_OK)
        return s;
    buf_init(&text, (size_t)1 << 28);
    js_format(work, JS_COMPACT, &text);
    sha256_hex(buf_slice(&text), mark);
    buf_deinit(&text);
    if (seen && strcmp(seen, mark) == 0 && call_park(c, (int)wait)) {
        js_free(work);
        return ST_OK;
    }
    js_put_str(work, "mark", mark);
    return call_json(c, 200, work);
}

/* Numbers of entries. */
struct numbers {
    int64_t *seq;
    size_t n;
};

static enum status note_number(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d, (void)e;
    struct numbers *list = context;
    list->seq = xrealloc_array(list->seq, list->n + 1, sizeof *list->seq);
    list->seq[list->n++] = entry->seq;
    return ST_OK;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Every entry of the subjects (ended by NULL) with its inclusion proof, in the order of the log. */
static enum status prove_subjects(struct call *c, const char *const *subjects, struct js **out, struct err *e)
{
    struct ledger *l = registry_ledger(c->registry);
    struct numbers list = {0};
    enum status s = ST_OK;
    *out = js_array();
    for (size_t i = 0; s == ST_OK && subjects[i]; i++)
        s = ledger_walk(l, 0, -1, subjects[i], note_number, &list, e);
    if (list.n)
        qsort(list.seq, list.n, sizeof *list.seq, by_number);
    for (size_t i = 0; s == ST_OK && i < list.n; i++) {
        struct js *proof = NULL;
        s = proof_make(l, list.seq[i], &proof, e);
        if (s == ST_OK)
            js_push(*out, proof);
    }
    free(list.seq);
    return s;
}

static enum status prove_agreement(struct call *c, const char *agreement, struct js *dossier, struct err *e)
{
    struct js *proofs;
    char *subject = xasprintf("agreement:%s", agreement);
    enum status s = prove_subjects(c, (const char *const[]){subject, NULL}, &proofs, e);
    js_put(dossier, "agreement", proofs);
    free(subject);
    return s;
}

/* Who asked, for which body, and what makes them its analyst. The register's founding comes with it: that is
   where its first steward is registered. */
static enum status prove_analyst(struct call *c, const char *run, struct js *dossier, struct err *e)
{
    struct js *item, *proofs, *analyst = js_object();
    js_put(dossier, "analyst", analyst);
    enum status s = registry_item(c->registry, "run", run, &item, e);
    if (s != ST_OK)
        return s;
    const struct js *asked = js_get(item, "asked");
    const char *person = js_get_str(asked, "person"), *body = js_get_str(asked, "body");
    char *registered = xasprintf("person:%s", person),
         *grant = xasprintf("grant:%s.analyst.%s", person, body);
    s = prove_subjects(c, (const char *const[]){"register:accord", registered, grant, NULL}, &proofs, e);
    js_put_str(analyst, "person", person);
    js_put_str(analyst, "body", body);
    js_put(analyst, "entries", proofs);
    free(registered);
    free(grant);
    js_free(item);
    return s;
}

/* What proves a run to a node: the request's entry, every entry of its agreement, and those of the analyst
   who asked, each with its inclusion proof. */
static enum status get_dossier(struct call *c, struct err *e)
{
    int64_t request = -1, release;
    struct js *run = NULL, *proof = NULL, *dossier = js_object();
    enum status s = board_run(c->board, c->param[0], &run, e);
    if (s == ST_OK)
        s = board_run_entries(c->board, c->param[0], &request, &release, e);
    if (s == ST_OK)
        s = proof_make(registry_ledger(c->registry), request, &proof, e);
    if (s == ST_OK) {
        js_put(dossier, "request", proof);
        s = prove_agreement(c, js_get_str(run, "agreement"), dossier, e);
    }
    if (s == ST_OK)
        s = prove_analyst(c, c->param[0], dossier, e);
    js_free(run);
    if (s == ST_OK)
        return call_json(c, 200, dossier);
    js_free(dossier);
    return s;
}

static enum status get_part(struct call *c, struct err *e)
{
    int64_t round, attempt;
    struct js *run = NULL;
    struct buf sealed;
    if (!parse_i64(slice_of(c->param[1]), &round) || !parse_i64(slice_of(c->param[2]), &attempt))
        return err_set(e, ST_NOT_FOUND, "there is no such part");
    buf_init(&sealed, (size_t)MASK_MOST_SUMS * SUM_BYTES + 4096);
    enum status s = board_run(c->board, c->param[0], &run, e);
    if (s == ST_OK && strcmp(js_get_str(run, "lead"), c->signer) != 0)
        s = err_set(e, ST_DENIED, "only the run's lead node may fetch parts");
    if (s == ST_OK && (js_get_int(run, "round", 0) != round || js_get_int(run, "attempt", 0) != attempt))
        s = err_set(e, ST_CONFLICT, "parts are only given out for the present attempt");
    if (s == ST_OK)
        s = board_part_get(c->board, c->param[0], (int)round, (int)attempt, c->param[3], &sealed, e);
    if (s == ST_OK)
        s = call_bytes(c, "application/octet-stream", buf_slice(&sealed));
    js_free(run);
    buf_deinit(&sealed);
    return s;
}

const struct route run_routes[] = {
    {"POST", "/api/v1/commands", ACCESS_PUBLIC, "append a signed command to the log", NULL,
     "a signed command (docs/formats/ledger.md); its signature says who asks",
     "its entry; 200 instead of 201 when it was there before", post_command, HOLD_HUB},
    {"POST", "/api/v1/runs/{id}/parts", ACCESS_PUBLIC,
     "a site's sealed part of an attempt, or the lead node's sealed order of a round", NULL,
     "command: a signed run.part or run.round; sealed: base64 of the bytes whose hash it names", "the entry",
     post_part, HOLD_HUB},
    {"GET", "/api/v1/runs", ACCESS_PUBLIC, "runs, newest first",
     "before=id of a run: those older than it|limit=1 to 1,000", NULL, "items, next_before", get_runs,
     HOLD_SNAPSHOT},
    {"GET", "/api/v1/runs/{id}", ACCESS_PUBLIC, "where a run is",
     "wait=hold the request for so many seconds|state=while the run is in this state", NULL,
     "state, why, round, attempt, sites and what they answered, missing sites", get_run, HOLD_SNAPSHOT},
    {"GET", "/api/v1/runs/{id}/result", ACCESS_PUBLIC, "the released result of a run", NULL, NULL,
     "the released document with its disclosure record", get_result, HOLD_SNAPSHOT},
    {"GET", "/api/v1/runs/{id}/dossier", ACCESS_PUBLIC, "what proves a run: entries with inclusion proofs",
     NULL, NULL, "request, agreement, analyst", get_dossier, HOLD_SNAPSHOT},
    {"GET", "/api/v1/runs/{id}/parts/{round}/{attempt}/{site}", ACCESS_NODE,
     "a sealed part of the present attempt, for the lead node", NULL, NULL, "bytes", get_part, HOLD_HUB},
    {"GET", "/api/v1/node/work", ACCESS_NODE, "what this node is asked to do",
     "wait=hold the request for so many seconds|seen=mark of the last answer", NULL, "mark, work, runs",
     get_work, HOLD_HUB},
    {0},
};
