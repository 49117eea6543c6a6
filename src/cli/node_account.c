/* SPDX-License-Identifier: Apache-2.0
 * `accord node account`: who may sign in at the node's own pages. */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "cli/node.h"
#include "cli/password.h"
#include "http/node_pages.h"

const char node_account_about[] =
    "list           accounts of this node\n"
    "add NAME       with --role checker, controller or 'checker|controller'; the password is the first line "
    "of\n"
    "               standard input; --key takes the key that the person has on the register, otherwise a "
    "new\n"
    "               one is made\n"
    "remove NAME    ends the account and its sessions\n"
    "\n"
    "'add' prints the public key, which the register must know with a checker's grant before a verdict "
    "counts,\n"
    "and the secret for an authenticator app; it is not shown again.";

const struct option_spec node_account_options[] = {
    {"data", "DIR", "the node's folder"},
    {"role", "ROLE", "checker, controller, or checker|controller"},
    {"key", "KEYFILE", "the person's own key"},
    {0},
};

static enum status list(const struct args *a, struct accounts *accounts, struct err *e)
{
    static const char *const columns[] = {"account", "roles", "key", "made", NULL};
    struct js *all = NULL;
    enum status s = account_list(accounts, &all, e);
    if (s == ST_OK) {
        struct out *o = out_new(a, columns);
        for (size_t i = 0; i < js_size(all); i++)
            out_row(o, js_get_str(js_at(all, i), "person"), js_get_str(js_at(all, i), "roles"),
                    js_get_str(js_at(all, i), "key"), js_get_str(js_at(all, i), "made"));
        s = out_end(o, e);
    }
    js_free(all);
    return s;
}

static enum status check_role(const char *role, struct err *e)
{
    return word_in(node_account_roles, role) || strcmp(role, node_account_roles) == 0
               ? ST_OK
               : err_set(e, ST_USAGE, "--role: expected checker, controller or %s", node_account_roles);
}

static enum status add(const struct args *a, struct accounts *accounts, const char *name, struct err *e)
{
    static const char *const columns[] = {"account", "key", "totp_secret", NULL};
    struct account_wanted wanted = {.person = name};
    struct account_new made;
    struct identity *key = NULL;
    char password[PASSWORD_LINE] = "";
    enum status s = args_need(a, "role", &wanted.roles, e);
    if (s == ST_OK)
        s = check_role(wanted.roles, e);
    if (s == ST_OK)
        s = password_read(password, e);
    if (s == ST_OK && args_has(a, "key"))
        s = identity_load(args_get(a, "key"), &key, e);
    wanted.password = password;
    wanted.key = key;
    if (s == ST_OK)
        s = account_create(accounts, &wanted, &made, e);
    secret_wipe(password, sizeof password);
    identity_free(key);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    out_row(o, name, made.key_hex, made.totp_secret);
    return out_end(o, e);
}

enum status run_node_account(const struct args *a, struct err *e)
{
    const char *action = args_operand(a, 0), *name = args_operand(a, 1), *data;
    struct accounts *accounts = NULL;
    enum status s = args_need(a, "data", &data, e);
    if (s == ST_OK && strcmp(action, "list") != 0 && !name)
        s = err_set(e, ST_USAGE, "expected 'list', or 'add' or 'remove' with a name");
    if (s == ST_OK)
        s = node_accounts_open(data, &accounts, e);
    if (s == ST_OK && strcmp(action, "list") == 0)
        s = list(a, accounts, e);
    else if (s == ST_OK && strcmp(action, "add") == 0)
        s = add(a, accounts, name, e);
    else if (s == ST_OK && strcmp(action, "remove") == 0)
        s = account_remove(accounts, name, e);
    else if (s == ST_OK)
        s = err_set(e, ST_USAGE, "'%.40s' is not one of list, add, remove", action);
    accounts_close(accounts);
    return s;
}
