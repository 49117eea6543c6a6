/* SPDX-License-Identifier: Apache-2.0
 *
 * A release as SACRO Viewer opens it (docs/formats/sacro.md): the results.json of ACRO 1.0, one output for
 * each table, which lies beside it as CSV with its picture, and a checksum file for each. It says what the
 * disclosure record says, and no more: every hidden cell is flagged "threshold", because marks do not tell
 * why a cell is hidden.
 */
#ifndef ACCORD_DISCLOSE_SACRO_H
#define ACCORD_DISCLOSE_SACRO_H

#include "disclose/release.h"

/* The caller frees it. `time` is ISO 8601. */
struct js *sacro_json(const struct released *r, const char *time);
/* results.json, and checksums/ over it, each table's NAME.csv and, where it has a picture, NAME.svg, which
   must be in the folder. */
MUST_CHECK enum status sacro_write(const struct released *r, const char *folder, const char *time,
                                   struct err *e);

#endif
