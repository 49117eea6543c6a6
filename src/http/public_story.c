/* SPDX-License-Identifier: Apache-2.0
 * The log as people read it: entries in words, and a project's way from a need to what came of it. */
#include <stdlib.h>

#include "base/mem.h"
#include "govern/register.h"
#include "http/public.h"

enum { STEPS_PER_PAGE = 200, MOST_RELATED = 1000 };

const char *story_phrase(const char *verb)
{
    static const char *const phrases[][2] = {
        {"register.found", "The register began"},
        {"body.add", "An organisation was added"},
        {"body.check", "An organisation's standing was checked"},
        {"person.register", "A person registered"},
        {"person.prove", "A person's training was recorded"},
        {"person.declare", "A person declared interests"},
        {"grant.offer", "A role was offered"},
        {"grant.hold", "A role was accepted"},
        {"node.invite", "A site's node was invited"},
        {"node.enrol", "A site's node joined"},
        {"vocabulary.load", "A list of codes was loaded"},
        {"template.publish", "A template of agreements was published"},
        {"signal.draft", "A need or an offer was drafted"},
        {"signal.publish", "A need or an offer was published"},
        {"contact.send", "A partner wrote to a lead"},
        {"contact.answer", "A lead answered"},
        {"project.draft", "The project was drafted"},
        {"project.edit", "The project was changed"},
        {"project.confirm", "What the project replaces was confirmed"},
        {"project.submit", "The project went to its reviewers"},
        {"project.approve", "The project was approved"},
        {"project.start", "The project started"},
        {"project.pause", "The project was paused"},
        {"project.close", "The project was closed"},
        {"review.ask", "A review was asked for"},
        {"review.give", "A review was given"},
        {"agreement.draft", "The agreement was drafted"},
        {"agreement.edit", "The agreement was changed"},
        {"agreement.check", "The agreement was certified"},
        {"agreement.summarise", "The agreement's public summary was written"},
        {"agreement.sign", "A party signed the agreement"},
        {"agreement.revoke", "The agreement was revoked"},
        {"agreement.end", "The agreement ended"},
        {"run.request", "A study was asked for"},
        {"run.defer", "A site asked a person about the study"},
        {"run.admit", "A site let the study run"},
        {"run.decline", "A site declined the study"},
        {"run.attempt", "A round of the study opened"},
        {"run.part", "A site sent its masked part"},
        {"run.round", "The lead site opened another round"},
        {"run.fail", "The study failed"},
        {"run.stop", "The study was stopped"},
        {"artefact.hold", "The result was held for two checkers"},
        {"artefact.release", "The result was released"},
        {"artefact.open", "The result was opened to everybody"},
        {"artefact.withdraw", "The result was withdrawn"},
        {"transfer.promise", "A transfer was promised"},
        {"transfer.due", "A transfer fell due"},
        {"transfer.make", "A transfer was made"},
        {"transfer.waive", "A transfer was waived"},
        {"measure.propose", "A measure was proposed"},
        {"measure.accept", "A measure was accepted"},
        {"measure.baseline", "A measure's baseline was recorded"},
        {"measure.read", "A measure's new value was recorded"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (strcmp(phrases[i][0], verb) == 0)
            return phrases[i][1];
    return verb;
}

void story_verify(struct buf *out, int64_t seq)
{
    html_add(out,
             "<div class=\"accord-verify\" data-seq=\"%ld\"><p>The last change is <a href=\"/log/%ld\">entry "
             "%ld of the log</a>.</p></div>",
             (long)seq, (long)seq, (long)seq);
}

void story_actor(struct public_page *p, const char *key)
{
    struct js *actor = NULL;
    struct err ignored;
    if (registry_actor(p->call->registry, key, &actor, &ignored) == ST_OK && js_get_str(actor, "body")) {
        buf_adds(&p->out, ", by ");
        show_body(&p->out, &p->names, js_get_str(actor, "body"));
    }
    js_free(actor);
}

/* --- entries of subjects ------------------------------------------------------------------------------- */

/* What is read between the two of the log is the item's: an entry about an item changes it. */
static void reads_subject(struct registry *r, const char *subject, struct reading begun)
{
    const char *colon = strchr(subject, ':');
    char noun[24];
    if (!colon || (size_t)(colon - subject) >= sizeof noun)
        return;
    snprintf(noun, sizeof noun, "%.*s", (int)(colon - subject), subject);
    reads_item(r, noun, colon + 1);
    reads_end(r, begun);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The numbers of all their entries, in order. */
static enum status numbers_of(struct registry *r, const char *const *subjects, struct ledger_numbers *into,
                              struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && subjects[i]; i++) {
        struct reading begun = reads_begin(r);
        s = ledger_numbers_of(registry_ledger(r), subjects[i], into, e);
        reads_subject(r, subjects[i], begun);
    }
    if (into->n)
        qsort(into->v, into->n, sizeof *into->v, by_number);
    return s;
}

static void write_step(struct public_page *p, const struct js *entry)
{
    struct buf *out = &p->out;
    long seq = (long)js_get_int(entry, "seq", 0);
    buf_adds(out, "<li><span class=\"accord-when\">");
    html_day(out, js_get_str(entry, "time"));
    html_add(out, "</span> %s: ", story_phrase(js_get_str(entry, "verb")));
    show_about(out, &p->names, js_get_str(entry, "subject"));
    buf_adds(out, "<span class=\"accord-by\">");
    story_actor(p, js_get_str(entry, "actor"));
    html_add(out, " (<a href=\"/log/%ld\" aria-label=\"Entry %ld of the log\">%ld</a>)</span></li>", seq, seq,
             seq);
}

static enum status write_numbered(struct public_page *p, int64_t seq, struct err *e)
{
    struct registry *r = p->call->registry;
    struct ledger_entry entry;
    struct reading begun = reads_begin(r);
    enum status s = ledger_get(registry_ledger(r), seq, &entry, e);
    if (s != ST_OK)
        return s;
    reads_subject(r, entry.subject, begun);
    write_step(p, entry.json);
    ledger_entry_deinit(&entry);
    return ST_OK;
}

enum status story_write(struct public_page *p, const char *const *subjects, const char *address,
                        struct err *e)
{
    struct ledger_numbers all = {0};
    struct registry_query part = {0};
    int64_t at = 1;
    enum status s = numbers_of(p->call->registry, subjects, &all, e);
    if (s == ST_OK)
        s = public_part(p->call, STEPS_PER_PAGE, (int64_t)all.n, &part, &at, e);
    const struct html_part here = {at, STEPS_PER_PAGE, (int64_t)all.n};
    if (s == ST_OK && all.n > STEPS_PER_PAGE)
        html_add(&p->out, "<p>%s</p>", html_part_caption(p->call->request->arena, "Steps", &here));
    buf_adds(&p->out, "<ol class=\"accord-story\">");
    size_t from = (size_t)part.skip, to = from + STEPS_PER_PAGE;
    for (size_t i = from; s == ST_OK && i < to && i < all.n; i++)
        s = write_numbered(p, all.v[i], e);
    buf_adds(&p->out, "</ol>");
    if (s == ST_OK)
        html_part_links(&p->out, address, &here);
    free(all.v);
    return s;
}

/* --- a project from need to impact --------------------------------------------------------------------- */

struct subjects {
    struct arena *arena;
    const char **list; /* n of them, then NULL */
    size_t n, capacity;
};

static void add(struct subjects *s, const char *noun, const char *id)
{
    GROW(s->list, s->n + 2, s->capacity);
    s->list[s->n++] = arena_printf(s->arena, "%s:%s", noun, id);
    s->list[s->n] = NULL;
}

/* Items of a noun that are about this one; their ids are added and, when `ids` is given, put there too. */
static enum status add_related(struct public_page *p, struct subjects *into, const char *noun,
                               const char *about, struct js *ids, struct err *e)
{
    struct registry_query q = {.noun = noun, .about = about, .limit = MOST_RELATED, .brief = true};
    enum status s = ST_OK;
    for (bool more = true; s == ST_OK && more; q.skip += MOST_RELATED) {
        struct js *items = NULL;
        s = registry_list(p->call->registry, &q, &items, e);
        more = s == ST_OK && js_size(items) == MOST_RELATED;
        for (size_t i = 0; s == ST_OK && i < js_size(items); i++) {
            add(into, noun, js_get_str(js_at(items, i), "id"));
            if (ids)
                js_push(ids, js_string(js_get_str(js_at(items, i), "id")));
        }
        js_free(items);
    }
    return s;
}

/* What is about each of the ids: runs of agreements, artefacts of runs. */
static enum status add_about(struct public_page *p, struct subjects *into, const char *of,
                             const struct js *ids, const char *noun, struct js *found, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(ids); i++)
        s = add_related(p, into, noun, arena_printf(into->arena, "%s:%s", of, js_str(js_at(ids, i))), found,
                        e);
    return s;
}

enum status story_project(struct public_page *p, const struct js *project, const char *address, struct err *e)
{
    struct subjects all = {.arena = p->call->request->arena};
    struct js *agreements = js_array(), *runs = js_array();
    const char *id = js_get_str(project, "id");
    const struct js *signals = js_get(project, "signals");
    for (size_t i = 0; i < js_size(signals); i++)
        add(&all, "signal", js_str(js_at(signals, i)));
    add(&all, "project", id);
    const char *about = arena_printf(all.arena, "project:%s", id);
    enum status s = add_related(p, &all, "review", about, NULL, e);
    if (s == ST_OK)
        s = add_related(p, &all, "agreement", about, agreements, e);
    if (s == ST_OK)
        s = add_about(p, &all, "agreement", agreements, "run", runs, e);
    if (s == ST_OK)
        s = add_about(p, &all, "run", runs, "artefact", NULL, e);
    if (s == ST_OK)
        s = add_about(p, &all, "agreement", agreements, "transfer", NULL, e);
    if (s == ST_OK)
        s = add_related(p, &all, "measure", about, NULL, e);
    if (s == ST_OK)
        s = story_write(p, all.list, address, e);
    js_free(agreements);
    js_free(runs);
    free(all.list);
    return s;
}

/* --- the log ------------------------------------------------------------------------------------------- */

static void table_entry(struct public_page *p, const struct html_column *columns, const struct js *entry)
{
    struct buf *out = &p->out;
    long seq = (long)js_get_int(entry, "seq", 0);
    html_row_begin(out);
    html_cell_begin(out, &columns[0]);
    html_add(out, "<a href=\"/log/%ld\">%ld</a></td>", seq, seq);
    html_cell_begin(out, &columns[1]);
    html_time(out, js_get_str(entry, "time"));
    buf_adds(out, "</td>");
    html_cell_begin(out, &columns[2]);
    html_add(out, "%s</td>", story_phrase(js_get_str(entry, "verb")));
    html_cell_begin(out, &columns[3]);
    show_about(out, &p->names, js_get_str(entry, "subject"));
    buf_adds(out, "</td></tr>");
}

struct entries {
    struct js **list;
    size_t n, capacity;
};

static enum status keep(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct entries *into = context;
    (void)d, (void)e;
    GROW(into->list, into->n + 1, into->capacity);
    into->list[into->n++] = js_share(entry->json);
    return ST_OK;
}

enum status story_table(struct public_page *p, const char *caption, int64_t from, int64_t to, struct err *e)
{
    static const struct html_column columns[] = {
        {"Number", false}, {"When", false}, {"What", false}, {"Of what", false}, {0}};
    struct entries all = {0};
    struct buf *out = &p->out;
    enum status s =
        from < to ? ledger_walk(registry_ledger(p->call->registry), from, to, NULL, keep, &all, e) : ST_OK;
    html_table_begin(out, caption, columns);
    for (size_t i = all.n; i-- > 0;) {
        table_entry(p, columns, all.list[i]);
        js_free(all.list[i]);
    }
    html_table_end(out);
    free(all.list);
    return s;
}
