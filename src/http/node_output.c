/* SPDX-License-Identifier: Apache-2.0
 * The page of a held output, for its checkers: what is at risk and why, beside what would leave. */
#include <stdlib.h>

#include "grid/node.h"
#include "http/figures.h"
#include "http/visit.h"

enum { MOST_CELLS = 500, MOST_GROUPS = 400 }; /* cells of a group; groups */

static const char *table_title(const struct js *view, const char *name)
{
    const struct js *tables = js_get(view, "tables");
    for (size_t i = 0; name && i < js_size(tables); i++)
        if (strcmp(js_get_str(js_at(tables, i), "name"), name) == 0)
            return js_get_str(js_at(tables, i), "title");
    return name;
}

/* --- cells, folded by table and reason ---------------------------------------------------------------- */

/* Cells of one table that one reason hides, or its safe ones, those with a flag apart. */
struct group {
    const char *table, *verdict, *why; /* borrowed from the first of them */
    const struct js *first;
    size_t n;
};
struct groups {
    struct group list[MOST_GROUPS];
    size_t n;
};

static const char *text_of(const struct js *cell, const char *member)
{
    const char *text = js_get_str(cell, member);
    return text ? text : "";
}

static const char *why_of(const struct js *cell)
{
    return js_get_str(cell, "flag") ? text_of(cell, "flag") : text_of(cell, "reason");
}

static bool is_of(const struct js *cell, const struct group *g)
{
    return strcmp(text_of(cell, "table"), g->table) == 0 &&
           strcmp(text_of(cell, "verdict"), g->verdict) == 0 && strcmp(why_of(cell), g->why) == 0;
}

static struct group *group_of(struct groups *all, const struct js *cell)
{
    for (size_t i = all->n; i-- > 0;)
        if (is_of(cell, &all->list[i]))
            return &all->list[i];
    if (all->n == MOST_GROUPS)
        return &all->list[MOST_GROUPS - 1];
    all->list[all->n] =
        (struct group){text_of(cell, "table"), text_of(cell, "verdict"), why_of(cell), cell, 0};
    return &all->list[all->n++];
}

static void add_number(struct buf *out, const struct js *j)
{
    int64_t whole;
    if (js_is_number(j))
        html_figure(out, js_num(j));
    else if (js_str(j) && parse_i64(slice_of(js_str(j)), &whole))
        html_number(out, whole);
    else
        html_add(out, "%s", js_str(j));
}

static void cell_row(struct buf *out, const struct html_column *columns, const struct js *cell)
{
    html_row_begin(out);
    html_cell_begin(out, &columns[0]);
    html_add(out, "%s</td>", text_of(cell, "place"));
    html_cell_begin(out, &columns[1]);
    add_number(out, js_get(cell, "value"));
    buf_adds(out, "</td>");
    html_cell_begin(out, &columns[2]);
    buf_adds(out, "<span class=\"accord-seen\">");
    add_number(out, js_get(cell, "seen"));
    buf_adds(out, "</span></td></tr>");
}

/* "At risk: 71 of Persons of copd: fewer persons than the minimum (rule minimum 10)". */
static void write_summary(struct buf *out, const struct js *view, const struct group *g)
{
    static const char *const marks[][3] = {{"primary", "red", "at risk"},
                                           {"secondary", "orange", "protects another"},
                                           {"safe", "green", "safe"},
                                           {"absent", "grey", "no estimate"}};
    const char *flag = js_get_str(g->first, "flag");
    const char *rule = js_get_str(g->first, "rule"), *meaning = js_get_str(g->first, "meaning");
    html_details_begin(out, NULL);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i][0], g->verdict) == 0)
            html_add(out, "<strong class=\"nhsuk-tag nhsuk-tag--%s\">%s</strong> ", marks[i][1], marks[i][2]);
    if (flag)
        html_add(out, "<strong class=\"nhsuk-tag nhsuk-tag--yellow\">%s</strong> ", flag);
    html_number(out, (int64_t)g->n);
    buf_adds(out, " of ");
    html_result_title(out, table_title(view, g->table));
    if (meaning)
        html_add(out, ": %s", meaning);
    if (meaning && rule) {
        buf_adds(out, " (rule ");
        html_words(out, rule);
        html_add(out, " %ld)", (long)js_get_int(g->first, "limit", 0));
    }
    html_details_inside(out);
}

