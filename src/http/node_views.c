/* SPDX-License-Identifier: Apache-2.0
 * The node's pages as HTML; what they do is in node_pages.c. */
#include <stdlib.h>

#include "cohort/cohort.h"
#include "grid/node.h"
#include "http/figures.h"
#include "http/visit.h"
#include "study/analysis.h"

enum { MOST_CELLS = 500, MEANING_MOST = 1 << 20, PICTURE_MOST = 8 << 20 };

static const struct html_link menu[] = {{"/", "Waiting for you"}, {"/stop", "Stop everything"}, {0}};
static const struct html_link checkers_menu[] = {{"/", "Waiting for you"}, {0}};

/* --- parts of pages ------------------------------------------------------------------------------------ */

static struct html_frame frame_of(const struct visit *v, const char *title)
{
    bool in = v->who.person[0];
    return (struct html_frame){
        .title = title,
        .name = "Accord node",
        .menu = !in                          ? NULL
                : visit_may(v, "controller") ? menu
                                             : checkers_menu,
        .path = v->request->path,
        .foot =
            "This page is of your site's own node. Patient data and unreleased numbers stay at this site.",
    };
}

static void begin(struct visit *v, const struct html_frame *f, const char *lead)
{
    struct buf *out = &v->response->body;
    html_begin(f, out);
    if (v->fault)
        html_add(out,
                 "<div class=\"nhsuk-error-summary\" role=\"alert\"><h2 "
                 "class=\"nhsuk-error-summary__title\">That was not done</h2><p>%s</p></div>",
                 v->fault->text);
    html_add(out, "<h1>%s</h1><p class=\"nhsuk-lede-text\">%s</p>", f->title, lead);
}

static void begin_form(struct visit *v, const char *action)
{
    html_add(&v->response->body,
             "<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"csrf\" value=\"%s\">", action,
             v->csrf);
}

static void end_form(struct visit *v, const char *button, const char *kind)
{
    html_add(&v->response->body, "<button class=\"nhsuk-button%s\">%s</button></form>", kind, button);
}

static void reason_field(struct visit *v, const char *label, const char *hint)
{
    html_add(&v->response->body,
             "<div class=\"nhsuk-form-group\"><label class=\"nhsuk-label\" for=\"reason\">%s</label>"
             "<div class=\"nhsuk-hint\" id=\"reason-hint\">%s</div><textarea class=\"nhsuk-textarea\" "
             "id=\"reason\" name=\"reason\" rows=\"3\" required aria-describedby=\"reason-hint\"></textarea>"
             "</div>",
             label, hint);
}

static enum status end(struct visit *v, const struct html_frame *f)
{
    struct buf *out = &v->response->body;
    if (v->who.person[0]) {
        html_add(out, "<div class=\"accord-signed\"><p>You are signed in as %s.</p>", v->who.person);
        begin_form(v, "/sign-out");
        end_form(v, "Sign out", " nhsuk-button--secondary nhsuk-button--small");
        buf_adds(out, "</div>");
    }
    html_end(f, out);
    if (!v->response->code)
        v->response->code = 200;
    v->response->type = "text/html; charset=utf-8";
    response_header(v->response, "Content-Security-Policy", html_policy);
    return ST_OK;
}

static void row_begin(struct buf *out, const char *key)
{
    html_add(out,
             "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">%s</dt><dd "
             "class=\"nhsuk-summary-list__value\">",
             key);
}

static void row_text(struct buf *out, const char *key, const char *text)
{
    row_begin(out, key);
    html_add(out, "%s</dd></div>", text);
}

static void add_names(struct buf *out, const struct js *names)
{
    for (size_t i = 0; i < js_size(names); i++)
        html_add(out, "%s%s", i ? ", " : "", js_str(js_at(names, i)));
}

void view_fault(struct visit *v, const struct err *fault)
{
    struct html_frame f = frame_of(v, "That cannot be shown");
    begin(v, &f, fault->text);
    buf_adds(&v->response->body, "<p><a href=\"/\">What is waiting for you</a></p>");
    (void)end(v, &f);
}

/* --- signing in ---------------------------------------------------------------------------------------- */

static void field(struct buf *out, const char *name, const char *label, const char *type, const char *more)
{
    html_add(out,
             "<div class=\"nhsuk-form-group\"><label class=\"nhsuk-label\" for=\"%s\">%s</label><input "
             "class=\"nhsuk-input nhsuk-input--width-20\" id=\"%s\" name=\"%s\" type=\"%s\" required ",
             name, label, name, name, type);
    buf_adds(out, more);
    buf_adds(out, "></div>");
}

