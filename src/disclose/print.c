/* SPDX-License-Identifier: Apache-2.0
 *
 * Released tables as text and CSV. The last dimension goes across while the table stays narrow enough to
 * read; else every cell has a line of its own.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "disclose/release.h"

enum { MOST_ACROSS = 12 };

struct grid {
    struct arena *arena;
    const char **text; /* [row * columns + column] */
    size_t columns, rows, capacity;
    uint32_t n_labels; /* columns that hold level labels, aligned left */
};

static const char **grid_row(struct grid *g)
{
    GROW(g->text, (g->rows + 1) * g->columns, g->capacity);
    const char **row = g->text + g->rows++ * g->columns;
    for (size_t i = 0; i < g->columns; i++)
        row[i] = "";
    return row;
}

/* Terminal columns of a UTF-8 text: its code points. */
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static void pad(FILE *to, size_t n)
{
    while (n--)
        fputc(' ', to);
}

static void grid_print(const struct grid *g, FILE *to)
{
    size_t *width = xcalloc(g->columns, sizeof *width);
    for (size_t i = 0; i < g->rows * g->columns; i++) {
        size_t w = width_of(g->text[i]);
        if (w > width[i % g->columns])
            width[i % g->columns] = w;
    }
    for (size_t r = 0; r < g->rows; r++) {
        for (size_t c = 0; c < g->columns; c++) {
            const char *text = g->text[r * g->columns + c];
            size_t room = width[c] - width_of(text);
            bool left = c < g->n_labels;
            pad(to, (c ? 2 : 0) + (left ? 0 : room));
            fputs(text, to);
            pad(to, left && c + 1 < g->columns ? room : 0);
        }
        fputc('\n', to);
    }
    free(width);
}

void released_format(double v, char out[32])
{
    if (isnan(v))
        out[0] = '\0';
    else if (v == floor(v) && fabs(v) < 1e15)
        snprintf(out, 32, "%.0f", v);
    else
        snprintf(out, 32, "%.4g", v);
}

static const char *cell_text(struct arena *a, const struct released_cell *c)
{
    char value[32], lower[32], upper[32];
    if (!c)
        return "0";
    if (c->hidden)
        return released_mark(c);
    released_format(c->value, value);
    if (isnan(c->lower) || isnan(c->upper))
        return arena_strdup(a, value);
    released_format(c->lower, lower);
    released_format(c->upper, upper);
    return arena_printf(a, "%s (%s to %s)", value, lower, upper);
}

static void print_long(const struct released_table *t, struct grid *g)
{
    g->n_labels = t->n_dimensions;
    g->columns = t->n_dimensions + 1;
    const char **row = grid_row(g);
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        row[d] = t->dimensions[d].name;
    row[t->n_dimensions] = t->unit;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        row = grid_row(g);
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            row[d] = t->dimensions[d].levels[t->cells[i].at[d]].label;
        row[t->n_dimensions] = cell_text(g->arena, &t->cells[i]);
    }
}

/* Cells in the order of their rows: all dimensions but the last. */
struct placed {
    const struct released_cell *cell;
    uint32_t n_dimensions;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    for (uint32_t d = 0; d < x->n_dimensions; d++)
        if (x->cell->at[d] != y->cell->at[d])
            return x->cell->at[d] < y->cell->at[d] ? -1 : 1;
    return 0;
}

static void print_across(const struct released_table *t, struct grid *g)
{
    uint32_t down = t->n_dimensions - 1;
    const struct result_dimension *across = &t->dimensions[down];
    struct placed *cells = xcalloc(t->n_cells, sizeof *cells);
    for (uint64_t i = 0; i < t->n_cells; i++)
        cells[i] = (struct placed){&t->cells[i], t->n_dimensions};
    qsort(cells, t->n_cells, sizeof *cells, compare_placed);
    g->n_labels = down;
    g->columns = down + across->n_levels;
    const char **row = grid_row(g);
    for (uint32_t d = 0; d < down; d++)
        row[d] = t->dimensions[d].name;
    for (uint32_t l = 0; l < across->n_levels; l++)
        row[down + l] = across->levels[l].label;
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = cells[i].cell;
        if (i == 0 || memcmp(c->at, cells[i - 1].cell->at, down * sizeof *c->at) != 0) {
            row = grid_row(g);
            for (uint32_t d = 0; d < down; d++)
                row[d] = t->dimensions[d].levels[c->at[d]].label;
            for (uint32_t l = 0; l < across->n_levels; l++)
                row[down + l] = cell_text(g->arena, NULL);
        }
        row[down + c->at[down]] = cell_text(g->arena, c);
    }
    free(cells);
}

static void print_note(const struct released *r, const struct released_table *t, FILE *to)
{
    const struct js *policy = js_get(released_record(r), "policy");
    const char *rounding = js_get_str(policy, "rounding");
    if (released_n_suppressed(t))
        fprintf(to, "[c] suppressed to protect confidentiality\n");
    if (released_n_not_estimated(t))
        fprintf(to, "[x] not available: the data give no estimate\n");
    if (t->type == OUTPUT_COUNT && rounding && strcmp(rounding, "none") != 0)
        fprintf(to, "counts are rounded (%s, %lld)\n", rounding, (long long)js_get_int(policy, "base", 1));
}

static void print_table(const struct released *r, const struct released_table *t, FILE *to)
{
    struct grid g = {.arena = arena_new()};
    bool across = t->n_dimensions >= 2 && t->dimensions[t->n_dimensions - 1].n_levels <= MOST_ACROSS;
    fprintf(to, "%s (%s)\n", t->title, t->unit);
    if (across)
        print_across(t, &g);
    else
        print_long(t, &g);
    grid_print(&g, to);
    print_note(r, t, to);
    free(g.text);
    arena_free(g.arena);
}

void released_print(const struct released *r, FILE *to)
{
    fprintf(to, "%s\n", released_title(r));
    for (uint32_t i = 0; i < released_n_tables(r); i++) {
        fputc('\n', to);
        print_table(r, released_table(r, i), to);
    }
    const struct js *table;
    for (uint32_t k = 0; (table = released_withheld(r, k)) != NULL; k++)
        fprintf(to, "%swithheld: %s (%s)\n", k ? "" : "\n", js_get_str(table, "name"),
                js_get_str(table, "withheld"));
}

/* RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV
 * injection"). */
static void csv_text(struct buf *out, const char *s)
{
    bool formula = *s && strchr("=+-@\t\r", *s);
    bool quote = formula || strpbrk(s, ",\"\r\n");
    if (!quote) {
        buf_adds(out, s);
        return;
    }
    buf_addc(out, '"');
    if (formula)
        buf_addc(out, '\'');
    for (; *s; s++) {
        if (*s == '"')
            buf_addc(out, '"');
        buf_addc(out, *s);
    }
    buf_addc(out, '"');
}

void released_csv(const struct released_table *t, struct buf *out)
{
    for (uint32_t d = 0; d < t->n_dimensions; d++) {
        csv_text(out, t->dimensions[d].name);
        buf_addc(out, ',');
    }
    buf_adds(out, "value,lower,upper,status\n");
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        const double numbers[] = {c->value, c->lower, c->upper};
        for (uint32_t d = 0; d < t->n_dimensions; d++) {
            csv_text(out, t->dimensions[d].levels[c->at[d]].label);
            buf_addc(out, ',');
        }
        for (int k = 0; k < 3; k++) {
            char text[32];
            released_format(numbers[k], text);
            buf_printf(out, "%s,", text);
        }
        buf_adds(out, c->not_estimated ? "not estimated\n" : c->hidden ? "suppressed\n" : "shown\n");
    }
}
