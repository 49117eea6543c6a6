/* SPDX-License-Identifier: Apache-2.0
 *
 * Masked sums (Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning", CCS
 * 2017, section 4, without the secret shares: sites are few and institutions, so a site that drops out makes
 * the round repeat with fresh masks).
 *
 * Each pair of sites shares a key (X25519) that is bound to run, round and attempt. Its XChaCha20 stream is a
 * vector of 128-bit numbers: the site with the smaller public key adds it, the other subtracts it, modulo
 * 2^128. In the total every stream occurs once with each sign, so the masks cancel bit for bit, whatever the
 * order; with three or more sites nobody who lacks the keys of all but one learns more than the total.
 *
 * A part is what one site sends: its masked vector with a header that says where it belongs, signed by the
 * site and sealed to the lead node. The hub stores sealed parts and can open none.
 */
#ifndef ACCORD_GRID_MASK_H
#define ACCORD_GRID_MASK_H

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"
#include "study/sums.h"

enum { MASK_LEAST_SITES = 3, MASK_MOST_SITES = 500, MASK_MOST_SUMS = 1 << 22, RUN_ID_MOST = 80 };

/* A site's node, by its Ed25519 public key. */
struct site_key {
    uint8_t bytes[SIGN_PUBLIC_BYTES];
};

/* Where a part belongs. Two parts with the same place and site are the same part. */
struct mask_place {
    char run[RUN_ID_MOST + 1];
    int round, attempt; /* from 1 */
};

/* |sum i| <= bounds[i] for all: ST_INTERNAL otherwise (an analysis broke its promise; nothing may be sent).
 */
MUST_CHECK enum status mask_check_bounds(const struct sums *v, const sum_t *bounds, struct err *e);

/* The same for the total of n_sites: ST_CORRUPT when it cannot be a sum of their parts. Masks that do not
   cancel (sites that were told different lists) leave random numbers, of which practically none is within its
   bound. */
MUST_CHECK enum status mask_check_total(const struct sums *total, const sum_t *bounds, size_t n_sites,
                                        struct err *e);

/* Adds this site's masks against all other sites in place. sites: the Ed25519 keys of the attempt, own
   included, each once, at least three; the same list (in any order) at every site. */
MUST_CHECK enum status mask_apply(const struct identity *own, const struct site_key *sites, size_t n_sites,
                                  const struct mask_place *place, struct sums *v, struct err *e);

/* Masked vector to sealed part. */
MUST_CHECK enum status part_seal(const struct identity *own, const struct site_key *lead,
                                 const struct mask_place *place, const struct sums *masked, struct buf *out,
                                 struct err *e);
/* At the lead node: opens, checks that `site` signed it for this place and that it has n sums; `out` is
   initialised here. ST_CORRUPT names the site's key otherwise. */
MUST_CHECK enum status part_open(const struct identity *lead, const struct site_key *site,
                                 const struct mask_place *place, struct slice sealed, size_t n,
                                 struct sums *out, struct err *e);

#endif