static void write_group(struct buf *out, const struct js *view, const struct group *g)
{
    static const struct html_column columns[] = {
        {"Cell", false}, {"Number here", true}, {"Requester will see", true}, {0}};
    const struct js *cells = js_get(view, "cells");
    size_t n = 0;
    write_summary(out, view, g);
    html_table_begin(out, "Number by number", columns);
    for (size_t i = 0; i < js_size(cells) && n < MOST_CELLS; i++)
        if (is_of(js_at(cells, i), g)) {
            cell_row(out, columns, js_at(cells, i));
            n++;
        }
    html_table_end(out);
    if (g->n > MOST_CELLS)
        html_add(out, "<p>The first %d of %d; 'accord node output check' lists them all.</p>", MOST_CELLS,
                 (int)g->n);
    html_details_end(out);
}

/* Counts first; each group of numbers on demand, those at risk before all others. */
static void write_cells(struct buf *out, const struct js *view)
{
    const struct js *cells = js_get(view, "cells");
    struct groups *all = xcalloc(1, sizeof *all);
    const char *before = "primary";
    for (size_t i = 0; i < js_size(cells); i++)
        group_of(all, js_at(cells, i))->n++;
    buf_adds(out, "<h2>What is hidden, and why</h2>");
    for (size_t i = 0; i < all->n; i++) {
        const char *verdict = all->list[i].verdict;
        if (strcmp(verdict, before) != 0 && strcmp(verdict, "secondary") != 0)
            html_add(out, "<h2>%s</h2>",
                     strcmp(verdict, "safe") == 0 ? "What is safe" : "What has no estimate");
        before = verdict;
        write_group(out, view, &all->list[i]);
    }
    free(all);
}

/* --- the page ------------------------------------------------------------------------------------------ */

static void add_withheld(struct buf *out, const struct js *tables)
{
    for (size_t i = 0; i < js_size(tables); i++) {
        const struct js *t = js_at(tables, i);
        if (!js_get_str(t, "withheld"))
            continue;
        view_row_begin(out, "Withheld table");
        html_add(out, "%s: %s (%s)</dd></div>", js_get_str(t, "name"), js_get_str(t, "withheld"),
                 js_get_str(t, "meaning"));
    }
}

static void add_texts(struct buf *out, const struct js *texts)
{
    for (size_t i = 0; i < js_size(texts); i++) {
        const struct js *t = js_at(texts, i);
        view_row_begin(out, "Text to read");
        html_add(out, "%s: looks like %s</dd></div>", js_get_str(t, "text"), js_get_str(t, "like"));
    }
}

static void add_summary(struct buf *out, const struct js *view, const struct js *listed)
{
    const struct js *context = js_get(view, "context"), *policy = js_get(view, "policy");
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    view_row(out, "Agreement", js_get_str(context, "agreement"));
    view_row_begin(out, "Sites in it");
    view_names(out, js_get(context, "sites"));
    buf_adds(out, "</dd></div>");
    view_row_begin(out, "Disclosure rules");
    html_add(out, "%s: fewer than %ld persons are hidden; rounding %s, base %ld</dd></div>",
             js_get_str(policy, "name"), (long)js_get_int(policy, "minimum", 0),
             js_get_str(policy, "rounding"), (long)js_get_int(policy, "base", 0));
    view_row_begin(out, "Numbers");
    html_add(out,
             "%ld at risk and hidden; %ld hidden to protect those; %ld without an estimate; %ld "
             "safe</dd></div>",
             (long)js_get_int(view, "primary", 0), (long)js_get_int(view, "secondary", 0),
             (long)js_get_int(view, "absent", 0), (long)js_get_int(view, "safe", 0));
    add_withheld(out, js_get(view, "tables"));
    add_texts(out, js_get(view, "texts"));
    view_row_begin(out, "Approvals");
    html_add(out, "%s of 2, by two different people of no party to the agreement</dd></div></dl>",
             js_get_str(listed, "approvals"));
}

/* Totals that, beside an earlier output over other sites, single out a few persons of those. */
static void add_differencing(struct buf *out, const struct js *view)
{
    static const struct html_column columns[] = {
        {"Cell", false}, {"Table", false}, {"Earlier output", false}, {0}};
    const struct js *found = js_get(view, "differencing");
    if (!js_size(found))
        return;
    html_table_begin(
        out, "Beside an earlier output over other sites, these tell of a few persons at the sites between",
        columns);
    for (size_t i = 0; i < js_size(found); i++) {
        const struct js *one = js_at(found, i);
        const char *const texts[] = {js_get_str(one, "place"), table_title(view, js_get_str(one, "table")),
                                     js_get_str(one, "earlier")};
        html_row_begin(out);
        for (int k = 0; k < 3; k++) {
            html_cell_begin(out, &columns[k]);
            html_add(out, "%s</td>", texts[k]);
        }
        buf_adds(out, "</tr>");
    }
    html_table_end(out);
}

