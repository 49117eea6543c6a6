/* SPDX-License-Identifier: Apache-2.0
 * A funnel plot (D. Spiegelhalter, Stat. Med. 24 (2005) 1185): each unit's ratio against its size, the
 * expected number, with the limits that chance alone keeps units within. The limits are those of the released
 * table, joined between its units along one over the root of the size, on which they are all but straight.
 * Where the table of over-dispersion has a variance between units, the limits with it are added (square-root
 * scale, as src/stats/funnel.h fits it).
 */
#include <math.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { UNITS_MOST = 1000, NAMED_MOST = 12, LIMITS = 4, PLOT = 340 };
#define Z_998 3.090232306167813

enum place { INSIDE, BEYOND_95, BEYOND_998, N_PLACES };

struct unit_point {
    const char *name;
    double expected, value, limits[LIMITS]; /* lower 99.8%, lower 95%, upper 95%, upper 99.8% */
};

struct funnel {
    struct unit_point *units;
    size_t n, n_hidden;
    const char **hidden;
    double tau2; /* NaN where it is not known */
    struct scale x, y;
};

static int32_t limit_levels(const struct released_table *t, int32_t at[LIMITS])
{
    static const char *const names[] = {"lower 99.8", "lower 95", "upper 95", "upper 99.8"};
    for (int i = 0; i < LIMITS; i++)
        at[i] = level_with(&t->dimensions[1], names[i]);
    return level_with(&t->dimensions[1], "expected");
}

/* The cells of one unit in the table of limits, by its name: the tables may leave out different units. */
static bool read_limits(const struct released_table *t, struct unit_point *u)
{
    int32_t at[LIMITS], expected = limit_levels(t, at);
    u->expected = NAN;
    for (int i = 0; i < LIMITS; i++)
        u->limits[i] = NAN;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        if (strcmp(t->dimensions[0].levels[c->at[0]].label, u->name) != 0 || c->hidden)
            continue;
        if ((int32_t)c->at[1] == expected)
            u->expected = c->value;
        for (int k = 0; k < LIMITS; k++)
            if ((int32_t)c->at[1] == at[k])
                u->limits[k] = c->value;
    }
    return u->expected > 0 && u->limits[0] <= u->limits[1] && u->limits[1] <= u->limits[2] &&
           u->limits[2] <= u->limits[3];
}

static int by_expected(const void *a, const void *b)
{
    const struct unit_point *x = a, *y = b;
    return x->expected != y->expected ? (x->expected < y->expected ? -1 : 1) : strcmp(x->name, y->name);
}

static bool find_units(struct picture *p, struct funnel *f)
{
    const struct released_table *t = p->t, *limits = picture_beside(p, "ratios", "funnel");
    const struct released_table *dispersion = picture_beside(p, "ratios", "dispersion");
    if (t->n_dimensions != 1 || !limits || limits->n_dimensions != 2 || t->n_cells > UNITS_MOST)
        return false;
    f->units = arena_array(p->c.arena, t->n_cells, sizeof *f->units);
    f->hidden = arena_array(p->c.arena, t->n_cells, sizeof *f->hidden);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        struct unit_point u = {.name = t->dimensions[0].levels[t->cells[i].at[0]].label,
                               .value = t->cells[i].value};
        p->c.absent |= t->cells[i].not_estimated;
        if (t->cells[i].not_estimated)
            continue;
        if (t->cells[i].hidden || !read_limits(limits, &u))
            f->hidden[f->n_hidden++] = u.name;
        else
            f->units[f->n++] = u;
    }
    qsort(f->units, f->n, sizeof *f->units, by_expected);
    f->tau2 = NAN;
    for (uint64_t i = 0; dispersion && dispersion->n_dimensions == 1 && i < dispersion->n_cells; i++)
        if (strstr(dispersion->dimensions[0].levels[dispersion->cells[i].at[0]].label, "tau"))
            f->tau2 = dispersion->cells[i].value;
    return f->n >= 2;
}

static enum place place_of(const struct unit_point *u)
{
    if (u->value < u->limits[0] || u->value > u->limits[3])
        return BEYOND_998;
    return u->value < u->limits[1] || u->value > u->limits[2] ? BEYOND_95 : INSIDE;
}

static void make_scales(struct picture *p, struct funnel *f)
{
    double low = 1, high = 1, limit = 1, top = p->c.height + 36;
    for (size_t i = 0; i < f->n; i++) {
        low = fmin(low, f->units[i].value);
        high = fmax(high, f->units[i].value);
        limit = fmax(limit, f->units[i].limits[3]);
    }
    if (f->tau2 > 0)
        limit = fmax(limit, pow(1 + Z_998 * sqrt(0.25 / f->units[f->n - 1].expected + f->tau2), 2));
    high = fmax(high * 1.05, fmin(limit * 1.02, high * 1.6));
    double least = f->units[0].expected, most = f->units[f->n - 1].expected * 1.04;
    f->x = scale_round(least < 0.3 * most ? 0 : least * 0.9, most, MARGIN + 44, p->c.width - MARGIN - 14);
    f->y = scale_round(low > 0.7 ? low - 0.2 : 0, high, top + PLOT, top);
}

