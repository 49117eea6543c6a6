/* SPDX-License-Identifier: Apache-2.0
 * `accord hub`: the register's server. */
#include "cli/command.h"
#include "http/hub.h"

static enum status run_hub(const struct args *a, struct err *e)
{
    int64_t attempt_s, admission_days;
    struct hub_options o = {.listen = args_get_or(a, "listen", "127.0.0.1:8080"),
                            .certificate = args_get(a, "tls-cert"),
                            .key_path = args_get(a, "tls-key"),
                            .sign_in = args_get(a, "sign-in")};
    struct hub *hub = NULL;
    enum status s = args_need(a, "data", &o.data, e);
    if (s == ST_OK)
        s = args_int(a, "attempt-timeout", 1, 86400, 120, &attempt_s, e);
    if (s == ST_OK)
        s = args_int(a, "admission-timeout", 1, 365, 14, &admission_days, e);
    if (s != ST_OK)
        return s;
    o.board.attempt_ms = attempt_s * 1000;
    o.board.admission_ms = admission_days * 86400000;
    s = hub_open(&o, &hub, e);
    if (s == ST_OK)
        s = hub_serve(hub, e);
    hub_close(hub);
    return s;
}

static const struct option_spec hub_options[] = {
    {"data", "DIR", "folder of the hub: hub.key, register.db, grid.db"},
    {"listen", "ADDRESS:PORT", "where to listen (default: 127.0.0.1:8080; port 0 takes a free one)"},
    {"tls-cert", "FILE", "certificate chain, PEM; needed beyond loopback addresses"},
    {"tls-key", "FILE", "its key, PEM"},
    {"sign-in", "FILE", "settings of an OpenID provider that people may sign in through (docs/operator)"},
    {"attempt-timeout", "SECONDS", "a site that has not answered by then is left out (default: 120)"},
    {"admission-timeout", "DAYS", "the same where a person admits the run (default: 14)"},
    {0},
};

const struct command hub_commands[] = {
    {NULL, "", "serve the register and coordinate runs",
     "Serves the API of docs/formats/api.md until it is interrupted (Ctrl-C or SIGTERM). The register is "
     "begun\n"
     "beforehand with 'accord register found'. The hub holds what is public and sealed parts of runs in\n"
     "progress, which it cannot open; no patient data ever comes to it. Plain HTTP is only served on "
     "loopback\n"
     "addresses.",
     hub_options, 0, 0, run_hub},
    {0},
};
