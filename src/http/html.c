/* SPDX-License-Identifier: Apache-2.0 */
#include "http/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"

enum { MOST_ACROSS = 8 };

const char html_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

void html_add(struct buf *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (const char *p = format; *p;) {
        size_t n = strcspn(p, "%");
        buf_add(out, p, n);
        p += n;
        if (!*p)
            break;
        bool wide = p[1] == 'l';
        char kind = p[1 + wide];
        if (kind == 's') {
            const char *text = va_arg(args, const char *);
            buf_xml(out, text ? text : "");
        } else if (kind == 'd') {
            buf_printf(out, "%" PRId64, wide ? (int64_t)va_arg(args, long) : (int64_t)va_arg(args, int));
        } else {
            buf_addc(out, kind);
        }
        p += 2 + wide;
    }
    va_end(args);
}

/* --- the frame ----------------------------------------------------------------------------------------- */

static void add_menu(const struct html_frame *f, struct buf *out)
{
    buf_adds(out, "<nav aria-label=\"Menu\"><ul class=\"accord-menu\">");
    for (const struct html_link *l = f->menu; l && l->path; l++)
        html_add(out,
                 f->path && strcmp(f->path, l->path) == 0
                     ? "<li><a href=\"%s\" aria-current=\"page\">%s</a></li>"
                     : "<li><a href=\"%s\">%s</a></li>",
                 l->path, l->label);
    buf_adds(out, "</ul></nav>");
}

void html_begin(const struct html_frame *f, struct buf *out)
{
    html_add(out,
             "<!doctype html><html lang=\"en\" class=\"nhsuk-template\"><head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>%s – %s</title>"
             "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/assets/app.css\">",
             f->title, f->name);
    if (f->script)
        buf_adds(out, "<script type=\"module\" src=\"/assets/app.js\"></script>");
    html_add(out,
             "</head><body class=\"nhsuk-template__body\">"
             "<a class=\"nhsuk-skip-link\" href=\"#main\">Skip to main content</a>"
             "<header class=\"nhsuk-header\" role=\"banner\"><div class=\"nhsuk-width-container "
             "accord-header\"><a class=\"accord-name\" href=\"/\">%s</a>",
             f->name);
    if (f->menu)
        add_menu(f, out);
    if (f->script)
        buf_adds(out, "<div class=\"accord-who\" id=\"who\"><a href=\"/work\">Sign in</a></div>");
    buf_adds(out, "</div></header><div class=\"nhsuk-width-container\"><main class=\"nhsuk-main-wrapper\" "
                  "id=\"main\">");
}

void html_end(const struct html_frame *f, struct buf *out)
{
    html_add(out,
             "</main></div><footer class=\"nhsuk-footer\" role=\"contentinfo\"><div "
             "class=\"nhsuk-width-container\"><p>%s</p></div></footer></body></html>",
             f->foot);
}

/* --- tables -------------------------------------------------------------------------------------------- */

/* The roles say what the elements are where the narrow form takes their own meaning away (display: block). */
void html_table_begin(struct buf *out, const char *caption, const struct html_column *columns)
{
    html_add(
        out,
        "<div class=\"accord-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table role=\"table\" "
        "class=\"nhsuk-table accord-stack\"><caption class=\"nhsuk-table__caption "
        "nhsuk-table__caption--s\">%s</caption><thead role=\"rowgroup\"><tr role=\"row\">",
        caption, caption);
    for (const struct html_column *c = columns; c->label; c++)
        html_add(
            out,
            c->numeric
                ? "<th role=\"columnheader\" scope=\"col\" class=\"nhsuk-table__header--numeric\">%s</th>"
                : "<th role=\"columnheader\" scope=\"col\">%s</th>",
            c->label);
    buf_adds(out, "</tr></thead><tbody role=\"rowgroup\">");
}

void html_row_begin(struct buf *out)
{
    buf_adds(out, "<tr role=\"row\">");
}

