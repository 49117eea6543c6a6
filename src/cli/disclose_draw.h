/* SPDX-License-Identifier: Apache-2.0
 * Pictures of a released document as files: what disclose_draw.c gives to the table of `accord disclose`. */
#ifndef ACCORD_CLI_DISCLOSE_DRAW_H
#define ACCORD_CLI_DISCLOSE_DRAW_H

#include "cli/command.h"
#include "disclose/picture.h"

/* NAME.svg (NAME.narrow.svg) of each table that has a picture; *n counts them. */
MUST_CHECK enum status pictures_write(const struct released *r, const char *folder, enum picture_width width,
                                      const struct picture_source *source, uint32_t *n, struct err *e);

extern const char disclose_draw_about[];
extern const struct option_spec disclose_draw_options[];
enum status run_disclose_draw(const struct args *a, struct err *e);

#endif
