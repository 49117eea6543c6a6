/* SPDX-License-Identifier: Apache-2.0
 * The integrated care boards of England as they are today: a map of equal tiles and a table, each board with
 * its leads or "vacant", its needs, and how it answers.
 *
 * Which boards there are and where each lies comes from vocab/icb-map.tsv, which is embedded: the page shows
 * all of them whether or not the register has them yet. A board on the register is found by its ODS code; one
 * that the map does not know comes behind the others. Tiles are links in reading order from north to south,
 * so the map works by keyboard and without styles; a narrow page shows them as a list. */
#include <stdlib.h>

#include "base/csv.h"
#include "base/date.h"
#include "govern/profile.h"
#include "http/public.h"

extern const char accord_icb_map[], accord_icb_map_end[]; /* assets.S */

enum { MOST_BOARDS = 400 };

struct board {
    const char *code, *label, *name, *region; /* of the map, or of the body where the map has none */
    int64_t column, row;                      /* 0 = nowhere on the map */
    const char *id;                           /* on the register; NULL = not yet */
    int64_t leads, needs, letters, late, answered, median_days;
};

struct boards {
    struct arena *arena;
    const char *today;
    struct board list[MOST_BOARDS];
    size_t n;
};

/* --- the map ------------------------------------------------------------------------------------------- */

static const char *text_at(struct boards *b, const struct slice *fields, int column)
{
    return arena_strndup(b->arena, fields[column].p ? fields[column].p : "", fields[column].n);
}

static enum status add_tile(struct boards *b, struct csv *csv, const struct slice *fields, struct err *e)
{
    static const char *const names[] = {"code", "label", "name", "region", "from", "to", "column", "row"};
    int at[8];
    enum status s = ST_OK;
    for (int i = 0; s == ST_OK && i < 8; i++)
        s = csv_need(csv, names[i], &at[i], e);
    if (s != ST_OK)
        return s;
    const char *from = text_at(b, fields, at[4]), *to = text_at(b, fields, at[5]);
    if (b->n == MOST_BOARDS || strcmp(from, b->today) > 0 || (*to && strcmp(to, b->today) < 0))
        return ST_OK;
    struct board *board = &b->list[b->n++];
    *board = (struct board){.code = text_at(b, fields, at[0]),
                            .label = text_at(b, fields, at[1]),
                            .name = text_at(b, fields, at[2]),
                            .region = text_at(b, fields, at[3])};
    s = csv_i64(csv, at[6], 0, &board->column, e);
    return s == ST_OK ? csv_i64(csv, at[7], 0, &board->row, e) : s;
}

static enum status read_map(struct boards *b, struct err *e)
{
    struct slice bytes = {accord_icb_map, (size_t)(accord_icb_map_end - accord_icb_map)};
    const struct slice *fields;
    struct csv *csv = NULL;
    while (bytes.n && *bytes.p == '#') {
        const char *end = memchr(bytes.p, '\n', bytes.n);
        size_t line = end ? (size_t)(end + 1 - bytes.p) : bytes.n;
        bytes = (struct slice){bytes.p + line, bytes.n - line};
    }
    enum status s = csv_open_memory(bytes, "icb-map.tsv", &csv, e);
    while (s == ST_OK && (s = csv_next(csv, &fields, e)) == ST_OK && fields)
        s = add_tile(b, csv, fields, e);
    csv_close(csv);
    return s;
}

/* --- the register -------------------------------------------------------------------------------------- */

static const char *keep(struct boards *b, const struct js *body, const char *member, const char *otherwise)
{
    const char *text = js_get_str(body, member);
    return text ? arena_strdup(b->arena, text) : otherwise;
}

static struct board *board_of(struct boards *b, const struct js *body)
{
    const char *ods = js_get_str(body, "ods");
    for (size_t i = 0; ods && i < b->n; i++)
        if (strcmp(b->list[i].code, ods) == 0)
            return &b->list[i];
    if (b->n == MOST_BOARDS)
        return NULL;
    struct board *board = &b->list[b->n++];
    *board = (struct board){.code = keep(b, body, "ods", ""), .label = "", .name = "", .region = ""};
    return board;
}

static void add_body(struct boards *b, const struct js *body)
{
    struct board *board = board_of(b, body);
    if (!board)
        return;
    board->id = keep(b, body, "id", "");
    board->name = keep(b, body, "name", board->name);
    board->region = keep(b, body, "region", board->region);
    if (!*board->label)
        board->label = board->name;
}