static void add_tables(struct visit *v, const struct released *r)
{
    struct buf *out = &v->response->body;
    char *folder = xasprintf("/outputs/%s/pictures", v->id);
    buf_adds(out, "<h2>What the requester will see</h2>");
    for (uint32_t i = 0; i < released_n_tables(r); i++)
        figure_write(out, r, i, folder, true);
    free(folder);
}

/* Has this account's key approved before? */
static enum status has_approved(struct visit *v, const struct js *listed, bool *out, struct err *e)
{
    struct identity *id = NULL;
    char key[2 * SIGN_PUBLIC_BYTES + 1];
    const char *approvers = js_get_str(listed, "approvers");
    enum status s = account_identity(v->pages->accounts, v->who.person, &id, e);
    *out = false;
    if (s == ST_OK) {
        hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, key);
        *out = approvers && strstr(approvers, key);
    }
    identity_free(id);
    return s;
}

static void decide_on_output(struct visit *v, bool approved)
{
    struct arena *a = v->request->arena;
    struct buf *out = &v->response->body;
    buf_adds(out, "<h2>Your verdict</h2>");
    if (approved) {
        buf_adds(out, "<div class=\"nhsuk-inset-text\"><p>You have approved this output. A second, different "
                      "checker must approve it before it is released.</p></div>");
    } else {
        view_form_begin(v, arena_printf(a, "/outputs/%s/approve", v->id));
        buf_adds(out,
                 "<p>You sign the hash of exactly these tables with your own key. When the second checker "
                 "approves, they become public at once.</p>");
        view_form_end(v, "Approve", "");
    }
    view_form_begin(v, arena_printf(a, "/outputs/%s/return", v->id));
    view_reason(v, "Or return it, and say why",
                "Nothing is released. The reason goes to the public log: no numbers, no patient details.");
    view_form_end(v, "Return", " nhsuk-button--secondary");
}

static const struct js *find_listed(const struct js *outputs, const char *id)
{
    for (size_t i = 0; i < js_size(outputs); i++)
        if (strcmp(js_get_str(js_at(outputs, i), "id"), id) == 0)
            return js_at(outputs, i);
    return NULL;
}

static enum status held_output(struct visit *v, const struct js *listed, const struct js *view, struct err *e)
{
    struct js *document = NULL;
    struct released *r = NULL;
    struct buf *out = &v->response->body;
    bool approved = false;
    enum status s = node_output(v->pages->data, v->id, &document, e);
    if (s == ST_OK)
        s = released_from_json(document, &r, e);
    if (s == ST_OK)
        s = has_approved(v, listed, &approved, e);
    if (s == ST_OK) {
        add_summary(out, view, listed);
        add_differencing(out, view);
        write_cells(out, view);
        add_tables(v, r);
        decide_on_output(v, approved);
    }
    released_free(r);
    js_free(document);
    return s;
}

enum status view_output(struct visit *v, struct err *e)
{
    struct js *outputs = NULL, *view = NULL;
    /* Read first: the node may release the output while this page is made. */
    enum status s = node_output_checks(v->pages->data, v->id, &view, e);
    if (s == ST_OK || s == ST_NOT_FOUND)
        s = node_outputs(v->pages->data, &outputs, e);
    const struct js *listed = s == ST_OK ? find_listed(outputs, v->id) : NULL;
    if (s == ST_OK && !listed)
        s = err_set(e, ST_NOT_FOUND, "this node holds no output of this name");
    if (s == ST_OK) {
        bool held = view != NULL;
        struct html_frame f = view_frame(v, js_get_str(listed, "title"));
        view_begin(
            v, &f,
            held ? "Nobody beyond this site can see this output yet. Look at each number that is at risk and "
                   "at what would leave, then approve it or return it."
                 : "This output is decided; what was worked out only for its checkers is deleted.");
        if (held) {
            s = held_output(v, listed, view, e);
        } else {
            buf_adds(&v->response->body, "<p>");
            html_state(&v->response->body, js_get_str(listed, "state"));
            html_add(&v->response->body, " %s</p>", js_get_str(listed, "why"));
        }
        if (s == ST_OK)
            s = view_end(v, &f);
    }
    js_free(view);
    js_free(outputs);
    return s;
}

enum status view_picture(struct visit *v, struct err *e)
{
    struct js *document = NULL;
    struct released *r = NULL;
    const char *name = strrchr(v->request->path, '/') + 1;
    enum status s = node_output(v->pages->data, v->id, &document, e);
    if (s == ST_OK)
        s = released_from_json(document, &r, e);
    struct picture_source source = {.result = v->id};
    if (s == ST_OK)
        s = figure_file(r, name, &source, &v->response->body, &v->response->type, e);
    released_free(r);
    js_free(document);
    return s;
}
