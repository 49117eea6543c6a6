/* SPDX-License-Identifier: Apache-2.0
 * A cross-tabulation: the last dimension across, the others down, darker for more. Totals stay without
 * colour. */
#include <math.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { COLUMNS_MOST = 12, HEAT_ROW = 28 };

struct heat {
    const struct result_dimension *across;
    uint32_t last;
    double labels, column, most, size; /* size of the numbers */
    uint32_t *place, n;                /* of each level across: its column, UINT32_MAX where it has none */
};

/* On a narrow page there is room for the parts only; their total is in the table. */
static void choose_columns(struct picture *p, struct heat *h)
{
    h->place = arena_array(p->c.arena, h->across->n_levels, sizeof *h->place);
    for (uint32_t k = 0; k < h->across->n_levels; k++)
        h->place[k] = p->c.narrow && !level_is_leaf(h->across, k) ? UINT32_MAX : h->n++;
}

/* "1 (most deprived)" is 1 where there is no room for more. */
static const char *head_of(struct picture *p, const struct heat *h, uint32_t k)
{
    const char *label = h->across->levels[k].label;
    size_t digits = strspn(label, "0123456789");
    bool shorten = p->c.narrow && digits && label[digits] == ' ' && label[digits + 1] == '(';
    if (shorten)
        return arena_printf(p->c.arena, "%.*s", (int)digits, label);
    return p->c.narrow ? fit_text(&p->c, label, h->column - 2, (struct lettering){.size = 12, .bold = true})
                       : label;
}

/* Widths in which every number and every word of a head is whole; false where there is no room. */
static bool lay_out(struct picture *p, struct heat *h)
{
    struct canvas *c = &p->c;
    double widest = 24, room = c->narrow ? 4 : 12;
    h->size = c->narrow ? 12 : c->size;
    for (uint64_t i = 0; i < p->t->n_cells; i++) {
        const struct released_cell *cell = &p->t->cells[i];
        h->labels = fmax(h->labels, text_width(cell_label(p, p->t, cell, (int32_t)h->last), c->size, true));
        if (h->place[cell->at[h->last]] != UINT32_MAX)
            widest = fmax(widest, text_width(cell_text(p, p->unit, cell), h->size, !c->narrow) + room);
        if (!cell->hidden && level_is_leaf(h->across, cell->at[h->last]))
            h->most = fmax(h->most, cell->value);
    }
    h->labels = fmin(h->labels, c->width * 0.36) + 10;
    h->column = (c->width - 2 * MARGIN - h->labels) / h->n;
    return h->n && h->column >= widest;
}

static void draw_heads(struct picture *p, const struct heat *h)
{
    struct canvas *c = &p->c;
    struct lettering l = {.anchor = ANCHOR_MIDDLE, .size = c->narrow ? 12 : 13, .bold = true};
    int lines = 1;
    for (uint32_t k = 0; k < h->across->n_levels; k++)
        lines = (int)fmax(lines, count_lines(c, h->column - 2, 3, l, head_of(p, h, k)));
    draw_text(c, MARGIN + h->labels, c->height + 14, (struct lettering){.size = 13, .colour = INK_SECONDARY},
              fit_text(c, number_words(c, h->across->name), c->width - 2 * MARGIN - h->labels, l));
    for (uint32_t k = 0; k < h->across->n_levels; k++)
        if (h->place[k] != UINT32_MAX)
            draw_lines(c, MARGIN + h->labels + (h->place[k] + 0.5) * h->column, c->height + 32, h->column - 2,
                       3, l, head_of(p, h, k));
    c->height += 22 + 17.0 * lines;
}

/* Dark text stays readable on the darkest colour (5:1). */
static void draw_cell(struct picture *p, const struct heat *h, const struct released_cell *cell, double y)
{
    struct canvas *c = &p->c;
    double x = MARGIN + h->labels + h->place[cell->at[h->last]] * h->column;
    bool total = false;
    for (uint32_t d = 0; d < p->t->n_dimensions; d++)
        total |= !level_is_leaf(&p->t->dimensions[d], cell->at[d]);
    if (cell->hidden) {
        draw_unprinted(c, cell, x + 1, y + 1, h->column - 2, HEAT_ROW - 2);
        return;
    }
    if (!total && h->most > 0 && cell->value > 0)
        buf_printf(&c->body,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"" INK_BLUE
                   "\" fill-opacity=\"%.2f\"/>",
                   x + 1, y + 1, h->column - 2, HEAT_ROW - 2, 0.04 + 0.56 * fmin(1, cell->value / h->most));
    draw_text(c, x + h->column / 2, y + HEAT_ROW * 0.66,
              (struct lettering){.anchor = ANCHOR_MIDDLE, .size = h->size, .bold = total},
              unit_format(c, p->unit, cell->value));
}

static void draw_cells(struct picture *p, const struct heat *h, size_t *left_out)
{
    struct canvas *c = &p->c;
    const struct released_table *t = p->t;
    size_t rows = 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *cell = &t->cells[i];
        if (i == 0 || memcmp(cell->at, cell[-1].at, h->last * sizeof *cell->at) != 0) {
            struct lettering l = {.anchor = ANCHOR_END, .bold = false};
            if (++rows > ROWS_MOST) {
                *left_out += 1;
                continue;
            }
            c->height += HEAT_ROW;
            for (uint32_t d = 0; d < h->last; d++)
                l.bold |= !level_is_leaf(&t->dimensions[d], cell->at[d]);
            draw_text(c, MARGIN + h->labels - 8, c->height - HEAT_ROW + HEAT_ROW * 0.66, l,
                      fit_text(c, cell_label(p, t, cell, (int32_t)h->last), h->labels - 8, l));
        }
        if (rows <= ROWS_MOST && h->place[cell->at[h->last]] != UINT32_MAX)
            draw_cell(p, h, cell, c->height - HEAT_ROW);
    }
}

bool picture_heat(struct picture *p)
{
    const struct released_table *t = p->t;
    size_t left_out = 0;
    if (t->n_dimensions < 2 || t->dimensions[t->n_dimensions - 1].n_levels > COLUMNS_MOST)
        return false;
    struct heat h = {.across = &t->dimensions[t->n_dimensions - 1], .last = t->n_dimensions - 1};
    choose_columns(p, &h);
    if (!lay_out(p, &h))
        return false;
    draw_heads(p, &h);
    draw_cells(p, &h, &left_out);
    if (left_out)
        picture_note(p, arena_printf(p->c.arena, "The first %d rows; %zu more are in the table.", ROWS_MOST,
                                     left_out));
    picture_note(p,
                 arena_printf(p->c.arena, "Darker is more %s. A place without a number is zero.", t->unit));
    buf_printf(&p->says, "A table of %s, darker for more, with %s across and ", t->unit,
               number_words(&p->c, h.across->name));
    for (uint32_t d = 0; d < h.last; d++)
        buf_printf(&p->says, "%s%s", d ? ", " : "", number_words(&p->c, t->dimensions[d].name));
    buf_printf(&p->says, " down. The largest is %s.", unit_format(&p->c, p->unit, h.most));
    return true;
}
