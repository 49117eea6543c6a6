/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of the register and its log: items of every noun, entries, checkpoints, proofs, and this interface's
 * own description.
 */
#include <stdlib.h>

#include "base/date.h"
#include "http/hub.h"
#include "http/tables.h"
#include "ledger/proof.h"

enum { MOST_ITEMS = 1000, MOST_ENTRIES = 1000 };

static enum status get_openapi(struct call *c, struct err *e)
{
    (void)e;
    return call_json(c, 200, openapi_document());
}

static enum status get_hub(struct call *c, struct err *e)
{
    struct ledger *l = registry_ledger(c->registry);
    struct buf vkey, note;
    struct checkpoint checkpoint = {.size = 0};
    struct js *witnesses = NULL;
    buf_init(&vkey, 1024);
    buf_init(&note, NOTE_MOST);
    enum status s = ledger_checkpoint(l, &note, e);
    if (s == ST_OK)
        s = checkpoint_check(buf_slice(&note), ledger_key(l), &checkpoint, e);
    if (s == ST_OK)
        s = ledger_witnesses(l, &witnesses, e);
    if (s == ST_OK) {
        note_vkey_format(ledger_key(l), &vkey);
        struct js *answer = js_object();
        js_put_str(answer, "origin", ledger_origin(l));
        js_put_str(answer, "key", vkey.p);
        js_put_int(answer, "entries", (int64_t)checkpoint.size);
        js_put_str(answer, "checkpoint", note.p);
        js_put(answer, "witnesses", witnesses);
        js_put_str(answer, "version", ACCORD_VERSION);
        s = call_json(c, 200, answer);
    }
    buf_deinit(&note);
    buf_deinit(&vkey);
    return s;
}

static enum status query_flag(struct call *c, const char *name, bool *out, struct err *e)
{
    const char *text = NULL;
    enum status s = call_query(c, name, &text, e);
    if (s == ST_OK && text && !word_in("true|false", text))
        s = err_set(e, ST_USAGE, "the query member '%s' is true or false", name);
    *out = s == ST_OK && text && *text == 't';
    return s;
}

static enum status signal_filters(struct call *c, struct registry_query *q, struct err *e)
{
    const char *sort = NULL;
    enum status s = call_query(c, "stage", &q->stage, e);
    if (s == ST_OK)
        s = call_query(c, "side", &q->side, e);
    if (s == ST_OK)
        s = call_query(c, "code", &q->code, e);
    if (s == ST_OK)
        s = call_query(c, "place", &q->place, e);
    if (s == ST_OK)
        s = call_query(c, "sort", &sort, e);
    if (s == ST_OK && sort && !word_in("id|value", sort))
        s = err_set(e, ST_USAGE, "the query member 'sort' is id or value");
    q->by_value = s == ST_OK && sort && *sort == 'v';
    if (q->by_value && q->after)
        s = err_set(e, ST_USAGE, "the query member 'after' goes with the order of ids only");
    return s;
}

static enum status get_items(struct call *c, struct err *e)
{
    struct registry_query q = {.noun = c->param[0]};
    struct js *list = NULL;
    enum status s = call_query(c, "state", &q.state, e);
    if (s == ST_OK)
        s = call_query(c, "body", &q.body, e);
    if (s == ST_OK)
        s = call_query(c, "about", &q.about, e);
    if (s == ST_OK)
        s = call_query(c, "after", &q.after, e);
    if (s == ST_OK)
        s = call_query(c, "kind", &q.kind, e);
    if (s == ST_OK)
        s = call_query(c, "on", &q.on, e);
    if (s == ST_OK)
        s = call_query_int(c, "limit", 1, MOST_ITEMS, 100, &q.limit, e);
    if (s == ST_OK)
        s = query_flag(c, "brief", &q.brief, e);
    if (s == ST_OK)
        s = signal_filters(c, &q, e);
    if (s == ST_OK)
        s = registry_list(c->registry, &q, &list, e);
    if (s != ST_OK)
        return s;
    struct js *answer = js_object();
    size_t n = js_size(list);
    js_put(answer, "items", list);
    if ((int64_t)n == q.limit && !q.by_value)
        js_put_str(answer, "next_after", js_get_str(js_at(list, n - 1), "id"));
    return call_json(c, 200, answer);
}

static enum status get_item(struct call *c, struct err *e)
{
    struct js *item = NULL;
    enum status s = registry_item(c->registry, c->param[0], c->param[1], &item, e);
    if (s != ST_OK)
        return s;
    if (!call_etag(c, js_get_int(item, "changed", 0)))
        return call_json(c, 200, item);
    js_free(item);
    return ST_OK;
}

static enum status get_actor(struct call *c, struct err *e)
{
    struct js *actor = NULL;
    enum status s = registry_actor(c->registry, c->param[0], &actor, e);
    return s == ST_OK ? call_json(c, 200, actor) : s;
}

struct listing {
    struct js *into;
    int64_t most;
    bool brief;
};

static struct js *brief_entry(const struct ledger_entry *entry)
{
    struct js *j = js_object();
    js_put_int(j, "seq", entry->seq);
    js_put_str(j, "time", entry->time);
    js_put_str(j, "verb", entry->verb);
    js_put_str(j, "subject", entry->subject);
    js_put_str(j, "actor", entry->actor);
    return j;
}

