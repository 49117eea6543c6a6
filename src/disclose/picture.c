/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/picture.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 720,
    LABELS = 240,
    ROW = 26,
    TOP = 64,
    MARGIN = 24,
    PLOT = WIDTH - LABELS - MARGIN - 60,
    MOST_ROWS = 200
};

/* What a reader who does not see the picture is told; the numbers are in the table beside it. */
static void describe(const struct released_table *t, struct buf *out)
{
    uint64_t hidden = 0;
    const struct released_cell *most = NULL;
    char value[32];
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        hidden += c->hidden;
        if (!c->hidden && (!most || c->value > most->value))
            most = c;
    }
    buf_printf(out, "%llu values, %llu of them suppressed to protect confidentiality, by",
               (unsigned long long)t->n_cells, (unsigned long long)hidden);
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        buf_adds(out, d ? ", " : " ");
        buf_xml(out, t->dimensions[d].name);
    }
    if (!most)
        return;
    released_format(most->value, value);
    buf_printf(out, ". The largest is %s (", value);
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        buf_adds(out, d ? ", " : "");
        buf_xml(out, t->dimensions[d].levels[most->at[d]].label);
    }
    buf_adds(out, ").");
}

static void begin(const struct released_table *t, double height, struct buf *out)
{
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %.0f\" "
               "font-family=\"Arial, sans-serif\" font-size=\"14\"><title>",
               WIDTH, height);
    buf_xml(out, t->title);
    buf_adds(out, "</title><desc>");
    describe(t, out);
    buf_adds(out, "</desc><defs><pattern id=\"hidden\" width=\"6\" height=\"6\" "
                  "patternUnits=\"userSpaceOnUse\"><path d=\"M0 6L6 0\" stroke=\"#768692\"/></pattern></defs>"
                  "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    buf_printf(out, "<text x=\"%d\" y=\"28\" font-size=\"18\" font-weight=\"bold\">", MARGIN);
    buf_xml(out, t->title);
    buf_printf(out, "</text><text x=\"%d\" y=\"48\" fill=\"#4c6272\">", MARGIN);
    buf_xml(out, t->unit);
    buf_adds(out, "</text>");
}

static void row_label(const struct released_table *t, const struct released_cell *c, double y,
                      struct buf *out)
{
    buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LABELS - 8, y + ROW * 0.65);
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        buf_adds(out, d ? ", " : "");
        buf_xml(out, t->dimensions[d].levels[c->at[d]].label);
    }
    buf_adds(out, "</text>");
}

/* The range of everything printed, zero included. */
static void range_of(const struct released_table *t, double *low, double *high)
{
    *low = *high = 0;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const double numbers[] = {t->cells[i].value, t->cells[i].lower, t->cells[i].upper};
        for (int k = 0; k < 3; k++)
            if (isfinite(numbers[k])) {
                *low = fmin(*low, numbers[k]);
                *high = fmax(*high, numbers[k]);
            }
    }
    if (*high <= *low)
        *high = *low + 1;
}

static void hidden_place(double x, double y, double width, struct buf *out)
{
    buf_printf(out,
               "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"url(#hidden)\" "
               "stroke=\"#768692\"/><text x=\"%.1f\" y=\"%.1f\">[c]</text>",
               x, y, width, ROW - 6, x + width + 6, y + ROW * 0.6);
}

static void bar(double zero, double at, double y, struct buf *out)
{
    buf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#005eb8\"/>",
               fmin(zero, at), y, fabs(at - zero), ROW - 6);
}

static void whisker(double low, double at, double high, double y, struct buf *out)
{
    buf_printf(out,
               "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#005eb8\" stroke-width=\"2\"/>"
               "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"#005eb8\"/>",
               low, y + ROW * 0.4, high, at, y + ROW * 0.4);
}

/* One row for each cell: a bar, or its interval. */
static void rows(const struct released_table *t, struct buf *out)
{
    double low, high;
    uint64_t n = t->n_cells < MOST_ROWS ? t->n_cells : MOST_ROWS;
    begin(t, TOP + (double)(n + 1) * ROW, out);
    range_of(t, &low, &high);
    for (uint64_t i = 0; i < n; i++) {
        const struct released_cell *c = &t->cells[i];
        double y = TOP + (double)i * ROW, unit = PLOT / (high - low), zero = LABELS - low * unit;
        char value[32];
        row_label(t, c, y, out);
        if (c->hidden) {
            hidden_place(zero, y, 40, out);
            continue;
        }
        if (isnan(c->lower) || isnan(c->upper))
            bar(zero, zero + c->value * unit, y, out);
        else
            whisker(zero + c->lower * unit, zero + c->value * unit, zero + c->upper * unit, y, out);
        released_format(c->value, value);
        buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", WIDTH - MARGIN,
                   y + ROW * 0.6, value);
    }
    buf_adds(out, "</svg>\n");
}

