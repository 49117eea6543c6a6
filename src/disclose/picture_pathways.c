/* SPDX-License-Identifier: Apache-2.0
 * Treatment pathways as a flow from left to right: at each step, a band for each treatment as high as the
 * people who take that path. People whose path ends have no band at the next step. What the total counts
 * beyond the printed paths is a hatched band: it holds the suppressed ones.
 */
#include <math.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { LABELLED = 15 }; /* pixels that a line of text needs */
enum { PATHS_MOST = 400, STEPS = 4, STATES_MOST = 64, HEIGHT = 440, NODES_MOST = PATHS_MOST * STEPS };

struct node {
    const char *name;
    struct node *parent, *first, *next; /* children by their count, once they are sorted */
    double persons;
};

struct flow {
    struct node *nodes, root;
    size_t n_nodes, paths, hidden;
    int depth;
    double total, shown, unit; /* pixels for one person */
    double column;
    const char *states[STATES_MOST];
    size_t n_states;
};

static struct node *child(struct flow *f, struct node *of, const char *name)
{
    struct node **last = &of->first;
    for (; *last; last = &(*last)->next)
        if (strcmp((*last)->name, name) == 0)
            return *last;
    struct node *n = &f->nodes[f->n_nodes++];
    *n = (struct node){name, of, NULL, NULL, 0};
    return *last = n;
}

static void add_path(struct picture *p, struct flow *f, const char *path, double persons)
{
    static const char arrow[] = " > ";
    struct node *at = &f->root;
    int depth = 0;
    for (const char *end; *path && depth < STEPS; depth++) {
        end = strstr(path, arrow);
        size_t n = end ? (size_t)(end - path) : strlen(path);
        at = child(f, at, arena_printf(p->c.arena, "%.*s", (int)n, path));
        at->persons += persons;
        path = end ? end + sizeof arrow - 1 : path + n;
    }
    f->depth = depth > f->depth ? depth : f->depth;
    f->shown += persons;
}

static bool read_paths(struct picture *p, struct flow *f)
{
    const struct released_table *t = p->t;
    if (t->n_dimensions != 1)
        return false;
    f->total = NAN;
    f->nodes = arena_array(p->c.arena, NODES_MOST, sizeof *f->nodes);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        if (!level_is_leaf(&t->dimensions[0], c->at[0]))
            f->total = c->value;
        else if (c->hidden)
            f->hidden++;
        else if (c->value > 0 && f->paths++ < PATHS_MOST)
            add_path(p, f, t->dimensions[0].levels[c->at[0]].label, c->value);
    }
    return f->paths > 0 && f->paths <= PATHS_MOST;
}

static int by_persons(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    return x->persons != y->persons ? (x->persons > y->persons ? -1 : 1) : strcmp(x->name, y->name);
}

static void sort_children(struct node *of, struct arena *a)
{
    size_t n = 0;
    for (struct node *k = of->first; k; k = k->next)
        n++;
    struct node **list = arena_array(a, n + 1, sizeof *list), **last = &of->first;
    n = 0;
    for (struct node *k = of->first; k; k = k->next)
        list[n++] = k;
    qsort(list, n, sizeof *list, by_persons);
    for (size_t i = 0; i < n; i++) {
        sort_children(list[i], a);
        *last = list[i];
        last = &list[i]->next;
    }
    *last = NULL;
}

/* Colours in the order in which treatments are met, so the commonest have the first ones. */
static const char *state_colour(struct flow *f, const char *name)
{
    size_t i = 0;
    while (i < f->n_states && strcmp(f->states[i], name) != 0)
        i++;
    if (i == f->n_states && i < STATES_MOST)
        f->states[f->n_states++] = name;
    if (strncmp(name, "none", 4) == 0)
        return "#e2e6e9";
    return i < SERIES_MOST ? series_colour(i) : INK_SECONDARY;
}

static void draw_label(struct picture *p, const struct flow *f, const struct node *n, double x, double y,
                       double height, const char *ink)
{
    struct canvas *c = &p->c;
    double width = f->column - 14;
    struct lettering name = {.size = 13, .colour = ink, .bold = true}, count = {.size = 13, .colour = ink};
    const char *number =
        arena_printf(c->arena, "%s (%.0f%%)", whole_format(c, n->persons), 100 * n->persons / f->total);
    if (height >= 36) {
        draw_text(c, x + 7, y + height / 2 - 3, name, fit_text(c, n->name, width, name));
        draw_text(c, x + 7, y + height / 2 + 14, count, fit_text(c, number, width, count));
    } else if (height >= LABELLED) {
        double room = width - text_width(number, 13, false) - 8;
        bool both = room > 40;
        draw_text(c, x + 7, y + height / 2 + 4.5, name, fit_text(c, n->name, both ? room : width, name));
        count.anchor = ANCHOR_END;
        if (both)
            draw_text(c, x + f->column - 9, y + height / 2 + 4.5, count, number);
    }
}