/* The limit at an expected number between two units. */
static double between(const struct unit_point *a, const struct unit_point *b, int limit, double expected)
{
    double u = 1 / sqrt(a->expected), v = 1 / sqrt(b->expected), w = 1 / sqrt(expected);
    double share = u > v ? (u - w) / (u - v) : 0;
    return a->limits[limit] + share * (b->limits[limit] - a->limits[limit]);
}

static void draw_limit(struct picture *p, const struct funnel *f, int limit)
{
    enum { PIECES = 8 };
    struct buf *b = &p->c.body;
    bool outer = limit == 0 || limit == LIMITS - 1;
    buf_printf(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%s d=\"",
               outer ? INK_TEXT : INK_SECONDARY, outer ? "" : " stroke-dasharray=\"6 4\"");
    bool open = false;
    for (size_t i = 0; i + 1 < f->n; i++)
        for (int k = i ? 1 : 0; k <= PIECES; k++) {
            const struct unit_point *u = &f->units[i], *v = &f->units[i + 1];
            double e = u->expected + (v->expected - u->expected) * k / PIECES, at = between(u, v, limit, e);
            bool inside = at >= f->y.low && at <= f->y.high;
            if (inside)
                buf_printf(b, "%s%.1f %.1f", open ? "L" : "M", scale_at(&f->x, e), scale_at(&f->y, at));
            open = inside;
        }
    buf_adds(b, "\"/>");
}

static void draw_dispersed(struct picture *p, const struct funnel *f)
{
    enum { POINTS = 60 };
    struct buf *b = &p->c.body;
    double low = f->units[0].expected, high = f->units[f->n - 1].expected;
    for (int side = -1; side <= 1; side += 2) {
        buf_adds(b, "<path fill=\"none\" stroke=\"" INK_PINK
                    "\" stroke-width=\"1.5\" stroke-dasharray=\"2 3\" d=\"");
        bool open = false;
        for (int k = 0; k <= POINTS; k++) {
            double e = low + (high - low) * k / POINTS, root = 1 + side * Z_998 * sqrt(0.25 / e + f->tau2);
            double limit = root > 0 ? root * root : 0;
            bool inside = limit >= f->y.low && limit <= f->y.high;
            if (inside)
                buf_printf(b, "%s%.1f %.1f", open ? "L" : "M", scale_at(&f->x, e), scale_at(&f->y, limit));
            open = inside;
        }
        buf_adds(b, "\"/>");
    }
}

struct frame {
    double left, top, right, bottom;
};

