/* SPDX-License-Identifier: Apache-2.0
 * One row for each value: bars of counts and sums, points with intervals of everything else. Counts by site
 * or area come in order of size with their share (the coverage of the population). */
#include <math.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { BAR = 18, GROUP = 28, LABELS_MOST = 250 };

struct rows {
    const struct released_cell **cells;
    const char **values;
    size_t n, left_out;
    struct scale scale;
    double labels, numbers, height; /* widths of the columns, height of a row */
    bool points, by_size, grouped;
    double total; /* of all, where it is printed; else NaN */
};

static bool is_total(const struct released_table *t, const struct released_cell *c)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (!level_is_leaf(&t->dimensions[d], c->at[d]))
            return true;
    return false;
}

static bool is_place(const char *name)
{
    return word_in("site|care_site|region|practice|organisation|area", name);
}

static int by_size(const void *a, const void *b)
{
    const struct released_cell *x = *(const struct released_cell *const *)a,
                               *y = *(const struct released_cell *const *)b;
    double u = x->hidden ? -1 : x->value, v = y->hidden ? -1 : y->value;
    if (u != v)
        return u > v ? -1 : 1;
    return x->at[0] < y->at[0] ? -1 : x->at[0] > y->at[0];
}

/* Totals would make all other bars short; a total of a rate is a rate like others. */
static void collect_rows(struct picture *p, struct rows *r)
{
    const struct released_table *t = p->t;
    r->cells = arena_array(p->c.arena, ROWS_MOST, sizeof(void *));
    r->total = NAN;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        r->points |= has_interval(c);
        if (t->type == OUTPUT_COUNT && is_total(t, c)) {
            r->total = t->n_dimensions == 1 ? c->value : (double)NAN;
            continue;
        }
        if (r->n < ROWS_MOST)
            r->cells[r->n++] = c;
        else
            r->left_out++;
    }
    r->by_size = t->type == OUTPUT_COUNT && t->n_dimensions == 1 && is_place(t->dimensions[0].name);
    r->grouped = t->n_dimensions > 1;
    if (r->by_size)
        qsort(r->cells, r->n, sizeof(void *), by_size);
}

static const char *row_text(struct picture *p, const struct rows *r, const struct released_cell *c)
{
    const char *text = cell_text(p, p->unit, c);
    if (!r->by_size || c->hidden || !(r->total > 0))
        return text;
    return arena_printf(p->c.arena, "%s (%.0f%%)", text, 100 * c->value / r->total);
}

static const char *row_label(struct picture *p, const struct rows *r, const struct released_cell *c)
{
    const struct result_dimension *last = &p->t->dimensions[p->t->n_dimensions - 1];
    return p->t->n_dimensions == 0 ? p->t->unit
           : r->grouped            ? last->levels[c->at[p->t->n_dimensions - 1]].label
                                   : cell_label(p, p->t, c, -1);
}

static void range_of(const struct rows *r, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < r->n; i++) {
        const struct released_cell *c = r->cells[i];
        double numbers[] = {c->value, c->lower, c->upper};
        for (int k = 0; k < 3 && !c->hidden; k++)
            if (isfinite(numbers[k])) {
                *low = fmin(*low, numbers[k]);
                *high = fmax(*high, numbers[k]);
            }
    }
    if (*low > *high)
        *low = 0, *high = 1;
    /* A bar begins at zero; a point may leave it out where all are far from it. */
    if (!r->points || *high - *low > 0.25 * fabs(*high))
        *low = fmin(0, *low), *high = fmax(0, *high);
}

static void lay_out(struct picture *p, struct rows *r)
{
    struct canvas *c = &p->c;
    double low, high;
    r->values = arena_array(c->arena, r->n + 1, sizeof *r->values);
    for (size_t i = 0; i < r->n; i++) {
        r->values[i] = row_text(p, r, r->cells[i]);
        r->numbers = fmax(r->numbers, text_width(r->values[i], c->size, false));
        r->labels = fmax(r->labels, text_width(row_label(p, r, r->cells[i]), c->size, true) + 4);
    }
    r->labels = c->narrow ? 0 : fmin(LABELS_MOST, r->labels) + 10;
    r->height = c->narrow ? 46 : 27;
    range_of(r, &low, &high);
    r->scale = scale_round(low, high, MARGIN + r->labels + (c->narrow ? 4 : 0),
                           c->width - MARGIN - (c->narrow ? 8 : r->numbers + 16));
}