static enum status add_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d, (void)e;
    struct listing *l = context;
    if ((int64_t)js_size(l->into) < l->most)
        js_push(l->into, l->brief ? brief_entry(entry) : js_share(entry->json));
    return ST_OK;
}

/* The number behind the last entry of a page that begins with `from`: the first of the next one, or `size`. */
static enum status end_of_page(struct ledger *l, const char *subject, int64_t from, int64_t limit,
                               int64_t size, int64_t *to, struct err *e)
{
    struct ledger_numbers all = {0};
    *to = from + limit < size ? from + limit : size;
    if (!subject)
        return ST_OK;
    enum status s = ledger_numbers_of(l, subject, &all, e);
    size_t first = 0, most = (size_t)limit;
    while (first < all.n && all.v[first] < from)
        first++;
    *to = all.n - first > most ? all.v[first + most] : size;
    free(all.v);
    return s;
}

static enum status get_entries(struct call *c, struct err *e)
{
    struct ledger *l = registry_ledger(c->registry);
    const char *subject;
    bool brief = false;
    int64_t from, limit, size = 0, to = 0;
    struct listing listing = {.into = NULL};
    enum status s = call_query(c, "subject", &subject, e);
    if (s == ST_OK)
        s = call_query_int(c, "from", 0, INT64_MAX, 0, &from, e);
    if (s == ST_OK)
        s = call_query_int(c, "limit", 1, MOST_ENTRIES, 100, &limit, e);
    if (s == ST_OK)
        s = query_flag(c, "brief", &brief, e);
    if (s == ST_OK)
        s = ledger_size(l, &size, e);
    if (s == ST_OK && from > size)
        from = size;
    if (s == ST_OK)
        s = end_of_page(l, subject, from, limit, size, &to, e);
    if (s != ST_OK)
        return s;
    listing = (struct listing){js_array(), limit, brief};
    if (from < to)
        s = ledger_walk(l, from, to, subject, add_entry, &listing, e);
    if (s != ST_OK) {
        js_free(listing.into);
        return s;
    }
    struct js *answer = js_object();
    js_put_int(answer, "size", size);
    js_put(answer, "items", listing.into);
    if (to < size)
        js_put_int(answer, "next_from", to);
    return call_json(c, 200, answer);
}

static enum status get_checkpoint(struct call *c, struct err *e)
{
    struct buf note;
    buf_init(&note, NOTE_MOST);
    enum status s = ledger_checkpoint(registry_ledger(c->registry), &note, e);
    if (s == ST_OK)
        s = call_bytes(c, "text/plain; charset=utf-8", buf_slice(&note));
    buf_deinit(&note);
    return s;
}

static enum status get_proof(struct call *c, struct err *e)
{
    int64_t seq;
    struct js *proof = NULL;
    if (!parse_i64(slice_of(c->param[0]), &seq) || seq < 0)
        return err_set(e, ST_NOT_FOUND, "there is no such entry");
    enum status s = proof_make(registry_ledger(c->registry), seq, &proof, e);
    return s == ST_OK ? call_json(c, 200, proof) : s;
}

const struct route register_routes[] = {
    {"GET", "/api/v1/openapi.json", ACCESS_PUBLIC, "this interface's description", NULL, NULL,
     "an OpenAPI 3.1 document", get_openapi, HOLD_NOTHING},
    {"GET", "/api/v1/hub", ACCESS_PUBLIC, "the hub: name and key of its log", NULL, NULL,
     "origin, key (the log's verifier key), entries, checkpoint, witnesses, version", get_hub, HOLD_SNAPSHOT},
    {"GET", "/api/v1/register/{noun}", ACCESS_PUBLIC, "items of a noun in order of id",
     "state=only in this state|body=only of this body|about=only about this item|after=ids behind this one|"
     "kind=only of this kind|on=a date: what was there then|"
     "limit=1 to 1,000|brief=true: only id, title, state, kind, body, changed|stage=of this pathway "
     "stage|code=scheme:code that it has|place=of this place|sort=id, or value: most impact for its months "
     "first",
     NULL, "items, next_after", get_items, HOLD_REGISTER},
    {"GET", "/api/v1/register/{noun}/{id}", ACCESS_PUBLIC, "one item", NULL, NULL, "the item", get_item,
     HOLD_REGISTER},
    {"GET", "/api/v1/keys/{key}", ACCESS_PUBLIC, "whom a key belongs to", NULL, NULL, "kind, id, body",
     get_actor, HOLD_SNAPSHOT},
    {"GET", "/api/v1/log/entries", ACCESS_PUBLIC, "entries of the log in order",
     "from=number of the first|limit=1 to 1,000|subject=only of this subject|brief=true: without their "
     "bodies",
     NULL, "size, items, next_from where there are more", get_entries, HOLD_REGISTER},
    {"GET", "/api/v1/log/checkpoint", ACCESS_PUBLIC, "the signed checkpoint of the log (C2SP)", NULL, NULL,
     "a signed note", get_checkpoint, HOLD_SNAPSHOT},
    {"GET", "/api/v1/log/entries/{seq}/proof", ACCESS_PUBLIC, "an entry with its inclusion proof", NULL, NULL,
     "a proof document that stands by itself", get_proof, HOLD_SNAPSHOT},
    {0},
};
