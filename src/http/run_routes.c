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

static enum status post_command(struct call *c, struct err *e)
{
    struct ledger_entry entry = {0};
    const char *verb = js_get_str(c->body, "verb");
    if (verb && strcmp(verb, "run.part") == 0)
        return err_set(e, ST_INVALID, "a run.part command goes to /api/v1/runs/{id}/parts, with its part");
    const char *subject = js_get_str(c->body, "subject");
    enum status s = subject ? call_if_match(c, subject, e) : ST_OK;
    if (s == ST_OK)
        s = hub_submit(c->hub, c->body, &entry, e);
    if (s == ST_OK)
        s = call_json(c, entry.repeated ? 200 : 201, js_share(entry.json));
    ledger_entry_deinit(&entry);
    return s;
}

/* The command's hash binds the sealed part that comes with it. */
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
                       "$.sealed: expected base64 of the part whose SHA-256 the command names");
    return ST_OK;
}

static enum status check_part_command(const struct js *command, const char *run, struct err *e)
{
    const char *verb = js_get_str(command, "verb"), *subject = js_get_str(command, "subject");
    if (!verb || strcmp(verb, "run.part") != 0)
        return err_set(e, ST_INVALID, "$.command.verb: expected run.part");
    if (!subject || strncmp(subject, "run:", 4) != 0 || strcmp(subject + 4, run) != 0)
        return err_set(e, ST_INVALID, "$.command.subject: expected run:%.40s", run);
    return ST_OK;
}

static enum status keep_sealed(struct hub *h, const struct ledger_entry *entry, const struct buf *sealed,
                               struct err *e)
{
    enum status s =
        board_part_put(h->board, entry->subject + strlen("run:"), (int)js_get_int(entry->body, "round", 0),
                       (int)js_get_int(entry->body, "attempt", 0), entry->actor, buf_slice(sealed), e);
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
        s = board_runs(c->hub->board, before, (int)limit, &list, e);
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
        s = board_run(c->hub->board, c->param[0], &run, e);
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
    enum status s = board_run_entries(c->hub->board, c->param[0], &request, &release, e);
    if (s == ST_OK && release < 0)
        s = err_set(e, ST_NOT_FOUND, "the run has no released result; its status says where it is");
    if (s == ST_OK)
        s = ledger_get(registry_ledger(c->hub->registry), release, &entry, e);
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
        board_seen(c->hub->board, c->signer, time_now_ms());
    if (s == ST_OK)
        s = board_work(c->hub->board, c->signer, &work, e);
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

struct proving {
    struct hub *hub;
    struct js *proofs;
};

static enum status add_proof(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d;
    struct proving *p = context;
    struct js *proof = NULL;
    enum status s = proof_make(registry_ledger(p->hub->registry), entry->seq, &proof, e);
    if (s == ST_OK)
        js_push(p->proofs, proof);
    return s;
}

static enum status prove_subject(struct hub *h, const char *noun, const char *id, struct js *into,
                                 struct err *e)
{
    struct proving p = {h, into};
    char *subject = xasprintf("%s:%s", noun, id);
    enum status s = ledger_walk(registry_ledger(h->registry), 0, -1, subject, add_proof, &p, e);
    free(subject);
    return s;
}

/* What proves a run to a node: the request's entry and every entry of its agreement, each with its inclusion
   proof. */
static enum status get_dossier(struct call *c, struct err *e)
{
    int64_t request = -1, release;
    struct js *run = NULL, *proof = NULL, *agreement = js_array();
    enum status s = board_run(c->hub->board, c->param[0], &run, e);
    if (s == ST_OK)
        s = board_run_entries(c->hub->board, c->param[0], &request, &release, e);
    if (s == ST_OK)
        s = proof_make(registry_ledger(c->hub->registry), request, &proof, e);
    if (s == ST_OK)
        s = prove_subject(c->hub, "agreement", js_get_str(run, "agreement"), agreement, e);
    js_free(run);
    if (s != ST_OK) {
        js_free(proof);
        js_free(agreement);
        return s;
    }
    struct js *dossier = js_object();
    js_put(dossier, "request", proof);
    js_put(dossier, "agreement", agreement);
    return call_json(c, 200, dossier);
}

static enum status get_part(struct call *c, struct err *e)
{
    int64_t round, attempt;
    struct js *run = NULL;
    struct buf sealed;
    if (!parse_i64(slice_of(c->param[1]), &round) || !parse_i64(slice_of(c->param[2]), &attempt))
        return err_set(e, ST_NOT_FOUND, "there is no such part");
    buf_init(&sealed, (size_t)MASK_MOST_SUMS * SUM_BYTES + 4096);
    enum status s = board_run(c->hub->board, c->param[0], &run, e);
    if (s == ST_OK && strcmp(js_get_str(run, "lead"), c->signer) != 0)
        s = err_set(e, ST_DENIED, "only the run's lead node may fetch parts");
    if (s == ST_OK && (js_get_int(run, "round", 0) != round || js_get_int(run, "attempt", 0) != attempt))
        s = err_set(e, ST_CONFLICT, "parts are only given out for the present attempt");
    if (s == ST_OK)
        s = board_part_get(c->hub->board, c->param[0], (int)round, (int)attempt, c->param[3], &sealed, e);
    if (s == ST_OK)
        s = call_bytes(c, "application/octet-stream", buf_slice(&sealed));
    js_free(run);
    buf_deinit(&sealed);
    return s;
}

const struct route run_routes[] = {
    {"POST", "/api/v1/commands", ACCESS_PUBLIC, "append a signed command to the log", NULL,
     "a signed command (docs/formats/ledger.md); its signature says who asks",
     "its entry; 200 instead of 201 when it was there before", post_command, false},
    {"POST", "/api/v1/runs/{id}/parts", ACCESS_PUBLIC, "a site's sealed part of an attempt", NULL,
     "command: a signed run.part; sealed: base64 of the part whose hash it names", "the entry", post_part,
     false},
    {"GET", "/api/v1/runs", ACCESS_PUBLIC, "runs, newest first",
     "before=id of a run: those older than it|limit=1 to 1,000", NULL, "items, next_before", get_runs, false},
    {"GET", "/api/v1/runs/{id}", ACCESS_PUBLIC, "where a run is",
     "wait=hold the request for so many seconds|state=while the run is in this state", NULL,
     "state, why, round, attempt, sites and what they answered, missing sites", get_run, false},
    {"GET", "/api/v1/runs/{id}/result", ACCESS_PUBLIC, "the released result of a run", NULL, NULL,
     "the released document with its disclosure record", get_result, false},
    {"GET", "/api/v1/runs/{id}/dossier", ACCESS_PUBLIC, "what proves a run: entries with inclusion proofs",
     NULL, NULL, "request, agreement", get_dossier, false},
    {"GET", "/api/v1/runs/{id}/parts/{round}/{attempt}/{site}", ACCESS_NODE,
     "a sealed part of the present attempt, for the lead node", NULL, NULL, "bytes", get_part, false},
    {"GET", "/api/v1/node/work", ACCESS_NODE, "what this node is asked to do",
     "wait=hold the request for so many seconds|seen=mark of the last answer", NULL, "mark, work, runs",
     get_work, false},
    {0},
};
