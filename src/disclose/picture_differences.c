/* SPDX-License-Identifier: Apache-2.0
 * Differences around 0: one row for each level, one mark for each level of the last dimension (a Love plot);
 * with intervals a forest. */
#include <math.h>

#include "disclose/picture_parts.h"

enum { DOT_ROW = 30 };

struct dots {
    int32_t series; /* the dimension of marks, -1 for none */
    double labels;
    struct scale x;
};

static bool has_intervals(const struct released_table *t)
{
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (has_interval(&t->cells[i]))
            return true;
    return false;
}

static void lay_out_dots(struct picture *p, struct dots *d)
{
    double low = -0.1, high = 0.1;
    for (uint64_t i = 0; i < p->t->n_cells; i++) {
        const struct released_cell *c = &p->t->cells[i];
        d->labels = fmax(d->labels, text_width(cell_label(p, p->t, c, d->series), p->c.size, false));
        if (c->hidden)
            continue;
        low = fmin(low, c->value);
        high = fmax(high, c->value);
    }
    d->labels = fmin(d->labels, p->c.width * 0.36) + 12;
    d->x = scale_round(low, high, MARGIN + d->labels + 8, p->c.width - MARGIN - 12);
}

static void draw_dots(struct picture *p, const struct dots *d)
{
    struct canvas *c = &p->c;
    const char *before = NULL;
    size_t rows = 0;
    bool marked = false;
    c->height -= DOT_ROW;
    for (uint64_t i = 0; i < p->t->n_cells; i++) {
        const struct released_cell *cell = &p->t->cells[i];
        const char *label = cell_label(p, p->t, cell, d->series);
        size_t series = d->series < 0 ? 0 : cell->at[d->series];
        struct lettering l = {.anchor = ANCHOR_END};
        if (!before || strcmp(before, label) != 0) {
            if (++rows > ROWS_MOST)
                break;
            marked = false;
            c->height += DOT_ROW;
            draw_text(c, MARGIN + d->labels - 4, c->height + 19, l, fit_text(c, label, d->labels - 4, l));
        }
        before = label;
        if (cell->hidden && !marked)
            draw_unprinted(c, cell, scale_at(&d->x, 0) - 28, c->height + 5, 56, 18);
        marked |= cell->hidden;
        if (!cell->hidden)
            draw_mark(c, series, scale_at(&d->x, cell->value), c->height + 14, 5);
    }
    c->height += DOT_ROW;
}

static size_t count_rows(struct picture *p, const struct dots *d)
{
    const char *before = NULL;
    size_t rows = 0;
    for (uint64_t i = 0; i < p->t->n_cells && rows < ROWS_MOST; i++) {
        const char *label = cell_label(p, p->t, &p->t->cells[i], d->series);
        rows += !before || strcmp(before, label) != 0;
        before = label;
    }
    return rows;
}

static void draw_dot_plot(struct picture *p, struct dots *d)
{
    struct canvas *c = &p->c;
    double top = c->height + 4, height = DOT_ROW * (double)count_rows(p, d) + 4;
    double axis = draw_axis_under(c, &d->x, top + height, top, p->unit, NULL);
    draw_line(c, scale_at(&d->x, 0), top, scale_at(&d->x, 0), top + height, INK_TEXT, 1.5, "");
    for (int side = -1; side <= 1; side += 2)
        draw_line(c, scale_at(&d->x, side * 0.1), top, scale_at(&d->x, side * 0.1), top + height,
                  INK_SECONDARY, 1, "4 4");
    c->height = top;
    draw_dots(p, d);
    c->height = top + height + axis;
}

bool picture_differences(struct picture *p)
{
    const struct released_table *t = p->t;
    struct dots d = {.series = t->n_dimensions > 1 ? (int32_t)t->n_dimensions - 1 : -1};
    if (has_intervals(t))
        return picture_estimates(p, false);
    if (d.series >= 0) {
        const struct result_dimension *s = &t->dimensions[d.series];
        const char *names[SERIES_MOST];
        if (s->n_levels > SERIES_MOST)
            return false;
        for (uint32_t i = 0; i < s->n_levels; i++)
            names[i] = s->levels[i].label;
        picture_key(p, names, s->n_levels, false);
    }
    lay_out_dots(p, &d);
    draw_dot_plot(p, &d);
    picture_note(p, "Dashed: 0.1 either way, the usual bound of a negligible standardised difference.");
    buf_printf(&p->says, "Points of %s around 0, with dashed lines at 0.1 either way.", t->unit);
    return true;
}
