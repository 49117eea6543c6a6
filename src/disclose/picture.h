/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of released tables as SVG, drawn from released tables only: what is suppressed is drawn as
 * suppressed (a hatched place marked [c], a dashed stretch of a curve, and the key says so), never as zero
 * and never left out. The kind of picture is the analysis's (struct released_table, `picture`);
 * docs/pictures.md shows them. Nothing but shapes and text: no script, no link, no font, no style sheet.
 *
 * The same table gives the same bytes. A document that was read from elsewhere may hold any text and any
 * finite number: text is escaped, and what does not fit the kind it claims to be is drawn by its shape.
 */
#ifndef ACCORD_DISCLOSE_PICTURE_H
#define ACCORD_DISCLOSE_PICTURE_H

#include "base/text.h"
#include "disclose/release.h"

/* For the line of sources, each may be NULL: what the numbers are of, the result's id, the day of release. */
struct picture_source {
    const char *project, *result, *date;
};

/* WIDE is 760 pixels, for a page or print; NARROW is 320, for a telephone or great magnification. No text is
   below 12 pixels at that width. */
enum picture_width { PICTURE_WIDE, PICTURE_NARROW };

/* Whether the table has a picture of its own. */
bool released_pictured(const struct released_table *t);
/* Table number i, below released_n_tables. `source` may be NULL. */
void released_svg(const struct released *r, uint32_t i, const struct picture_source *source,
                  enum picture_width width, struct buf *out);
/* What the picture shows in plain sentences, as text: for those who do not see it. */
void released_describe(const struct released *r, uint32_t i, struct buf *out);

#endif
