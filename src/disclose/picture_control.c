/* SPDX-License-Identifier: Apache-2.0
 * Figures over time: control charts (XmR with its limits and special causes, CUSUM below) and plain series
 * with intervals. A suppressed interval is a gap in the line with a hatched place under it. */
#include <math.h>

#include "disclose/picture_parts.h"

enum { TIMES_MOST = 600, TIME_PLOT = 280 };

/* --- what both have ------------------------------------------------------------------------------------- */

struct times {
    const struct result_dimension *interval;
    struct scale x, y; /* x over 0 ... n levels */
};

static double time_at(const struct times *k, uint32_t i)
{
    return scale_at(&k->x, i + 0.5);
}

static void plot_under(struct picture *p, struct times *k, double low, double high, double height,
                       const char *label)
{
    double top = p->c.height + 36;
    k->x = (struct scale){0, k->interval->n_levels, MARGIN + 60, p->c.width - MARGIN - 8, false};
    k->y = scale_round(low, high, top + height, top);
    draw_axis_left(&p->c, &k->y, k->x.from, k->x.to, p->unit, label);
}

/* As many of the intervals' names as fit. */
static void draw_intervals(struct picture *p, const struct times *k)
{
    struct canvas *c = &p->c;
    struct lettering l = {ANCHOR_MIDDLE, 13, INK_SECONDARY, false};
    double widest = 20, used = -1e9;
    for (uint32_t i = 0; i < k->interval->n_levels; i++)
        widest = fmax(widest, text_width(k->interval->levels[i].label, 13, false));
    buf_adds(&c->body, "<g class=\"axis\">");
    draw_line(c, k->x.from, k->y.from, k->x.to, k->y.from, INK_SECONDARY, 1, "");
    for (uint32_t i = 0; i < k->interval->n_levels; i++) {
        double x = fmax(k->x.from - 30 + widest / 2, fmin(time_at(k, i), c->width - 4 - widest / 2));
        if (x - widest / 2 < used + 14)
            continue;
        draw_line(c, time_at(k, i), k->y.from, time_at(k, i), k->y.from + 5, INK_SECONDARY, 1, "");
        draw_text(c, x, k->y.from + 19, l, k->interval->levels[i].label);
        used = x + widest / 2;
    }
    buf_adds(&c->body, "</g>");
    c->height = k->y.from + 24;
}

/* One value for each interval; NaN breaks the line. */
static void draw_path(struct picture *p, const struct times *k, const double *v, const char *colour,
                      double width, const char *dashes)
{
    struct buf *b = &p->c.body;
    bool open = false;
    buf_printf(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%g\" stroke-dasharray=\"%s\" d=\"M0 0",
               colour, width, *dashes ? dashes : "none");
    for (uint32_t i = 0; i < k->interval->n_levels; i++) {
        if (isfinite(v[i]))
            buf_printf(b, "%s%.1f %.1f", open ? "L" : "M", time_at(k, i), scale_at(&k->y, v[i]));
        open = isfinite(v[i]);
    }
    buf_adds(b, "\"/>");
}

static void draw_gap(struct picture *p, const struct times *k, uint32_t i)
{
    double step = (k->x.to - k->x.from) / k->interval->n_levels, width = fmax(3, fmin(step, 30));
    draw_hidden(&p->c, time_at(k, i) - width / 2, k->y.from - 16, width, 16);
}

static void widen(double v, double *low, double *high)
{
    if (!isfinite(v))
        return;
    *low = fmin(*low, v);
    *high = fmax(*high, v);
}

/* --- control charts ------------------------------------------------------------------------------------- */

enum { VALUE, MEAN, LOWER, UPPER, SIGNAL, CUSUM, N_FIGURES };

struct chart {
    struct times times;
    double *v[N_FIGURES];
    bool hidden[TIMES_MOST], has_cusum;
};

