/* SPDX-License-Identifier: Apache-2.0
 * Counts by age and sex, men to the left, the oldest on top; where the table has more dimensions, at their
 * totals. */
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "disclose/picture_parts.h"

enum { PYRAMID_ROW = 26, AGES_MOST = 60 };

struct pyramid {
    const struct result_dimension *age, *sex;
    uint32_t ages, sexes, sides[2];
    const struct released_cell *bars[AGES_MOST][2]; /* NULL is zero */
    bool other;                                     /* there are people of neither side */
    double most, middle, gap, length;
};

static bool is_word(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

/* The two levels "male" and "female", else the only two. */
static bool find_sides(struct pyramid *y)
{
    uint32_t n = 0, found[2], male = UINT32_MAX, female = UINT32_MAX;
    for (uint32_t i = 0; i < y->sex->n_levels; i++) {
        if (!level_is_leaf(y->sex, i))
            continue;
        if (n++ < 2)
            found[n - 1] = i;
        if (is_word(y->sex->levels[i].label, "male"))
            male = i;
        if (is_word(y->sex->levels[i].label, "female"))
            female = i;
    }
    bool named = male != UINT32_MAX && female != UINT32_MAX;
    y->sides[0] = named ? male : found[0];
    y->sides[1] = named ? female : found[1];
    y->other = n > 2;
    return named || n == 2;
}

/* The level that the others of a dimension add up to. */
static bool total_of(const struct result_dimension *d, uint32_t *level)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent < 0 && !level_is_leaf(d, i)) {
            *level = i;
            return true;
        }
    return false;
}

static bool find_dimensions(const struct released_table *t, struct pyramid *y)
{
    bool age = false, sex = false;
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        uint32_t total;
        if (!sex && is_word(t->dimensions[d].name, "sex")) {
            y->sex = &t->dimensions[y->sexes = d];
            sex = true;
        } else if (!age && strncmp(t->dimensions[d].name, "age", 3) == 0) {
            y->age = &t->dimensions[y->ages = d];
            age = true;
        } else if (!total_of(&t->dimensions[d], &total))
            return false;
    }
    return age && sex && y->age->n_levels <= AGES_MOST && find_sides(y);
}

static bool in_pyramid(const struct released_table *t, const struct pyramid *y, const struct released_cell *c,
                       int *side)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        uint32_t total;
        if (d != y->ages && d != y->sexes && !(total_of(&t->dimensions[d], &total) && total == c->at[d]))
            return false;
    }
    *side = c->at[y->sexes] == y->sides[1];
    return c->at[y->sexes] == y->sides[*side] && level_is_leaf(y->age, c->at[y->ages]);
}

static void find_bars(const struct released_table *t, struct pyramid *y)
{
    int side;
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (in_pyramid(t, y, &t->cells[i], &side)) {
            y->bars[t->cells[i].at[y->ages]][side] = &t->cells[i];
            if (!t->cells[i].hidden)
                y->most = fmax(y->most, t->cells[i].value);
        }
}

static void lay_out(struct picture *p, struct pyramid *y)
{
    struct canvas *c = &p->c;
    double labels = 0, numbers = text_width(unit_format(c, p->unit, y->most), c->size, false) + 10;
    for (uint32_t i = 0; i < y->age->n_levels; i++)
        labels = fmax(labels, text_width(y->age->levels[i].label, c->size, false));
    y->middle = c->width / 2;
    y->gap = fmin(labels, c->width * 0.22) / 2 + 8;
    y->length = c->width / 2 - MARGIN - y->gap - fmax(30, numbers);
}

