/* SPDX-License-Identifier: Apache-2.0
 * An inequality gradient: the figure of each group in order, with its interval, and the line whose slope is
 * the slope index of inequality, drawn through the figure of all groups at the middle (a weighted regression
 * goes through its means). Groups stand at equal distances, as quantiles do.
 */
#include <math.h>

#include "disclose/picture_parts.h"

enum { GROUPS_MOST = 20, GRADIENT_PLOT = 300 };

struct gradient {
    const struct released_cell *groups[GROUPS_MOST], *all, *sii, *rii, *gap;
    size_t n;
    struct scale y;
    double left, step;
};

static void find_indices(const struct released_table *t, struct gradient *g)
{
    for (uint64_t i = 0; t && t->n_dimensions == 1 && i < t->n_cells; i++) {
        const char *label = t->dimensions[0].levels[t->cells[i].at[0]].label;
        if (strstr(label, "slope index"))
            g->sii = &t->cells[i];
        else if (strstr(label, "relative index"))
            g->rii = &t->cells[i];
        else if (strncmp(label, "gap", 3) == 0)
            g->gap = &t->cells[i];
    }
}

static bool find_groups(struct picture *p, struct gradient *g)
{
    const struct released_table *t = p->t;
    if (t->n_dimensions != 1)
        return false;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        uint32_t level = t->cells[i].at[0];
        if (!level_is_leaf(&t->dimensions[0], level))
            g->all = &t->cells[i];
        else if (strcmp(t->dimensions[0].levels[level].label, "unknown") != 0) {
            if (g->n == GROUPS_MOST)
                return false;
            g->groups[g->n++] = &t->cells[i];
        }
    }
    find_indices(picture_beside(p, "groups", "indices"), g);
    return g->n >= 3;
}

static bool has_line(const struct gradient *g)
{
    return g->sii && !g->sii->hidden && g->all && !g->all->hidden;
}

static double line_at(const struct gradient *g, double rank)
{
    return g->all->value + g->sii->value * (rank - 0.5);
}

static void make_scales(struct picture *p, struct gradient *g)
{
    double high = 0, low = 0, top = p->c.height + 36;
    for (size_t i = 0; i < g->n; i++) {
        const struct released_cell *c = g->groups[i];
        if (c->hidden)
            continue;
        high = fmax(high, has_interval(c) ? c->upper : c->value);
        low = fmin(low, has_interval(c) ? c->lower : c->value);
    }
    if (has_line(g))
        high = fmax(high, fmax(line_at(g, 0), line_at(g, 1)));
    g->y = scale_round(low, high, top + (p->c.narrow ? 220 : GRADIENT_PLOT), top);
    g->left = MARGIN + 56;
    g->step = (p->c.width - MARGIN - 8 - g->left) / (double)g->n;
}

static void draw_group(struct picture *p, const struct gradient *g, size_t i)
{
    struct canvas *c = &p->c;
    const struct released_cell *r = g->groups[i];
    double x = g->left + g->step * ((double)i + 0.5), width = fmin(g->step * 0.62, 64),
           base = scale_at(&g->y, fmax(0, g->y.low));
    if (r->hidden) {
        draw_unprinted(c, r, x - width / 2, base - 60, width, 60);
        return;
    }
    double top = scale_at(&g->y, r->value);
    draw_box(c, x - width / 2, fmin(top, base), width, fabs(base - top), "#a8c8e4", INK_BLUE);
    if (!has_interval(r))
        return;
    double low = scale_at(&g->y, r->lower), high = scale_at(&g->y, r->upper);
    draw_line(c, x, low, x, high, INK_TEXT, 2, "");
    draw_line(c, x - 5, low, x + 5, low, INK_TEXT, 2, "");
    draw_line(c, x - 5, high, x + 5, high, INK_TEXT, 2, "");
}

static void draw_labels(struct picture *p, const struct gradient *g)
{
    struct canvas *c = &p->c;
    struct lettering l = {.anchor = ANCHOR_MIDDLE, .size = 13};
    int lines = 1;
    bool shorten = false;
    for (size_t i = 0; i < g->n; i++)
        shorten |= text_width(p->t->dimensions[0].levels[g->groups[i]->at[0]].label, 13, false) > g->step - 2;
    for (size_t i = 0; i < g->n; i++) {
        const char *label = p->t->dimensions[0].levels[g->groups[i]->at[0]].label;
        int digits = (int)strspn(label, "0123456789");
        if (shorten && digits) /* "1 (most deprived)" is the number here; the ends are named below */
            label = arena_printf(c->arena, "%.*s", digits, label);
        int n =
            draw_lines(c, g->left + g->step * ((double)i + 0.5), g->y.from + 19, g->step - 2, 3, l, label);
        lines = n > lines ? n : lines;
    }
    c->height = g->y.from + 8 + 17.0 * lines;
}

