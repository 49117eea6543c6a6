/* SPDX-License-Identifier: Apache-2.0
 *
 * Where events come from. A source gives the tables of an OMOP CDM as chunks of typed columns (base/table.h).
 */
#ifndef ACCORD_SOURCE_SOURCE_H
#define ACCORD_SOURCE_SOURCE_H

#include "base/table.h"

/* A folder of OMOP CDM 5.3 or 5.4 tables, one file each: NAME.csv, .tsv or .txt, plain or with .gz or .zst
   behind, upper or lower case. Rows are parsed on all threads of the pool given to `next`; the file is read,
   and decompressed, meanwhile. */
MUST_CHECK enum status source_open_csv(const char *folder, struct table_source **out, struct err *e);

#endif
