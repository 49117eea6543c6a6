/* SPDX-License-Identifier: Apache-2.0
 * What all pictures have: head, key of what is suppressed, notes, source, and the choice of the kind. */
#include "disclose/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "disclose/picture_parts.h"

enum { WIDE = 760, NARROW = 320, BODY_MOST = 8 << 20, SAYS_MOST = 1 << 16 };

/* --- shared --------------------------------------------------------------------------------------------- */

void picture_note(struct picture *p, const char *text)
{
    if (p->n_notes < NOTES_MOST)
        p->notes[p->n_notes++] = text;
}

const struct released_table *picture_beside(const struct picture *p, const char *own, const char *suffix)
{
    size_t n = strlen(p->t->name), cut = strlen(own);
    if (n <= cut || strcmp(p->t->name + n - cut, own) != 0)
        return NULL;
    for (uint32_t i = 0; i < released_n_tables(p->released); i++) {
        const struct released_table *t = released_table(p->released, i);
        if (strncmp(t->name, p->t->name, n - cut) == 0 && strcmp(t->name + (n - cut), suffix) == 0)
            return t;
    }
    return NULL;
}

bool level_is_leaf(const struct result_dimension *d, uint32_t level)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent == (int32_t)level)
            return false;
    return true;
}

int32_t level_with(const struct result_dimension *d, const char *text)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (strstr(d->levels[i].label, text))
            return (int32_t)i;
    return -1;
}

int32_t dimension_named(const struct released_table *t, const char *name)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if (strcmp(t->dimensions[d].name, name) == 0)
            return (int32_t)d;
    return -1;
}

const char *cell_label(struct picture *p, const struct released_table *t, const struct released_cell *c,
                       int32_t but)
{
    const char *label = "";
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        if ((int32_t)d != but)
            label = arena_printf(p->c.arena, "%s%s%s", label, *label ? ", " : "",
                                 t->dimensions[d].levels[c->at[d]].label);
    return label;
}

bool has_interval(const struct released_cell *c)
{
    return !c->hidden && isfinite(c->lower) && isfinite(c->upper);
}

void draw_unprinted(struct canvas *c, const struct released_cell *cell, double x, double y, double width,
                    double height)
{
    if (cell->not_estimated)
        draw_absent(c, x, y, width, height);
    else
        draw_hidden(c, x, y, width, height);
}

const char *unprinted_words(const struct released_cell *c)
{
    return c->not_estimated ? "not available" : "suppressed";
}

const char *cell_text(struct picture *p, struct unit u, const struct released_cell *c)
{
    if (c->hidden)
        return released_mark(c);
    const char *value = unit_format(&p->c, u, c->value);
    if (!has_interval(c))
        return value;
    return arena_printf(p->c.arena, "%s (%s to %s)", value, unit_format(&p->c, u, c->lower),
                        unit_format(&p->c, u, c->upper));
}

double label_number(const char *label, double otherwise)
{
    while (*label && (*label < '0' || *label > '9'))
        label++;
    return *label ? fmin(1e9, strtod(label, NULL)) : otherwise;
}

void picture_key(struct picture *p, const char *const *names, size_t n, bool lines)
{
    struct canvas *c = &p->c;
    double x = MARGIN, y = c->height + 14, swatch = lines ? 36 : 16;
    for (size_t i = 0; i < n; i++) {
        double width = fmin(text_width(names[i], c->size, false), c->width - 2 * MARGIN - swatch);
        if (x > MARGIN && x + swatch + width > c->width - MARGIN) {
            x = MARGIN;
            y += 20;
        }
        if (lines)
            draw_line(c, x, y - 5, x + 30, y - 5, series_colour(i), 2.5, series_dashes(i));
        draw_mark(c, i, x + (lines ? 15 : 6), y - 5, 4.5);
        draw_text(c, x + swatch, y, (struct lettering){0},
                  fit_text(c, names[i], width + 1, (struct lettering){0}));
        x += swatch + width + 18;
    }
    c->height = y + 10;
}

void spread_labels(double *y, size_t n, double least, double low, double high)
{
    for (size_t i = 1; i < n; i++)
        y[i] = fmax(y[i], y[i - 1] + least);
    for (size_t i = n; i-- > 0;)
        y[i] = fmin(y[i], i + 1 < n ? y[i + 1] - least : high);
    if (n && y[0] < low)
        for (size_t i = 0; i < n; i++)
            y[i] = fmax(y[i], low + (double)i * least);
}

