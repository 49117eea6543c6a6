/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a command finds the register: its file on this machine, or a hub's address. */
#ifndef ACCORD_CLI_CONNECT_H
#define ACCORD_CLI_CONNECT_H

#include "cli/command.h"
#include "govern/register.h"

/* Options of every command that reads or writes the register. */
#define CONNECT_OPTIONS                                                                                      \
    {"at", "DB|URL", "the register: its file, or the hub's address (or ACCORD_REGISTER)"},                   \
    {                                                                                                        \
        "ca", "FILE", "trust only this authority's certificates"                                             \
    }
#define IDENTITY_OPTION                                                                                      \
    {                                                                                                        \
        "identity", "KEYFILE", "the key that signs (or ACCORD_IDENTITY)"                                     \
    }

MUST_CHECK enum status connect_identity(const struct args *a, struct identity **out, struct err *e);
/* The register's file, opened; ST_USAGE when --at names a hub, which cannot do this. */
MUST_CHECK enum status connect_file(const struct args *a, enum db_mode mode, struct registry **out,
                                    struct err *e);
/* Whether a place is a hub's address, and one GET from it ("/api/v1/hub"); caller frees the answer. */
bool connect_is_url(const char *at);
MUST_CHECK enum status connect_get(const struct args *a, const char *url, const char *target, struct js **out,
                                   struct err *e);
/* The same for many requests over one connection; close it with http_client_close. */
struct http_client;
MUST_CHECK enum status connect_open(const struct args *a, const char *url, struct http_client **out,
                                    struct err *e);
MUST_CHECK enum status connect_get_over(struct http_client *client, const char *target, struct js **out,
                                        struct err *e);
/* What the API says at a public address that follows from the register alone, from the hub or straight from
   the register's file: as bytes, or as JSON that the caller frees. */
MUST_CHECK enum status connect_bytes(const struct args *a, const char *target, struct buf *out,
                                     struct err *e);
MUST_CHECK enum status connect_read(const struct args *a, const char *target, struct js **out, struct err *e);
/* The same from a hub, signed with the identity: what is not for everybody. */
MUST_CHECK enum status connect_read_as(const struct args *a, const struct identity *id, const char *target,
                                       struct js **out, struct err *e);
/* Building such an address: a part of the path, and a member of the query (nothing when value is NULL). */
void target_add_part(struct buf *target, const char *text);
void target_add_member(struct buf *target, const char *name, const char *value);
/* Sends a signed command; prints nothing. *entry (may be NULL) is the entry's JSON; caller frees. */
MUST_CHECK enum status connect_apply(const struct args *a, const struct js *command, struct js **entry,
                                     struct err *e);
/* One item with its personal texts (from a file; a hub shows what it shows), or a list. Caller frees. */
MUST_CHECK enum status connect_item(const struct args *a, const char *noun, const char *id, struct js **out,
                                    struct err *e);
MUST_CHECK enum status connect_list(const struct args *a, const struct registry_query *q, struct js **out,
                                    struct err *e);

#endif
