/* SPDX-License-Identifier: Apache-2.0
 * Numbers, scales and axes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "disclose/picture_canvas.h"
#include "disclose/release.h"

/* --- numbers -------------------------------------------------------------------------------------------- */

struct unit unit_of(const char *name)
{
    static const char share[] = "share of ";
    struct unit u = {1, "", name};
    if (strncmp(name, share, sizeof share - 1) == 0)
        u = (struct unit){100, "%", name};
    return u;
}

const char *number_words(struct canvas *c, const char *text)
{
    size_t length = strlen(text);
    char *out = arena_alloc(c->arena, 2 * length + 1), *to = out;
    for (size_t i = 0, run; i < length; i += run) {
        run = strspn(text + i, "0123456789");
        for (size_t k = 0; k < run; k++) {
            if (k && run >= 5 && (run - k) % 3 == 0)
                *to++ = ',';
            *to++ = text[i + k];
        }
        if (run == 0) {
            *to++ = text[i] == '_' ? ' ' : text[i];
            run = 1;
        }
    }
    *to = '\0';
    return out;
}

/* Thousands separated by commas, as the NHS and the ONS write them. */
static const char *separated(struct canvas *c, const char *digits, const char *suffix)
{
    const char *sign = *digits == '-' ? "\xE2\x88\x92" : "", *p = digits + (*digits == '-');
    size_t whole = strspn(p, "0123456789"), n = 0;
    char out[64];
    if (p[whole + strspn(p + whole, ".0123456789")])
        return arena_printf(c->arena, "%s%s%s", sign, p, suffix); /* has an exponent */
    for (size_t i = 0; i < whole && n < sizeof out - 2; i++) {
        if (i && (whole - i) % 3 == 0)
            out[n++] = ',';
        out[n++] = p[i];
    }
    out[n] = '\0';
    return arena_printf(c->arena, "%s%s%s%s", sign, out, p + whole, suffix);
}

const char *unit_format(struct canvas *c, struct unit u, double v)
{
    char text[32];
    released_format(u.times == 1 ? v : nearbyint(v * u.times * 1e6) / 1e6, text);
    return separated(c, text, u.suffix);
}

const char *whole_format(struct canvas *c, double v)
{
    return unit_format(c, (struct unit){1, "", ""}, v);
}

/* --- scales --------------------------------------------------------------------------------------------- */

double scale_at(const struct scale *s, double v)
{
    double share = s->log ? log(v / s->low) / log(s->high / s->low) : (v - s->low) / (s->high - s->low);
    if (!(share > 0))
        share = 0;
    return s->from + fmin(1, share) * (s->to - s->from);
}

/* 1, 2, 2.5 or 5 times a power of ten, so that at most n steps cover the span. */
static double round_step(double span, double n)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(span / n)));
    for (size_t i = 0; i < 4; i++)
        if (span / (steps[i] * power) <= n * (1 + 1e-9))
            return steps[i] * power;
    return 10 * power;
}

struct scale scale_round(double low, double high, double from, double to)
{
    if (!(high > low))
        high = low + fmax(1, fabs(low) * 0.1);
    double step = round_step(high - low, 8);
    return (struct scale){floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, from, to, false};
}

/* Round ends of a log scale: 1, 2 or 5 times a power of ten, closer to 1 in finer steps. */
static const double round_ratios[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1,
                                      1.1,  1.25, 1.5,  2,   3,   4,    5,    10,  20,   50,  100};
enum { N_RATIOS = sizeof round_ratios / sizeof *round_ratios };

struct scale scale_ratio(double low, double high, double from, double to)
{
    struct scale s = {0.8, 1.25, from, to, true};
    for (size_t i = N_RATIOS; i-- > 0;)
        if (round_ratios[i] <= s.low) {
            s.low = round_ratios[i];
            if (round_ratios[i] <= low)
                break;
        }
    for (size_t i = 0; i < N_RATIOS; i++)
        if (round_ratios[i] >= s.high) {
            s.high = round_ratios[i];
            if (round_ratios[i] >= high)
                break;
        }
    return s;
}

