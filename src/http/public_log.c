/* SPDX-License-Identifier: Apache-2.0
 * The log's pages: its entries, newest first, and one entry with its check. */
#include "http/public.h"

#include <inttypes.h>

#include "govern/register.h"

enum { LOG_PAGE = 50 };

/* Entries [from, to) of the log by their numbers: "227 to 276". */
static const char *span(struct call *c, int64_t from, int64_t to)
{
    return arena_printf(c->request->arena, "%" PRId64 " to %" PRId64, from, to - 1);
}

static const char *address(struct call *c, int64_t to)
{
    return arena_printf(c->request->arena, "/log?to=%" PRId64, to);
}

enum status public_log(struct call *c, struct err *e)
{
    struct public_page p;
    int64_t size = 0, to;
    enum status s = ledger_size(registry_ledger(c->registry), &size, e);
    if (s == ST_OK)
        s = call_query_int(c, "to", 0, INT64_MAX, size, &to, e);
    if (s != ST_OK)
        return s;
    to = to < size ? to : size;
    int64_t from = to > LOG_PAGE ? to - LOG_PAGE : 0, before = from > LOG_PAGE ? from - LOG_PAGE : 0,
            behind = to + LOG_PAGE < size ? to + LOG_PAGE : size;
    s = public_begin(
        &p, c, "The log",
        "Every step that anyone took, in order, signed by who took it. Nothing can be changed or "
        "removed without it showing.",
        e);
    buf_adds(
        &p.out,
        "<p class=\"nhsuk-inset-text\">Check the whole log yourself: accord ledger verify with the address "
        "of this register. Or keep a copy and check it offline: accord ledger copy, then accord ledger "
        "verify.</p>");
    if (s == ST_OK)
        s = story_table(&p,
                        arena_printf(c->request->arena, "Entries %s, newest first; the log has %" PRId64,
                                     span(c, from, to), size),
                        from, to, e);
    html_steps(
        &p.out,
        &(struct html_step){to < size ? address(c, behind) : NULL, "Newer entries", span(c, to, behind)},
        &(struct html_step){from ? address(c, from) : NULL, "Older entries", span(c, before, from)});
    return public_end(&p, s, "/api/v1/log/entries", e);
}

static void write_members(struct buf *out, const struct js *o)
{
    buf_adds(out, "<dl class=\"nhsuk-summary-list\">");
    for (void *it = js_first(o); it; it = js_next(o, it)) {
        struct buf text;
        buf_init(&text, 1 << 16);
        if (js_str(js_value(it)))
            buf_adds(&text, js_str(js_value(it)));
        else
            js_format(js_value(it), JS_COMPACT, &text);
        buf_adds(out, "<div class=\"nhsuk-summary-list__row\"><dt class=\"nhsuk-summary-list__key\">");
        html_words(out, js_key(it));
        html_add(out, "</dt><dd class=\"nhsuk-summary-list__value\">%s</dd></div>",
                 text.failed ? "long: in the data below" : text.p);
        buf_deinit(&text);
    }
    buf_adds(out, "</dl>");
}

enum status public_entry(struct call *c, struct err *e)
{
    struct public_page p;
    struct ledger_entry entry = {0};
    int64_t seq;
    if (!parse_i64(slice_of(c->param[0]), &seq) || seq < 0)
        return err_set(e, ST_NOT_FOUND, "there is no such entry");
    enum status s = ledger_get(registry_ledger(c->registry), seq, &entry, e);
    if (s != ST_OK)
        return s;
    struct arena *a = c->request->arena;
    s = public_begin(
        &p, c, arena_printf(a, "Entry %" PRId64 " of the log", seq),
        "One step that somebody took and signed. Your own browser can check that it is in the log, "
        "unchanged.",
        e);
    html_add(&p.out, "<p><strong>%s</strong>: ", story_phrase(entry.verb));
    show_value(&p.out, &p.names, &(struct shown){"subject", "", SHOW_ABOUT, NULL},
               js_get(entry.json, "subject"));
    buf_adds(&p.out, ", ");
    html_time(&p.out, js_get_str(entry.json, "time"));
    story_actor(&p, js_get_str(entry.json, "actor"));
    html_add(&p.out, "</p><div class=\"accord-verify\" data-seq=\"%ld\"></div>", (long)seq);
    html_details_begin(&p.out, "The entry as it was signed, member by member");
    write_members(&p.out, entry.json);
    html_details_end(&p.out);
    ledger_entry_deinit(&entry);
    return public_end(&p, s, arena_printf(a, "/api/v1/log/entries/%" PRId64 "/proof", seq), e);
}
