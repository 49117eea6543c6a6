/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw bytes through the checks that the HTTP door owns. The library's in-place parsing is imitated as laxly
 * as it is (bare LF ends a line, a NUL ends a text, blanks after the colon are skipped); whatever the guard
 * then lets pass must be, byte for byte, what a strict writer would have written. Header values go on to the
 * signature's parser, the target to the query's.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grid/signature.h"
#include "http/server.h"

enum { MOST = 32 };

struct parsed {
    char *bytes;
    size_t n;
    struct http_header headers[MOST];
    struct http_head head;
};

/* The end of a line: at CR LF or LF, which become NULs; *next is behind them. NULL when there is none. */
static char *end_line(char *from, char *end, char **next)
{
    char *lf = memchr(from, '\n', (size_t)(end - from));
    if (!lf)
        return NULL;
    char *stop = lf > from && lf[-1] == '\r' ? lf - 1 : lf;
    *stop = *lf = '\0';
    *next = lf + 1;
    return stop;
}

static bool parse_request_line(struct parsed *p, char *line)
{
    char *uri = strchr(line, ' ');
    char *version = uri ? strchr(uri + 1, ' ') : NULL;
    if (!version)
        return false;
    *uri++ = *version++ = '\0';
    p->head.start = line;
    p->head.method = slice_of(line);
    p->head.uri_at = uri;
    p->head.uri = slice_of(uri);
    p->head.version = slice_of(version);
    return true;
}

static bool parse_lax(struct parsed *p)
{
    char *end = p->bytes + p->n, *next = NULL, *line = p->bytes;
    if (!end_line(line, end, &next) || !parse_request_line(p, line))
        return false;
    for (line = next; end_line(line, end, &next); line = next) {
        char *colon = strchr(line, ':');
        if (!*line) {
            p->head.n = (size_t)(next - p->bytes);
            p->head.headers = p->headers;
            return true;
        }
        if (!colon || p->head.n_headers == MOST)
            return false;
        *colon = '\0';
        char *value = colon + 1;
        while (*value == ' ' || *value == '\t')
            value++;
        p->headers[p->head.n_headers++] = (struct http_header){slice_of(line), slice_of(value)};
    }
    return false;
}

/* CR LF, or what the library makes the same of it (guard.h). */
static bool is_line_end(const char *q)
{
    for (int i = 0; i < 2; i++)
        if (q[i] != '\r' && q[i] != '\n' && q[i] != '\0')
            return false;
    return true;
}

/* Every byte of an accepted head is accounted for. */
static void check_strict(const struct parsed *p, const char *raw)
{
    const char *q = raw + p->head.method.n + 1 + p->head.uri.n + 1 + p->head.version.n;
    for (size_t i = 0; i <= p->head.n_headers; i++) {
        if (!is_line_end(q))
            abort();
        q += 2;
        if (i == p->head.n_headers)
            break;
        const struct http_header *h = &p->headers[i];
        if (memcmp(q, h->name.p, h->name.n) != 0 || q[h->name.n] != ':')
            abort();
        q += (h->value.p - h->name.p) + (ptrdiff_t)h->value.n;
        for (size_t k = 0; k < h->value.n; k++)
            if (iscntrl((unsigned char)h->value.p[k]) && h->value.p[k] != '\t')
                abort();
    }
    if (!is_line_end(q) || q + 2 != raw + p->head.n)
        abort();
}

static void use_request(const struct parsed *p)
{
    struct http_request r = {.headers = p->headers, .n_headers = p->head.n_headers, .arena = arena_new()};
    const char *uri = arena_strndup(r.arena, p->head.uri.p, p->head.uri.n), *value;
    char *mark = strchr(uri, '?');
    struct signature s;
    struct signed_message m = {"GET", slice_of(uri), slice_of(mark ? mark + 1 : ""), SLICE("")};
    struct err e = {0};
    r.query = mark ? mark + 1 : NULL;
    if (request_query(&r, "wait", &value, &e) == ST_OK && value && strlen(value) > p->head.uri.n)
        abort();
    if (signature_check(&m, request_header(&r, "Content-Digest"), request_header(&r, "Signature-Input"),
                        request_header(&r, "Signature"), &s, &e) == ST_OK &&
        strlen(s.nonce) == 0)
        abort();
    arena_free(r.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct parsed p = {.bytes = xmalloc(n + 1), .n = n};
    struct err e = {0};
    memcpy(p.bytes, data, n);
    p.bytes[n] = '\0';
    if (parse_lax(&p) && guard_check(&p.head, &e) == ST_OK) {
        check_strict(&p, (const char *)data);
        use_request(&p);
    }
    free(p.bytes);
    return 0;
}