static size_t ratio_ticks(const struct scale *s, size_t most, double *out)
{
    static const double every[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100},
                        close[] = {0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2};
    bool near = s->low >= 0.5 && s->high <= 2;
    const double *from = near ? close : every;
    size_t of = near ? sizeof close / sizeof *close : sizeof every / sizeof *every, n = 0;
    for (size_t i = 0; i < of && n < most; i++)
        if (from[i] >= s->low * (1 - 1e-9) && from[i] <= s->high * (1 + 1e-9))
            out[n++] = from[i];
    return n;
}

size_t scale_ticks(const struct scale *s, size_t most, double *out)
{
    most = most > TICKS_MOST ? TICKS_MOST : most < 2 ? 2 : most;
    if (s->log)
        return ratio_ticks(s, most, out);
    double step = round_step(s->high - s->low, (double)(most - 1));
    size_t n = 0;
    for (double k = ceil(s->low / step - 1e-9); k * step <= s->high + step * 1e-9 && n < most; k++)
        out[n++] = k * step + 0.0; /* never -0 */
    return n;
}

/* --- axes ----------------------------------------------------------------------------------------------- */

/* A tick's number, without the dust of floating point. */
static const char *tick_text(struct canvas *c, struct unit u, double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.12g", v * u.times);
    double clean = strtod(text, NULL);
    return unit_format(c, (struct unit){1, u.suffix, ""}, fabs(clean) < 1e-12 ? 0 : clean);
}

static const char *label_of(struct unit u, const char *label)
{
    return label ? label : u.label;
}

double draw_axis_under(struct canvas *c, const struct scale *s, double y, double top, struct unit u,
                       const char *label)
{
    struct lettering small = {ANCHOR_MIDDLE, 13, INK_SECONDARY, false};
    double ticks[TICKS_MOST], used = -1e9;
    size_t n = scale_ticks(s, c->narrow ? 5 : 9, ticks);
    buf_adds(&c->body, "<g class=\"axis\">");
    draw_line(c, s->from, y, s->to, y, INK_SECONDARY, 1, "");
    for (size_t i = 0; i < n; i++) {
        double x = scale_at(s, ticks[i]);
        const char *text = tick_text(c, u, ticks[i]);
        double half = text_width(text, 13, false) / 2;
        if (top < y)
            draw_line(c, x, y, x, top, "#e2e6e9", 1, "");
        draw_line(c, x, y, x, y + 5, INK_SECONDARY, 1, "");
        if (x - half < used + 4)
            continue;
        draw_text(c, x, y + 19, small, text);
        used = x + half;
    }
    buf_adds(&c->body, "</g>");
    label = label_of(u, label);
    if (!*label)
        return 24;
    int lines = draw_lines(c, (s->from + s->to) / 2, y + 38, c->width - 2 * MARGIN, 2,
                           (struct lettering){ANCHOR_MIDDLE, 13, NULL, false}, label);
    return 28 + 17.0 * lines;
}

void draw_axis_left(struct canvas *c, const struct scale *s, double x, double right, struct unit u,
                    const char *label)
{
    struct lettering small = {ANCHOR_END, 13, INK_SECONDARY, false};
    double ticks[TICKS_MOST];
    size_t n = scale_ticks(s, 7, ticks);
    buf_adds(&c->body, "<g class=\"axis\">");
    for (size_t i = 0; i < n; i++) {
        double y = scale_at(s, ticks[i]);
        draw_line(c, x, y, right, y, "#e2e6e9", 1, "");
        draw_text(c, x - 6, y + 4.5, small, tick_text(c, u, ticks[i]));
    }
    draw_line(c, x, s->from, x, s->to, INK_SECONDARY, 1, "");
    buf_adds(&c->body, "</g>");
    draw_text(c, MARGIN, fmin(s->from, s->to) - 14, (struct lettering){ANCHOR_START, 13, NULL, false},
              fit_text(c, label_of(u, label), c->width - 2 * MARGIN, (struct lettering){.size = 13}));
}
