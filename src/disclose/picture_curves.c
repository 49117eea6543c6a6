/* SPDX-License-Identifier: Apache-2.0
 * Survival (Kaplan-Meier) and cumulative incidence: stepped curves with bands of their intervals, a label at
 * each end, numbers at risk under the axis. A step that is not printed is merged into the next that is: the
 * curve is dashed there, for nobody is told when in it the events were. Behind the last printed step fewer
 * than the minimum are at risk, and the curve ends.
 */
#include <math.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { CURVES_MOST = 12, LABEL_ROOM = 164, RISK_ROW = 19 };

struct curve {
    const char *name;
    const struct released_cell *cells;
    size_t n;
    size_t shown;          /* printed steps */
    double last_x, last_y; /* where it ends */
    double last_day, last_value;
};

struct curves {
    const struct result_dimension *time, *group; /* group is NULL where there is one curve */
    struct curve v[CURVES_MOST];
    size_t n;
    bool incidence, merged, cut;
    double start; /* the value at time 0 */
    struct scale x, y;
    const struct released_table *at_risk;
    bool stacked; /* the names of the numbers at risk are above them, for want of room beside */
};

static double day_of(const struct curves *k, const struct released_cell *c)
{
    uint32_t step = c->at[k->group ? 1 : 0];
    return label_number(k->time->levels[step].label, step + 1.0);
}

/* Cells of one curve lie one behind the other, in the order of time. */
static bool find_curves(struct picture *p, struct curves *k)
{
    const struct released_table *t = p->t;
    if (t->n_dimensions < 1 || t->n_dimensions > 2)
        return false;
    k->time = &t->dimensions[t->n_dimensions - 1];
    k->group = t->n_dimensions == 2 ? &t->dimensions[0] : NULL;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        bool first = i == 0 || (k->group && t->cells[i].at[0] != t->cells[i - 1].at[0]);
        if (first && k->n == CURVES_MOST) {
            picture_note(p, "The first 12 curves; the table has more.");
            return true;
        }
        if (first)
            k->v[k->n++] =
                (struct curve){.name = k->group ? k->group->levels[t->cells[i].at[0]].label : "all",
                               .cells = &t->cells[i],
                               .last_value = k->start};
        struct curve *v = &k->v[k->n - 1];
        if (v->n && !(day_of(k, &t->cells[i]) > day_of(k, &v->cells[v->n - 1])))
            return false;
        v->n++;
    }
    return k->n > 0;
}

static const struct released_cell *at_risk_cell(const struct curves *k, size_t g, uint32_t column)
{
    const struct released_table *t = k->at_risk;
    uint32_t at[2] = {k->group ? k->v[g].cells->at[0] : 0, column};
    return released_cell_find(t, t->n_dimensions == 2 ? at : at + 1);
}

/* A group that nobody is in has no curve. */
static bool nobody(const struct curves *k, size_t g)
{
    const struct released_cell *first = k->at_risk ? at_risk_cell(k, g, 0) : NULL;
    return first && !first->hidden && first->value <= 0;
}

static void drop_empty(struct curves *k)
{
    size_t n = 0;
    for (size_t g = 0; g < k->n; g++)
        if (!nobody(k, g))
            k->v[n++] = k->v[g];
    k->n = n;
}

/* Where no step may be shown the frame is that of all days, from none to everybody. */
static void find_ranges(struct curves *k, double *days, double *low, double *high)
{
    double last = 1;
    bool any = false;
    *days = 1;
    *low = *high = k->start;
    for (size_t g = 0; g < k->n; g++)
        for (size_t i = 0; i < k->v[g].n; i++) {
            const struct released_cell *c = &k->v[g].cells[i];
            last = fmax(last, day_of(k, c));
            if (c->hidden)
                continue;
            any = true;
            *days = fmax(*days, day_of(k, c));
            *low = fmin(*low, has_interval(c) ? c->lower : c->value);
            *high = fmax(*high, has_interval(c) ? c->upper : c->value);
        }
    if (!any) {
        *days = last;
        *low = 0;
        *high = 1;
    }
}

