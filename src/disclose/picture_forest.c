/* SPDX-License-Identifier: Apache-2.0
 * A forest: each estimate with its interval, the box by its weight (one over the squared standard error, from
 * the interval), the line of no effect, a diamond for what the others add up to. Ratios lie on a log scale,
 * differences on their own. Where one dimension is of figures ("risk, treated", "risk ratio"), a forest of
 * ratios draws those whose figure is a ratio.
 */
#include <math.h>

#include "disclose/picture_parts.h"

enum { FOREST_ROW = 30, FOREST_MOST = 60 };

struct forest {
    const struct released_cell *rows[FOREST_MOST];
    const char *texts[FOREST_MOST];
    size_t n, left_out;
    int32_t figures; /* the dimension of figures, -1 for none */
    bool ratio;
    double labels, numbers, heaviest;
    struct scale x;
    struct unit unit;
};

static bool drawn(const struct released_table *t, const struct forest *f, const struct released_cell *c)
{
    return f->figures < 0 || strstr(t->dimensions[f->figures].levels[c->at[f->figures]].label, "ratio");
}

static double spread(const struct forest *f, const struct released_cell *c)
{
    return f->ratio ? log(c->upper / c->lower) : c->upper - c->lower;
}

/* A box whose weight is 1 is the heaviest. */
static double weight_of(const struct forest *f, const struct released_cell *c)
{
    double width = has_interval(c) ? spread(f, c) : (double)NAN;
    return width > 0 && isfinite(width) ? 1 / (width * width) : 0;
}

static bool drawable(const struct forest *f, const struct released_cell *c)
{
    return c->hidden || !f->ratio || (c->value > 0 && (!has_interval(c) || c->lower > 0));
}

static bool collect(struct picture *p, struct forest *f)
{
    const struct released_table *t = p->t;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        if (!drawn(t, f, c) || !drawable(f, c))
            continue;
        if (f->n == FOREST_MOST) {
            f->left_out++;
            continue;
        }
        f->heaviest = fmax(f->heaviest, weight_of(f, c));
        f->rows[f->n++] = c;
    }
    return f->n > 0;
}

static bool pooled(const struct released_table *t, const struct released_cell *c)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (!level_is_leaf(&t->dimensions[d], c->at[d]) ||
            strcmp(t->dimensions[d].levels[c->at[d]].label, "pooled") == 0)
            return true;
    return false;
}

/* Ratios are written with two decimals, as journals do; very small ones as they are. */
static const char *ratio_text(struct canvas *c, double v)
{
    return v < 0.1 || v >= 100 ? unit_format(c, (struct unit){1, "", ""}, v)
                               : arena_printf(c->arena, v < 10 ? "%.2f" : "%.1f", v);
}

static const char *estimate_text(struct picture *p, const struct forest *f, const struct released_cell *c)
{
    if (!f->ratio || c->hidden)
        return cell_text(p, f->unit, c);
    const char *value = ratio_text(&p->c, c->value);
    return has_interval(c) ? arena_printf(p->c.arena, "%s (%s to %s)", value, ratio_text(&p->c, c->lower),
                                          ratio_text(&p->c, c->upper))
                           : value;
}

static void lay_out(struct picture *p, struct forest *f)
{
    struct canvas *c = &p->c;
    double none = f->ratio ? 1 : 0, low = none, high = none;
    for (size_t i = 0; i < f->n; i++) {
        const struct released_cell *r = f->rows[i];
        f->texts[i] = estimate_text(p, f, r);
        f->numbers = fmax(f->numbers, text_width(f->texts[i], c->size, false));
        f->labels = fmax(f->labels, text_width(cell_label(p, p->t, r, f->figures), c->size, true));
        if (r->hidden)
            continue;
        low = fmin(low, has_interval(r) ? r->lower : r->value);
        high = fmax(high, has_interval(r) ? r->upper : r->value);
    }
    f->labels = c->narrow ? 0 : fmin(f->labels, 260) + 16;
    double from = MARGIN + f->labels + 8, to = c->width - MARGIN - (c->narrow ? 8 : f->numbers + 20);
    f->x = f->ratio ? scale_ratio(low, high, from, to) : scale_round(low, high, from, to);
}

static void draw_diamond(struct picture *p, const struct forest *f, const struct released_cell *c, double y)
{
    double low = scale_at(&f->x, has_interval(c) ? c->lower : c->value),
           high = scale_at(&f->x, has_interval(c) ? c->upper : c->value), at = scale_at(&f->x, c->value);
    buf_printf(&p->c.body, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fz\" fill=\"" INK_PINK "\"/>",
               low, y, at, y - 8, high, y, at, y + 8);
}