enum status view_sign_in(struct visit *v, struct err *e)
{
    (void)e;
    struct buf *out = &v->response->body;
    struct html_frame f = frame_of(v, "Sign in at this node");
    begin(v, &f,
          "Here people of this site let studies run, check outputs before anything leaves, and can stop "
          "everything. The node's operator makes accounts.");
    buf_adds(out, "<form method=\"post\" action=\"/sign-in\">");
    field(out, "person", "Name of your account", "text",
          "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\"");
    field(out, "password", "Password", "password", "autocomplete=\"current-password\"");
    field(out, "code", "Six digits from your authenticator app", "text",
          "autocomplete=\"one-time-code\" inputmode=\"numeric\" maxlength=\"6\"");
    end_form(v, "Sign in", "");
    return end(v, &f);
}

/* --- what is waiting ----------------------------------------------------------------------------------- */

static void begin_table(struct buf *out, const char *caption, const char *const *heads)
{
    html_add(out,
             "<div class=\"accord-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table "
             "class=\"nhsuk-table\"><caption class=\"nhsuk-table__caption nhsuk-table__caption--m\">%s"
             "</caption><thead><tr>",
             caption, caption);
    for (; *heads; heads++)
        html_add(out, "<th scope=\"col\">%s</th>", *heads);
    buf_adds(out, "</tr></thead><tbody>");
}

static bool is_state(const struct js *o, const char *state)
{
    const char *now = js_get_str(o, "state");
    return now && strcmp(now, state) == 0;
}

/* Rows in the state, or in any other; how many. */
static size_t run_rows(struct buf *out, const struct js *runs, bool asking)
{
    size_t n = 0;
    for (size_t i = 0; i < js_size(runs); i++) {
        const struct js *r = js_at(runs, i);
        const char *id = js_get_str(r, "run"), *title = js_get_str(r, "title");
        if (is_state(r, "asking") != asking)
            continue;
        n++;
        html_add(out, "<tr><td><a href=\"/runs/%s\">%s</a> (%s)</td><td>%s</td><td>", id,
                 title && *title ? title : "refused unseen", id, js_get_str(r, "agreement"));
        html_state(out, js_get_str(r, "state"));
        html_add(out, "</td><td>%s</td></tr>", js_get_str(r, "why"));
    }
    return n;
}

static size_t output_rows(struct buf *out, const struct js *outputs, bool held, bool linked)
{
    size_t n = 0;
    for (size_t i = 0; i < js_size(outputs); i++) {
        const struct js *o = js_at(outputs, i);
        const char *id = js_get_str(o, "id"), *title = js_get_str(o, "title");
        if (is_state(o, "held") != held)
            continue;
        n++;
        html_add(out, linked ? "<tr><td><a href=\"/outputs/%s\">%s</a></td><td>" : "<tr><td>%s: %s</td><td>",
                 id, title);
        html_state(out, js_get_str(o, "state"));
        html_add(out, "</td><td>%s of 2</td><td>", js_get_str(o, "approvals"));
        html_time(out, js_get_str(o, "made"));
        html_add(out, "</td><td>%s</td></tr>", js_get_str(o, "why"));
    }
    return n;
}

static void none_when(struct buf *out, size_t n, int columns, const char *text)
{
    if (!n)
        html_add(out, "<tr><td colspan=\"%d\">%s</td></tr>", columns, text);
    buf_adds(out, "</tbody></table></div>");
}

static void halted_banner(struct buf *out, const char *reason)
{
    if (reason && *reason)
        html_add(out,
                 "<div class=\"nhsuk-inset-text\"><p><strong>Everything is stopped at this site.</strong> "
                 "New runs are refused. Reason given: %s</p></div>",
                 reason);
}

static void home_tables(struct visit *v, const struct js *runs, const struct js *outputs)
{
    static const char *const run_heads[] = {"Study", "Agreement", "State here", "Why", NULL};
    static const char *const output_heads[] = {"Output", "State", "Approvals", "Made", "Why", NULL};
    struct buf *out = &v->response->body;
    bool checker = visit_may(v, "checker");
    begin_table(out, "Runs that wait to be admitted", run_heads);
    none_when(out, run_rows(out, runs, true), 4, "No run is waiting.");
    begin_table(out, "Outputs held here, waiting for two checkers", output_heads);
    none_when(out, output_rows(out, outputs, true, checker), 5, "No output is held.");
    begin_table(out, "Runs before", run_heads);
    none_when(out, run_rows(out, runs, false), 4, "There was none.");
    begin_table(out, "Outputs decided", output_heads);
    none_when(out, output_rows(out, outputs, false, false), 5, "There was none.");
}

