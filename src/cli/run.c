/* SPDX-License-Identifier: Apache-2.0
 * `accord run`: an analyst's side of a study over many sites. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "disclose/release.h"
#include "grid/hub_client.h"
#include "ledger/command.h"
#include "study/study.h"

enum { HOLD_SECONDS = 25 };

static enum status open_hub(const struct args *a, const struct identity *id, struct hub_client **out,
                            struct err *e)
{
    const char *url = args_get(a, "hub");
    if (!url)
        url = getenv("ACCORD_HUB");
    *out = NULL;
    return url ? hub_client_open(url, args_get(a, "ca"), id, NULL, out, e)
               : err_set(e, ST_USAGE, "--hub is needed (or ACCORD_HUB)");
}

static enum status make_request(const struct study *study, const char *agreement, const char *decision,
                                const struct identity *analyst, const char *run, struct js **out,
                                struct err *e)
{
    char hash[2 * HASH_BYTES + 1], *subject = xasprintf("run:%s", run);
    struct js *body = js_object();
    study_hash(study, hash);
    js_put_str(body, "agreement", agreement);
    js_put(body, "study", js_copy(study_document(study)));
    js_put_str(body, "study_hash", hash);
    js_put_str(body, "decision", decision);
    enum status s = command_make(analyst, "run.request", subject, body, out, e);
    free(subject);
    return s;
}

static void say_state(const struct args *a, const struct js *run)
{
    const char *why = js_get_str(run, "why");
    if (!args_has(a, "quiet"))
        fprintf(stderr, "%s: %s%s%s\n", js_get_str(run, "id"), js_get_str(run, "state"),
                why && *why ? ": " : "", why ? why : "");
}

static bool is_over(const char *state)
{
    return strcmp(state, "released") == 0 || strcmp(state, "failed") == 0 || strcmp(state, "declined") == 0 ||
           strcmp(state, "stopped") == 0;
}

/* Follows the run until it is over (or, with `held`, until its output is held). */
static enum status follow(const struct args *a, struct hub_client *hub, const char *id, bool held,
                          struct err *e)
{
    char state[24] = "";
    for (;;) {
        struct js *run = NULL;
        char *target = xasprintf("/api/v1/runs/%s?wait=%d&state=%s", id, HOLD_SECONDS, state);
        enum status s = hub_get(hub, target, (HOLD_SECONDS + 10) * 1000, &run, e);
        free(target);
        if (s != ST_OK)
            return s;
        const char *now = js_get_str(run, "state");
        if (strcmp(now, state) != 0)
            say_state(a, run);
        snprintf(state, sizeof state, "%s", now);
        bool done = is_over(state) || (held && strcmp(state, "held") == 0);
        const char *why = js_get_str(run, "why");
        if (done && strcmp(state, "released") != 0 && strcmp(state, "held") != 0)
            s = err_set(e, ST_DENIED, "the run is %s: %s", state, why && *why ? why : "no reason was given");
        js_free(run);
        if (done)
            return s;
    }
}

static enum status print_id(const struct args *a, const char *id, struct err *e)
{
    static const char *const columns[] = {"run", NULL};
    struct out *o = out_new(a, columns);
    out_row(o, id);
    return out_end(o, e);
}

static enum status submit(const struct args *a, const struct study *study, const char *agreement,
                          const char *key, struct err *e)
{
    struct identity *analyst = NULL;
    struct hub_client *hub = NULL;
    struct js *command = NULL;
    uint8_t random[8];
    char fresh[2 * sizeof random + 1];
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, fresh);
    const char *id = args_get_or(a, "id", fresh);
    enum status s = identity_load(key, &analyst, e);
    if (s == ST_OK)
        s = open_hub(a, analyst, &hub, e);
    if (s == ST_OK)
        s = make_request(study, agreement, args_get_or(a, "decision", study_title(study)), analyst, id,
                         &command, e);
    if (s == ST_OK)
        s = hub_post(hub, "/api/v1/commands", command, NULL, e);
    if (s == ST_OK)
        s = print_id(a, id, e);
    if (s == ST_OK && args_has(a, "wait"))
        s = follow(a, hub, id, false, e);
    js_free(command);
    hub_client_close(hub);
    identity_free(analyst);
    return s;
}

static enum status run_submit(const struct args *a, struct err *e)
{
    const char *agreement, *key;
    struct study *study = NULL;
    enum status s = args_need(a, "agreement", &agreement, e);
    if (s == ST_OK)
        s = args_need(a, "key", &key, e);
    if (s == ST_OK)
        s = study_load(args_operand(a, 0), &study, e);
    if (s == ST_OK)
        s = submit(a, study, agreement, key, e);
    study_free(study);
    return s;
}

