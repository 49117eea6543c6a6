/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of released tables as SVG, drawn from the released table only: what is suppressed is drawn as
 * suppressed (a hatched place marked [c]), never as zero and never left out. No scripts, no links, no fonts.
 */
#ifndef ACCORD_DISCLOSE_PICTURE_H
#define ACCORD_DISCLOSE_PICTURE_H

#include "base/text.h"
#include "disclose/release.h"

/* The picture that suits the table: curves for survival, a flow for nested sets (attrition), a pyramid for
   counts by age and two sexes, a forest of intervals where there are any, a heat map for counts over more
   dimensions, else bars. Each has a title and a description for screen readers. */
void released_svg(const struct released_table *t, struct buf *out);

#endif
