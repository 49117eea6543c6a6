/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the audit: the cells as they are printed. audit_table.c reads them, audit.c asks what they give
 * away.
 */
#ifndef ACCORD_DISCLOSE_AUDIT_TABLE_H
#define ACCORD_DISCLOSE_AUDIT_TABLE_H

#include "disclose/audit.h"
#include "disclose/system.h"

/* Cells are of all tables that are audited together; both are far above what is published as one set, and keep
   the memory of a file of any size under 200 MB. */
enum {
    AUDIT_MOST_DIMENSIONS = 16,
    AUDIT_MOST_CELLS = 500000,
    AUDIT_MOST_LEVELS = 50000,
    AUDIT_MOST_LABEL = 1000
};

struct audit_entry {
    uint32_t at[AUDIT_MOST_DIMENSIONS]; /* of a CSV table, 0 is the total of a dimension */
    bool hidden;
    double low, high; /* what this print alone says */
};

struct audit {
    struct arena *arena;
    struct result_dimension dimensions[AUDIT_MOST_DIMENSIONS];
    size_t levels_capacity[AUDIT_MOST_DIMENSIONS];
    uint32_t n_dimensions;
    struct audit_entry *cells; /* as they were read; a place may come twice */
    size_t n_cells, cells_capacity;
    bool whole; /* every printed value is a whole number: they are counts */
    struct system system;
    struct audit_entry **entries; /* by variable, the cell first read at its place */
    size_t entries_capacity;
    uint32_t n_entries;
    struct audit_cell *found;
    uint32_t n_found;
};

/* Labels of its dimensions, "2010, R/G"; lives as long as the audit. */
const char *audit_place(const struct audit *a, const struct audit_entry *c);

#endif