static enum status get_run(const struct args *a, const char *tail, struct js **out, struct err *e)
{
    struct hub_client *hub = NULL;
    char *target = xasprintf("/api/v1/runs/%s%s", args_operand(a, 0), tail);
    enum status s = open_hub(a, NULL, &hub, e);
    if (s == ST_OK)
        s = hub_get(hub, target, 0, out, e);
    hub_client_close(hub);
    free(target);
    return s;
}

static void status_rows(struct out *o, const struct js *run)
{
    static const char *const names[] = {"id",  "title",        "agreement", "state",
                                        "why", "requested_at", "changed_at"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        out_row(o, names[i], js_get_str(run, names[i]), "");
    const struct js *sites = js_get(run, "sites"), *missing = js_get(run, "missing");
    for (size_t i = 0; i < js_size(sites); i++) {
        const struct js *site = js_at(sites, i);
        const char *answer = js_get_str(site, "answer");
        out_row(o, "site", js_get_str(site, "body"), answer && *answer ? answer : "asked");
    }
    for (size_t i = 0; i < js_size(missing); i++)
        out_row(o, "missing", js_get_str(js_at(missing, i), "body"), js_get_str(js_at(missing, i), "why"));
}

static enum status run_status(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"what", "value", "note", NULL};
    struct js *run = NULL;
    enum status s = get_run(a, "", &run, e);
    if (s == ST_OK && args_format(a) == OUT_JSON) {
        s = out_json(run, e);
    } else if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        status_rows(o, run);
        s = out_end(o, e);
    }
    js_free(run);
    return s;
}

static enum status run_wait(const struct args *a, struct err *e)
{
    struct hub_client *hub = NULL;
    enum status s = open_hub(a, NULL, &hub, e);
    if (s == ST_OK)
        s = follow(a, hub, args_operand(a, 0), args_has(a, "held"), e);
    hub_client_close(hub);
    return s;
}

static void print_csv(const struct released *r)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 28);
    for (uint32_t i = 0; i < released_n_tables(r); i++)
        released_csv(released_table(r, i), &text);
    fwrite(text.p, 1, text.n, stdout);
    buf_deinit(&text);
}

static enum status run_result(const struct args *a, struct err *e)
{
    struct js *document = NULL;
    struct released *released = NULL;
    enum status s = get_run(a, "/result", &document, e);
    if (s == ST_OK)
        s = released_from_json(document, &released, e);
    if (s == ST_OK && args_format(a) == OUT_JSON)
        s = out_json(document, e);
    else if (s == ST_OK && args_format(a) == OUT_CSV)
        print_csv(released);
    else if (s == ST_OK)
        released_print(released, stdout);
    released_free(released);
    js_free(document);
    return s;
}

#define HUB_OPTIONS                                                                                          \
    {"hub", "URL", "address of the hub (or ACCORD_HUB)"},                                                    \
    {                                                                                                        \
        "ca", "FILE", "trust only this authority's certificates"                                             \
    }

static const struct option_spec submit_options[] = {
    HUB_OPTIONS,
    {"agreement", "ID", "the agreement that the run is under"},
    {"key", "KEYFILE", "the analyst's key"},
    {"decision", "TEXT", "the decision that the result informs (default: the study's title)"},
    {"id", "ID", "a name for the run (default: a random one)"},
    {"wait", NULL, "follow the run until it is released, failed or stopped"},
    {0},
};
static const struct option_spec hub_only[] = {HUB_OPTIONS, {0}};
static const struct option_spec wait_options[] = {
    HUB_OPTIONS, {"held", NULL, "return as soon as its output waits for the checkers"}, {0}};
const struct command run_commands[] = {
    {"submit", "STUDY", "ask for a study to be run under an agreement",
     "Checks the study, signs the request and hands it to the hub; prints the run's id. Every site checks "
     "the\n"
     "request for itself. The result appears when two checkers have passed it.",
     submit_options, 1, 1, run_submit},
    {"status", "ID", "where a run is, what each site answered, who is missing", NULL, hub_only, 1, 1,
     run_status},
    {"wait", "ID", "follow a run until it is over", NULL, wait_options, 1, 1, run_wait},
    {"result", "ID", "print the released tables",
     "As a table for people, as CSV one table after the other, or as the released document (--format json) "
     "with\n"
     "its disclosure record.",
     hub_only, 1, 1, run_result},
    {0},
};
