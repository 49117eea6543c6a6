/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/picture_canvas.h"

#include <math.h>
#include <stdlib.h>

/* Thousandths of the size, for the printable characters of ASCII (Adobe's metrics of Helvetica, which Arial
   and Liberation Sans keep). */
static const uint16_t widths[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};
enum { WIDTH_OTHER = 600 };

static double width_of(const char *text, size_t n, double size, bool bold)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)text[i];
        if (b >= ' ' && b < 127)
            sum += widths[b - ' '];
        else if ((b & 0xC0) != 0x80)
            sum += WIDTH_OTHER;
    }
    return sum * size / 1000 * (bold ? 1.07 : 1);
}

double text_width(const char *text, double size, bool bold)
{
    return width_of(text, strlen(text), size, bold);
}

static double size_of(const struct canvas *c, struct lettering l)
{
    return l.size > 0 ? l.size : c->size;
}

double line_height(const struct canvas *c, struct lettering l)
{
    return nearbyint(size_of(c, l) * 1.3);
}

static const char *slice_copy(struct canvas *c, const char *text, size_t n)
{
    char *copy = arena_alloc(c->arena, n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void draw_text(struct canvas *c, double x, double y, struct lettering l, const char *text)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    buf_printf(&c->body, "<text x=\"%.1f\" y=\"%.1f\"%s", x, y, anchors[l.anchor]);
    if (l.size > 0 && l.size != c->size)
        buf_printf(&c->body, " font-size=\"%g\"", l.size);
    if (l.colour)
        buf_printf(&c->body, " fill=\"%s\"", l.colour);
    buf_adds(&c->body, l.bold ? " font-weight=\"bold\">" : ">");
    buf_xml(&c->body, text);
    buf_adds(&c->body, "</text>");
}

/* The end of the character that begins at i. */
static size_t after(const char *text, size_t i)
{
    for (i++; ((unsigned char)text[i] & 0xC0) == 0x80;)
        i++;
    return i;
}

/* How many bytes of the text go into one line; at least one character. */
static size_t line_bytes(const char *text, double width, double size, bool bold)
{
    size_t fits = 0, space = 0;
    while (text[fits]) {
        size_t next = after(text, fits);
        if (fits && width_of(text, next, size, bold) > width)
            return space ? space : fits;
        if (text[fits] == ' ')
            space = fits;
        fits = next;
    }
    return fits;
}

const char *fit_text(struct canvas *c, const char *text, double width, struct lettering l)
{
    double size = size_of(c, l);
    size_t n = 0;
    if (text_width(text, size, l.bold) <= width)
        return text;
    while (text[n] && width_of(text, after(text, n), size, l.bold) + size * 0.6 <= width)
        n = after(text, n);
    return arena_printf(c->arena, "%s\xE2\x80\xA6", slice_copy(c, text, n));
}

static int break_lines(struct canvas *c, double x, double y, double width, int most, struct lettering l,
                       const char *text, bool draw)
{
    double size = size_of(c, l);
    int n = 0;
    while (*text && n < most) {
        size_t bytes = line_bytes(text, width, size, l.bold);
        bool last = n == most - 1;
        const char *line = last ? text : slice_copy(c, text, bytes);
        if (draw)
            draw_text(c, x, y + n * line_height(c, l), l, last ? fit_text(c, line, width, l) : line);
        for (text += bytes; *text == ' ';)
            text++;
        n++;
    }
    return n;
}

int draw_lines(struct canvas *c, double x, double y, double width, int most, struct lettering l,
               const char *text)
{
    return break_lines(c, x, y, width, most, l, text, true);
}

int count_lines(const struct canvas *c, double width, int most, struct lettering l, const char *text)
{
    struct canvas copy = *c;
    return break_lines(&copy, 0, 0, width, most, l, text, false);
}

/* --- shapes --------------------------------------------------------------------------------------------- */

const char *series_colour(size_t i)
{
    static const char *const colours[SERIES_MOST] = {INK_BLUE,  INK_PINK,  "#007f72",
                                                     "#212b32", "#7a3d00", "#330072"};
    return colours[i % SERIES_MOST];
}

const char *series_dashes(size_t i)
{
    static const char *const dashes[SERIES_MOST] = {"", "8 4", "2 3", "10 3 2 3", "5 5", "12 4"};
    return dashes[i % SERIES_MOST];
}

void draw_mark(struct canvas *c, size_t series, double x, double y, double r)
{
    const char *colour = series_colour(series);
    struct buf *b = &c->body;
    switch (series % SERIES_MOST) {
    case 0:
        buf_printf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>", x, y, r, colour);
        break;
    case 1:
        draw_box(c, x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, colour, NULL);
        break;
    case 2:
        buf_printf(b, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\" fill=\"%s\"/>", x, y - r * 1.2, r * 1.2,
                   r * 2.1, -r * 2.4, colour);
        break;
    case 3:
        buf_printf(b, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\" fill=\"%s\"/>", x, y - r * 1.3,
                   r * 1.3, r * 1.3, -r * 1.3, r * 1.3, -r * 1.3, -r * 1.3, colour);
        break;
    case 4:
        buf_printf(
            b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#fff\" stroke=\"%s\" stroke-width=\"2\"/>",
            x, y, r - 0.5, colour);
        break;
    default:
        buf_printf(b,
                   "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\" fill=\"#fff\" stroke=\"%s\" stroke-width=\"2\"/>",
                   x, y + r * 1.2, r * 1.2, -r * 2.1, -r * 2.4, colour);
    }
}

void draw_line(struct canvas *c, double x1, double y1, double x2, double y2, const char *colour, double width,
               const char *dashes)
{
    buf_printf(&c->body, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" stroke-width=\"%g\"", x1, y1, x2, y2,
               colour, width);
    if (*dashes)
        buf_printf(&c->body, " stroke-dasharray=\"%s\"", dashes);
    buf_adds(&c->body, "/>");
}

void draw_box(struct canvas *c, double x, double y, double width, double height, const char *fill,
              const char *stroke)
{
    buf_printf(&c->body, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"", x, y,
               fmax(0, width), fmax(0, height), fill);
    if (stroke)
        buf_printf(&c->body, " stroke=\"%s\"", stroke);
    buf_adds(&c->body, "/>");
}

void draw_ground(struct canvas *c, double x, double y, double width, double height)
{
    draw_box(c, x, y, width, height, "#fff", NULL);
}

void draw_hidden(struct canvas *c, double x, double y, double width, double height)
{
    struct lettering mark = {.anchor = ANCHOR_MIDDLE, .size = 12};
    draw_box(c, x, y, width, height, "url(#hidden)", "#768692");
    c->hidden = true;
    if (width < 24 || height < 14)
        return;
    draw_box(c, x + width / 2 - 10, y + height / 2 - 7, 20, 14, "#fff", NULL);
    draw_text(c, x + width / 2, y + height / 2 + 4, mark, "[c]");
}

void draw_absent(struct canvas *c, double x, double y, double width, double height)
{
    struct lettering mark = {.anchor = ANCHOR_MIDDLE, .size = 12};
    draw_box(c, x, y, width, height, "#fff", "#768692");
    c->absent = true;
    if (width >= 24 && height >= 14)
        draw_text(c, x + width / 2, y + height / 2 + 4, mark, "[x]");
}

static void draw_end(struct canvas *c, double x, double y, int arrow, const char *colour)
{
    if (arrow)
        buf_printf(&c->body, "<path d=\"M%.1f %.1fl%d 5v-10z\" fill=\"%s\"/>", x, y, -arrow * 7, colour);
    else
        draw_line(c, x, y - 4, x, y + 4, colour, 2, "");
}

void draw_interval(struct canvas *c, double from, double to, double low, double high, double y,
                   const char *colour)
{
    double a = fmax(low, fmin(high, from)), b = fmax(low, fmin(high, to));
    draw_line(c, a, y, b, y, colour, 2, "");
    draw_end(c, a, y, from < low ? -1 : 0, colour);
    draw_end(c, b, y, to > high ? 1 : 0, colour);
}
