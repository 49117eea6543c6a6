/* SPDX-License-Identifier: Apache-2.0
 * `accord node discovery`: cohort discovery's tasks, one from a file or all that a task API has. */
#include "base/date.h"
#include "base/text.h"
#include "cli/node.h"
#include "grid/discovery_task.h"
#include "grid/discovery_worker.h"

const char node_discovery_about[] =
    "With a file: prints the answer to that task; nothing is sent.\n"
    "Without: polls the task API at --url (a link connector or a relay) and answers what it gives, until\n"
    "interrupted. Every count passes disclosure control under the site's policy; what is hidden is told as "
    "0.\n"
    "A query that is not understood whole is answered with status 'error' and the reason. The site's "
    "node.yaml\n"
    "must name who approved this ('discovery:' with 'approved_by:'), since no two checkers see each answer.";

const struct option_spec node_discovery_options[] = {
    {"store", "STORE", "the site's patient store"},
    {"collection", "ID", "this data set's id in the network"},
    {"policy", "POLICY", "with a file: a disclosure profile or policy file (default sde-10)"},
    {"data", "DIR", "the node's folder"},
    {"url", "URL", "the task API, path included: https://relay.example.nhs.uk/link_connector_api"},
    {"queue", "a|b", "where the server has two queues: a availability, b distributions"},
    {"user", "NAME", "user at the task API"},
    {"password-file", "FILE", "file with the password, mode 0600"},
    {"ca", "FILE", "trust only this authority's certificates"},
    {"every", "SECONDS", "how often to ask (default 5)"},
    {"once", NULL, "stop when there is no task"},
    {0},
};

static enum status answer_file(const struct args *a, const char *store_path, struct err *e)
{
    struct js *task = NULL;
    struct policy policy;
    struct store *store = NULL;
    enum status s = js_load(args_operand(a, 0), &task, e);
    if (s == ST_OK)
        s = policy_load(args_get_or(a, "policy", "sde-10"), &policy, e);
    if (s == ST_OK)
        s = store_open(store_path, &store, e);
    if (s == ST_OK) {
        struct discovery_site site = {store,
                                      pool_new(0),
                                      &policy,
                                      args_get_or(a, "collection", "collection"),
                                      (int32_t)(time_now_ms() / 86400000),
                                      NULL};
        struct js *answer = discovery_answer(task, &site);
        s = out_json(answer, e);
        js_free(answer);
        pool_free(site.pool);
    }
    store_close(store);
    js_free(task);
    return s;
}

enum status run_node_discovery(const struct args *a, struct err *e)
{
    struct discovery_connection to = {.ca_file = args_get(a, "ca"), .once = args_has(a, "once")};
    const char *store, *data, *queue = args_get(a, "queue");
    int64_t every = 5, threads = 0;
    enum status s = args_need(a, "store", &store, e);
    if (s == ST_OK && args_count(a) == 1)
        return answer_file(a, store, e);
    if (s == ST_OK)
        s = args_need(a, "data", &data, e);
    if (s == ST_OK)
        s = args_need(a, "url", &to.url, e);
    if (s == ST_OK)
        s = args_need(a, "collection", &to.collection, e);
    if (s == ST_OK)
        s = args_need(a, "user", &to.user, e);
    if (s == ST_OK)
        s = args_need(a, "password-file", &to.password_file, e);
    if (s == ST_OK)
        s = args_int(a, "every", 1, 3600, 5, &every, e);
    if (s == ST_OK)
        s = args_int(a, "threads", 1, 1024, 0, &threads, e);
    if (s == ST_OK && queue && !word_in("a|b", queue))
        s = err_set(e, ST_USAGE, "--queue must be a or b");
    to.queue = queue;
    to.poll_seconds = (int)every;
    return s == ST_OK ? discovery_work(data, store, (unsigned)threads, &to, e) : s;
}
