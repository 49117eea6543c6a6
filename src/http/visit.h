/* SPDX-License-Identifier: Apache-2.0
 * What the files of the node's pages share; nobody else includes this. */
#ifndef ACCORD_HTTP_VISIT_H
#define ACCORD_HTTP_VISIT_H

#include <stdbool.h>

#include "base/json.h"
#include "http/accounts.h"
#include "http/html.h"
#include "http/limiter.h"
#include "http/node_pages.h"
#include "http/server.h"

struct node_pages {
    char *data;
    struct identity *id;
    struct accounts *accounts;
    struct limiter *limiter;
    struct server *server;
};

/* One request: who came, and the page that is being made. */
struct visit {
    struct node_pages *pages;
    struct http_request *request;
    struct http_response *response;
    const char *id;                      /* what stood for {id} */
    struct account_use who;              /* person "" when nobody is signed in */
    char csrf[ACCOUNT_TOKEN_DIGITS + 1]; /* for the forms of this session */
    const struct http_request *form;     /* a POST's members, for request_query */
    const struct err *fault;             /* what went wrong with the form that the page shows again */
    int code;
};

bool visit_may(const struct visit *v, const char *role);
/* A member of the form, trimmed; "" when it is absent. ST_INVALID when it is longer than `most`. */
MUST_CHECK enum status visit_member(struct visit *v, const char *name, size_t most, const char **out,
                                    struct err *e);
void visit_go(struct visit *v, const char *path); /* 303 */

/* node_parts.c: what pages are put together from. */
struct html_frame view_frame(const struct visit *v, const char *title);
void view_begin(struct visit *v, const struct html_frame *f, const char *lead);
enum status view_end(struct visit *v, const struct html_frame *f);
void view_form_begin(struct visit *v, const char *action);
void view_form_end(struct visit *v, const char *button, const char *kind); /* kind: classes of the button */
void view_reason(struct visit *v, const char *label, const char *hint);
/* A row of a summary list; end one that was begun with "</dd></div>". */
void view_row_begin(struct buf *out, const char *key);
void view_row(struct buf *out, const char *key, const char *text);
void view_names(struct buf *out, const struct js *names);
bool view_in_state(const struct js *o, const char *state);

/* node_views.c, node_output.c: the pages. */
MUST_CHECK enum status view_sign_in(struct visit *v, struct err *e);
MUST_CHECK enum status view_home(struct visit *v, struct err *e);
MUST_CHECK enum status view_run(struct visit *v, struct err *e);
MUST_CHECK enum status view_output(struct visit *v, struct err *e);
MUST_CHECK enum status view_stop(struct visit *v, struct err *e);
void view_fault(struct visit *v, const struct err *fault);
MUST_CHECK enum status view_picture(struct visit *v, struct err *e);

#endif