static struct board *by_id(struct boards *b, const char *id)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].id && strcmp(b->list[i].id, id) == 0)
            return &b->list[i];
    return NULL;
}

static size_t words_in(const char *text)
{
    size_t n = 0;
    for (; text && *text; n++) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return n;
}

static enum status add_bodies(struct boards *b, struct registry *r, struct err *e)
{
    struct registry_query q = {.noun = "body", .kind = "icb", .on = b->today};
    struct js *bodies = NULL;
    enum status s = registry_list(r, &q, &bodies, e);
    for (size_t i = 0; s == ST_OK && i < js_size(bodies); i++)
        add_body(b, js_at(bodies, i));
    js_free(bodies);
    return s;
}

static enum status add_answers(struct boards *b, struct registry *r, int32_t day, struct err *e)
{
    struct js *rows = NULL;
    enum status s = profile_leads(r, day, &rows, e);
    for (size_t i = 0; s == ST_OK && i < js_size(rows); i++) {
        const struct js *row = js_at(rows, i);
        struct board *board = by_id(b, js_get_str(row, "body"));
        if (!board)
            continue;
        board->leads = (int64_t)words_in(js_get_str(row, "leads"));
        board->answered = js_get_int(row, "answered", 0);
        board->median_days = js_get_int(row, "median_days", 0);
    }
    js_free(rows);
    return s;
}

static enum status count_needs(struct board *board, struct registry *r, struct err *e)
{
    struct registry_query q = {.noun = "signal", .body = board->id, .state = "published"};
    struct js *signals = NULL;
    enum status s = registry_list(r, &q, &signals, e);
    for (size_t i = 0; s == ST_OK && i < js_size(signals); i++) {
        const char *side = js_get_str(js_at(signals, i), "side");
        board->needs += side && strcmp(side, "need") == 0;
    }
    js_free(signals);
    return s;
}

static enum status count_letters(struct boards *b, struct board *board, struct registry *r, struct err *e)
{
    struct registry_query q = {.noun = "contact", .body = board->id, .state = "open"};
    struct js *letters = NULL;
    enum status s = registry_list(r, &q, &letters, e);
    board->letters = (int64_t)js_size(letters);
    for (size_t i = 0; s == ST_OK && i < js_size(letters); i++) {
        const char *due = js_get_str(js_at(letters, i), "due");
        board->late += due && strcmp(due, b->today) < 0;
    }
    js_free(letters);
    return s;
}

static enum status read_boards(struct boards *b, struct registry *r, struct err *e)
{
    int32_t day = (int32_t)(time_now_ms() / 86400000);
    char *today = arena_alloc(b->arena, 11);
    date_format(day, today);
    b->today = today;
    enum status s = read_map(b, e);
    if (s == ST_OK)
        s = add_bodies(b, r, e);
    if (s == ST_OK)
        s = add_answers(b, r, day, e);
    for (size_t i = 0; s == ST_OK && i < b->n; i++)
        if (b->list[i].id)
            s = count_needs(&b->list[i], r, e);
    for (size_t i = 0; s == ST_OK && i < b->n; i++)
        if (b->list[i].id)
            s = count_letters(b, &b->list[i], r, e);
    return s;
}

/* --- the page ------------------------------------------------------------------------------------------ */

static void write_tile(struct buf *out, const struct board *b)
{
    const char *state = !b->id ? "absent" : b->leads ? "led" : "vacant";
    html_add(out, "<li class=\"accord-tile accord-tile--%s accord-column-%ld accord-row-%ld\">", state,
             (long)b->column, (long)b->row);
    html_add(out, b->id ? "<a href=\"/bodies/%s\">" : "<a href=\"#board-%s\">", b->id ? b->id : b->code);
    html_add(out, "<strong>%s</strong> ", b->label);
    if (!b->id)
        buf_adds(out, "not here yet");
    else if (!b->leads)
        buf_adds(out, "vacant");
    else
        html_add(out, "%d lead%s", (int)b->leads, b->leads == 1 ? "" : "s");
    if (b->needs)
        html_add(out, ", %d need%s", (int)b->needs, b->needs == 1 ? "" : "s");
    html_add(out, "<span class=\"nhsuk-u-visually-hidden\">, %s</span></a></li>", b->name);
}