/* One side of one age group, growing away from the middle. */
static void draw_bar(struct picture *p, const struct pyramid *y, const struct released_cell *cell, int side)
{
    struct canvas *c = &p->c;
    double length = cell && !cell->hidden ? y->length * cell->value / y->most : cell ? 40 : 0;
    double from = side ? y->middle + y->gap : y->middle - y->gap - length, top = c->height + 3;
    struct lettering l = {.anchor = side ? ANCHOR_START : ANCHOR_END};
    if (cell && cell->hidden) {
        draw_hidden(c, from, top, length, PYRAMID_ROW - 6);
        return;
    }
    if (cell)
        draw_box(c, from, top, length, PYRAMID_ROW - 6, side ? "#cf7ba8" : INK_BLUE,
                 side ? INK_PINK : INK_BLUE);
    draw_text(c, side ? from + length + 6 : from - 6, c->height + PYRAMID_ROW * 0.66, l,
              cell ? unit_format(c, p->unit, cell->value) : "0");
}

static void draw_axes(struct picture *p, const struct pyramid *y)
{
    struct canvas *c = &p->c;
    struct lettering l = {ANCHOR_MIDDLE, 13, INK_SECONDARY, false};
    struct scale s = {0, y->most, 0, y->length, false};
    double ticks[TICKS_MOST];
    size_t n = scale_ticks(&s, c->narrow ? 3 : 4, ticks);
    buf_adds(&c->body, "<g class=\"axis\">");
    for (int side = -1; side <= 1; side += 2) {
        double zero = y->middle + side * y->gap;
        draw_line(c, zero, c->height + 4, zero + side * y->length, c->height + 4, INK_SECONDARY, 1, "");
        for (size_t i = 0; i < n; i++) {
            double x = zero + side * scale_at(&s, ticks[i]);
            draw_line(c, x, c->height + 4, x, c->height + 9, INK_SECONDARY, 1, "");
            draw_text(c, x, c->height + 24, l, whole_format(c, ticks[i]));
        }
    }
    buf_adds(&c->body, "</g>");
    draw_text(c, y->middle, c->height + 42, (struct lettering){ANCHOR_MIDDLE, 13, NULL, false},
              fit_text(c, p->t->unit, c->width - 2 * MARGIN, l));
    c->height += 46;
}

static void draw_bars(struct picture *p, const struct pyramid *y)
{
    struct canvas *c = &p->c;
    struct lettering bold = {.anchor = ANCHOR_MIDDLE, .bold = true}, age = {.anchor = ANCHOR_MIDDLE};
    for (int side = 0; side < 2; side++)
        draw_text(c, y->middle + (side ? 1 : -1) * (y->gap + y->length / 2), c->height + 18, bold,
                  fit_text(c, y->sex->levels[y->sides[side]].label, y->length, bold));
    draw_text(c, y->middle, c->height + 18, bold, fit_text(c, "age", 2 * y->gap, bold));
    c->height += 28;
    for (uint32_t g = y->age->n_levels; g-- > 0;) {
        if (!level_is_leaf(y->age, g))
            continue;
        draw_text(c, y->middle, c->height + PYRAMID_ROW * 0.66, age,
                  fit_text(c, y->age->levels[g].label, 2 * y->gap - 4, age));
        draw_bar(p, y, y->bars[g][0], 0);
        draw_bar(p, y, y->bars[g][1], 1);
        c->height += PYRAMID_ROW;
    }
}

bool picture_pyramid(struct picture *p)
{
    struct pyramid y = {.most = 1};
    if (!find_dimensions(p->t, &y))
        return false;
    find_bars(p->t, &y);
    lay_out(p, &y);
    draw_bars(p, &y);
    draw_axes(p, &y);
    for (uint32_t d = 0; d < p->t->n_dimensions; d++)
        if (d != y.ages && d != y.sexes)
            picture_note(p, arena_printf(p->c.arena, "Over all of %s; the table has each.",
                                         number_words(&p->c, p->t->dimensions[d].name)));
    if (y.other)
        picture_note(p, "People of another or unknown sex are in the table.");
    buf_printf(&p->says, "A pyramid of %s by age, %s to the left and %s to the right. The longest bar is %s.",
               p->t->unit, y.sex->levels[y.sides[0]].label, y.sex->levels[y.sides[1]].label,
               unit_format(&p->c, p->unit, y.most));
    return true;
}
