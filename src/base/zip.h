/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing compressed bytes block by block: each block becomes one gzip member or zstd frame, and those one
 * after the other are a file that every reader takes (base/stream.h reads them). Blocks can so be compressed
 * on many threads, and the bytes depend on the blocks and the library's version only.
 */
#ifndef ACCORD_BASE_ZIP_H
#define ACCORD_BASE_ZIP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

enum zip { ZIP_NONE, ZIP_GZIP, ZIP_ZSTD };
bool zip_find(const char *name, enum zip *out); /* "none", "gzip", "zstd" */
const char *zip_ending(enum zip z);             /* "", ".gz", ".zst" */
/* Appends the block's member or frame; ZIP_NONE appends it as it is. The frame carries a checksum. */
MUST_CHECK enum status zip_add(enum zip z, struct slice block, struct buf *out, struct err *e);

#endif
