/* SPDX-License-Identifier: Apache-2.0
 * `accord node output`: what the lead node holds, and what checkers say of it. */
#include <stdio.h>
#include <string.h>

#include "cli/checks.h"
#include "cli/node.h"
#include "disclose/release.h"
#include "grid/node.h"

const char node_output_about[] =
    "list              what this node holds and has released\n"
    "show ID           the tables as they would be released\n"
    "check ID          the checker's view: every cell, those at risk first, why, and what will be seen\n"
    "approve ID        with --key: a checker's yes; the second of two different people releases it\n"
    "return ID         with --key and --reason: a checker's no; nothing is released\n"
    "\n"
    "A checker signs with their own key and must hold a checker's grant on the register, for a body that is "
    "no\n"
    "party to the agreement. The hub must be reachable: the register decides who may.";

const struct option_spec node_output_options[] = {
    {"data", "DIR", "the node's folder"},
    {"key", "KEYFILE", "the checker's own key"},
    {"reason", "TEXT", "why it is returned"},
    {0},
};

static enum status list(const struct args *a, const char *data, struct err *e)
{
    static const char *const columns[] = {"output", "title", "state", "made", "#approvals", "why", NULL};
    struct js *outputs = NULL;
    enum status s = node_outputs(data, &outputs, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    for (size_t i = 0; i < js_size(outputs); i++) {
        const struct js *r = js_at(outputs, i);
        out_row(o, js_get_str(r, "id"), js_get_str(r, "title"), js_get_str(r, "state"), js_get_str(r, "made"),
                js_get_str(r, "approvals"), js_get_str(r, "why"));
    }
    js_free(outputs);
    return out_end(o, e);
}

static enum status show(const struct args *a, const char *data, const char *id, struct err *e)
{
    struct js *document = NULL;
    struct released *r = NULL;
    enum status s = node_output(data, id, &document, e);
    if (s == ST_OK)
        s = released_from_json(document, &r, e);
    if (s == ST_OK && args_format(a) == OUT_JSON)
        s = out_json(document, e);
    else if (s == ST_OK)
        released_print(r, stdout);
    released_free(r);
    js_free(document);
    return s;
}

static enum status check(const struct args *a, const char *data, const char *id, struct err *e)
{
    struct js *view = NULL;
    enum status s = node_output_checks(data, id, &view, e);
    return s == ST_OK ? checks_print(a, view, e) : s;
}

static enum status checker_of(const struct args *a, struct identity **out, struct err *e)
{
    const char *path;
    *out = NULL;
    enum status s = args_need(a, "key", &path, e);
    return s == ST_OK ? identity_load(path, out, e) : s;
}

static enum status approve(const struct args *a, const char *data, const char *id, struct err *e)
{
    struct identity *checker;
    int left = 0;
    enum status s = checker_of(a, &checker, e);
    if (s == ST_OK)
        s = node_output_approve(data, id, checker, &left, e);
    identity_free(checker);
    if (s == ST_OK && !args_has(a, "quiet"))
        fprintf(stderr,
                left ? "approved; one more checker is needed\n" : "approved; the node releases it now\n");
    return s;
}

static enum status give_back(const struct args *a, const char *data, const char *id, struct err *e)
{
    struct identity *checker;
    const char *reason;
    enum status s = checker_of(a, &checker, e);
    if (s == ST_OK)
        s = args_need(a, "reason", &reason, e);
    if (s == ST_OK)
        s = node_output_return(data, id, checker, reason, e);
    identity_free(checker);
    return s;
}

enum status run_node_output(const struct args *a, struct err *e)
{
    const char *action = args_operand(a, 0), *id = args_operand(a, 1), *data;
    enum status s = args_need(a, "data", &data, e);
    if (s != ST_OK)
        return s;
    if (strcmp(action, "list") == 0 && !id)
        return list(a, data, e);
    if (!id)
        return err_set(e, ST_USAGE,
                       "expected 'list', or 'show', 'check', 'approve' or 'return' with the id of an output");
    if (strcmp(action, "show") == 0)
        return show(a, data, id, e);
    if (strcmp(action, "check") == 0)
        return check(a, data, id, e);
    if (strcmp(action, "approve") == 0)
        return approve(a, data, id, e);
    if (strcmp(action, "return") == 0)
        return give_back(a, data, id, e);
    return err_set(e, ST_USAGE, "'%.40s' is not one of list, show, check, approve, return", action);
}