/* Survival goes down from one; an axis that does not begin at zero is said to. */
static void make_scales(struct picture *p, struct curves *k, double left, double right)
{
    double days, low, high, top = p->c.height + 36, bottom = top + (p->c.narrow ? 240 : 320);
    find_ranges(k, &days, &low, &high);
    k->x = (struct scale){0, days, left, right, false};
    if (k->incidence)
        k->y = scale_round(0, fmin(1, high), bottom, top);
    else
        k->y = scale_round(low > 0.7 ? low : 0, 1, bottom, top);
    if (k->y.low > 0)
        picture_note(p, arena_printf(p->c.arena, "The axis begins at %s, not at zero.",
                                     unit_format(&p->c, p->unit, k->y.low)));
}

/* A band over printed steps, n of them: along the upper limits, back along the lower. What is merged between
   two of them keeps the limits of the first, as the curve keeps its value. */
static void draw_band(struct picture *p, const struct curves *k, const struct released_cell *const *steps,
                      size_t n, const char *colour)
{
    struct buf *b = &p->c.body;
    if (n < 2)
        return;
    buf_printf(b, "<path fill=\"%s\" fill-opacity=\"0.13\" d=\"M%.1f %.1f", colour,
               scale_at(&k->x, day_of(k, steps[0])), scale_at(&k->y, steps[0]->upper));
    for (size_t i = 1; i < n; i++)
        buf_printf(b, "H%.1fV%.1f", scale_at(&k->x, day_of(k, steps[i])), scale_at(&k->y, steps[i]->upper));
    buf_printf(b, "V%.1f", scale_at(&k->y, steps[n - 1]->lower));
    for (size_t i = n - 1; i-- > 0;)
        buf_printf(b, "V%.1fH%.1f", scale_at(&k->y, steps[i]->lower), scale_at(&k->x, day_of(k, steps[i])));
    buf_adds(b, "z\"/>");
}

static void draw_bands(struct picture *p, const struct curves *k, size_t g)
{
    const struct curve *v = &k->v[g];
    const struct released_cell **steps = arena_array(p->c.arena, v->n, sizeof *steps);
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (has_interval(&v->cells[i]))
            steps[n++] = &v->cells[i];
    draw_band(p, k, steps, n, series_colour(g));
}

static void end_path(struct picture *p, struct buf *path, const char *attributes, size_t g)
{
    if (path->n)
        buf_printf(&p->c.body, "<path fill=\"none\" stroke=\"%s\" %s d=\"%s\"/>", series_colour(g),
                   attributes, path->p);
    buf_deinit(path);
}

static void draw_curve(struct picture *p, struct curves *k, size_t g)
{
    struct curve *v = &k->v[g];
    struct buf solid, dashed;
    bool merged = false;
    double x = k->x.from, y = scale_at(&k->y, k->start);
    buf_init(&solid, 1 << 20);
    buf_init(&dashed, 1 << 20);
    buf_printf(&solid, "M%.1f %.1f", x, y);
    for (size_t i = 0; i < v->n; i++) {
        const struct released_cell *c = &v->cells[i];
        if (c->hidden) {
            merged = true;
            continue;
        }
        double to = scale_at(&k->x, day_of(k, c)), down = scale_at(&k->y, c->value);
        if (merged)
            buf_printf(&dashed, "M%.1f %.1fH%.1f", x, y, to);
        else
            buf_printf(&solid, "H%.1f", to);
        buf_printf(&solid, "M%.1f %.1fV%.1f", to, y, down);
        k->merged |= merged;
        merged = false;
        x = to;
        y = down;
        v->shown++;
        v->last_day = day_of(k, c);
        v->last_value = c->value;
    }
    k->cut |= merged;
    v->last_x = x;
    v->last_y = y;
    end_path(p, &solid, "stroke-width=\"2.5\"", g);
    end_path(p, &dashed, "stroke-width=\"1.5\" stroke-dasharray=\"3 3\"", g);
}

