/* SPDX-License-Identifier: Apache-2.0
 * The node's pages as HTML: signing in, what is waiting, one run, stopping everything. What they do is in
 * node_pages.c; a held output's page is in node_output.c. */
#include "cohort/cohort.h"
#include "grid/node.h"
#include "http/visit.h"
#include "study/analysis.h"

enum { MEANING_MOST = 1 << 20 };

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
    struct html_frame f = view_frame(v, "Sign in at this node");
    view_begin(v, &f,
               "Here people of this site let studies run, check outputs before anything leaves, and can stop "
               "everything. The node's operator makes accounts.");
    buf_adds(out, "<form method=\"post\" action=\"/sign-in\">");
    field(out, "person", "Name of your account", "text",
          "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\"");
    field(out, "password", "Password", "password", "autocomplete=\"current-password\"");
    field(out, "code", "Six digits from your authenticator app", "text",
          "autocomplete=\"one-time-code\" inputmode=\"numeric\" maxlength=\"6\"");
    view_form_end(v, "Sign in", "");
    return view_end(v, &f);
}

/* --- what is waiting ----------------------------------------------------------------------------------- */

static void run_row(struct buf *out, const struct html_column *columns, const struct js *r, bool linked)
{
    const char *id = js_get_str(r, "run"), *title = js_get_str(r, "title");
    (void)linked;
    html_row_begin(out);
    html_cell_begin(out, &columns[0]);
    html_add(out, "<span><a href=\"/runs/%s\">%s</a> (%s)</span></td>", id,
             title && *title ? title : "refused unseen", id);
    html_cell_begin(out, &columns[1]);
    html_add(out, "%s</td>", js_get_str(r, "agreement"));
    html_cell_begin(out, &columns[2]);
    html_state(out, js_get_str(r, "state"));
    buf_adds(out, "</td>");
    html_cell_begin(out, &columns[3]);
    html_add(out, "%s</td></tr>", js_get_str(r, "why"));
}

static void output_row(struct buf *out, const struct html_column *columns, const struct js *o, bool linked)
{
    const char *id = js_get_str(o, "id"), *title = js_get_str(o, "title");
    html_row_begin(out);
    html_cell_begin(out, &columns[0]);
    html_add(out, linked ? "<a href=\"/outputs/%s\">%s</a></td>" : "%s: %s</td>", id, title);
    html_cell_begin(out, &columns[1]);
    html_state(out, js_get_str(o, "state"));
    buf_adds(out, "</td>");
    html_cell_begin(out, &columns[2]);
    html_add(out, "%s of 2</td>", js_get_str(o, "approvals"));
    html_cell_begin(out, &columns[3]);
    html_time(out, js_get_str(o, "made"));
    buf_adds(out, "</td>");
    html_cell_begin(out, &columns[4]);
    html_add(out, "%s</td></tr>", js_get_str(o, "why"));
}

struct home_table {
    const char *caption, *none, *state;
    bool other; /* those in any other state */
    const struct html_column *columns;
    void (*row)(struct buf *out, const struct html_column *columns, const struct js *item, bool linked);
};