static bool meet(struct frame a, struct frame b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/* Beside the mark, above or under it: where it meets no name and no mark of another. */
static bool find_place(struct picture *p, const struct funnel *f, size_t unit, double width,
                       const struct frame *taken, size_t n, struct frame *out)
{
    double x = scale_at(&f->x, f->units[unit].expected), y = scale_at(&f->y, f->units[unit].value);
    const struct frame places[] = {{x + 9, y - 8, x + 9 + width, y + 7},
                                   {x - 9 - width, y - 8, x - 9, y + 7},
                                   {x - width / 2, y - 23, x + width / 2, y - 8},
                                   {x - width / 2, y + 8, x + width / 2, y + 23}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool good = places[i].left > f->x.from && places[i].right < p->c.width - 4;
        for (size_t k = 0; k < n; k++)
            good = good && !meet(places[i], taken[k]);
        for (size_t k = 0; k < f->n; k++) {
            double u = scale_at(&f->x, f->units[k].expected), v = scale_at(&f->y, f->units[k].value);
            good = good && (k == unit || !meet(places[i], (struct frame){u - 5, v - 5, u + 5, v + 5}));
        }
        *out = places[i];
        if (good)
            return true;
    }
    return false;
}

/* Units outside the outer limits are named as far as there is room, the largest first; the table has all. */
static void draw_names(struct picture *p, const struct funnel *f)
{
    struct canvas *c = &p->c;
    struct lettering l = {.size = 13, .bold = true};
    struct frame taken[NAMED_MOST];
    size_t named = 0, left_out = 0;
    for (size_t i = f->n; i-- > 0;) {
        if (place_of(&f->units[i]) != BEYOND_998)
            continue;
        const char *name = fit_text(c, f->units[i].name, c->width * 0.4, l);
        if (named == NAMED_MOST ||
            !find_place(p, f, i, text_width(name, 13, true), taken, named, &taken[named])) {
            left_out++;
            continue;
        }
        draw_text(c, taken[named].left, taken[named].top + 12, l, name);
        named++;
    }
    if (left_out)
        picture_note(p, arena_printf(c->arena, "%zu more outside 99.8%% are named in the table.", left_out));
}

static void draw_units(struct picture *p, const struct funnel *f, size_t counts[N_PLACES])
{
    static const size_t marks[] = {[INSIDE] = 0, [BEYOND_95] = 4, [BEYOND_998] = 1};
    for (size_t i = 0; i < f->n; i++) {
        enum place place = place_of(&f->units[i]);
        counts[place]++;
        draw_mark(&p->c, marks[place], scale_at(&f->x, f->units[i].expected),
                  scale_at(&f->y, f->units[i].value), place == INSIDE ? 4 : 5.5);
    }
}

static void draw_key(struct picture *p, bool dispersed)
{
    struct canvas *c = &p->c;
    struct lettering l = {.size = 13};
    const char *texts[] = {"within the limits", "outside 95%", "outside 99.8%"};
    static const size_t marks[] = {0, 4, 1};
    double x = MARGIN, y = c->height + 14;
    for (int i = 0; i < N_PLACES; i++) {
        draw_mark(c, marks[i], x + 6, y - 4, 5);
        draw_text(c, x + 16, y, l, texts[i]);
        x += text_width(texts[i], 13, false) + 30;
        if (c->narrow && i == 1)
            x = MARGIN, y += 19;
    }
    if (dispersed) {
        if (c->narrow)
            x = MARGIN, y += 19;
        draw_line(c, x, y - 4, x + 30, y - 4, INK_PINK, 1.5, "2 3");
        draw_text(c, x + 36, y, l, "99.8% with over-dispersion");
    }
    c->height = y + 8;
}

static void draw_hidden_units(struct picture *p, const struct funnel *f)
{
    const char *names = f->n_hidden ? f->hidden[0] : "";
    for (size_t i = 1; i < f->n_hidden && i < NAMED_MOST; i++)
        names = arena_printf(p->c.arena, "%s, %s", names, f->hidden[i]);
    if (!f->n_hidden)
        return;
    draw_hidden(&p->c, MARGIN, p->c.height + 4, 40, 18);
    int lines = draw_lines(&p->c, MARGIN + 48, p->c.height + 18, p->c.width - 2 * MARGIN - 48, 3,
                           (struct lettering){0}, names);
    p->c.height += 8 + 18.0 * lines;
}

static void say_funnel(struct picture *p, const struct funnel *f, const size_t counts[N_PLACES])
{
    buf_printf(&p->says,
               "A funnel plot of %zu units by size: %zu lie within the 95%% limits around 1, %zu outside "
               "them and %zu "
               "outside the 99.8%% limits",
               f->n, counts[INSIDE], counts[BEYOND_95], counts[BEYOND_998]);
    size_t named = 0;
    for (size_t i = 0; i < f->n && named < NAMED_MOST; i++)
        if (place_of(&f->units[i]) == BEYOND_998)
            buf_printf(&p->says, "%s%s", named++ ? ", " : " (", f->units[i].name);
    buf_adds(&p->says, named ? ")." : ".");
}

bool picture_funnel(struct picture *p)
{
    struct funnel f = {0};
    size_t counts[N_PLACES] = {0};
    if (!find_units(p, &f))
        return false;
    draw_key(p, f.tau2 > 0);
    make_scales(p, &f);
    draw_axis_left(&p->c, &f.y, f.x.from, f.x.to, p->unit, "observed over expected");
    double under = draw_axis_under(&p->c, &f.x, f.y.from, f.y.from, (struct unit){1, "", ""},
                                   "expected number of events (the size of the unit)");
    draw_line(&p->c, f.x.from, scale_at(&f.y, 1), f.x.to, scale_at(&f.y, 1), INK_TEXT, 1.5, "");
    for (int k = 0; k < LIMITS; k++)
        draw_limit(p, &f, k);
    if (f.tau2 > 0)
        draw_dispersed(p, &f);
    draw_units(p, &f, counts);
    draw_names(p, &f);
    p->c.height = f.y.from + under;
    draw_hidden_units(p, &f);
    picture_note(
        p,
        "Limits of chance around 1: dashed 95%, solid 99.8%. A unit outside them is a reason to look, not a "
        "verdict.");
    if (f.y.low > 0)
        picture_note(p, "The axis of ratios does not begin at zero.");
    say_funnel(p, &f, counts);
    return true;
}
