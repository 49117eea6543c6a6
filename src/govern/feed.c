/* SPDX-License-Identifier: Apache-2.0
 *
 * The register for other programs: Atom, DCAT, HDR UK dataset metadata. */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/export.h"
#include "govern/items.h"

struct feed {
    struct buf *out;
    const char *base_url, *origin;
};

static enum status feed_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    struct feed *f = context;
    (void)d, (void)e;
    buf_printf(f->out, "<entry><id>%s/api/v1/log/entries/%" PRId64 "</id><title>", f->base_url, entry->seq);
    buf_xml(f->out, entry->verb);
    buf_addc(f->out, ' ');
    buf_xml(f->out, entry->subject);
    buf_printf(f->out,
               "</title><updated>%s</updated><link rel=\"alternate\" href=\"%s/api/v1/log/entries/%" PRId64
               "/proof\"/><author><name>%.16s</name></author></entry>\n",
               entry->time, f->base_url, entry->seq, entry->actor);
    return ST_OK;
}

enum status export_atom(struct registry *r, const char *base_url, int limit, struct buf *out, struct err *e)
{
    struct ledger *l = registry_ledger(r);
    struct ledger_entry last = {0};
    struct feed f = {out, base_url, ledger_origin(l)};
    int64_t size;
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK && size)
        s = ledger_get(l, size - 1, &last, e);
    if (s != ST_OK)
        return s;
    buf_adds(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<id>");
    buf_xml(out, base_url);
    buf_adds(out, "/feed</id><title>The register ");
    buf_xml(out, f.origin);
    buf_printf(out, "</title><updated>%s</updated>\n", last.time ? last.time : "1970-01-01T00:00:00Z");
    for (int64_t seq = size - 1; s == ST_OK && seq >= 0 && seq >= size - limit; seq--)
        s = ledger_walk(l, seq, seq + 1, NULL, feed_entry, &f, e);
    buf_adds(out, "</feed>\n");
    ledger_entry_deinit(&last);
    return s == ST_OK ? buf_check(out, "the feed", e) : s;
}

static const char *licence_url(const char *licence)
{
    static const char *const urls[][2] = {
        {"OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"},
        {"CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"},
        {"CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"},
        {"Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"},
        {"MIT", "https://opensource.org/license/mit"},
    };
    for (size_t i = 0; licence && i < sizeof urls / sizeof *urls; i++)
        if (strcmp(urls[i][0], licence) == 0)
            return urls[i][1];
    return "about:blank";
}

static struct js *dcat_dataset(const struct js *item, const char *base_url)
{
    struct js *d = js_object(), *distribution = js_object();
    char url[400];
    snprintf(url, sizeof url, "%s/api/v1/register/artefact/%s", base_url, js_get_str(item, "id"));
    js_put_str(d, "@type", "dcat:Dataset");
    js_put_str(d, "@id", url);
    js_put_str(d, "dct:identifier", js_get_str(item, "id"));
    js_put_str(d, "dct:title", js_get_str(item, "title") ? js_get_str(item, "title") : "");
    js_put_str(d, "dct:description", js_get_str(item, "lay") ? js_get_str(item, "lay") : "");
    if (js_get_str(item, "body"))
        js_put_str(d, "dct:publisher", js_get_str(item, "body"));
    js_put_str(distribution, "@type", "dcat:Distribution");
    js_put_str(distribution, "dcat:accessURL", url);
    js_put_str(distribution, "dct:license", licence_url(js_get_str(item, "licence")));
    js_put_str(distribution, "dcat:mediaType", "application/json");
    js_put(d, "dcat:distribution", distribution);
    return d;
}

enum status export_dcat(struct registry *r, const char *base_url, struct js **out, struct err *e)
{
    const struct registry_query q = {.noun = "artefact", .state = "open", .limit = 100000};
    struct js *items = NULL, *sets = js_array(), *context = js_object();
    *out = NULL;
    enum status s = registry_list(r, &q, &items, e);
    for (size_t i = 0; i < js_size(items); i++)
        js_push(sets, dcat_dataset(js_at(items, i), base_url));
    js_put_str(context, "dcat", "http://www.w3.org/ns/dcat#");
    js_put_str(context, "dct", "http://purl.org/dc/terms/");
    *out = js_object();
    js_put(*out, "@context", context);
    js_put_str(*out, "@type", "dcat:Catalog");
    js_put_str(*out, "@id", base_url);
    js_put_str(*out, "dct:title", "Open artefacts of the register");
    js_put(*out, "dcat:dataset", sets);
    js_free(items);
    return s;
}

/* What HDR UK's schema 3.0.0 requires, by path. */
static const char *const required[] = {
    "identifier",
    "version",
    "issued",
    "modified",
    "revisions",
    "summary.title",
    "summary.abstract",
    "summary.contactPoint",
    "summary.populationSize",
    "summary.dataCustodian.identifier",
    "summary.dataCustodian.name",
    "summary.dataCustodian.contactPoint",
    "provenance.temporal.publishingFrequency",
    "provenance.temporal.startDate",
    "provenance.temporal.timeLag",
    "accessibility.access.accessRights",
    "observations",
};

static const struct js *at_path(const struct js *j, const char *path)
{
    char name[48];
    for (const char *p = path; j && p; p = strchr(p, '.')) {
        p += *p == '.';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p, "."), p);
        j = js_get(j, name);
    }
    return j;
}

static void put_default(struct js *object, const char *key, const char *text)
{
    if (!js_get(object, key) && text)
        js_put_str(object, key, text);
}

static struct js *member_object(struct js *object, const char *key)
{
    if (!js_is(js_get(object, key), JS_OBJECT))
        js_put(object, key, js_object());
    return js_edit(object, key);
}

/* What the register knows itself fills what the metadata leaves out. */
static enum status fill_in(struct registry *r, const struct js *item, struct js *metadata, struct err *e)
{
    struct js *summary = member_object(metadata, "summary"),
              *custodian = member_object(summary, "dataCustodian");
    struct js *body = NULL;
    const char *owner = js_get_str(item, "body");
    put_default(summary, "title", js_get_str(item, "title"));
    put_default(summary, "abstract", js_get_str(item, "lay"));
    put_default(custodian, "identifier", owner);
    enum status s = owner ? registry_item(r, "body", owner, &body, e) : ST_OK;
    put_default(custodian, "name", js_get_str(body, "name"));
    js_free(body);
    return s;
}

enum status export_dataset(struct registry *r, const char *artefact, struct js **out, struct err *e)
{
    struct js *item = NULL;
    *out = NULL;
    enum status s = registry_item(r, "artefact", artefact, &item, e);
    const char *kind = js_get_str(item, "kind");
    if (s == ST_OK && (!kind || strcmp(kind, "dataset") != 0))
        s = err_set(e, ST_INVALID, "artefact %.64s is no dataset", artefact);
    struct js *metadata =
        s == ST_OK && js_get(item, "metadata") ? js_copy(js_get(item, "metadata")) : js_object();
    if (s == ST_OK)
        s = fill_in(r, item, metadata, e);
    for (size_t i = 0; s == ST_OK && i < sizeof required / sizeof *required; i++)
        if (!at_path(metadata, required[i]))
            s = err_set(e, ST_INVALID,
                        "the dataset's metadata lacks '%s', which HDR UK's schema 3.0.0 requires",
                        required[i]);
    js_free(item);
    if (s == ST_OK)
        *out = metadata;
    else
        js_free(metadata);
    return s;
}
