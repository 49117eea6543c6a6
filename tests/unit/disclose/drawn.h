/* SPDX-License-Identifier: Apache-2.0
 * Tables by chance, and what their releases give away by the documents alone. */
#ifndef ACCORD_TEST_DRAWN_H
#define ACCORD_TEST_DRAWN_H

#include "disclose/release.h"

extern uint64_t drawn_state; /* the seed */
uint32_t draw(uint32_t below);
/* A table over dimensions with one total each; inner counts are drawn, many small, some zero, and so are the
   keys of the persons behind them. */
struct result *drawn_table(const uint32_t *levels, uint32_t n_dimensions, uint32_t most);
/* Small cells that the document gives away, exactly or too narrowly. (Of a large one, hidden for others'
   sake, the reader may learn that it is not small.) Adds the small cells that it hides to *n_small. */
uint32_t drawn_given_away(const struct result *raw, const struct released *r, const struct policy *p,
                          uint32_t *n_small);
/* The release of a result, which the second look finds right too; the test fails where either refuses. */
struct released *verified_release(const struct result *r, const struct policy *p);

#endif
