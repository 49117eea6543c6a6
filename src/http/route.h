/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes are a table: method, path pattern, who may call, what it does. Matching, the checks before a handler
 * (signature, JSON body, query members), problem+json errors and the OpenAPI document all come from it; a
 * test walks it.
 *
 * A handler says what it must hold (enum hold): the hub's lock, to change something; a snapshot, to read
 * while others change; or nothing. It reads from c->registry and c->board, which are those of what it holds.
 * It returns an error or fills the response: call_json, call_bytes, call_empty, or call_park to be asked
 * again when something changed.
 */
#ifndef ACCORD_HTTP_ROUTE_H
#define ACCORD_HTTP_ROUTE_H

#include <stdbool.h>

#include "base/json.h"
#include "http/server.h"

struct hub;
struct account_use;
struct registry;
struct board;
struct snapshot;

enum { ROUTE_PARAMS = 4 };

struct call {
    struct hub *hub;
    struct http_request *request;
    struct http_response *response;
    struct registry *registry; /* what to read from: see enum hold */
    struct board *board;
    struct snapshot *snapshot;
    bool passing;                      /* what was read is not the register's alone: not to be kept */
    bool locked;                       /* the hub's lock is held */
    const char *param[ROUTE_PARAMS];   /* what stood for {...}, decoded, in order */
    const char *signer;                /* hex key whose signature covers this request; NULL when unsigned */
    const struct js *body;             /* of requests with a JSON body; NULL otherwise */
    const struct account_use *account; /* whose session or API token came with it; NULL without */
    int code;                          /* of the refusal, where it is not the status's own (412, 429) */
    bool parked;
};

enum access {
    ACCESS_PUBLIC,  /* anyone; a signature is checked when there is one */
    ACCESS_SIGNED,  /* a signed request of any key (the register decides what the key may do) */
    ACCESS_NODE,    /* a signed request of an enrolled node */
    ACCESS_ACCOUNT, /* a session (changes with its CSRF token) or an API token */
    ACCESS_PERSON   /* either: a signed request of a person's key, or an account */
};

enum hold {
    HOLD_HUB,      /* the hub's lock: commands, and what keeps memory of the caller */
    HOLD_NOTHING,  /* accounts and files, which see to themselves */
    HOLD_SNAPSHOT, /* one state of register and board, beside whatever commits */
    HOLD_REGISTER  /* a snapshot too, for what follows from the register and the day alone: a public answer is
                      kept until what it was read from changes (answers.h) */
};

struct route {
    const char *method;
    const char *pattern; /* "/api/v1/runs/{id}" */
    enum access access;
    const char *summary; /* for the OpenAPI document: one line */
    const char *query; /* names of query members with what they are: "wait=seconds to hold the request|..." */
    const char *takes; /* what the JSON body holds, in words; NULL = no body */
    const char *gives; /* what the answer holds */
    enum status (*run)(struct call *c, struct err *e);
    enum hold hold;
};

/* Every table, ended by NULL; each table is ended by an empty entry. */
extern const struct route *const route_tables[];

/* Whether the path fits the pattern segment by segment; {x} takes one segment, percent-decoded, into `param`
   (ROUTE_PARAMS of them; arena memory). */
bool route_match(const char *pattern, const char *path, struct arena *a, const char **param);

/* The one http_handler; context is the struct hub. */
enum http_turn route_handle(void *context, struct http_request *request, struct http_response *response);

/* Answers. call_json takes j over; code 200, 201 ... */
enum status call_json(struct call *c, int code, struct js *j);
enum status call_bytes(struct call *c, const char *type, struct slice bytes);
enum status call_empty(struct call *c);
/* Be called again when something changed, at the latest `seconds` after the request arrived; false when that
   time is up (or the server stops), then answer. */
bool call_park(struct call *c, int seconds);

/* What a public GET of this API path answers, from within another handler, in the state that it sees; the
 * caller frees it. */
MUST_CHECK enum status call_get(struct call *c, const char *path, struct js **out, struct err *e);

/* The bytes that a public GET of what follows from the register alone (HOLD_REGISTER) answers, without a hub:
   `accord match --at register.db` and the API are one. */
MUST_CHECK enum status route_read(struct registry *r, const char *target, struct buf *out, struct err *e);

/* Query members. */
MUST_CHECK enum status call_query(struct call *c, const char *name, const char **out, struct err *e);
MUST_CHECK enum status call_query_int(struct call *c, const char *name, int64_t min, int64_t max,
                                      int64_t absent, int64_t *out, struct err *e);

#define SESSION_COOKIE "accord_session"
enum { SESSION_SECONDS = 12 * 3600 };
/* A cookie's value, NULL without it; arena memory. And setting one, Secure under TLS; `scope` is "Path=…;
 * HttpOnly; SameSite=…". */
const char *call_cookie(struct call *c, const char *name);
void call_set_cookie(struct call *c, const char *name, const char *value, const char *scope, int max_age);
/* The session's cookie at the browser; token "" and max_age 0 take it away. */
void call_session(struct call *c, const char *token, int max_age);
/* 429 when `who` did `what` more than `most` times in so many seconds. */
MUST_CHECK enum status call_limit(struct call *c, const char *what, const char *who, unsigned most,
                                  unsigned seconds, struct err *e);
/* The same refusal, to wait so long. */
MUST_CHECK enum status call_too_many(struct call *c, unsigned wait_s, struct err *e);
/* If-Match against the present version of "noun:id": 412 when it is another one. Fine without the header. */
MUST_CHECK enum status call_if_match(struct call *c, const char *subject, struct err *e);
/* Sets ETag; true when the client has this version already (then 304 is answered). */
bool call_etag(struct call *c, int64_t version);

/* problem+json (RFC 9457) from an error: the public text only. code 0 = the status's own. */
void respond_problem(struct http_response *r, const struct err *e, int code);

/* The OpenAPI 3.1 document of all tables; caller frees. */
struct js *openapi_document(void);

#endif