void html_cell_begin(struct buf *out, const struct html_column *column)
{
    html_add(out,
             column->numeric ? "<td role=\"cell\" data-label=\"%s\" class=\"nhsuk-table__cell--numeric\">"
                             : "<td role=\"cell\" data-label=\"%s\">",
             column->label);
}

void html_table_end(struct buf *out)
{
    buf_adds(out, "</tbody></table></div>");
}

void html_details_begin(struct buf *out, const char *summary)
{
    html_add(out,
             "<details class=\"nhsuk-details\"><summary class=\"nhsuk-details__summary\"><span "
             "class=\"nhsuk-details__summary-text\">%s",
             summary);
    if (summary)
        html_details_inside(out);
}

void html_details_inside(struct buf *out)
{
    buf_adds(out, "</span></summary><div class=\"nhsuk-details__text\">");
}

void html_details_end(struct buf *out)
{
    buf_adds(out, "</div></details>");
}

/* --- parts of long lists ------------------------------------------------------------------------------- */

const char *html_part_caption(struct arena *a, const char *title, const struct html_part *part)
{
    struct buf out;
    int64_t first = (part->at - 1) * part->per + 1, last = part->at * part->per;
    buf_init(&out, 1 << 12);
    buf_printf(&out, "%s: ", title);
    if (part->total > part->per) {
        html_number(&out, first);
        buf_adds(&out, " to ");
        html_number(&out, last < part->total ? last : part->total);
        buf_adds(&out, " of ");
    }
    html_number(&out, part->total);
    const char *caption = arena_strdup(a, out.p);
    buf_deinit(&out);
    return caption;
}

static void add_step(struct buf *out, const struct html_step *step, const char *rel)
{
    if (step->address)
        html_add(out, "<li class=\"accord-%s\"><a href=\"%s\" rel=\"%s\">%s<span>%s</span></a></li>", rel,
                 step->address, rel, step->label, step->says);
}

void html_steps(struct buf *out, const struct html_step *previous, const struct html_step *next)
{
    if (!previous->address && !next->address)
        return;
    buf_adds(out, "<nav aria-label=\"Pages\"><ul class=\"accord-steps\">");
    add_step(out, previous, "prev");
    add_step(out, next, "next");
    buf_adds(out, "</ul></nav>");
}

void html_part_links(struct buf *out, const char *address, const struct html_part *part)
{
    int64_t pages = (part->total + part->per - 1) / part->per;
    char *at[2], *says[2];
    for (int i = 0; i < 2; i++) {
        int64_t to = part->at + (i ? 1 : -1);
        at[i] = to >= 1 && to <= pages ? xasprintf("%s%" PRId64, address, to) : NULL;
        says[i] = xasprintf("%" PRId64 " of %" PRId64, to, pages);
    }
    html_steps(out, &(struct html_step){at[0], "Previous page", says[0]},
               &(struct html_step){at[1], "Next page", says[1]});
    for (int i = 0; i < 2; i++) {
        free(at[i]);
        free(says[i]);
    }
}

/* --- values -------------------------------------------------------------------------------------------- */

static void add_day(struct buf *out, const char *day)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    int month = (day[5] - '0') * 10 + day[6] - '0', of_month = (day[8] - '0') * 10 + day[9] - '0';
    html_add(out, "%d %s ", of_month, month >= 1 && month <= 12 ? months[month - 1] : "?");
    buf_add(out, day, 4);
}

