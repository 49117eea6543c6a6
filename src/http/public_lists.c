/* SPDX-License-Identifier: Apache-2.0
 * Lists of a noun's items: what the reader may choose among them, and one page of what fits. Choices and page
 * are members of the query, so that a list can be linked to and works without a script. */
#include <stdlib.h>

#include "http/public.h"

enum { PER_PAGE = 50, MOST_CHOICES = 3 };

struct list {
    const struct noun_page *page;
    const char *chosen[MOST_CHOICES]; /* of the page's choices, in their order; NULL = all */
    struct registry_query query;
    int64_t all, fitting; /* items of the noun; those that fit what is chosen */
    int64_t at;           /* the page, from 1 */
};

/* --- what is asked for --------------------------------------------------------------------------------- */

static const char **member_of(struct registry_query *q, const char *name)
{
    return strcmp(name, "side") == 0    ? &q->side
           : strcmp(name, "stage") == 0 ? &q->stage
           : strcmp(name, "kind") == 0  ? &q->kind
           : strcmp(name, "body") == 0  ? &q->body
                                        : &q->state;
}

static enum status read_choices(struct call *c, struct list *l, struct err *e)
{
    const struct page_choice *choices = l->page->choices;
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < MOST_CHOICES && choices[i].name; i++) {
        s = call_query(c, choices[i].name, &l->chosen[i], e);
        if (s == ST_OK && l->chosen[i] && !*l->chosen[i])
            l->chosen[i] = NULL;
        *member_of(&l->query, choices[i].name) = l->chosen[i];
    }
    return s;
}

static enum status read_page(struct call *c, struct list *l, struct err *e)
{
    const struct registry_query all = {.noun = l->page->noun};
    enum status s = registry_count(c->registry, &all, &l->all, e);
    if (s == ST_OK)
        s = registry_count(c->registry, &l->query, &l->fitting, e);
    return s == ST_OK ? public_part(c, PER_PAGE, l->fitting, &l->query, &l->at, e) : s;
}

enum status public_part(struct call *c, int64_t per, int64_t total, struct registry_query *q, int64_t *at,
                        struct err *e)
{
    enum status s = call_query_int(c, "page", 1, INT64_MAX / per, 1, at, e);
    if (s == ST_OK && *at > 1 && (*at - 1) * per >= total)
        s = err_set(e, ST_NOT_FOUND, "the list has no page %ld: it has %ld items, %ld a page", (long)*at,
                    (long)total, (long)per);
    if (s != ST_OK)
        return s;
    q->limit = per;
    q->skip = (*at - 1) * per;
    return ST_OK;
}

/* --- the choices --------------------------------------------------------------------------------------- */

struct option {
    const char *value, *name; /* arena memory; name: of a body, else NULL */
};

static const char *sorted_as(const struct option *o)
{
    return o->name ? o->name : o->value;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(sorted_as(a), sorted_as(b));
}

static void write_options(struct public_page *p, const struct js *values, bool bodies, const char *chosen)
{
    struct arena *a = p->call->request->arena;
    size_t n = js_size(values);
    struct option *options = arena_array(a, n + 1, sizeof *options);
    for (size_t i = 0; i < n; i++) {
        const char *value = js_str(js_at(values, i)),
                   *name = bodies ? show_body_name(&p->names, value) : NULL;
        options[i] = (struct option){value, name ? arena_strdup(a, name) : NULL};
    }
    qsort(options, n, sizeof *options, by_name);
    for (size_t i = 0; i < n; i++) {
        bool is = chosen && strcmp(chosen, options[i].value) == 0;
        html_add(&p->out, is ? "<option value=\"%s\" selected>%s" : "<option value=\"%s\">%s",
                 options[i].value, options[i].name);
        if (!options[i].name)
            html_words(&p->out, options[i].value);
        buf_adds(&p->out, "</option>");
    }
}