static void write_answers(struct buf *out, const struct board *b)
{
    if (b->answered)
        html_add(out, "%d working day%s", (int)b->median_days, b->median_days == 1 ? "" : "s");
}

static void write_letters(struct buf *out, const struct board *b)
{
    if (b->id)
        html_add(out, "%d", (int)b->letters);
    if (b->late)
        html_add(out, " <strong class=\"nhsuk-tag nhsuk-tag--red\">%d late</strong>", (int)b->late);
}

static void write_lead(struct buf *out, const struct board *b)
{
    if (!b->id)
        buf_adds(out, "<strong class=\"nhsuk-tag nhsuk-tag--grey\">not here yet</strong>");
    else if (b->leads)
        html_add(out, "%d lead%s", (int)b->leads, b->leads == 1 ? "" : "s");
    else
        buf_adds(out, "<strong class=\"nhsuk-tag nhsuk-tag--yellow\">vacant</strong>");
}

static void write_name(struct buf *out, const struct board *b)
{
    html_add(out,
             b->id ? "<a id=\"board-%s\" href=\"/bodies/%s\">%s</a>" : "<span id=\"board-%s\">%s%s</span>",
             *b->code ? b->code : b->id, b->id ? b->id : "", b->name);
}

static void write_row(struct buf *out, const struct html_column *columns, const struct board *b)
{
    static void (*const cells[])(struct buf *, const struct board *) = {
        write_name, NULL, write_lead, NULL, write_answers, write_letters};
    html_row_begin(out);
    for (size_t i = 0; columns[i].label; i++) {
        html_cell_begin(out, &columns[i]);
        if (cells[i])
            cells[i](out, b);
        else if (i == 1)
            html_add(out, "%s", b->region);
        else if (b->id)
            html_add(out, "%d", (int)b->needs);
        buf_adds(out, "</td>");
    }
    buf_adds(out, "</tr>");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct board *)a)->name, ((const struct board *)b)->name);
}

static void write_sum(struct buf *out, const struct boards *b)
{
    size_t led = 0, here = 0;
    for (size_t i = 0; i < b->n; i++) {
        here += b->list[i].id != NULL;
        led += b->list[i].leads > 0;
    }
    html_add(out, "<p>Of %d boards, %d %s a lead, %d %s vacant", (int)b->n, (int)led,
             led == 1 ? "has" : "have", (int)(here - led), here - led == 1 ? "is" : "are");
    if (here < b->n)
        html_add(out, " and %d %s not here yet", (int)(b->n - here), b->n - here == 1 ? "is" : "are");
    buf_adds(out, ". Whoever writes to a lead should have an answer within five working days.</p>");
}

static void write_boards(struct buf *out, struct boards *b)
{
    static const struct html_column columns[] = {{"Board", false},
                                                 {"Region", false},
                                                 {"Partnership lead", false},
                                                 {"Needs", true},
                                                 {"Answers in", false},
                                                 {"Letters waiting", true},
                                                 {0}};
    write_sum(out, b);
    buf_adds(out,
             "<h2>The map</h2><p class=\"nhsuk-body-s accord-map-note\">Every board is a tile of the same "
             "size, near its neighbours.</p><ul class=\"accord-map\">");
    for (size_t i = 0; i < b->n; i++)
        write_tile(out, &b->list[i]);
    buf_adds(out, "</ul><h2>The table</h2>");
    qsort(b->list, b->n, sizeof *b->list, by_name);
    html_table_begin(out, "Boards by name", columns);
    for (size_t i = 0; i < b->n; i++)
        write_row(out, columns, &b->list[i]);
    html_table_end(out);
}

enum status public_boards(struct call *c, struct err *e)
{
    struct public_page p;
    struct boards *b = xcalloc(1, sizeof *b);
    b->arena = c->request->arena;
    enum status s = public_begin(
        &p, c, "NHS boards and their leads",
        "Integrated care boards plan the health care of their areas. Each is to have "
        "one lead for partnerships, who publishes what the board needs and answers whoever writes. Here "
        "is who has one, what they need, and how long an answer takes.",
        e);
    if (s == ST_OK)
        s = read_boards(b, c->registry, e);
    if (s == ST_OK)
        write_boards(&p.out, b);
    free(b);
    return public_end(&p, s, "/api/v1/leads", e);
}