static bool is_day(const char *text)
{
    static const char form[] = "0000-00-00";
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static void add_when(struct buf *out, const char *text, bool clock)
{
    if (!text || !is_day(text)) {
        html_add(out, "%s", text);
        return;
    }
    html_add(out, "<time datetime=\"%s\">", text);
    add_day(out, text);
    if (clock && text[10] == 'T') {
        buf_adds(out, " at ");
        buf_add(out, text + 11, 5);
    }
    buf_adds(out, "</time>");
}

void html_day(struct buf *out, const char *day)
{
    add_when(out, day, false);
}

void html_time(struct buf *out, const char *time)
{
    add_when(out, time, true);
}

void html_number(struct buf *out, int64_t n)
{
    char digits[32];
    int k = snprintf(digits, sizeof digits, "%" PRId64, n);
    for (int i = 0; i < k; i++) {
        buf_addc(out, digits[i]);
        if (digits[i] != '-' && i + 1 < k && (k - i - 1) % 3 == 0)
            buf_addc(out, ',');
    }
}

void html_figure(struct buf *out, double v)
{
    char text[32];
    if (fabs(v) >= 1000 && fabs(v) < 1e15) {
        html_number(out, (int64_t)round(v));
        return;
    }
    released_format(v, text);
    buf_adds(out, text);
}

void html_pounds(struct buf *out, int64_t pence)
{
    buf_adds(out, "£");
    html_number(out, pence / 100);
    if (pence % 100)
        buf_printf(out, ".%02" PRId64, pence % 100);
}

void html_state(struct buf *out, const char *state)
{
    static const struct {
        const char *states, *colour;
    } colours[] = {
        {"in_force|released|open|active|started|approved|published|met|enrolled|held_grant|made|yes",
         "green"},
        {"running|asked|submitted|admitted|registered|current|checked", "blue"},
        {"held|waiting|asking|paused|promised|due", "yellow"},
        {"stopped|refused|failed|revoked|killed|breached|late", "red"},
        {"returned|withdrawn|recused", "orange"}};
    const char *colour = "grey";
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (state && word_in(colours[i].states, state))
            colour = colours[i].colour;
    html_add(out, "<strong class=\"nhsuk-tag nhsuk-tag--%s\">", colour);
    for (const char *p = state ? state : ""; *p; p++)
        html_add(out, "%s", *p == '_' ? " " : (char[]){*p, 0});
    buf_adds(out, "</strong>");
}

/* Names that say little to who does not know them. */
static const char *phrase_of(const char *name)
{
    static const char *const phrases[][2] = {{"icb", "Integrated care board (ICB)"},
                                             {"trust", "NHS trust"},
                                             {"pcn", "Primary care network"},
                                             {"sde", "Secure data environment"},
                                             {"nhs_runs", "The NHS runs the study where the data is"},
                                             {"out", "Data is sent out"},
                                             {"aggregate", "Numbers about groups"},
                                             {"record-level", "Records of people, read where they are"}};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (strcmp(phrases[i][0], name) == 0)
            return phrases[i][1];
    return NULL;
}

void html_words(struct buf *out, const char *name)
{
    const char *phrase = name ? phrase_of(name) : NULL;
    if (phrase) {
        buf_adds(out, phrase);
        return;
    }
    for (const char *p = name; p && *p;) {
        size_t n = strcspn(p, "_-");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        bool initials = word_in("nhs|uk|icb|ods|ppie|gp|ig|qof", word);
        for (size_t i = 0; word[i]; i++)
            if (word[i] >= 'a' && word[i] <= 'z' && (initials || (p == name && i == 0)))
                word[i] = (char)(word[i] - 'a' + 'A');
        html_add(out, "%s%s", p == name ? "" : " ", word);
        p += n + (p[n] != '\0');
    }
}

/* --- released tables ----------------------------------------------------------------------------------- */

static void add_cell(struct buf *out, const struct released_cell *c)
{
    if (!c) {
        buf_adds(out, "0");
        return;
    }
    if (c->hidden) {
        buf_adds(out, c->not_estimated ? "<abbr title=\"not available: no estimate\">[x]</abbr>"
                                       : "<abbr title=\"suppressed\">[c]</abbr>");
        return;
    }
    html_figure(out, c->value);
    if (!isnan(c->lower) && !isnan(c->upper)) {
        buf_adds(out, " (");
        html_figure(out, c->lower);
        buf_adds(out, " to ");
        html_figure(out, c->upper);
        buf_adds(out, ")");
    }
}

/* NULL where each row's name says what its number is: then there is no unit of all to print. */
static const char *unit_of_all(const struct released_table *t)
{
    return strcmp(t->unit, "as named") == 0 ? NULL : t->unit;
}

static void add_heads(struct buf *out, const struct released_table *t, uint32_t down)
{
    buf_adds(out, "<thead><tr>");
    for (uint32_t d = 0; d < down; d++) {
        buf_adds(out, "<th scope=\"col\">");
        html_words(out, t->dimensions[d].name);
        buf_adds(out, "</th>");
    }
    if (down == t->n_dimensions)
        html_add(out, "<th scope=\"col\" class=\"nhsuk-table__header--numeric\">%s</th>",
                 unit_of_all(t) ? unit_of_all(t) : "value");
    for (uint32_t l = 0; down < t->n_dimensions && l < t->dimensions[down].n_levels; l++)
        html_add(out, "<th scope=\"col\" class=\"nhsuk-table__header--numeric\">%s</th>",
                 t->dimensions[down].levels[l].label);
    buf_adds(out, "</tr></thead>");
}

static void add_row(struct buf *out, const struct released_table *t, uint32_t *at, uint32_t down)
{
    uint32_t across = down < t->n_dimensions ? t->dimensions[down].n_levels : 1;
    buf_adds(out, "<tr>");
    for (uint32_t d = 0; d < down; d++)
        html_add(out, "<th scope=\"row\">%s</th>", t->dimensions[d].levels[at[d]].label);
    for (uint32_t l = 0; l < across; l++) {
        if (down < t->n_dimensions)
            at[down] = l;
        buf_adds(out, "<td class=\"nhsuk-table__cell--numeric\">");
        add_cell(out, released_cell_find(t, at));
        buf_adds(out, "</td>");
    }
    buf_adds(out, "</tr>");
}

/* The next combination of levels of the first `down` dimensions; false behind the last. */
static bool next_row(const struct released_table *t, uint32_t *at, uint32_t down)
{
    for (uint32_t d = down; d-- > 0;) {
        if (++at[d] < t->dimensions[d].n_levels)
            return true;
        at[d] = 0;
    }
    return false;
}

void html_result_title(struct buf *out, const char *title)
{
    const char *name = strrchr(title, '[');
    size_t n = strlen(title);
    if (!name || name == title || title[n - 1] != ']') {
        html_add(out, "%s", title);
        return;
    }
    for (const char *p = title; *p; p++)
        html_add(out, "%s",
                 p == name               ? "("
                 : p == title + n - 1    ? ")"
                 : p > name && *p == '_' ? " "
                                         : (char[]){*p, 0});
}

void html_released(struct buf *out, const struct released_table *t)
{
    uint32_t n = t->n_dimensions, down = n;
    uint32_t *at = xcalloc(n + 1, sizeof *at);
    if (n > 1 && t->dimensions[n - 1].n_levels <= MOST_ACROSS)
        down = n - 1;
    buf_adds(out, "<div class=\"accord-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_result_title(out, t->title);
    buf_adds(out, "\"><table class=\"nhsuk-table\"><caption class=\"nhsuk-table__caption "
                  "nhsuk-table__caption--s\">");
    html_result_title(out, t->title);
    if (unit_of_all(t))
        html_add(out, ": %s", unit_of_all(t));
    buf_adds(out, "</caption>");
    add_heads(out, t, down);
    buf_adds(out, "<tbody>");
    do
        add_row(out, t, at, down);
    while (next_row(t, at, down));
    buf_adds(out, "</tbody></table></div>");
    if (released_n_suppressed(t))
        buf_adds(out, "<p class=\"nhsuk-body-s\">[c] marks a number that is hidden to protect people.</p>");
    if (released_n_not_estimated(t))
        buf_adds(out, "<p class=\"nhsuk-body-s\">[x] marks a number that is not available: the data give no "
                      "estimate of it.</p>");
    free(at);
}
