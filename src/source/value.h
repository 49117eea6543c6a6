/* SPDX-License-Identifier: Apache-2.0
 *
 * Text of a field to a typed value, as tables are exported in practice: whole numbers also as "7.0", dates
 * also with a time behind. False when the text is not of the type. Empty fields are the caller's to see.
 * Bytes behind the text are read, up to `end`: eight digits at once are quicker than one after the other.
 */
#ifndef ACCORD_SOURCE_VALUE_H
#define ACCORD_SOURCE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/csv.h"
#include "base/table.h"
#include "base/text.h"

bool value_i64(struct slice s, const char *end, int64_t *out);
bool value_i32(struct slice s, const char *end, int32_t *out);
bool value_double(struct slice s, double *out);
bool value_date(struct slice s, int32_t *days);
/* A column of all the rows; `out` is an array of the kind (base/table.h). False when a field is not of the
 * kind, or is empty and `needed`: which one, only the fields themselves tell. */
bool value_column(enum table_kind kind, const struct csv_rows *rows, size_t column, bool needed, void *out);

#endif