/* --- the kind ------------------------------------------------------------------------------------------- */

bool released_pictured(const struct released_table *t)
{
    return t->picture != PICTURE_NONE && t->n_cells > 0 &&
           (t->picture != PICTURE_BY_SHAPE || (t->type != OUTPUT_TEST && t->type != OUTPUT_MODEL));
}

static bool draw_by_shape(struct picture *p)
{
    const struct released_table *t = p->t;
    if (t->type == OUTPUT_SURVIVAL && picture_curves(p))
        return true;
    if (t->type == OUTPUT_COUNT && (picture_flow(p) || picture_pyramid(p) || picture_heat(p)))
        return true;
    return picture_series(p) || picture_rows(p);
}

static void draw_kind(struct picture *p)
{
    static bool (*const kinds[PICTURE_KINDS])(struct picture *) = {
        [PICTURE_FUNNEL] = picture_funnel,     [PICTURE_GRADIENT] = picture_gradient,
        [PICTURE_SURVIVAL] = picture_curves,   [PICTURE_INCIDENCE] = picture_curves,
        [PICTURE_FOREST] = picture_forest,     [PICTURE_DIFFERENCES] = picture_differences,
        [PICTURE_PATHWAYS] = picture_pathways, [PICTURE_CALIBRATION] = picture_calibration,
        [PICTURE_CONTROL] = picture_control,   [PICTURE_SERIES] = picture_series};
    if (!kinds[p->t->picture] || !kinds[p->t->picture](p))
        draw_by_shape(p);
}

/* --- head and foot -------------------------------------------------------------------------------------- */

/* The title without the table's name in brackets, which a study's tables end with, and with a capital. */
static const char *short_title(struct picture *p)
{
    const char *end = arena_printf(p->c.arena, " [%s]", p->t->name);
    char *title = arena_strdup(p->c.arena, p->t->title);
    size_t n = strlen(title), cut = strlen(end);
    if (n > cut && strcmp(title + n - cut, end) == 0)
        title[n - cut] = '\0';
    if (*title >= 'a' && *title <= 'z')
        *title = (char)(*title - 'a' + 'A');
    return title;
}

static void draw_head(struct picture *p)
{
    struct canvas *c = &p->c;
    struct lettering title = {.size = c->narrow ? 16 : 19, .bold = true}, of = {.colour = INK_SECONDARY};
    double width = c->width - 2 * MARGIN;
    c->height = 26;
    c->height += line_height(c, title) * draw_lines(c, MARGIN, c->height, width, 4, title, short_title(p));
    c->height +=
        line_height(c, of) * draw_lines(c, MARGIN, c->height - 2, width, 3, of, released_title(p->released));
}

static const char *rounding_note(struct picture *p)
{
    const struct js *policy = js_get(released_record(p->released), "policy");
    const char *rounding = js_get_str(policy, "rounding");
    long base = (long)js_get_int(policy, "base", 1);
    bool counts = p->t->type == OUTPUT_COUNT;
    if (!rounding || strcmp(rounding, "none") == 0 || base <= 1 || (!counts && p->t->type != OUTPUT_RATE))
        return NULL;
    if (strcmp(rounding, "midpoint") == 0)
        return arena_printf(p->c.arena, "%s the middle of bands of %ld.",
                            counts ? "Counts are rounded to" : "Worked out from counts that are rounded to",
                            base);
    return arena_printf(p->c.arena, "%s multiples of %ld.",
                        counts ? "Counts are rounded to" : "Worked out from counts that are rounded to",
                        base);
}

/* Who published it, under which rules; the record's context where the caller knows less. */
static const char *source_note(struct picture *p, const struct picture_source *s)
{
    struct arena *a = p->c.arena;
    const struct js *record = released_record(p->released), *context = js_get(record, "context"),
                    *policy = js_get(record, "policy");
    const char *of = s && s->project ? s->project : js_get_str(context, "agreement");
    const char *result = s && s->result ? s->result : js_get_str(context, "run");
    const char *text = arena_printf(a, "Source: %s%s", of ? of : "", of ? ", " : "");
    if (result)
        text = arena_printf(a, "%sresult %s, ", text, result);
    text = arena_printf(a, "%stable %s", text, p->t->name);
    if (s && s->date)
        text = arena_printf(a, "%s, released %s", text, s->date);
    return arena_printf(a, "%s. Rules: %s version %ld, no number of fewer than %ld persons.", text,
                        js_get_str(policy, "name") ? js_get_str(policy, "name") : "none",
                        (long)js_get_int(policy, "version", 0), (long)js_get_int(policy, "minimum", 0));
}