/* The last dimension across, the others down. */
static void heat_map(const struct released_table *t, struct buf *out)
{
    double low, high;
    uint32_t last = t->n_dimensions - 1, across = t->dimensions[last].n_levels;
    double width = (double)(WIDTH - LABELS - MARGIN) / across;
    uint64_t row = 0, n_rows = t->n_cells / across + 4;
    begin(t, TOP + (double)n_rows * ROW, out);
    range_of(t, &low, &high);
    for (uint32_t l = 0; l < across; l++) {
        buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">",
                   LABELS + (l + 0.5) * width, TOP + 12);
        buf_xml(out, t->dimensions[last].levels[l].label);
        buf_adds(out, "</text>");
    }
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        bool first = i == 0 || memcmp(c->at, c[-1].at, last * sizeof *c->at) != 0;
        row += first && i;
        double y = TOP + ROW + (double)row * ROW, x = LABELS + c->at[last] * width;
        struct released_table above = *t;
        above.n_dimensions = last;
        if (first)
            row_label(&above, c, y, out);
        if (c->hidden) {
            hidden_place(x, y, width - 30 > 8 ? width - 30 : 8, out);
            continue;
        }
        char value[32];
        double share = (c->value - low) / (high - low);
        released_format(c->value, value);
        buf_printf(
            out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#005eb8\" "
            "fill-opacity=\"%.2f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"%s\">%s</text>",
            x, y, width - 2, ROW - 2, 0.05 + 0.95 * share, x + width / 2, y + ROW * 0.65,
            share > 0.5 ? "#fff" : "#212b32", value);
    }
    buf_adds(out, "</svg>\n");
}

/* Stepped curves along the last dimension; a step that is not printed leaves a gap in the line. */
static void curves(const struct released_table *t, struct buf *out)
{
    enum { HEIGHT = 420 };
    static const char *const colours[] = {"#005eb8", "#d5281b", "#007f3b", "#7c2855", "#ed8b00", "#212b32"};
    uint32_t last = t->n_dimensions - 1, steps = t->dimensions[last].n_levels, line = 0;
    double width = WIDTH - 3 * MARGIN, bottom = HEIGHT - MARGIN, height = bottom - TOP - MARGIN, y = 0;
    bool drawing = false;
    begin(t, HEIGHT, out);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        bool first = i == 0 || memcmp(c->at, c[-1].at, last * sizeof *c->at) != 0;
        double x = MARGIN + width * c->at[last] / steps, end = MARGIN + width * (c->at[last] + 1.0) / steps;
        line += first && i;
        if (first)
            drawing = false;
        if (c->hidden) {
            buf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"8\" fill=\"url(#hidden)\"/>",
                       x, bottom - 10.0 * (line + 1), end - x);
            drawing = false;
            continue;
        }
        double before = y;
        y = bottom - height * fmin(1, fmax(0, c->value));
        buf_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M%.1f %.1fV%.1fH%.1f\"/>",
                   colours[line % 6], x, drawing ? before : y, y, end);
        drawing = true;
        if (first && last) {
            buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"%s\">", WIDTH - MARGIN,
                       TOP + 18.0 * (line + 1), colours[line % 6]);
            buf_xml(out, t->dimensions[0].levels[c->at[0]].label);
            buf_adds(out, "</text>");
        }
    }
    buf_adds(out, "</svg>\n");
}

/* Sets each within the one before (attrition): boxes from above to below, with what was lost between two that
   are both printed. */
static void flow(const struct released_table *t, struct buf *out)
{
    enum { BOX = 44, STEP = 76, LEFT = MARGIN, BROAD = 420, LEAST_LEFT_OUT = 10 };
    begin(t, TOP + (double)t->n_cells * STEP + MARGIN, out);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i], *before = i ? &t->cells[i - 1] : NULL;
        double y = TOP + (double)i * STEP;
        char value[32] = "[c]";
        if (!c->hidden)
            released_format(c->value, value);
        buf_printf(out,
                   "<rect x=\"%d\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#005eb8\"/>"
                   "<text x=\"%d\" y=\"%.0f\">",
                   LEFT, y, BROAD, BOX, c->hidden ? "url(#hidden)" : "#e8f1f8", LEFT + 12, y + BOX * 0.62);
        buf_xml(out, t->dimensions[0].levels[c->at[0]].label);
        buf_printf(out, "</text><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\" font-weight=\"bold\">%s</text>",
                   LEFT + BROAD - 12, y + BOX * 0.62, value);
        if (!before)
            continue;
        buf_printf(out, "<path d=\"M%d %.0fv%d\" stroke=\"#4c6272\" stroke-width=\"2\"/>", LEFT + 40,
                   y - (STEP - BOX), STEP - BOX);
        /* A small difference of rounded counts says nothing, and looks as if it did. */
        if (c->hidden || before->hidden || before->value - c->value < LEAST_LEFT_OUT)
            continue;
        released_format(before->value - c->value, value);
        buf_printf(out, "<text x=\"%d\" y=\"%.0f\" fill=\"#4c6272\">%s left out</text>", LEFT + 56,
                   y - (STEP - BOX) * 0.35, value);
    }
    buf_adds(out, "</svg>\n");
}

