/* SPDX-License-Identifier: Apache-2.0
 *
 * What every picture is drawn with: text, shapes, places of suppressed values, scales and axes. Lengths are
 * pixels of a picture as wide as the canvas. Attributes only, no style sheet and no reference out of the
 * picture, so that it looks the same in a page, alone, and in print, under any content security policy.
 *
 * Colours are of the NHS identity, told apart with colour-blind eyes; in black and white every series also
 * has its own mark, dashes and label. A group of class "axis" holds ticks: the one kind of number that is
 * neither released nor worked out from what is.
 */
#ifndef ACCORD_DISCLOSE_PICTURE_CANVAS_H
#define ACCORD_DISCLOSE_PICTURE_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"

#define INK_TEXT      "#212b32"
#define INK_SECONDARY "#4c6272"
#define INK_LINE      "#aeb7bd"
#define INK_BLUE      "#005eb8"
#define INK_PINK      "#ae2573"
#define INK_PALE      "#e8f1f8"

struct canvas {
    struct buf body;
    struct arena *arena;
    double width, height; /* height grows with what is drawn */
    bool narrow;          /* for a telephone: labels above their rows, fewer ticks */
    bool hidden;          /* something is drawn as suppressed, so the key must say so */
    bool absent;          /* ... as not available */
    double size;          /* of ordinary text */
};

enum { MARGIN = 16 };
enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

/* Text at its baseline; size 0 is the canvas's, colour NULL is INK_TEXT. */
struct lettering {
    enum anchor anchor;
    double size;
    const char *colour;
    bool bold;
};
void draw_text(struct canvas *c, double x, double y, struct lettering l, const char *text);
/* Width that a text takes, by the widths of Arial. */
double text_width(const char *text, double size, bool bold);
/* Lines of at most `width`, broken at spaces, words that are longer cut; the first at baseline y. Returns how
   many lines, at most `most`; the last of them ends in an ellipsis where text is left. */
int draw_lines(struct canvas *c, double x, double y, double width, int most, struct lettering l,
               const char *text);
/* The same without drawing. */
int count_lines(const struct canvas *c, double width, int most, struct lettering l, const char *text);
double line_height(const struct canvas *c, struct lettering l);
/* The text, cut with an ellipsis to fit into `width`. */
const char *fit_text(struct canvas *c, const char *text, double width, struct lettering l);

/* What one of several series is drawn with; they repeat after SERIES_MOST. */
enum { SERIES_MOST = 6 };
const char *series_colour(size_t i);
const char *series_dashes(size_t i); /* "" is solid */
void draw_mark(struct canvas *c, size_t series, double x, double y, double radius);

void draw_line(struct canvas *c, double x1, double y1, double x2, double y2, const char *colour, double width,
               const char *dashes);
void draw_box(struct canvas *c, double x, double y, double width, double height, const char *fill,
              const char *stroke);
/* The place of a suppressed value, hatched; marked [c] where it is wide enough for that. */
void draw_hidden(struct canvas *c, double x, double y, double width, double height);
/* The place of a value that is not available: empty, marked [x]. */
void draw_absent(struct canvas *c, double x, double y, double width, double height);
/* White under what is written over grid lines. */
void draw_ground(struct canvas *c, double x, double y, double width, double height);
/* A bar of an interval with ends; the parts outside [low, high] are arrows. */
void draw_interval(struct canvas *c, double from, double to, double low, double high, double y,
                   const char *colour);

/* --- scales and axes --- */

/* How values are written: times `times`, with `suffix` ("%"). */
struct unit {
    double times;
    const char *suffix;
    const char *label; /* for an axis: "% of persons" */
};
struct unit unit_of(const char *name);
/* As it is in the table, thousands separated: "1,230", "12.3%". */
const char *unit_format(struct canvas *c, struct unit u, double v);
/* "per 100000 person_years" as "per 100,000 person years": a unit or the name of a dimension for people. */
const char *number_words(struct canvas *c, const char *text);
/* A whole number of people. */
const char *whole_format(struct canvas *c, double v);

struct scale {
    double low, high, from, to; /* values, and their places */
    bool log;
};
double scale_at(const struct scale *s, double v); /* values outside are at the ends */
/* A scale over [low, high] whose ends are round numbers. */
struct scale scale_round(double low, double high, double from, double to);
/* A log scale over positive values, from 1/100 to 100 at most, with 1 inside. */
struct scale scale_ratio(double low, double high, double from, double to);
enum { TICKS_MOST = 16 };
/* Round numbers within the scale, at most `most` (up to TICKS_MOST). */
size_t scale_ticks(const struct scale *s, size_t most, double *out);
/* Ticks with their numbers under y, and the label under those; grid lines up to `top` (y for none). Returns
   the height used. */
double draw_axis_under(struct canvas *c, const struct scale *s, double y, double top, struct unit u,
                       const char *label);
/* Ticks with numbers left of x, grid lines to `right`, the label above the upper end. */
void draw_axis_left(struct canvas *c, const struct scale *s, double x, double right, struct unit u,
                    const char *label);

#endif