static void draw_value(struct picture *p, const struct rows *r, size_t i, double y)
{
    struct canvas *c = &p->c;
    const struct released_cell *cell = r->cells[i];
    double zero = scale_at(&r->scale, fmax(0, r->scale.low)), at = scale_at(&r->scale, cell->value);
    bool total = is_total(p->t, cell);
    if (cell->hidden)
        draw_unprinted(c, cell, zero, y, 56, BAR);
    else if (!r->points)
        draw_box(c, fmin(zero, at), y, fmax(1, fabs(at - zero)), BAR, INK_BLUE, NULL);
    else {
        if (has_interval(cell))
            draw_interval(c, scale_at(&r->scale, cell->lower), scale_at(&r->scale, cell->upper),
                          r->scale.from, r->scale.to, y + BAR / 2.0, total ? INK_TEXT : INK_BLUE);
        draw_mark(c, total ? 3 : 0, at, y + BAR / 2.0, 5);
    }
}

static void draw_row(struct picture *p, const struct rows *r, size_t i)
{
    struct canvas *c = &p->c;
    struct lettering label = {.bold = is_total(p->t, r->cells[i])}, value = {.anchor = ANCHOR_END};
    const char *text = row_label(p, r, r->cells[i]);
    double y = c->height, right = c->width - MARGIN;
    if (c->narrow) {
        draw_ground(c, MARGIN, y, right - MARGIN, 18);
        draw_text(c, MARGIN, y + 14, label,
                  fit_text(c, text, right - MARGIN - text_width(r->values[i], c->size, false) - 8, label));
        draw_text(c, right, y + 14, value, r->values[i]);
        draw_value(p, r, i, y + 20);
    } else {
        label.anchor = ANCHOR_END;
        draw_text(c, MARGIN + r->labels - 10, y + 14, label, fit_text(c, text, r->labels - 10, label));
        draw_text(c, right, y + 14, value, r->values[i]);
        draw_value(p, r, i, y);
    }
    c->height += r->height;
}

static bool begins_group(const struct picture *p, const struct rows *r, size_t i)
{
    size_t bytes = (p->t->n_dimensions - 1) * sizeof *r->cells[i]->at;
    return r->grouped && (i == 0 || memcmp(r->cells[i]->at, r->cells[i - 1]->at, bytes) != 0);
}

static double rows_height(const struct picture *p, const struct rows *r)
{
    double sum = r->height * (double)r->n;
    for (size_t i = 0; i < r->n; i++)
        sum += begins_group(p, r, i) ? GROUP : 0;
    return sum;
}

/* All but the last dimension, over the rows that share them. */
static void draw_group(struct picture *p, const struct rows *r, size_t i)
{
    const struct released_table *t = p->t;
    if (!begins_group(p, r, i))
        return;
    struct lettering bold = {.bold = true};
    const char *label = cell_label(p, t, r->cells[i], (int32_t)t->n_dimensions - 1);
    draw_ground(&p->c, MARGIN, p->c.height + 4, p->c.width - 2 * MARGIN, 18);
    draw_text(&p->c, MARGIN, p->c.height + 18, bold, fit_text(&p->c, label, p->c.width - 2 * MARGIN, bold));
    p->c.height += GROUP;
}

static void say_rows(struct picture *p, const struct rows *r)
{
    const struct released_cell *most = NULL, *least = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct released_cell *c = r->cells[i];
        if (!c->hidden && (!most || c->value > most->value))
            most = c;
        if (!c->hidden && (!least || c->value < least->value))
            least = c;
    }
    buf_printf(&p->says, "%s of %s for %zu groups.", r->points ? "Points with intervals" : "Bars", p->t->unit,
               r->n);
    if (most != least)
        buf_printf(&p->says, " From %s (%s) to %s (%s).", unit_format(&p->c, p->unit, least->value),
                   cell_label(p, p->t, least, -1), unit_format(&p->c, p->unit, most->value),
                   cell_label(p, p->t, most, -1));
}

static void note_rows(struct picture *p, const struct rows *r)
{
    struct arena *a = p->c.arena;
    if (r->points)
        picture_note(p, "Lines: 95% intervals.");
    if (isfinite(r->total))
        picture_note(p, arena_printf(a, "All together: %s %s.", whole_format(&p->c, r->total), p->t->unit));
    if (r->left_out)
        picture_note(
            p, arena_printf(a, "The first %d rows; %zu more are in the table.", ROWS_MOST, r->left_out));
}

bool picture_rows(struct picture *p)
{
    struct canvas *c = &p->c;
    struct rows r = {0};
    collect_rows(p, &r);
    lay_out(p, &r);
    c->height += 6;
    double bottom = c->height + rows_height(p, &r) + 4;
    double axis = draw_axis_under(c, &r.scale, bottom, c->height, p->unit, NULL);
    for (size_t i = 0; i < r.n; i++) {
        draw_group(p, &r, i);
        draw_row(p, &r, i);
    }
    c->height = bottom + axis;
    say_rows(p, &r);
    note_rows(p, &r);
    return true;
}
