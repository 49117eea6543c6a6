/* SPDX-License-Identifier: Apache-2.0
 * `accord node init|enrol|run|status|runs|admit|refuse|trust`: the node itself. */
#include <stdio.h>

#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/node.h"
#include "grid/node.h"
#include "http/node_pages.h"

const char node_init_about[] =
    "Makes DIR with the node's signing key (node.key), its database (node.db) and a policy to start from\n"
    "(node.yaml); what is there already is kept. Prints the public key.";
const char node_enrol_about[] =
    "The hub's side invites a node first ('accord node invite NAME --body BODY --token-hash ...') and gives "
    "its\n"
    "operator the token. Enrolling shows the token once, signed with the node's own key, and pins the hub's "
    "key:\n"
    "from then on this node believes nothing that is not in the log signed with it.";
const char node_run_about[] =
    "Holds one request open to the hub and does what is asked: checks each run for "
    "itself, computes sums over\n"
    "the store, sends them masked and sealed to the lead node. Killed at any "
    "moment, it goes on where it was. With --listen it serves pages "
    "too, where people of the site admit\nruns, check outputs and can stop everything "
    "('accord node account' says who).";

const struct option_spec node_data_options[] = {{"data", "DIR", "the node's folder"}, {0}};
const struct option_spec node_enrol_options[] = {
    {"data", "DIR", "the node's folder"},
    {"hub", "URL", "address of the hub"},
    {"name", "NAME", "the name it was invited by"},
    {"token-file", "FILE", "the one-time token: a file that only you may read, or - for standard input"},
    {"hub-key", "VKEY", "the hub's key, if known beforehand; otherwise it is taken at its word this once"},
    {"ca", "FILE", "trust only this authority's certificates"},
    {0},
};
const struct option_spec node_run_options[] = {
    {"data", "DIR", "the node's folder"},
    {"store", "STORE", "the site's patient store"},
    {"listen", "ADDRESS:PORT",
     "serve pages for the site's checkers and controllers here (port 0: a free one)"},
    {"tls-cert", "FILE", "certificate chain of the pages, PEM; needed beyond loopback addresses"},
    {"tls-key", "FILE", "its key, PEM"},
    {0},
};
const struct option_spec node_reason_options[] = {
    {"data", "DIR", "the node's folder"},
    {"reason", "TEXT", "why, for the public log"},
    {0},
};

enum status run_node_init(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"key", NULL};
    const char *data;
    char key[65];
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = node_init(data, key, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    out_row(o, key);
    return out_end(o, e);
}

/* Not an option's value: everybody on the machine can read those. */
static enum status read_token(const struct args *a, struct buf *token, struct err *e)
{
    const char *path;
    enum status s = args_need(a, "token-file", &path, e);
    if (s == ST_OK)
        s = strcmp(path, "-") == 0 ? file_read("/dev/stdin", token, e) : secret_file_read(path, token, e);
    if (s != ST_OK)
        return s;
    struct slice text = slice_trim(buf_slice(token));
    if (text.n == 0)
        return err_set(e, ST_USAGE, "--token-file: it is empty; expected the one-time token on one line");
    if (text.n < token->n) {
        memmove(token->p, text.p, text.n);
        token->n = text.n;
        token->p[text.n] = '\0';
    }
    return ST_OK;
}

enum status run_node_enrol(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"body", "key", "hub key", NULL};
    const char *data;
    struct node_enrolment how = {.ca_file = args_get(a, "ca"), .hub_key = args_get(a, "hub-key")};
    struct js *answer = NULL;
    struct buf token;
    buf_init(&token, 4096);
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = args_need(a, "hub", &how.hub_url, e);
    if (s == ST_OK)
        s = args_need(a, "name", &how.name, e);
    if (s == ST_OK)
        s = read_token(a, &token, e);
    how.token = token.p;
    if (s == ST_OK)
        s = node_enrol(data, &how, &answer, e);
    secret_deinit(&token);
    if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        out_row(o, js_get_str(answer, "body"), js_get_str(answer, "key"), js_get_str(answer, "hub_key"));
        s = out_end(o, e);
    }
    js_free(answer);
    return s;
}

enum status run_node_run(const struct args *a, struct err *e)
{
    const char *data, *store, *threads = args_get(a, "threads");
    uint64_t n = 0;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = args_need(a, "store", &store, e);
    if (s == ST_OK && threads && (!parse_u64(slice_of(threads), &n) || n < 1 || n > 1024))
        s = err_set(e, ST_USAGE, "--threads must be a whole number from 1 to 1024");
    struct node_pages_options pages = {.data = data,
                                       .listen = args_get(a, "listen"),
                                       .certificate = args_get(a, "tls-cert"),
                                       .key_path = args_get(a, "tls-key")};
    struct node_pages *served = NULL;
    if (s == ST_OK && pages.listen)
        s = node_pages_open(&pages, &served, e);
    if (s == ST_OK)
        s = node_serve(data, store, (unsigned)n, e);
    node_pages_close(served);
    return s;
}

enum status run_node_status(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"what", "value", NULL};
    const char *data;
    struct js *status = NULL;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = node_status(data, &status, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    for (void *it = js_first(status); it; it = js_next(status, it))
        out_row(o, js_key(it), js_str(js_value(it)));
    js_free(status);
    return out_end(o, e);
}

enum status run_node_runs(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"run", "state", "agreement", "title", "why", NULL};
    const char *data;
    struct js *runs = NULL;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = node_runs(data, &runs, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(runs); i++) {
        const struct js *r = js_at(runs, i);
        out_row(o, js_get_str(r, "run"), js_get_str(r, "state"), js_get_str(r, "agreement"),
                js_get_str(r, "title"), js_get_str(r, "why"));
    }
    js_free(runs);
    return out_end(o, e);
}

enum status run_node_admit(const struct args *a, struct err *e)
{
    const char *data;
    enum status s = args_need(a, "data", &data, e);
    return s == ST_OK ? node_admit(data, args_operand(a, 0), e) : s;
}

enum status run_node_refuse(const struct args *a, struct err *e)
{
    const char *data, *reason;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = args_need(a, "reason", &reason, e);
    return s == ST_OK ? node_refuse(data, args_operand(a, 0), reason, e) : s;
}

enum status run_node_trust(const struct args *a, struct err *e)
{
    const char *data;
    enum status s = args_need(a, "data", &data, e);
    return s == ST_OK ? node_trust(data, args_operand(a, 0), args_operand(a, 1), e) : s;
}

enum status run_node_stop(const struct args *a, struct err *e)
{
    const char *data, *reason;
    int stopped = 0;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = args_need(a, "reason", &reason, e);
    if (s == ST_OK)
        s = node_halt(data, reason, &stopped, e);
    if (s == ST_OK && !args_has(a, "quiet"))
        fprintf(stderr, "stopped %d runs; new ones are refused until 'accord node resume'\n", stopped);
    return s;
}

enum status run_node_resume(const struct args *a, struct err *e)
{
    const char *data;
    enum status s = args_need(a, "data", &data, e);
    return s == ST_OK ? node_resume(data, e) : s;
}