static bool read_chart(struct picture *p, struct chart *k)
{
    static const char *const names[] = {"value",       "mean",          "lower limit",
                                        "upper limit", "special cause", "CUSUM"};
    const struct released_table *t = p->t;
    if (t->n_dimensions != 2 || t->dimensions[0].n_levels > TIMES_MOST)
        return false;
    k->times.interval = &t->dimensions[0];
    for (int f = 0; f < N_FIGURES; f++) {
        k->v[f] = arena_array(p->c.arena, TIMES_MOST, sizeof(double));
        for (int i = 0; i < TIMES_MOST; i++)
            k->v[f][i] = NAN;
    }
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        const char *label = t->dimensions[1].levels[c->at[1]].label;
        int f = 0;
        while (f < N_FIGURES && strncmp(label, names[f], strlen(names[f])) != 0)
            f++;
        if (f == N_FIGURES)
            continue;
        k->v[f][c->at[0]] = c->value;
        k->hidden[c->at[0]] |= f == VALUE && c->hidden && !c->not_estimated;
        p->c.absent |= f == VALUE && c->not_estimated;
        k->has_cusum |= f == CUSUM && !c->hidden;
    }
    return level_with(&t->dimensions[1], "mean") >= 0;
}

static size_t draw_points(struct picture *p, const struct chart *k)
{
    size_t special = 0;
    for (uint32_t i = 0; i < k->times.interval->n_levels; i++) {
        double v = k->v[VALUE][i], signal = k->v[SIGNAL][i];
        if (k->hidden[i])
            draw_gap(p, &k->times, i);
        if (!isfinite(v))
            continue;
        size_t mark = signal > 0 ? 2 : signal < 0 ? 5 : 0;
        draw_mark(&p->c, mark, time_at(&k->times, i), scale_at(&k->times.y, v), mark ? 5.5 : 3.5);
        special += mark != 0;
    }
    return special;
}

static void draw_chart(struct picture *p, struct chart *k, size_t *special)
{
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < k->times.interval->n_levels; i++)
        for (int f = VALUE; f <= UPPER; f++)
            widen(k->v[f][i], &low, &high);
    if (low > high)
        low = 0, high = 1;
    low = low > 0 && high - low > 0.6 * high ? 0 : low;
    plot_under(p, &k->times, low, high, p->c.narrow ? 200 : TIME_PLOT, NULL);
    draw_path(p, &k->times, k->v[LOWER], INK_SECONDARY, 1.5, "6 4");
    draw_path(p, &k->times, k->v[UPPER], INK_SECONDARY, 1.5, "6 4");
    draw_path(p, &k->times, k->v[MEAN], INK_TEXT, 1.5, "");
    draw_path(p, &k->times, k->v[VALUE], INK_BLUE, 1.5, "");
    *special = draw_points(p, k);
    draw_intervals(p, &k->times);
    if (k->times.y.low > 0)
        picture_note(p, "The axis does not begin at zero.");
}

static void draw_cusum(struct picture *p, struct chart *k)
{
    struct times below = k->times;
    double low = 0, high = 0;
    for (uint32_t i = 0; i < below.interval->n_levels; i++)
        widen(k->v[CUSUM][i], &low, &high);
    struct unit table = p->unit;
    p->unit = (struct unit){1, "", ""};
    plot_under(p, &below, low, high, 110, "CUSUM: evidence of a change that adds up");
    p->unit = table;
    draw_path(p, &below, k->v[CUSUM], INK_PINK, 2, "");
    draw_intervals(p, &below);
}

static void draw_chart_key(struct picture *p)
{
    struct canvas *c = &p->c;
    static const size_t marks[] = {0, 2, 5};
    static const char *const texts[] = {"as expected", "special cause, high", "special cause, low"};
    double x = MARGIN, y = c->height + 14;
    for (int i = 0; i < 3; i++) {
        double width = text_width(texts[i], 13, false) + 32;
        if (x + width > c->width)
            x = MARGIN, y += 19;
        draw_mark(c, marks[i], x + 6, y - 4, 5);
        draw_text(c, x + 16, y, (struct lettering){.size = 13}, texts[i]);
        x += width;
    }
    c->height = y + 8;
}

bool picture_control(struct picture *p)
{
    struct chart *k = arena_alloc(p->c.arena, sizeof *k);
    size_t special = 0;
    *k = (struct chart){.has_cusum = false};
    if (!read_chart(p, k))
        return false;
    draw_chart_key(p);
    draw_chart(p, k, &special);
    if (k->has_cusum)
        draw_cusum(p, k);
    picture_note(
        p, "Solid line: mean; dashed: limits of natural variation (XmR). Special causes by the rules of NHS "
           "England's Making Data Count.");
    buf_printf(&p->says,
               "A control chart over %u intervals with mean and limits; %zu points show a special cause.",
               k->times.interval->n_levels, special);
    return true;
}

