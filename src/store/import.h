/* SPDX-License-Identifier: Apache-2.0
 *
 * Import: all tables of a source into a new version of a store, which then takes the place of the old one in
 * one step (version.h). Memory is bounded, whatever the number of persons and events (scratch.h). Whatever stops
 * an import, a fault
 * of the input, a full disk, Ctrl-C, a kill, the old version stays as it is.
 */
#ifndef ACCORD_STORE_IMPORT_H
#define ACCORD_STORE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/table.h"

struct import_options {
    struct table_source *source; /* borrowed */
    const char *source_name;     /* for the manifest: the folder's name, not its path */
    const char *store;           /* made when absent */
    const char *key;         /* the site's key file; made when absent; NULL = beside the store, "STORE.key" */
    bool skip_faults;        /* drop and count faulty rows instead of stopping */
    bool periods_optional;   /* go on without OBSERVATION_PERIOD */
    const int64_t *opt_outs; /* person ids of the national data opt-out, n of them; borrowed */
    size_t n_opt_outs;
    int64_t opt_outs_checked_ms; /* when that list was made; 0 = there was none */
    uint64_t memory_bytes;       /* that may be resident, mapped files included; 0 = 2 GiB */
    struct pool *pool;           /* NULL = this thread only */
};

/* On success `report` is a copy of the manifest: counts, remarks, rejected rows. */
MUST_CHECK enum status store_import(const struct import_options *o, struct js **report, struct err *e);

#endif