static bool is_leaf(const struct result_dimension *d, uint32_t level)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent == (int32_t)level)
            return false;
    return true;
}

/* Counts by age and by two sexes: which dimension is which, and the two levels. */
static bool is_pyramid(const struct released_table *t, uint32_t *age, uint32_t sides[2])
{
    if (t->type != OUTPUT_COUNT || t->n_dimensions != 2)
        return false;
    for (uint32_t d = 0; d < 2; d++) {
        const struct result_dimension *sex = &t->dimensions[d];
        uint32_t n = 0;
        for (uint32_t i = 0; i < sex->n_levels; i++)
            if (is_leaf(sex, i) && n++ < 2)
                sides[n - 1] = i;
        *age = 1 - d;
        if (strcmp(sex->name, "sex") == 0 && n == 2 && strncmp(t->dimensions[*age].name, "age", 3) == 0)
            return true;
    }
    return false;
}

/* One side of one age group, growing away from the middle. */
static void pyramid_bar(const struct released_cell *c, double middle, double unit, int sign, double y,
                        struct buf *out)
{
    enum { GAP = 60 };
    double from = middle + sign * GAP, length = c && !c->hidden ? c->value * unit : 40;
    char value[32] = "0";
    if (c && !c->hidden)
        released_format(c->value, value);
    if (c)
        buf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"%s/>",
                   sign > 0 ? from : from - length, y, length, ROW - 6,
                   c->hidden  ? "url(#hidden)"
                   : sign > 0 ? "#005eb8"
                              : "#007f3b",
                   c->hidden ? " stroke=\"#768692\"" : "");
    buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"12\">%s</text>",
               from + sign * ((c ? length : 0) + 6), y + ROW * 0.55, sign > 0 ? "start" : "end",
               c && c->hidden ? "[c]" : value);
}

static void pyramid(const struct released_table *t, uint32_t age, const uint32_t sides[2], struct buf *out)
{
    const struct result_dimension *groups = &t->dimensions[age], *sex = &t->dimensions[1 - age];
    double middle = WIDTH / 2.0, most = 1, y = TOP;
    for (uint64_t i = 0; i < t->n_cells; i++)
        if (!t->cells[i].hidden && is_leaf(groups, t->cells[i].at[age]) &&
            is_leaf(sex, t->cells[i].at[1 - age]))
            most = fmax(most, t->cells[i].value);
    begin(t, TOP + (groups->n_levels + 2.0) * ROW, out);
    for (int side = 0; side < 2; side++) {
        buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-weight=\"bold\">",
                   middle + (side ? 180 : -180), y + 8);
        buf_xml(out, sex->levels[sides[side]].label);
        buf_adds(out, "</text>");
    }
    /* The oldest on top, as pyramids are read. */
    for (uint32_t g = groups->n_levels; g-- > 0;) {
        if (!is_leaf(groups, g))
            continue;
        y += ROW;
        buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", middle, y + ROW * 0.6);
        buf_xml(out, groups->levels[g].label);
        buf_adds(out, "</text>");
        for (int side = 0; side < 2; side++) {
            uint32_t at[2];
            at[age] = g;
            at[1 - age] = sides[side];
            pyramid_bar(released_cell_find(t, at), middle, 230 / most, side ? 1 : -1, y, out);
        }
    }
    buf_adds(out, "</svg>\n");
}

void released_svg(const struct released_table *t, struct buf *out)
{
    uint32_t age, sides[2];
    if (t->type == OUTPUT_COUNT && t->n_dimensions == 1 && t->dimensions[0].nested)
        flow(t, out);
    else if (is_pyramid(t, &age, sides))
        pyramid(t, age, sides, out);
    else if (t->type == OUTPUT_SURVIVAL && t->n_dimensions)
        curves(t, out);
    else if (t->type == OUTPUT_COUNT && t->n_dimensions >= 2 &&
             t->dimensions[t->n_dimensions - 1].n_levels <= 12)
        heat_map(t, out);
    else
        rows(t, out);
}