/* Marks on the curve at a few places tell the groups apart without colour. */
static void draw_marks(struct picture *p, const struct curves *k, size_t g)
{
    const struct curve *v = &k->v[g];
    double next = k->x.from + (k->x.to - k->x.from) * (0.1 + 0.04 * (double)g);
    for (size_t i = 0; i < v->n && k->n > 1; i++) {
        double x = scale_at(&k->x, day_of(k, &v->cells[i]));
        if (v->cells[i].hidden || x < next)
            continue;
        draw_mark(&p->c, g, x, scale_at(&k->y, v->cells[i].value), 4);
        next = x + (k->x.to - k->x.from) / 5;
    }
    if (v->shown)
        draw_mark(&p->c, g, v->last_x, v->last_y, 4.5);
}

struct end {
    size_t curve;
    double y;
};

static int by_height(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    return x->y != y->y ? (x->y < y->y ? -1 : 1) : (x->curve > y->curve) - (x->curve < y->curve);
}

static void draw_ends(struct picture *p, const struct curves *k)
{
    struct end ends[CURVES_MOST];
    double y[CURVES_MOST];
    size_t n = 0;
    for (size_t g = 0; g < k->n; g++)
        if (k->v[g].shown)
            ends[n++] = (struct end){g, k->v[g].last_y};
    qsort(ends, n, sizeof *ends, by_height);
    for (size_t i = 0; i < n; i++)
        y[i] = ends[i].y + 5;
    spread_labels(y, n, 17, k->y.to + 5, k->y.from);
    for (size_t i = 0; i < n; i++) {
        struct lettering l = {.colour = series_colour(ends[i].curve), .bold = true};
        draw_mark(&p->c, ends[i].curve, k->x.to + 16, y[i] - 5, 4.5);
        draw_text(&p->c, k->x.to + 26, y[i], l,
                  fit_text(&p->c, k->v[ends[i].curve].name, LABEL_ROOM - 26, l));
    }
}

/* --- numbers at risk ------------------------------------------------------------------------------------ */

static bool usable(const struct curves *k, const struct released_table *t)
{
    return t && t->n_dimensions == 2 && (!k->group || t->dimensions[0].n_levels == k->group->n_levels);
}

/* On a narrow page every other one where there are many. */
static uint32_t column_step(const struct picture *p, const struct curves *k)
{
    return p->c.narrow && k->at_risk->dimensions[1].n_levels > 5 ? 2 : 1;
}

static double column_day(const struct curves *k, uint32_t column)
{
    return label_number(k->at_risk->dimensions[1].levels[column].label, -1);
}

static void draw_at_risk_row(struct picture *p, const struct curves *k, size_t g)
{
    struct canvas *c = &p->c;
    struct lettering name = {.colour = series_colour(g), .bold = true},
                     number = {.anchor = ANCHOR_MIDDLE, .size = 13};
    draw_mark(c, g, MARGIN + 5, c->height + 9, 4.5);
    draw_text(c, MARGIN + 16, c->height + 14, name,
              fit_text(c, k->v[g].name, k->stacked ? c->width - 60 : k->x.from - MARGIN - 40, name));
    c->height += k->stacked ? RISK_ROW : 0;
    for (uint32_t i = 0; i < k->at_risk->dimensions[1].n_levels; i += column_step(p, k)) {
        const struct released_cell *cell = at_risk_cell(k, g, i);
        double day = column_day(k, i);
        if (day < 0 || day > k->x.high)
            continue;
        draw_text(c, scale_at(&k->x, day), c->height + 14, number,
                  !cell          ? "0"
                  : cell->hidden ? released_mark(cell)
                                 : whole_format(c, cell->value));
        c->hidden |= cell && cell->hidden;
    }
    c->height += RISK_ROW;
}

static void draw_at_risk(struct picture *p, const struct curves *k)
{
    struct canvas *c = &p->c;
    if (!k->at_risk)
        return;
    draw_text(c, MARGIN, c->height + 16, (struct lettering){.bold = true}, "Number at risk");
    c->height += 22;
    for (size_t g = 0; g < k->n; g++)
        draw_at_risk_row(p, k, g);
}

