/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of counts as one lattice, as an attacker lays them beside each other: dimensions are one by name,
 * levels by label, and a table that lacks a dimension is at its total there. Cells at the same place are one
 * variable. A dimension without a total level gets one where a table lacks it, if the counts say that its
 * levels part the persons between them. Margins are the places above cells that nobody prints: two tables
 * that share a classification sum up to the same margin, printed or not.
 */
#ifndef ACCORD_DISCLOSE_LINKED_H
#define ACCORD_DISCLOSE_LINKED_H

#include "disclose/result.h"
#include "disclose/system.h"

struct linked {
    struct lattice lattice;
    uint32_t **variable; /* [table][cell] */
    uint32_t n_cells;    /* the first variables; in the order of tables and cells */
    uint32_t n_margins;  /* the next ones; parts before their totals */
    uint64_t *margin;    /* their keys */
};

/* The count behind a cell that could be worked out: of rates, the events. */
double count_of(const struct result_table *t, const struct result_cell *c);
/* Lays out n tables, all memory from the arena. ST_INVALID where they are not one population (a place with
   two counts) or their levels contradict each other, which one table alone never does; ST_UNSUPPORTED as
   lattice_check; ST_UNSAFE where their margins are too many to look at. One table alone has no margins: what
   it does not print, only it would know. */
MUST_CHECK enum status linked_lay(const struct result_table *const *tables, uint32_t n, struct arena *a,
                                  struct linked *out, struct err *e);
/* Adds the margins to a system that has the cells. Each counts the most persons that any of its sums does. */
void linked_add_margins(const struct linked *l, struct system *s);
/* Adds the equations over cells and margins, and a variable for what a total holds beyond the parts that are
   counted anywhere. False where parts exceed their total. With
   one table every sum is added as it stands, for system_worst_gap to find what does not add up. */
bool linked_add_equations(const struct linked *l, uint32_t n_tables, struct system *s);

#endif
