/* SPDX-License-Identifier: Apache-2.0
 *
 * Cell-key noise for counts (Fraser and Wooton 2005; Marley and Leaver 2011; Giessing 2016). Every person has
 * a record key, made from the site's secret and never shown; a cell's key is the sum of its persons' keys
 * modulo 2^32, so the same persons always get the same noise, however the table is called, and asking again
 * or averaging gains nothing. A p-table turns (count, key) into noise that is never more than D, has mean 0
 * and variance V, and makes no count negative or one of 1 to js.
 *
 * p-tables have the greatest entropy under these conditions, as those of the R package ptable (which the
 * tests compare to 1e-4). The noise does not keep tables additive; what D says to an attacker goes into the
 * gate as an interval.
 */
#ifndef ACCORD_DISCLOSE_CELLKEY_H
#define ACCORD_DISCLOSE_CELLKEY_H

#include "base/crypto.h"
#include "base/err.h"
#include "base/text.h"

struct ptable_rules {
    int64_t most;    /* D: the largest noise, 1 .. 30 */
    double variance; /* V, more than 0 */
    int64_t skip;    /* js: no count becomes 1 .. js */
    double stay;     /* share of counts that stay as they are, 0 = as it comes */
};
struct ptable;
/* ST_INVALID where no noise has these properties. */
MUST_CHECK enum status ptable_make(const struct ptable_rules *rules, struct ptable **out, struct err *e);
/* A p-table as CSV with the columns i, j, p and v (and others) in the form that ptable and cellKey write. */
MUST_CHECK enum status ptable_parse(struct slice csv, const char *name, struct ptable **out, struct err *e);
void ptable_free(struct ptable *t); /* NULL is fine */

/* Noise of a count whose cell has key u in [0, 1). */
int64_t ptable_noise(const struct ptable *t, int64_t count, double u);
/* Probability that a count of i gets noise v. */
double ptable_p(const struct ptable *t, int64_t i, int64_t v);
int64_t ptable_rows(const struct ptable *t); /* counts from this less one on share the last row */

/* The key of a person, and a sum of keys as u. */
uint32_t record_key(const uint8_t secret[HASH_BYTES], struct slice pseudonym);
double cell_key_u(uint32_t sum);

#endif