enum status view_home(struct visit *v, struct err *e)
{
    struct js *status = NULL, *runs = NULL, *outputs = NULL;
    struct buf *out = &v->response->body;
    enum status s = node_status(v->pages->data, &status, e);
    if (s == ST_OK)
        s = node_runs(v->pages->data, &runs, e);
    if (s == ST_OK)
        s = node_outputs(v->pages->data, &outputs, e);
    if (s == ST_OK) {
        struct html_frame f = frame_of(v, "Waiting for you");
        begin(v, &f,
              "Studies that ask to run on this site's data, and outputs that two people must check "
              "before anybody else can see them.");
        html_add(out, "<p>This is the node of <strong>%s</strong>, at the hub %s.</p>",
                 js_get_str(status, "body"), js_get_str(status, "hub_url"));
        halted_banner(out, js_get_str(status, "halted"));
        home_tables(v, runs, outputs);
        s = end(v, &f);
    }
    js_free(status);
    js_free(runs);
    js_free(outputs);
    return s;
}

/* --- one run ------------------------------------------------------------------------------------------- */

static void add_cohorts(struct buf *out, const struct js *cohorts)
{
    for (size_t i = 0; i < js_size(cohorts); i++) {
        struct cohort_definition *d = NULL;
        struct err ignored;
        struct buf text;
        buf_init(&text, MEANING_MOST);
        html_add(out, "<h3>%s</h3>", js_get_str(js_at(cohorts, i), "name"));
        if (cohort_parse(js_get(js_at(cohorts, i), "definition"), &d, &ignored) == ST_OK) {
            cohort_describe(d, &text);
            html_add(out, "<pre class=\"accord-meaning\">%s</pre>", text.p);
        }
        cohort_definition_free(d);
        buf_deinit(&text);
    }
}

static void add_analyses(struct buf *out, const struct js *list)
{
    buf_adds(out, "<ul>");
    for (size_t i = 0; i < js_size(list); i++) {
        const char *kind = js_get_str(js_at(list, i), "kind");
        const struct analysis *a = kind ? analysis_find(kind) : NULL;
        html_add(out, "<li><strong>%s</strong>: %s</li>", js_get_str(js_at(list, i), "name"),
                 a ? a->summary : kind);
    }
    buf_adds(out, "</ul>");
}

static void add_request(struct buf *out, const struct js *run)
{
    const struct js *request = js_get(run, "request"), *terms = js_get(run, "terms");
    const struct js *body = js_get(request, "body"), *study = js_get(body, "study");
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    row_begin(out, "State at this site");
    html_state(out, js_get_str(run, "state"));
    buf_adds(out, "</dd></div>");
    row_text(out, "Agreement", js_get_str(terms, "agreement"));
    row_text(out, "For the decision", js_get_str(body, "decision"));
    row_begin(out, "Sites that take part");
    add_names(out, js_get(terms, "sites"));
    buf_adds(out, "</dd></div>");
    row_text(out, "Lead site, where the output is held", js_get_str(terms, "lead_site"));
    row_text(out, "Disclosure rules", js_get_str(js_get(terms, "policy"), "name"));
    row_begin(out, "Asked");
    html_time(out, js_get_str(request, "time"));
    html_add(out, "</dd></div>");
    row_text(out, "Analyst's key", js_get_str(request, "actor"));
    buf_adds(out, "</dl><p class=\"nhsuk-body-s\">The node has checked for itself that the agreement is in "
                  "force, and the analyst's key, grant, interests and training.</p>"
                  "<h2>Who is counted</h2>");
    add_cohorts(out, js_get(study, "cohorts"));
    buf_adds(out, "<h2>What is worked out</h2>");
    add_analyses(out, js_get(study, "analyses"));
    buf_adds(out, "<p>This site sends sums only, masked so that nobody can read this site's part.</p>");
}

static void decide_on_run(struct visit *v)
{
    struct arena *a = v->request->arena;
    buf_adds(&v->response->body, "<h2>Your decision</h2>");
    begin_form(v, arena_printf(a, "/runs/%s/admit", v->id));
    end_form(v, "Let it run here", "");
    begin_form(v, arena_printf(a, "/runs/%s/refuse", v->id));
    reason_field(v, "Or refuse it, and say why", "The reason goes to the public log. No patient details.");
    end_form(v, "Refuse", " nhsuk-button--secondary");
}