/* --- series --------------------------------------------------------------------------------------------- */

struct series {
    struct times times;
    uint32_t time; /* which dimension is the interval's */
    int32_t of;    /* which is the series', -1 for none */
    size_t n;
    const char *names[SERIES_MOST];
    uint32_t level[SERIES_MOST];
};

static bool any_shown(const struct released_table *t, uint32_t d, uint32_t level)
{
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (t->cells[i].at[d] == level && !t->cells[i].hidden)
            return true;
    return false;
}

static bool find_series(struct picture *p, struct series *s)
{
    const struct released_table *t = p->t;
    int32_t time = dimension_named(t, "interval");
    if (time < 0 || t->n_dimensions > 2 || t->type == OUTPUT_COUNT || t->dimensions[time].n_levels < 3 ||
        t->dimensions[time].n_levels > TIMES_MOST)
        return false;
    s->time = (uint32_t)time;
    s->times.interval = &t->dimensions[time];
    s->of = t->n_dimensions == 2 ? 1 - time : -1;
    for (uint32_t i = 0; s->of >= 0 && i < t->dimensions[s->of].n_levels; i++) {
        if (s->n == SERIES_MOST) {
            p->n_notes = 0;
            return false;
        }
        if (!any_shown(t, (uint32_t)s->of, i)) {
            picture_note(p, arena_printf(p->c.arena, "%s: nothing can be shown at any interval.",
                                         t->dimensions[s->of].levels[i].label));
            continue;
        }
        s->names[s->n] = t->dimensions[s->of].levels[i].label;
        s->level[s->n++] = i;
    }
    if (s->of < 0)
        s->n = 1;
    return s->n > 0;
}

static void draw_one(struct picture *p, const struct series *s, size_t i)
{
    const struct released_table *t = p->t;
    double *v = arena_array(p->c.arena, TIMES_MOST, sizeof *v);
    for (int k = 0; k < TIMES_MOST; k++)
        v[k] = NAN;
    for (uint64_t k = 0; k < t->n_cells; k++) {
        const struct released_cell *c = &t->cells[k];
        if (s->of >= 0 && c->at[s->of] != s->level[i])
            continue;
        v[c->at[s->time]] = c->value;
        double x = time_at(&s->times, c->at[s->time]) + ((double)i - (double)(s->n - 1) / 2) * 3;
        if (c->hidden && !c->not_estimated)
            draw_gap(p, &s->times, c->at[s->time]);
        p->c.absent |= c->not_estimated;
        if (has_interval(c))
            draw_line(&p->c, x, scale_at(&s->times.y, c->lower), x, scale_at(&s->times.y, c->upper),
                      series_colour(i), 1, "");
    }
    draw_path(p, &s->times, v, series_colour(i), 2, series_dashes(i));
    for (uint32_t k = 0; k < s->times.interval->n_levels; k++)
        if (isfinite(v[k]))
            draw_mark(&p->c, i, time_at(&s->times, k), scale_at(&s->times.y, v[k]), 4);
}

bool picture_series(struct picture *p)
{
    struct series s = {0};
    double low = 0, high = 0;
    if (!find_series(p, &s))
        return false;
    for (uint64_t i = 0; i < p->t->n_cells; i++) {
        const struct released_cell *c = &p->t->cells[i];
        widen(c->value, &low, &high);
        widen(c->upper, &low, &high);
    }
    if (s.of >= 0)
        picture_key(p, s.names, s.n, true);
    plot_under(p, &s.times, low, high, p->c.narrow ? 220 : TIME_PLOT, NULL);
    for (size_t i = 0; i < s.n; i++)
        draw_one(p, &s, i);
    draw_intervals(p, &s.times);
    picture_note(p, "Thin lines: 95% intervals.");
    buf_printf(&p->says, "%s over %u intervals%s.", p->t->unit, s.times.interval->n_levels,
               s.of >= 0 ? ", a line for each group" : "");
    return true;
}
