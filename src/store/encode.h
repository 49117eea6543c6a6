/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of one column of an event table to the blocks of its file (column.h says how each is coded). Private
 * to the import.
 */
#ifndef ACCORD_STORE_ENCODE_H
#define ACCORD_STORE_ENCODE_H

#include "store/column.h"
#include "store/importing.h"

/* Chooses the coding from what the runs hold. *out = NULL when all values are missing: there is no file then.
 */
struct encoder;
MUST_CHECK enum status encoder_open(struct import *im, const struct merge_input *in, size_t column,
                                    uint64_t rows, struct encoder **out, struct err *e);
/* The next n rows: a multiple of 512 except the last time. NONE_I64 is missing, numbers are their bits. */
void encoder_add(struct encoder *x, const int64_t *values, const int64_t *persons, const int64_t *starts,
                 size_t n);
MUST_CHECK enum status encoder_commit(struct encoder *x, struct err *e); /* frees; NULL is fine */
void encoder_abandon(struct encoder *x);

#endif