enum status view_run(struct visit *v, struct err *e)
{
    struct js *run = NULL;
    enum status s = node_run_show(v->pages->data, v->id, &run, e);
    if (s != ST_OK)
        return s;
    const char *title = js_get_str(js_get(js_get(js_get(run, "request"), "body"), "study"), "title");
    struct html_frame f = frame_of(v, title ? title : v->id);
    begin(v, &f, "A study that asks to run on this site's data. Below is exactly what is asked.");
    if (js_get(run, "request"))
        add_request(&v->response->body, run);
    else
        buf_adds(&v->response->body, "<p>This run was refused before its study was kept here.</p>");
    if (is_state(run, "asking") && visit_may(v, "controller"))
        decide_on_run(v);
    s = end(v, &f);
    js_free(run);
    return s;
}

/* --- one output ---------------------------------------------------------------------------------------- */

static bool is_verdict(const struct js *cell, const char *verdict)
{
    const char *is = js_get_str(cell, "verdict");
    return is && strcmp(is, verdict) == 0;
}

static const char *table_title(const struct js *view, const char *name)
{
    const struct js *tables = js_get(view, "tables");
    for (size_t i = 0; name && i < js_size(tables); i++)
        if (strcmp(js_get_str(js_at(tables, i), "name"), name) == 0)
            return js_get_str(js_at(tables, i), "title");
    return name;
}

static void add_why(struct buf *out, const struct js *cell)
{
    bool primary = is_verdict(cell, "primary"), absent = is_verdict(cell, "absent");
    html_add(out, "<strong class=\"nhsuk-tag nhsuk-tag--%s\">%s</strong> %s",
             primary  ? "red"
             : absent ? "grey"
                      : "orange",
             primary  ? "at risk"
             : absent ? "no estimate"
                      : "protects another",
             js_get_str(cell, "meaning"));
    const char *rule = js_get_str(cell, "rule");
    if (rule) {
        html_add(out, " (rule ");
        html_words(out, rule);
        html_add(out, " %ld)", (long)js_get_int(cell, "limit", 0));
    }
}

static void add_number(struct buf *out, const struct js *j)
{
    char text[32];
    if (!js_is_number(j))
        return;
    released_format(js_num(j), text);
    buf_adds(out, text);
}

static void cell_row(struct buf *out, const struct js *view, const struct js *cell)
{
    html_add(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"nhsuk-table__cell--numeric\">",
             js_get_str(cell, "place"), table_title(view, js_get_str(cell, "table")));
    add_number(out, js_get(cell, "value"));
    html_add(out, "</td><td class=\"nhsuk-table__cell--numeric accord-seen\">%s</td><td>",
             js_get_str(cell, "seen"));
    if (!is_verdict(cell, "safe"))
        add_why(out, cell);
    else if (js_get_str(cell, "flag"))
        html_add(out, "<strong class=\"nhsuk-tag nhsuk-tag--yellow\">%s</strong>", js_get_str(cell, "flag"));
    buf_adds(out, "</td></tr>");
}

/* The cells that are safe, or those that are not. */
static void cell_table(struct buf *out, const struct js *view, bool safe, const char *caption)
{
    static const char *const heads[] = {"Cell", "Table", "Number here", "Requester will see", "Why", NULL};
    const struct js *cells = js_get(view, "cells");
    size_t n = 0;
    begin_table(out, caption, heads);
    for (size_t i = 0; i < js_size(cells); i++)
        if (is_verdict(js_at(cells, i), "safe") == safe && n++ < MOST_CELLS)
            cell_row(out, view, js_at(cells, i));
    none_when(out, n, 5, "There is none.");
    if (n > MOST_CELLS)
        html_add(out, "<p>The first %d of %d; 'accord node output check' lists them all.</p>", MOST_CELLS,
                 (int)n);
}

static void add_withheld(struct buf *out, const struct js *tables)
{
    for (size_t i = 0; i < js_size(tables); i++) {
        const struct js *t = js_at(tables, i);
        if (!js_get_str(t, "withheld"))
            continue;
        row_begin(out, "Withheld table");
        html_add(out, "%s: %s (%s)</dd></div>", js_get_str(t, "name"), js_get_str(t, "withheld"),
                 js_get_str(t, "meaning"));
    }
}

static void add_texts(struct buf *out, const struct js *texts)
{
    for (size_t i = 0; i < js_size(texts); i++) {
        const struct js *t = js_at(texts, i);
        row_begin(out, "Text to read");
        html_add(out, "%s: looks like %s</dd></div>", js_get_str(t, "text"), js_get_str(t, "like"));
    }
}

