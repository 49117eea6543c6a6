/* SPDX-License-Identifier: Apache-2.0
 *
 * Talking to the hub's API (docs/formats/api.md): JSON over HTTPS, every request signed with the caller's key
 * (signature.h), problem+json answers turned back into the status and text that the hub meant. One thread.
 */
#ifndef ACCORD_GRID_HUB_CLIENT_H
#define ACCORD_GRID_HUB_CLIENT_H

#include <stdatomic.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"

struct hub_client;
/* id: NULL for unsigned requests (public pages); borrowed, as is stop. */
MUST_CHECK enum status hub_client_open(const char *url, const char *ca_file, const struct identity *id,
                                       const atomic_bool *stop, struct hub_client **out, struct err *e);
void hub_client_close(struct hub_client *c); /* NULL is fine */

enum { HUB_CALL_MS = 30000 };
/* The answer's JSON (caller frees; NULL for 204). timeout_ms 0 = HUB_CALL_MS. */
MUST_CHECK enum status hub_get(struct hub_client *c, const char *target, int timeout_ms, struct js **out,
                               struct err *e);
/* `out` may be NULL. body is borrowed. */
MUST_CHECK enum status hub_post(struct hub_client *c, const char *target, const struct js *body,
                                struct js **out, struct err *e);
/* Bytes as they are, appended. */
MUST_CHECK enum status hub_get_bytes(struct hub_client *c, const char *target, struct buf *out,
                                     struct err *e);

#endif