static void draw_note(struct canvas *c, double indent, const char *text)
{
    struct lettering l = {.size = 13, .colour = INK_SECONDARY};
    c->height += 17.0 * draw_lines(c, MARGIN + indent, c->height, c->width - 2 * MARGIN - indent, 8, l, text);
}

static void draw_foot(struct picture *p, const struct picture_source *source)
{
    struct canvas *c = &p->c;
    const char *rounding = rounding_note(p);
    c->height += 22;
    if (c->hidden) {
        draw_box(c, MARGIN, c->height - 11, 24, 14, "url(#hidden)", "#768692");
        draw_note(c, 32, "Hatched, or [c]: suppressed to protect confidentiality. It is not zero.");
        c->height += 3;
    }
    if (c->absent)
        draw_note(c, 0, "[x]: not available: the data give no estimate.");
    for (size_t i = 0; i < p->n_notes; i++)
        draw_note(c, 0, p->notes[i]);
    if (rounding)
        draw_note(c, 0, rounding);
    draw_note(c, 0, source_note(p, source));
}

static void say_hidden(struct picture *p)
{
    uint64_t hidden = released_n_suppressed(p->t), absent = released_n_not_estimated(p->t);
    if (hidden)
        buf_printf(&p->says, " %llu of %llu values are suppressed to protect confidentiality.",
                   (unsigned long long)hidden, (unsigned long long)p->t->n_cells);
    if (absent)
        buf_printf(&p->says, " %llu of %llu values are not available: the data give no estimate.",
                   (unsigned long long)absent, (unsigned long long)p->t->n_cells);
}

static void picture_init(struct picture *p, const struct released *r, uint32_t i, enum picture_width width)
{
    *p = (struct picture){.released = r, .t = released_table(r, i)};
    p->c = (struct canvas){.arena = arena_new(),
                           .width = width == PICTURE_NARROW ? NARROW : WIDE,
                           .narrow = width == PICTURE_NARROW,
                           .size = width == PICTURE_NARROW ? 13 : 14};
    p->unit = unit_of(number_words(&p->c, p->t->unit));
    buf_init(&p->c.body, BODY_MOST);
    buf_init(&p->says, SAYS_MOST);
}

static void picture_deinit(struct picture *p)
{
    buf_deinit(&p->c.body);
    buf_deinit(&p->says);
    arena_free(p->c.arena);
}

static void write_svg(struct picture *p, struct buf *out)
{
    int width = (int)p->c.width, height = (int)ceil(p->c.height);
    buf_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" width=\"%d\" "
        "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"Arial, sans-serif\" font-size=\"%g\" "
        "fill=\"" INK_TEXT "\"><title id=\"title\">",
        width, height, width, height, p->c.size);
    buf_xml(out, short_title(p));
    buf_adds(out, "</title><desc id=\"desc\">");
    buf_xml(out, p->says.p ? p->says.p : "");
    buf_adds(out,
             "</desc><defs><pattern id=\"hidden\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
             "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><path d=\"M-1 1l2 -2M0 6l6 -6M5 7l2 -2\" "
             "stroke=\"#768692\"/></pattern></defs><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    buf_add(out, p->c.body.p ? p->c.body.p : "", p->c.body.n);
    buf_adds(out, "</svg>\n");
    out->failed |= p->c.body.failed;
}

void released_svg(const struct released *r, uint32_t i, const struct picture_source *source,
                  enum picture_width width, struct buf *out)
{
    struct picture p;
    picture_init(&p, r, i, width);
    draw_head(&p);
    draw_kind(&p);
    say_hidden(&p);
    draw_foot(&p, source);
    write_svg(&p, out);
    picture_deinit(&p);
}

void released_describe(const struct released *r, uint32_t i, struct buf *out)
{
    struct picture p;
    picture_init(&p, r, i, PICTURE_NARROW);
    buf_printf(&p.says, "%s. ", short_title(&p));
    draw_kind(&p);
    say_hidden(&p);
    buf_adds(out, p.says.p ? p.says.p : "");
    picture_deinit(&p);
}