/* Ticks at the days of the numbers at risk, where there are any. */
static void draw_time_axis(struct picture *p, const struct curves *k)
{
    struct canvas *c = &p->c;
    struct unit days = {1, "", "days"};
    if (!k->at_risk) {
        c->height = k->y.from + draw_axis_under(c, &k->x, k->y.from, k->y.to, days, "days since entry");
        return;
    }
    buf_adds(&c->body, "<g class=\"axis\">");
    draw_line(c, k->x.from, k->y.from, k->x.to, k->y.from, INK_SECONDARY, 1, "");
    for (uint32_t i = 0; i < k->at_risk->dimensions[1].n_levels; i += column_step(p, k)) {
        double day = column_day(k, i), x = scale_at(&k->x, day);
        if (day < 0 || day > k->x.high)
            continue;
        draw_line(c, x, k->y.from, x, k->y.from + 5, INK_SECONDARY, 1, "");
        draw_text(c, x, k->y.from + 19, (struct lettering){ANCHOR_MIDDLE, 13, INK_SECONDARY, false},
                  whole_format(c, day));
    }
    buf_adds(&c->body, "</g>");
    draw_text(c, (k->x.from + k->x.to) / 2, k->y.from + 38,
              (struct lettering){ANCHOR_MIDDLE, 13, NULL, false}, "days since entry");
    c->height = k->y.from + 46;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void say_curves(struct picture *p, const struct curves *k)
{
    struct buf *b = &p->says;
    buf_printf(b, "%s of %zu %s over %s days.",
               k->incidence ? "Cumulative incidence curves" : "Survival curves", k->n,
               k->n == 1 ? "group" : "groups", whole_format(&p->c, k->x.high));
    for (size_t g = 0; g < k->n; g++)
        if (!k->v[g].shown)
            buf_printf(b, " %s: suppressed.", k->v[g].name);
        else
            buf_printf(b, " %s: %s at day %s.", k->v[g].name, unit_format(&p->c, p->unit, k->v[g].last_value),
                       whole_format(&p->c, k->v[g].last_day));
}

static void note_curves(struct picture *p, const struct curves *k)
{
    long minimum = (long)js_get_int(js_get(released_record(p->released), "policy"), "minimum", 0);
    for (size_t g = 0; g < k->n; g++)
        if (!k->v[g].shown)
            picture_note(p, arena_printf(p->c.arena, "%s: no step of the curve may be shown.", k->v[g].name));
    picture_note(p, "Shaded: 95% intervals.");
    if (k->merged)
        picture_note(p, "Dashed: steps with few events or few people leaving are merged into the next one.");
    if (k->cut)
        picture_note(
            p, arena_printf(p->c.arena,
                            "A curve ends where fewer than %ld people are at risk or its last steps are "
                            "suppressed.",
                            minimum));
}

static double left_room(struct picture *p, struct curves *k)
{
    double names = 0;
    for (size_t g = 0; g < k->n && k->at_risk; g++)
        names = fmax(names, text_width(k->v[g].name, p->c.size, true) + 54);
    k->stacked = p->c.narrow || names > LABEL_ROOM;
    return MARGIN + fmax(48, k->stacked ? 0 : names);
}

bool picture_curves(struct picture *p)
{
    struct curves k = {.incidence = p->t->picture == PICTURE_INCIDENCE};
    const char *names[CURVES_MOST];
    k.start = k.incidence ? 0 : 1;
    if (!find_curves(p, &k))
        return false;
    k.at_risk = picture_beside(p, k.incidence ? "cumulative_incidence" : "curve", "at_risk");
    if (!usable(&k, k.at_risk))
        k.at_risk = NULL;
    drop_empty(&k);
    for (size_t g = 0; g < k.n; g++)
        names[g] = k.v[g].name;
    bool direct = !p->c.narrow && k.n > 1;
    if (!direct && k.n > 1)
        picture_key(p, names, k.n, true);
    make_scales(p, &k, left_room(p, &k), p->c.width - MARGIN - (direct ? LABEL_ROOM : 14));
    draw_axis_left(&p->c, &k.y, k.x.from, k.x.to, p->unit, NULL);
    for (size_t g = 0; g < k.n; g++)
        draw_bands(p, &k, g);
    for (size_t g = 0; g < k.n; g++)
        draw_curve(p, &k, g);
    for (size_t g = 0; g < k.n; g++)
        draw_marks(p, &k, g);
    if (direct)
        draw_ends(p, &k);
    draw_time_axis(p, &k);
    draw_at_risk(p, &k);
    say_curves(p, &k);
    note_curves(p, &k);
    return true;
}
