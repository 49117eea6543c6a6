/* SPDX-License-Identifier: Apache-2.0
 *
 * The node's own pages, for the people of its site, on an address of the site's own network: runs that ask to
 * be admitted, held outputs beside what the requester will see, two checkers' verdicts, and stopping
 * everything. What they do goes through the functions of grid/node.h, as the commands do.
 *
 * Pages are HTML with forms and need no script. Every page but the sign-in needs a session of an account of
 * this node (accounts.db in its folder, sealed with node.key); changes carry the session's CSRF token. An
 * account is a checker's (verdicts on outputs, signed with the key in the account: the register decides
 * whether they count), a controller's (admit, refuse, stop), or both. Held outputs show raw counts: never to
 * anybody without a checker's account, and never beyond this server.
 */
#ifndef ACCORD_HTTP_NODE_PAGES_H
#define ACCORD_HTTP_NODE_PAGES_H

#include "base/err.h"
#include "http/accounts.h"

struct node_pages;
struct node_pages_options {
    const char *data;   /* the node's folder */
    const char *listen; /* "127.0.0.1:8081"; beyond loopback only with the two files (PEM) */
    const char *certificate, *key_path;
};
/* Serves on threads of its own until it is closed; says on the log where. */
MUST_CHECK enum status node_pages_open(const struct node_pages_options *o, struct node_pages **out,
                                       struct err *e);
void node_pages_close(struct node_pages *p); /* NULL is fine */

/* The node's accounts, for its operator's commands. */
MUST_CHECK enum status node_accounts_open(const char *data, struct accounts **out, struct err *e);
extern const char node_account_roles[]; /* "checker|controller" */

#endif
