/* SPDX-License-Identifier: Apache-2.0
 * `accord account`: accounts at a hub, made by who runs it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/password.h"
#include "http/accounts.h"

static enum status open_accounts(const char *data, struct accounts **out, struct err *e)
{
    struct identity *hub = NULL;
    char *key = xasprintf("%s/hub.key", data), *path = xasprintf("%s/accounts.db", data);
    enum status s = identity_load(key, &hub, e);
    if (s == ST_OK)
        s = accounts_open(path, hub, out, e);
    identity_free(hub);
    free(key);
    free(path);
    return s;
}

static enum status run_new(const struct args *a, struct err *e)
{
    const char *data, *person = args_operand(a, 0), *key = args_get(a, "key");
    char password[PASSWORD_LINE] = "";
    struct accounts *accounts = NULL;
    struct identity *id = NULL;
    struct account_new made;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK && key)
        s = identity_load(key, &id, e);
    if (s == ST_OK)
        s = password_read(password, e);
    if (s == ST_OK)
        s = open_accounts(data, &accounts, e);
    if (s == ST_OK)
        s = account_create(
            accounts, &(struct account_wanted){.person = person, .password = password, .key = id}, &made, e);
    secret_wipe(password, sizeof password);
    identity_free(id);
    accounts_close(accounts);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, (const char *const[]){"account", "key", "totp_secret", NULL});
    out_row(o, person, made.key_hex, made.totp_secret);
    return out_end(o, e);
}

static const struct option_spec new_options[] = {
    {"data", "DIR", "folder of the hub"},
    {"key", "FILE", "the key that the account is to hold (default: a new one)"},
    {0},
};

const struct command account_commands[] = {
    {"new", "NAME", "make an account at a hub of one's own",
     "Makes an account with which a person signs in at the hub's pages; the password is the first line of "
     "standard\n"
     "input. Printed are the account's public key and the secret for an authenticator app, which is not "
     "shown "
     "again.\n"
     "With --key the hub gets a copy of that key: so the steward who founded the register comes to an "
     "account.\n"
     "Everybody else makes their own at the hub's pages.",
     new_options, 1, 1, run_new},
    {0},
};
