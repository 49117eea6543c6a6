/* SPDX-License-Identifier: Apache-2.0
 *
 * Released tables on pages, the public's and a node's: the picture, the table under it, and the files of
 * both. The picture of a page, of a download and of print is the same, drawn by the server; narrow screens
 * get the one that is drawn for them.
 */
#ifndef ACCORD_HTTP_FIGURES_H
#define ACCORD_HTTP_FIGURES_H

#include "disclose/picture.h"

/* Table i with its picture, whose files lie at `folder` (figure_file). `folded`: a long table is behind a
   heading that opens it. */
void figure_write(struct buf *out, const struct released *r, uint32_t i, const char *folder, bool folded);
/* "NAME.svg", "NAME.narrow.svg" or "NAME.csv" of the table NAME; *type is its media type. ST_NOT_FOUND. */
MUST_CHECK enum status figure_file(const struct released *r, const char *file,
                                   const struct picture_source *source, struct buf *out, const char **type,
                                   struct err *e);

#endif
