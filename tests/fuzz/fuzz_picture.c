/* SPDX-License-Identifier: Apache-2.0
 * Tables of a document that a hostile node could have sent, its hashes right, drawn at both widths: no crash,
 * and no element or reference that a picture has no business with. */
#include <stdlib.h>
#include <string.h>

#include "disclose/picture.h"

static struct js *document_of(struct js *tables, struct err *e)
{
    struct js *document = js_object(), *body = js_object(), *record = js_object();
    struct policy policy;
    struct buf text;
    char hex[2 * HASH_BYTES + 1] = "";
    buf_init(&text, 1 << 22);
    js_put_str(body, "title", "fuzz");
    js_put(body, "tables", tables);
    if (js_canonical(body, &text, e) == ST_OK)
        sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    js_put_str(document, "format", "accord-released-1");
    js_put_str(document, "title", "fuzz");
    js_put(document, "tables", js_share(js_get(body, "tables")));
    js_put_str(record, "tables_sha256", hex);
    if (policy_profile("sde-10", &policy, e) != ST_OK)
        abort();
    js_put(record, "policy", policy_to_json(&policy));
    policy_hash(&policy, hex);
    js_put_str(record, "policy_sha256", hex);
    js_put(document, "record", record);
    js_free(body);
    return document;
}

static void draw(const struct released *r, uint32_t i, enum picture_width width)
{
    static const char *const never[] = {"<script", "<a ",   "<image",  "<style", "<use",
                                        "<!",      " href", " style=", " on"};
    struct buf svg;
    buf_init(&svg, 32 << 20);
    released_svg(r, i, NULL, width, &svg);
    for (const char *tag = svg.n ? strchr(svg.p, '<') : NULL; tag; tag = strchr(tag + 1, '<')) {
        size_t n = strcspn(tag, ">");
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            for (size_t at = 0; at + strlen(never[k]) <= n; at++)
                if (strncmp(tag + at, never[k], strlen(never[k])) == 0)
                    abort();
    }
    buf_deinit(&svg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct js *tables = NULL;
    struct released *r = NULL;
    struct err e = {0};
    if (js_parse((struct slice){(const char *)data, size}, "tables", &tables, &e) != ST_OK)
        return 0;
    struct js *document = document_of(tables, &e);
    if (released_from_json(document, &r, &e) == ST_OK)
        for (uint32_t i = 0; i < released_n_tables(r); i++)
            for (int width = PICTURE_WIDE; width <= PICTURE_NARROW; width++)
                draw(r, i, (enum picture_width)width);
    released_free(r);
    js_free(document);
    return 0;
}
