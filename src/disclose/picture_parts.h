/* SPDX-License-Identifier: Apache-2.0
 *
 * The kinds of pictures, one function each, and what they share. A kind draws below p->c.height, moves that
 * down past what it drew, says in p->says what a reader sees, and adds notes.
 */
#ifndef ACCORD_DISCLOSE_PICTURE_PARTS_H
#define ACCORD_DISCLOSE_PICTURE_PARTS_H

#include "disclose/picture_canvas.h"
#include "disclose/release.h"

enum { NOTES_MOST = 8, ROWS_MOST = 60 };

struct picture {
    const struct released *released;
    const struct released_table *t;
    struct unit unit; /* of the table */
    struct canvas c;
    struct buf says; /* plain text */
    const char *notes[NOTES_MOST];
    size_t n_notes;
};

/* False where the table is not what its kind needs: nothing is drawn then. */
bool picture_flow(struct picture *p);
bool picture_pyramid(struct picture *p);
bool picture_heat(struct picture *p);
bool picture_rows(struct picture *p); /* bars or points: fits every table */
bool picture_curves(struct picture *p);
bool picture_forest(struct picture *p);
bool picture_differences(struct picture *p);
/* A forest of ratios or of differences. */
bool picture_estimates(struct picture *p, bool ratio);
bool picture_funnel(struct picture *p);
bool picture_gradient(struct picture *p);
bool picture_pathways(struct picture *p);
bool picture_calibration(struct picture *p);
bool picture_control(struct picture *p);
bool picture_series(struct picture *p);

/* A line under the picture; text lives in the canvas's arena or longer. */
void picture_note(struct picture *p, const char *text);
/* The table of the same analysis whose name ends in `suffix` where this one's ends in `own`; or NULL. */
const struct released_table *picture_beside(const struct picture *p, const char *own, const char *suffix);
bool level_is_leaf(const struct result_dimension *d, uint32_t level);
/* The level whose label contains `text`; -1 for none. */
int32_t level_with(const struct result_dimension *d, const char *text);
int32_t dimension_named(const struct released_table *t, const char *name); /* -1 for none */
/* The labels of a cell's levels, joined by commas, without dimension `but` (-1 = none left out). */
const char *cell_label(struct picture *p, const struct released_table *t, const struct released_cell *c,
                       int32_t but);
bool has_interval(const struct released_cell *c);
/* The place of a cell that prints nothing, as what it is: suppressed, or not available. */
void draw_unprinted(struct canvas *c, const struct released_cell *cell, double x, double y, double width,
                    double height);
const char *unprinted_words(const struct released_cell *c); /* "suppressed", "not available" */
/* "12.3 (10.1 to 14.5)", "1,230", "[c]" or "[x]". */
const char *cell_text(struct picture *p, struct unit u, const struct released_cell *c);
/* The first whole number in a label ("day 30"); `otherwise` where there is none. */
double label_number(const char *label, double otherwise);
/* A row of marks with names, below c.height; `lines` draws dashes beside the mark. */
void picture_key(struct picture *p, const char *const *names, size_t n, bool lines);
/* Moves labels that stand too close apart, keeping their order; y are places, n of them. */
void spread_labels(double *y, size_t n, double least, double low, double high);

#endif
