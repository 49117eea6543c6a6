/* SPDX-License-Identifier: Apache-2.0
 *
 * A suppression problem as a pair of files: JSON with dimensions, their sums, the tables and what protection
 * is demanded, and one CSV of cells for each table (key columns, value, freq, primary).
 * docs/formats/instance.md describes it. Cells that tables share are one cell.
 */
#ifndef ACCORD_DISCLOSE_INSTANCE_H
#define ACCORD_DISCLOSE_INSTANCE_H

#include "base/mem.h"
#include "base/text.h"
#include "disclose/protect.h"

enum protect_kind { PROTECT_BELOW, PROTECT_PERCENT, PROTECT_WIDTH };

struct instance_dimension {
    const char *name;
    const char **levels;
    uint32_t n_levels, total; /* the level that stands for the whole */
    struct lattice_sum *sums;
    uint32_t n_sums;
};
struct instance_cell {
    const uint32_t *at; /* one level per dimension */
    double value, persons;
    bool primary;
};
struct instance {
    struct arena *arena;
    const char *name;
    bool whole; /* counts */
    enum protect_kind kind;
    double threshold, least, share, width; /* below: t and lo; pct: p / 100; width: min */
    struct instance_dimension *dimensions;
    uint32_t n_dimensions;
    const uint32_t **tables; /* dimensions of each */
    uint32_t *table_sizes;
    uint32_t n_tables;
    struct instance_cell *cells; /* the variables of `system`, in the same order */
    uint32_t n_cells;
    struct system system;
};

MUST_CHECK enum status instance_load(const char *path, struct instance **out, struct err *e);
void instance_free(struct instance *i); /* NULL is fine */

/* The demands of its primary cells (arena memory), and the room that printing and hiding give. */
struct demand *instance_demands(struct instance *i, uint32_t *n);
/* `zeros` lets zeros be hidden as well: at times nothing else hides a lone contributor. */
void instance_room(struct instance *i, bool zeros, struct room *out);
double *instance_weights(struct instance *i);
/* Primary cells with one contributor. */
void instance_insiders(struct instance *i, struct insiders *out);
/* Key columns and status: s (published), u (primary), x (secondary). One table gives its own columns, several
   all dimensions. */
void instance_csv(const struct instance *i, const bool *hidden, struct buf *out);

#endif