static void add_summary(struct buf *out, const struct js *view, const struct js *listed)
{
    const struct js *context = js_get(view, "context"), *policy = js_get(view, "policy");
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    row_text(out, "Agreement", js_get_str(context, "agreement"));
    row_begin(out, "Sites in it");
    add_names(out, js_get(context, "sites"));
    buf_adds(out, "</dd></div>");
    row_begin(out, "Disclosure rules");
    html_add(out, "%s: fewer than %ld persons are hidden; rounding %s, base %ld</dd></div>",
             js_get_str(policy, "name"), (long)js_get_int(policy, "minimum", 0),
             js_get_str(policy, "rounding"), (long)js_get_int(policy, "base", 0));
    row_begin(out, "Cells");
    html_add(out,
             "%ld at risk and hidden; %ld hidden to protect those; %ld without an estimate; %ld "
             "safe</dd></div>",
             (long)js_get_int(view, "primary", 0), (long)js_get_int(view, "secondary", 0),
             (long)js_get_int(view, "absent", 0), (long)js_get_int(view, "safe", 0));
    add_withheld(out, js_get(view, "tables"));
    add_texts(out, js_get(view, "texts"));
    row_begin(out, "Approvals");
    html_add(out, "%s of 2, by two different people of no party to the agreement</dd></div></dl>",
             js_get_str(listed, "approvals"));
}

/* Totals that, beside an earlier output over other sites, single out a few persons of those. */
static void add_differencing(struct buf *out, const struct js *view)
{
    static const char *const heads[] = {"Cell", "Table", "Earlier output", NULL};
    const struct js *found = js_get(view, "differencing");
    if (!js_size(found))
        return;
    begin_table(out,
                "Beside an earlier output over other sites, these tell of a few persons at the sites between",
                heads);
    for (size_t i = 0; i < js_size(found); i++)
        html_add(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td></tr>",
                 js_get_str(js_at(found, i), "place"),
                 table_title(view, js_get_str(js_at(found, i), "table")),
                 js_get_str(js_at(found, i), "earlier"));
    none_when(out, js_size(found), 3, "");
}

static void add_tables(struct visit *v, const struct released *r)
{
    struct buf *out = &v->response->body;
    char *folder = xasprintf("/outputs/%s/pictures", v->id);
    buf_adds(out, "<h2>What the requester will see</h2>");
    for (uint32_t i = 0; i < released_n_tables(r); i++)
        figure_write(out, r, i, folder, false);
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
        begin_form(v, arena_printf(a, "/outputs/%s/approve", v->id));
        buf_adds(out,
                 "<p>You sign the hash of exactly these tables with your own key. When the second checker "
                 "approves, they become public at once.</p>");
        end_form(v, "Approve", "");
    }
    begin_form(v, arena_printf(a, "/outputs/%s/return", v->id));
    reason_field(v, "Or return it, and say why",
                 "Nothing is released. The reason goes to the public log: no numbers, no patient details.");
    end_form(v, "Return", " nhsuk-button--secondary");
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
        cell_table(out, view, false, "Numbers that are hidden, beside what the requester will see");
        buf_adds(out, "<details class=\"nhsuk-details\"><summary class=\"nhsuk-details__summary\"><span "
                      "class=\"nhsuk-details__summary-text\">Numbers that are safe</span></summary>"
                      "<div class=\"nhsuk-details__text\">");
        cell_table(out, view, true, "Numbers that are safe, beside what the requester will see");
        buf_adds(out, "</div></details>");
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
        struct html_frame f = frame_of(v, js_get_str(listed, "title"));
        begin(
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
            s = end(v, &f);
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

/* --- stop everything ----------------------------------------------------------------------------------- */

enum status view_stop(struct visit *v, struct err *e)
{
    struct js *status = NULL;
    struct buf *out = &v->response->body;
    enum status s = node_status(v->pages->data, &status, e);
    if (s != ST_OK)
        return s;
    const char *halted = js_get_str(status, "halted");
    struct html_frame f = frame_of(v, "Stop everything");
    begin(
        v, &f,
        "Stops every study at this site at once: runs under way are declined, held outputs are not released, "
        "and new runs are refused until somebody here resumes.");
    if (halted && *halted) {
        halted_banner(out, halted);
        begin_form(v, "/resume");
        end_form(v, "Take runs again", "");
    } else {
        buf_adds(out,
                 "<p>Sums that this site has sent already cannot be called back from here. To end a study "
                 "everywhere, the controller revokes the agreement on the register.</p>");
        begin_form(v, "/stop");
        reason_field(v, "Why", "The reason goes to the public log. No patient details.");
        end_form(v, "Stop everything now", " nhsuk-button--warning");
    }
    s = end(v, &f);
    js_free(status);
    return s;
}
