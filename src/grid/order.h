/* SPDX-License-Identifier: Apache-2.0
 *
 * A sealed order: the parameters of a run's next round (coefficients, bins, levels that were joined: numbers
 * made of the data, which nobody has released) on their way from the lead node to the sites of the attempt.
 * Whoever carries it sees its length in steps of ORDER_STEP and no more.
 *
 *     "accord-order-1 RUN ROUND\n"                          ROUND is the one that was summed
 *     number of sites                                       2 bytes, little-endian
 *     per site: its Ed25519 key, and the round's key        32 + 80 bytes; the key in a box sealed to the site
 *     the parameters' JSON, spaces up to ORDER_STEP         XChaCha20-Poly1305 with the round's key, which is
 *                                                           new and random; all before it is authenticated
 *
 * Who made it is said by the run.round command that the lead node signs: it names the order's SHA-256.
 */
#ifndef ACCORD_GRID_ORDER_H
#define ACCORD_GRID_ORDER_H

#include "base/json.h"
#include "grid/mask.h"

enum { ORDER_STEP = 4096, ORDER_MOST = 1 << 26 };

/* `place`: run and the round that was summed; its attempt plays no part. */
MUST_CHECK enum status order_seal(const struct site_key *sites, size_t n_sites,
                                  const struct mask_place *place, const struct js *parameters,
                                  struct buf *out, struct err *e);
/* Is this an order to exactly these sites, which differ from each other? It names those of the round that was
   summed. */
bool order_names(const struct mask_place *place, struct slice sealed, const struct site_key *sites,
                 size_t n_sites);
/* At a site: ST_DENIED when it is not an order for this site and place. The caller frees *out. */
MUST_CHECK enum status order_open(const struct identity *own, const struct mask_place *place,
                                  struct slice sealed, struct js **out, struct err *e);

#endif
