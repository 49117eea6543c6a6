/* SPDX-License-Identifier: Apache-2.0
 * The front page: what this is, what is live now, how busy the last weeks were, what happened last. */
#include "base/date.h"
#include "govern/register.h"
#include "http/hub.h"
#include "http/public.h"

enum { RECENT = 10 };

/* --- what is live -------------------------------------------------------------------------------------- */

static enum status count(struct call *c, const char *noun, const char *state, const char *kind, int64_t *n,
                         struct err *e)
{
    char today[11];
    struct registry_query q = {.noun = noun, .state = state, .kind = kind};
    date_format((int32_t)(time_now_ms() / 86400000), today);
    if (strcmp(noun, "body") == 0)
        q.on = today;
    return registry_count(c->registry, &q, n, e);
}

static enum status write_live(struct public_page *p, struct err *e)
{
    static const struct {
        const char *path, *noun, *state, *kind, *label, *one;
    } live[] = {
        {"/boards", "body", NULL, "icb", "NHS boards on the register", "NHS board on the register"},
        {"/signals", "signal", "published", NULL, "needs and offers published", "need or offer published"},
        {"/projects", "project", NULL, NULL, "projects", "project"},
        {"/agreements", "agreement", "in_force", NULL, "agreements in force", "agreement in force"},
        {"/runs", "run", NULL, NULL, "studies asked for", "study asked for"},
        {"/artefacts", "artefact", NULL, NULL, "results", "result"},
        {"/transfers", "transfer", "made", NULL, "transfers of value made", "transfer of value made"},
        {"/measures", "measure", NULL, NULL, "benefits and harms measured", "benefit or harm measured"}};
    enum status s = ST_OK;
    buf_adds(&p->out, "<h2>Live now</h2><ul class=\"accord-cards\">");
    for (size_t i = 0; s == ST_OK && i < sizeof live / sizeof *live; i++) {
        int64_t n = 0;
        s = count(p->call, live[i].noun, live[i].state, live[i].kind, &n, e);
        html_add(&p->out, "<li class=\"accord-figure\"><a href=\"%s\"><strong>", live[i].path);
        html_number(&p->out, n);
        html_add(&p->out, "</strong> %s</a></li>", n == 1 ? live[i].one : live[i].label);
    }
    buf_adds(&p->out, "</ul>");
    return s;
}

/* --- activity ------------------------------------------------------------------------------------------ */

static enum status read_activity(struct call *c, struct activity_table *out, struct err *e)
{
    struct ledger *l = registry_ledger(c->registry);
    int32_t today = (int32_t)(time_now_ms() / 86400000);
    struct activity *own = c->hub ? NULL : activity_new();
    enum status s = activity_count(own ? own : c->hub->activity, l, today, out, e);
    activity_free(own);
    return s;
}

static int64_t sum_of_day(const struct activity_table *t, int day)
{
    int64_t sum = 0;
    for (int k = 0; k < ACTIVITY_KINDS; k++)
        sum += t->n[day][k];
    return sum;
}

static void write_sentence(struct buf *out, const struct activity_table *t)
{
    int64_t sum = 0;
    int days = 0;
    for (int i = 0; i < ACTIVITY_DAYS; i++) {
        sum += sum_of_day(t, i);
        days += sum_of_day(t, i) > 0;
    }
    buf_adds(out, "<p>");
    html_number(out, sum);
    html_add(out, sum == 1 ? " step was" : " steps were");
    html_add(out, " written to the log, on %d of 28 days.</p>", days);
}

static void write_day(struct buf *out, const struct html_column *columns, int32_t day, const int64_t *n)
{
    char date[11];
    date_format(day, date);
    html_row_begin(out);
    html_cell_begin(out, &columns[0]);
    html_day(out, date);
    buf_adds(out, "</td>");
    for (int k = 0; k < ACTIVITY_KINDS; k++) {
        html_cell_begin(out, &columns[k + 1]);
        html_number(out, n[k]);
        buf_adds(out, "</td>");
    }
    buf_adds(out, "</tr>");
}

/* In words and as a table; the script draws it above them (ui/src/pages/activity.tsx). */
static enum status write_activity(struct public_page *p, struct err *e)
{
    struct html_column columns[ACTIVITY_KINDS + 2] = {{"Day", false}};
    struct activity_table t;
    struct buf *out = &p->out;
    enum status s = read_activity(p->call, &t, e);
    if (s != ST_OK)
        return s;
    for (int k = 0; k < ACTIVITY_KINDS; k++)
        columns[k + 1] = (struct html_column){activity_kinds[k], true};
    buf_adds(out, "<h2>The last four weeks</h2>");
    write_sentence(out, &t);
    buf_adds(out, "<div id=\"activity\"></div>");
    html_details_begin(out, "The numbers day by day");
    html_table_begin(out, "Entries of the log, by day and by what they are about", columns);
    for (int i = ACTIVITY_DAYS; i-- > 0;)
        if (sum_of_day(&t, i))
            write_day(out, columns, t.from + i, t.n[i]);
    html_table_end(out);
    html_details_end(out);
    return ST_OK;
}

enum status public_activity(struct call *c, struct err *e)
{
    struct activity_table t;
    enum status s = read_activity(c, &t, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object(), *kinds = js_array(), *days = js_array();
    for (int k = 0; k < ACTIVITY_KINDS; k++)
        js_push(kinds, js_string(activity_kinds[k]));
    for (int i = 0; i < ACTIVITY_DAYS; i++) {
        struct js *day = js_object(), *n = js_array();
        char date[11];
        date_format(t.from + i, date);
        for (int k = 0; k < ACTIVITY_KINDS; k++)
            js_push(n, js_integer(t.n[i][k]));
        js_put_str(day, "day", date);
        js_put(day, "entries", n);
        js_push(days, day);
    }
    js_put(answer, "kinds", kinds);
    js_put(answer, "days", days);
    return call_json(c, 200, answer);
}

/* --- the page ------------------------------------------------------------------------------------------ */

enum status public_front(struct call *c, struct err *e)
{
    struct public_page p;
    int64_t size = 0;
    enum status s = public_begin(
        &p, c, "Research on NHS data that never leaves the NHS",
        "Accord lets NHS bodies and their research partners learn from patient records without the "
        "records ever leaving the NHS. Studies go to the data; only tables that are safe to publish "
        "come out, after two people have checked them. Everything that happens is on a public log "
        "that nobody can rewrite, and that you can check yourself.",
        e);
    if (s == ST_OK)
        s = write_live(&p, e);
    if (s == ST_OK)
        s = write_activity(&p, e);
    if (s == ST_OK)
        s = ledger_size(registry_ledger(c->registry), &size, e);
    buf_adds(&p.out, "<h2>What happened last</h2>");
    if (s == ST_OK)
        s = story_table(&p, "Entries, newest first", size > RECENT ? size - RECENT : 0, size, e);
    return public_end(&p, s, "/api/v1/hub", e);
}
