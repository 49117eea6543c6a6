/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking a command's body against its verb's fields. Every fault names the member:
 * "$.body.parties[1].role". */
#ifndef ACCORD_GOVERN_FIELDS_H
#define ACCORD_GOVERN_FIELDS_H

#include "govern/verb.h"

enum { FIELD_TEXT_MOST = 200 }; /* bytes of a text that says nothing else */

/* Every text in a value, names of members too, is plain (text_is_plain). */
MUST_CHECK enum status texts_check(const struct js *v, const char *path, struct err *e);
MUST_CHECK enum status fields_check(struct db *d, const struct js *body, const struct field *fields,
                                    int32_t today, struct err *e);
/* "text", "a list of codes": for documentation. */
const char *field_type_name(enum field_type t);

#endif