static enum status write_choice(struct public_page *p, const struct list *l, size_t i, struct err *e)
{
    const struct page_choice *choice = &l->page->choices[i];
    struct js *values = NULL;
    enum status s = registry_values(p->call->registry, l->page->noun, choice->name, &values, e);
    if (s != ST_OK)
        return s;
    html_add(&p->out,
             "<div class=\"nhsuk-form-group\"><label class=\"nhsuk-label\" for=\"%s\">%s</label><select "
             "class=\"nhsuk-select\" id=\"%s\" name=\"%s\"><option value=\"\">all</option>",
             choice->name, choice->label, choice->name, choice->name);
    write_options(p, values, strcmp(choice->name, "body") == 0, l->chosen[i]);
    buf_adds(&p->out, "</select></div>");
    js_free(values);
    return ST_OK;
}

static enum status write_choices(struct public_page *p, const struct list *l, struct err *e)
{
    enum status s = ST_OK;
    html_add(&p->out, "<form class=\"accord-filter\" action=\"/%s\">", l->page->path);
    for (size_t i = 0; s == ST_OK && i < MOST_CHOICES && l->page->choices[i].name; i++)
        s = write_choice(p, l, i, e);
    buf_adds(
        &p->out,
        "<button class=\"nhsuk-button nhsuk-button--secondary nhsuk-button--small\">Show</button></form>");
    return s;
}

/* --- the page ------------------------------------------------------------------------------------------ */

/* The address of the list as it was chosen, up to the page's number. */
static const char *address_of(struct call *c, const struct list *l)
{
    struct buf text;
    buf_init(&text, 1 << 14);
    buf_printf(&text, "/%s?", l->page->path);
    for (size_t i = 0; i < MOST_CHOICES && l->page->choices[i].name; i++) {
        if (!l->chosen[i])
            continue;
        buf_printf(&text, "%s=", l->page->choices[i].name);
        buf_url(&text, l->chosen[i]);
        buf_addc(&text, '&');
    }
    buf_adds(&text, "page=");
    const char *address = arena_strdup(c->request->arena, text.p);
    buf_deinit(&text);
    return address;
}

static enum status write_items(struct public_page *p, const struct list *l, struct err *e)
{
    struct arena *a = p->call->request->arena;
    struct js *items = NULL;
    if (!l->fitting) {
        html_add(&p->out, "<p class=\"nhsuk-inset-text\">None of them fits what is chosen above.</p>");
        return ST_OK;
    }
    enum status s = registry_list(p->call->registry, &l->query, &items, e);
    if (s != ST_OK)
        return s;
    const struct html_part part = {l->at, PER_PAGE, l->fitting};
    const char *title = l->fitting < l->all ? arena_printf(a, "%s that fit", l->page->title) : l->page->title;
    show_table(&p->out, &p->names, l->page->columns, l->page->path, html_part_caption(a, title, &part),
               items);
    html_part_links(&p->out, address_of(p->call, l), &part);
    js_free(items);
    return ST_OK;
}

enum status public_list(struct call *c, const struct noun_page *page, struct err *e)
{
    struct list l = {.page = page, .query = {.noun = page->noun}};
    struct public_page p;
    enum status s = read_choices(c, &l, e);
    if (s == ST_OK)
        s = read_page(c, &l, e);
    if (s != ST_OK)
        return s;
    s = public_begin(&p, c, page->title, page->lead, e);
    reads_nouns(c->registry, "body"); /* many rows name one each */
    if (s == ST_OK && !l.all)
        html_add(&p.out, "<p class=\"nhsuk-inset-text\">%s</p>", page->none);
    if (s == ST_OK && l.all)
        s = write_choices(&p, &l, e);
    if (s == ST_OK && l.all)
        s = write_items(&p, &l, e);
    return public_end(&p, s, arena_printf(c->request->arena, "/api/v1/register/%s", page->noun), e);
}