/* Bands too thin for a label are named in the empty place under them, where there is one. */
static void name_thin(struct picture *p, struct flow *f, const struct node *n, double x, double y)
{
    struct canvas *c = &p->c;
    struct lettering l = {.size = 13};
    double bottom = y + n->persons * f->unit, used = y;
    for (const struct node *k = n->first; k; k = k->next)
        used += k->persons * f->unit;
    for (const struct node *k = n->first; k && used + 18 < bottom; k = k->next) {
        if (k->persons * f->unit >= LABELLED)
            continue;
        const char *text = arena_printf(c->arena, "%s %s", k->name, whole_format(c, k->persons));
        draw_box(c, x + 7, used + 6, 10, 10, state_colour(f, k->name), NULL);
        draw_text(c, x + 22, used + 16, l, fit_text(c, text, f->column - 26, l));
        used += 18;
    }
}

/* Recursion no deeper than a path is long. */
static void draw_node(struct picture *p, struct flow *f, const struct node *n, int depth, double y)
{
    double x = MARGIN + depth * f->column, height = n->persons * f->unit;
    const char *fill = state_colour(f, n->name);
    draw_box(&p->c, x, y, f->column - 2, fmax(0.5, height - 1), fill, NULL);
    draw_label(p, f, n, x, y, height, *fill == '#' && strcmp(fill, "#e2e6e9") == 0 ? INK_TEXT : "#fff");
    name_thin(p, f, n, x + f->column, y);
    for (const struct node *k = n->first; k; k = k->next) {
        draw_node(p, f, k, depth + 1, y);
        y += k->persons * f->unit;
    }
}

static void draw_heads(struct picture *p, const struct flow *f)
{
    static const char *const steps[] = {"First", "Second", "Third", "Fourth"};
    for (int i = 0; i < f->depth; i++)
        draw_text(&p->c, MARGIN + i * f->column, p->c.height + 16, (struct lettering){.bold = true},
                  steps[i]);
    p->c.height += 24;
}

static double draw_remainder(struct picture *p, const struct flow *f, double y)
{
    struct canvas *c = &p->c;
    double rest = fmax(0, f->total - f->shown), height = fmax(20, rest * f->unit);
    if (!f->hidden)
        return y;
    draw_hidden(c, MARGIN, y, f->column - 2, height - 1);
    draw_text(c, MARGIN + f->column + 6, y + fmin(height, 40) / 2 + 5, (struct lettering){0},
              fit_text(c, arena_printf(c->arena, "%zu paths suppressed", f->hidden),
                       c->width - f->column - 2 * MARGIN, (struct lettering){0}));
    return y + height;
}

/* What the colours are, for bands that no label fits. */
static void draw_states(struct picture *p, struct flow *f)
{
    struct canvas *c = &p->c;
    struct lettering l = {.size = 13};
    double x = MARGIN, y = c->height + 16;
    for (size_t i = 0; i < f->n_states && i <= SERIES_MOST; i++) {
        bool rest = i == SERIES_MOST;
        const char *name = rest ? "others" : f->states[i];
        double width = fmin(text_width(name, 13, false) + 34, c->width - 2 * MARGIN);
        if (x > MARGIN && x + width > c->width)
            x = MARGIN, y += 19;
        draw_box(c, x, y - 10, 11, 11, rest ? INK_SECONDARY : state_colour(f, name), NULL);
        draw_text(c, x + 17, y, l, fit_text(c, name, width - 16, l));
        x += width;
    }
    c->height = y + 2;
}

static void say_paths(struct picture *p, const struct flow *f)
{
    struct buf *b = &p->says;
    buf_printf(b, "A flow of %s over %d steps of treatment.", p->t->unit, f->depth);
    size_t n = 0;
    for (const struct node *k = f->root.first; k && n < 4; k = k->next, n++)
        buf_printf(b, "%s %s %s (%.0f%%)", n ? "," : " First:", k->name, whole_format(&p->c, k->persons),
                   100 * k->persons / f->total);
    buf_printf(b, ".");
}

bool picture_pathways(struct picture *p)
{
    struct canvas *c = &p->c;
    struct flow f = {0};
    if (!read_paths(p, &f))
        return false;
    sort_children(&f.root, c->arena);
    f.total = isfinite(f.total) && f.total >= f.shown ? f.total : f.shown;
    f.unit = HEIGHT / f.total;
    f.column = (c->width - 2 * MARGIN) / f.depth;
    draw_heads(p, &f);
    double y = c->height;
    for (const struct node *k = f.root.first; k; k = k->next) {
        draw_node(p, &f, k, 0, y);
        y += k->persons * f.unit;
    }
    c->height = draw_remainder(p, &f, y) + 4;
    draw_states(p, &f);
    picture_note(p,
                 arena_printf(c->arena,
                              "Per cent are of %s %s. Where a band has nothing to its right, the path ends.",
                              whole_format(c, f.total), p->t->unit));
    say_paths(p, &f);
    return true;
}