/* A limit beyond the scale is an arrow: scale_at would put it at the end, as if it lay there. */
static void draw_estimate(struct picture *p, const struct forest *f, const struct released_cell *c, double y)
{
    if (c->hidden) {
        draw_unprinted(&p->c, c, scale_at(&f->x, f->ratio ? 1 : 0) - 28, y - 9, 56, 18);
        return;
    }
    if (pooled(p->t, c)) {
        draw_diamond(p, f, c, y);
        return;
    }
    double side = 6 + 10 * sqrt(f->heaviest > 0 ? weight_of(f, c) / f->heaviest : 0),
           at = scale_at(&f->x, c->value);
    if (has_interval(c))
        draw_interval(&p->c, c->lower < f->x.low ? f->x.from - 1 : scale_at(&f->x, c->lower),
                      c->upper > f->x.high ? f->x.to + 1 : scale_at(&f->x, c->upper), f->x.from, f->x.to, y,
                      INK_TEXT);
    draw_box(&p->c, at - side / 2, y - side / 2, side, side, INK_BLUE, NULL);
}

static void draw_row(struct picture *p, const struct forest *f, size_t i)
{
    struct canvas *c = &p->c;
    const struct released_cell *r = f->rows[i];
    struct lettering label = {.bold = pooled(p->t, r)}, number = {.anchor = ANCHOR_END, .bold = label.bold};
    const char *text = cell_label(p, p->t, r, f->figures);
    double room =
        c->narrow ? c->width - 2 * MARGIN - text_width(f->texts[i], c->size, label.bold) - 8 : f->labels - 8;
    if (c->narrow)
        draw_ground(c, MARGIN, c->height + 4, c->width - 2 * MARGIN, 20);
    draw_text(c, MARGIN, c->height + 19, label, fit_text(c, text, room, label));
    draw_text(c, c->width - MARGIN, c->height + 19, number, f->texts[i]);
    c->height += c->narrow ? 24 : 0;
    draw_estimate(p, f, r, c->height + 14);
    c->height += FOREST_ROW;
}

static void say_forest(struct picture *p, const struct forest *f)
{
    size_t above = 0, below = 0;
    double none = f->ratio ? 1 : 0;
    for (size_t i = 0; i < f->n; i++) {
        above += has_interval(f->rows[i]) && f->rows[i]->lower > none;
        below += has_interval(f->rows[i]) && f->rows[i]->upper < none;
    }
    buf_printf(
        &p->says,
        "A forest of %zu estimates (%s) with 95%% intervals; %zu lie surely above %g and %zu surely below.",
        f->n, f->unit.label, above, none, below);
}

static void draw_rows(struct picture *p, const struct forest *f)
{
    struct canvas *c = &p->c;
    double none = scale_at(&f->x, f->ratio ? 1 : 0), top = c->height;
    double height = (FOREST_ROW + (c->narrow ? 24.0 : 0)) * (double)f->n + 4;
    double axis = draw_axis_under(c, &f->x, top + height, top, f->unit, NULL);
    draw_line(c, none, top, none, top + height, INK_TEXT, 1.5, "");
    for (size_t i = 0; i < f->n; i++)
        draw_row(p, f, i);
    c->height = top + height + axis;
}

bool picture_estimates(struct picture *p, bool ratio)
{
    struct forest f = {.ratio = ratio, .figures = ratio ? dimension_named(p->t, "figure") : -1};
    if (!collect(p, &f))
        return false;
    f.unit = p->unit;
    if (ratio) /* of figures of several units the ratios are drawn */
        f.unit = (struct unit){1, "", f.figures < 0 ? p->unit.label : "ratio"};
    lay_out(p, &f);
    p->c.height += 6;
    draw_rows(p, &f);
    picture_note(p, "Lines: 95% intervals. A larger box is a more certain estimate.");
    if (f.ratio)
        picture_note(p, "The line at 1 is no difference; the scale is logarithmic.");
    if (f.left_out)
        picture_note(p, arena_printf(p->c.arena, "The first %d rows; %zu more are in the table.", FOREST_MOST,
                                     f.left_out));
    say_forest(p, &f);
    return true;
}

bool picture_forest(struct picture *p)
{
    return picture_estimates(p, true);
}