static void write_table(struct buf *out, const struct home_table *t, const struct js *items, bool linked)
{
    size_t n = 0;
    for (size_t i = 0; i < js_size(items); i++) {
        if (view_in_state(js_at(items, i), t->state) == t->other)
            continue;
        if (!n++)
            html_table_begin(out, t->caption, t->columns);
        t->row(out, t->columns, js_at(items, i), linked);
    }
    if (n)
        html_table_end(out);
    else
        html_add(out, "<h2 class=\"nhsuk-heading-s\">%s</h2><p>%s</p>", t->caption, t->none);
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
    static const struct html_column of_run[] = {
        {"Study", false}, {"Agreement", false}, {"State here", false}, {"Why", false}, {0}};
    static const struct html_column of_output[] = {{"Output", false}, {"State", false}, {"Approvals", false},
                                                   {"Made", false},   {"Why", false},   {0}};
    static const struct home_table tables[] = {
        {"Runs that wait to be admitted", "No run is waiting.", "asking", false, of_run, run_row},
        {"Outputs held here, waiting for two checkers", "No output is held.", "held", false, of_output,
         output_row},
        {"Runs before", "There was none.", "asking", true, of_run, run_row},
        {"Outputs decided", "There was none.", "held", true, of_output, output_row}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        write_table(&v->response->body, &tables[i], tables[i].row == run_row ? runs : outputs,
                    !tables[i].other && visit_may(v, "checker"));
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
        struct html_frame f = view_frame(v, "Waiting for you");
        view_begin(v, &f,
                   "Studies that ask to run on this site's data, and outputs that two people must check "
                   "before anybody else can see them.");
        html_add(out, "<p>This is the node of <strong>%s</strong>, at the hub %s.</p>",
                 js_get_str(status, "body"), js_get_str(status, "hub_url"));
        halted_banner(out, js_get_str(status, "halted"));
        home_tables(v, runs, outputs);
        s = view_end(v, &f);
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
    view_row_begin(out, "State at this site");
    html_state(out, js_get_str(run, "state"));
    buf_adds(out, "</dd></div>");
    view_row(out, "Agreement", js_get_str(terms, "agreement"));
    view_row(out, "For the decision", js_get_str(body, "decision"));
    view_row_begin(out, "Sites that take part");
    view_names(out, js_get(terms, "sites"));
    buf_adds(out, "</dd></div>");
    view_row(out, "Lead site, where the output is held", js_get_str(terms, "lead_site"));
    view_row(out, "Disclosure rules", js_get_str(js_get(terms, "policy"), "name"));
    view_row_begin(out, "Asked");
    html_time(out, js_get_str(request, "time"));
    html_add(out, "</dd></div>");
    view_row(out, "Analyst's key", js_get_str(request, "actor"));
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
    view_form_begin(v, arena_printf(a, "/runs/%s/admit", v->id));
    view_form_end(v, "Let it run here", "");
    view_form_begin(v, arena_printf(a, "/runs/%s/refuse", v->id));
    view_reason(v, "Or refuse it, and say why", "The reason goes to the public log. No patient details.");
    view_form_end(v, "Refuse", " nhsuk-button--secondary");
}

enum status view_run(struct visit *v, struct err *e)
{
    struct js *run = NULL;
    enum status s = node_run_show(v->pages->data, v->id, &run, e);
    if (s != ST_OK)
        return s;
    const char *title = js_get_str(js_get(js_get(js_get(run, "request"), "body"), "study"), "title");
    struct html_frame f = view_frame(v, title ? title : v->id);
    view_begin(v, &f, "A study that asks to run on this site's data. Below is exactly what is asked.");
    if (js_get(run, "request"))
        add_request(&v->response->body, run);
    else
        buf_adds(&v->response->body, "<p>This run was refused before its study was kept here.</p>");
    if (view_in_state(run, "asking") && visit_may(v, "controller"))
        decide_on_run(v);
    s = view_end(v, &f);
    js_free(run);
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
    struct html_frame f = view_frame(v, "Stop everything");
    view_begin(
        v, &f,
        "Stops every study at this site at once: runs under way are declined, held outputs are not released, "
        "and new runs are refused until somebody here resumes.");
    if (halted && *halted) {
        halted_banner(out, halted);
        view_form_begin(v, "/resume");
        view_form_end(v, "Take runs again", "");
    } else {
        buf_adds(out,
                 "<p>Sums that this site has sent already cannot be called back from here. To end a study "
                 "everywhere, the controller revokes the agreement on the register.</p>");
        view_form_begin(v, "/stop");
        view_reason(v, "Why", "The reason goes to the public log. No patient details.");
        view_form_end(v, "Stop everything now", " nhsuk-button--warning");
    }
    s = view_end(v, &f);
    js_free(status);
    return s;
}