static void draw_ends(struct picture *p, const struct gradient *g)
{
    struct canvas *c = &p->c;
    const char *first = strchr(p->t->dimensions[0].levels[g->groups[0]->at[0]].label, '('),
               *last = strchr(p->t->dimensions[0].levels[g->groups[g->n - 1]->at[0]].label, '(');
    struct lettering l = {.size = 13, .colour = INK_SECONDARY};
    if (!first || !last || g->step > 150)
        return;
    draw_text(c, g->left, c->height + 14, l,
              arena_printf(c->arena, "\xE2\x86\x90 %.*s", (int)strcspn(first + 1, ")"), first + 1));
    l.anchor = ANCHOR_END;
    draw_text(c, c->width - MARGIN, c->height + 14, l,
              arena_printf(c->arena, "%.*s \xE2\x86\x92", (int)strcspn(last + 1, ")"), last + 1));
    c->height += 22;
}

static void draw_slope(struct picture *p, const struct gradient *g)
{
    double right = g->left + g->step * (double)g->n;
    if (!has_line(g))
        return;
    draw_line(&p->c, g->left, scale_at(&g->y, line_at(g, 0)), right, scale_at(&g->y, line_at(g, 1)), INK_PINK,
              3, "9 4");
}

/* A difference of two shares is of percentage points. */
static struct unit points_of(struct unit u)
{
    return *u.suffix ? (struct unit){u.times, "", " in percentage points"} : (struct unit){u.times, "", ""};
}

static void note_index(struct picture *p, const char *name, const struct released_cell *c, struct unit u)
{
    if (c)
        picture_note(p, arena_printf(p->c.arena, "%s%s: %s.", name, u.label,
                                     c->hidden ? unprinted_words(c) : cell_text(p, u, c)));
}

static void draw_slope_key(struct picture *p, const struct gradient *g)
{
    struct canvas *c = &p->c;
    if (!has_line(g))
        return;
    draw_line(c, MARGIN, c->height + 10, MARGIN + 36, c->height + 10, INK_PINK, 3, "9 4");
    draw_text(c, MARGIN + 44, c->height + 15, (struct lettering){.colour = INK_PINK, .bold = true},
              arena_printf(c->arena, "Slope index %s%s", unit_format(c, points_of(p->unit), g->sii->value),
                           *p->unit.suffix ? " percentage points" : ""));
    c->height += 20;
}

static void say_gradient(struct picture *p, const struct gradient *g)
{
    const struct result_level *levels = p->t->dimensions[0].levels;
    const struct released_cell *first = g->groups[0], *last = g->groups[g->n - 1];
    buf_printf(&p->says, "A gradient over %zu groups (%s): %s in group %s, %s in group %s.", g->n,
               number_words(&p->c, p->t->dimensions[0].name),
               first->hidden ? unprinted_words(first) : unit_format(&p->c, p->unit, first->value),
               levels[first->at[0]].label,
               last->hidden ? unprinted_words(last) : unit_format(&p->c, p->unit, last->value),
               levels[last->at[0]].label);
    if (has_line(g))
        buf_printf(&p->says, " The slope index of inequality%s is %s.", points_of(p->unit).label,
                   cell_text(p, points_of(p->unit), g->sii));
}

bool picture_gradient(struct picture *p)
{
    struct gradient g = {0};
    if (!find_groups(p, &g))
        return false;
    draw_slope_key(p, &g);
    make_scales(p, &g);
    draw_axis_left(&p->c, &g.y, g.left, p->c.width - MARGIN, p->unit, NULL);
    for (size_t i = 0; i < g.n; i++)
        draw_group(p, &g, i);
    draw_line(&p->c, g.left, scale_at(&g.y, fmax(0, g.y.low)), p->c.width - MARGIN,
              scale_at(&g.y, fmax(0, g.y.low)), INK_SECONDARY, 1, "");
    draw_slope(p, &g);
    draw_labels(p, &g);
    draw_ends(p, &g);
    picture_note(p, "Lines on the bars: 95% intervals.");
    note_index(p, "Slope index of inequality, last less first", g.sii, points_of(p->unit));
    note_index(p, "Relative index of inequality", g.rii, (struct unit){1, "", ""});
    note_index(p, "Gap, last less first group", g.gap, points_of(p->unit));
    say_gradient(p, &g);
    return true;
}
