/* SPDX-License-Identifier: Apache-2.0
 * Sets each within the one before (attrition): boxes from above to below, beside each arrow how many were
 * left out, and each box's share of the first. */
#include <math.h>

#include "disclose/picture_parts.h"

enum { LEAST_LEFT_OUT = 10, STEPS_MOST = 40, GAP = 40 };

static const char *box_number(struct picture *p, const struct released_cell *c)
{
    return c->hidden ? released_mark(c) : unit_format(&p->c, p->unit, c->value);
}

static void draw_step(struct picture *p, const struct released_cell *cell, bool first)
{
    struct canvas *c = &p->c;
    const struct released_table *t = p->t;
    struct lettering label = {0}, number = {.anchor = ANCHOR_END, .size = c->size + 2, .bold = true};
    const char *text = t->dimensions[0].levels[cell->at[0]].label;
    double all = t->cells[0].hidden ? (double)NAN : t->cells[0].value;
    double width = fmin(c->width - 2 * MARGIN, 520), right = MARGIN + width;
    int lines = count_lines(c, width - 110, 4, label, text);
    double height = fmax(first ? 40 : 50, 18.0 + 18 * lines);
    draw_box(c, MARGIN, c->height, width, height, cell->hidden ? "#fff" : INK_PALE, INK_BLUE);
    draw_lines(c, MARGIN + 12, c->height + height / 2 + 5 - (lines - 1) * 9, width - 110, 4, label, text);
    if (cell->hidden)
        draw_unprinted(c, cell, right - 72, c->height + 8, 60, height - 16);
    else
        draw_text(c, right - 12, c->height + (first ? 26 : 24), number, box_number(p, cell));
    if (!first && !cell->hidden && all > 0)
        draw_text(c, right - 12, c->height + 42, (struct lettering){ANCHOR_END, 13, INK_SECONDARY, false},
                  arena_printf(c->arena, "%.3g%% of the first", 100 * cell->value / all));
    c->height += height;
}

/* A small difference of rounded counts says nothing, and looks as if it did. */
static void draw_between(struct picture *p, const struct released_cell *before,
                         const struct released_cell *now)
{
    struct canvas *c = &p->c;
    double y = c->height, x = MARGIN + 32;
    draw_line(c, x, y, x, y + GAP - 8, INK_SECONDARY, 2, "");
    buf_printf(&c->body, "<path d=\"M%.1f %.1fh12l-6 9z\" fill=\"" INK_SECONDARY "\"/>", x - 6, y + GAP - 9);
    if (!before->hidden && !now->hidden && before->value - now->value >= LEAST_LEFT_OUT)
        draw_text(c, x + 20, y + GAP / 2.0 + 5, (struct lettering){.colour = INK_SECONDARY},
                  arena_printf(c->arena, "%s left out", unit_format(c, p->unit, before->value - now->value)));
    c->height += GAP;
}

static void say_flow(struct picture *p)
{
    const struct released_table *t = p->t;
    const struct released_cell *first = &t->cells[0], *last = &t->cells[t->n_cells - 1];
    const struct result_level *levels = t->dimensions[0].levels;
    buf_printf(&p->says, "A flow in %llu steps: from %s (%s) to %s (%s).", (unsigned long long)t->n_cells,
               first->hidden ? "a suppressed number" : box_number(p, first), levels[first->at[0]].label,
               last->hidden ? "a suppressed number" : box_number(p, last), levels[last->at[0]].label);
}

bool picture_flow(struct picture *p)
{
    const struct released_table *t = p->t;
    if (t->n_dimensions != 1 || !t->dimensions[0].nested || t->n_cells > STEPS_MOST)
        return false;
    p->c.height += 4;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        if (i)
            draw_between(p, &t->cells[i - 1], &t->cells[i]);
        draw_step(p, &t->cells[i], i == 0);
    }
    picture_note(p, arena_printf(p->c.arena, "Numbers are %s. Differences under %d are not written out.",
                                 t->unit, LEAST_LEFT_OUT));
    say_flow(p);
    return true;
}
