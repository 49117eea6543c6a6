/* SPDX-License-Identifier: Apache-2.0
 * Is a risk score right? The share that had the outcome against the mean of the predicted risks, by tenths of
 * the score, beside the line on which both are equal. */
#include <math.h>

#include "disclose/picture_parts.h"

struct calibration {
    const struct result_dimension *set, *band;
    int32_t predicted, observed;
    struct scale x, y;
    double most;
};

/* Set, band, figure: the dimensions in the order of the table. */
static bool find_parts(struct picture *p, struct calibration *k)
{
    const struct released_table *t = p->t;
    if (t->n_dimensions != 3)
        return false;
    k->set = &t->dimensions[0];
    k->band = &t->dimensions[1];
    k->predicted = level_with(&t->dimensions[2], "predicted");
    k->observed = level_with(&t->dimensions[2], "observed");
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (!t->cells[i].hidden)
            k->most = fmax(k->most, has_interval(&t->cells[i]) ? t->cells[i].upper : t->cells[i].value);
    return k->predicted >= 0 && k->observed >= 0 && k->set->n_levels <= SERIES_MOST && k->most > 0;
}

static const struct released_cell *figure_of(const struct picture *p, uint32_t set, uint32_t band,
                                             int32_t figure)
{
    uint32_t at[3] = {set, band, (uint32_t)figure};
    return released_cell_find(p->t, at);
}

static void draw_set(struct picture *p, const struct calibration *k, uint32_t set, size_t *hidden)
{
    struct canvas *c = &p->c;
    for (uint32_t b = 0; b < k->band->n_levels; b++) {
        const struct released_cell *x = figure_of(p, set, b, k->predicted),
                                   *y = figure_of(p, set, b, k->observed);
        if (!x || !y)
            continue;
        if (x->hidden || y->hidden) {
            if (!x->hidden)
                draw_hidden(c, scale_at(&k->x, x->value) - 6, k->y.from - 14, 12, 14);
            *hidden += 1;
            continue;
        }
        double at = scale_at(&k->x, x->value);
        if (has_interval(y))
            draw_line(c, at, scale_at(&k->y, y->lower), at, scale_at(&k->y, y->upper), series_colour(set), 2,
                      "");
        draw_mark(c, set, at, scale_at(&k->y, y->value), 5);
    }
}

/* AUROC and calibration slope of each set, from the table of performance. */
static void note_performance(struct picture *p, const struct calibration *k)
{
    const struct released_table *t = picture_beside(p, "calibration", "performance");
    for (uint32_t s = 0; t && t->n_dimensions == 2 && s < k->set->n_levels; s++) {
        const char *text = "";
        for (uint64_t i = 0; i < t->n_cells; i++) {
            const char *figure = t->dimensions[1].levels[t->cells[i].at[1]].label;
            if (strcmp(t->dimensions[0].levels[t->cells[i].at[0]].label, k->set->levels[s].label) == 0 &&
                (strcmp(figure, "AUROC") == 0 || strcmp(figure, "calibration slope") == 0))
                text = arena_printf(p->c.arena, "%s%s%s %s", text, *text ? ", " : "", figure,
                                    cell_text(p, (struct unit){1, "", ""}, &t->cells[i]));
        }
        if (*text)
            picture_note(p, arena_printf(p->c.arena, "%s: %s.", k->set->levels[s].label, text));
    }
}

static void draw_plot(struct picture *p, struct calibration *k, size_t *hidden)
{
    struct canvas *c = &p->c;
    double side = fmin(c->width - 2 * MARGIN - 60, 440), top = c->height + 36;
    k->x = scale_round(0, fmin(1, k->most), MARGIN + 52, MARGIN + 52 + side);
    k->y = scale_round(0, fmin(1, k->most), top + side, top);
    draw_axis_left(c, &k->y, k->x.from, k->x.to, (struct unit){100, "%", ""},
                   "observed share with the outcome");
    double under =
        draw_axis_under(c, &k->x, k->y.from, k->y.to, (struct unit){100, "%", ""}, "mean predicted risk");
    draw_line(c, k->x.from, k->y.from, k->x.to, k->y.to, INK_TEXT, 1.5, "6 4");
    for (uint32_t s = 0; s < k->set->n_levels; s++)
        draw_set(p, k, s, hidden);
    c->height = k->y.from + under;
}

bool picture_calibration(struct picture *p)
{
    struct calibration k = {0};
    const char *names[SERIES_MOST];
    size_t hidden = 0;
    if (!find_parts(p, &k))
        return false;
    for (uint32_t s = 0; s < k.set->n_levels; s++)
        names[s] = k.set->levels[s].label;
    picture_key(p, names, k.set->n_levels, false);
    draw_plot(p, &k, &hidden);
    picture_note(p, "On the dashed line predicted and observed are equal. Lines: 95% intervals.");
    if (hidden) {
        p->c.hidden = true;
        picture_note(p, arena_printf(p->c.arena, "%zu bands are suppressed.", hidden));
    }
    note_performance(p, &k);
    buf_printf(&p->says,
               "Observed against predicted risk in %u bands of the score, beside the line of equality.",
               k.band->n_levels);
    return true;
}
