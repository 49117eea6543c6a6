/* SPDX-License-Identifier: Apache-2.0 */
#include "http/guard.h"

#include <ctype.h>
#include <stdint.h>
#include <strings.h>

enum { LINE_END = 2 };

/* RFC 9110 section 5.6.2. */
static bool is_token(struct slice s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !(isalnum((unsigned char)s.p[i]) || strchr(marks, s.p[i])))
            return false;
    return s.n > 0;
}

static bool is_field_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_uri_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return false;
    }
    return s.n > 0 && s.p[0] == '/';
}

static bool named(const struct http_header *h, const char *name)
{
    return h->name.n == strlen(name) && strncasecmp(h->name.p, name, h->name.n) == 0;
}

/* Between name and value: what was the colon, then blanks. */
static bool is_separator(const char *from, const char *to)
{
    if (to <= from || *from != '\0')
        return false;
    for (const char *p = from + 1; p < to; p++)
        if (*p != ' ' && *p != '\t')
            return false;
    return true;
}

/* Steps over what were CR and LF: two NULs inside the head. */
static bool step_line_end(const struct http_head *h, const char **next)
{
    const char *p = *next;
    if (p < h->start || p + LINE_END > h->start + h->n || p[0] || p[1])
        return false;
    *next = p + LINE_END;
    return true;
}

static enum status check_request_line(const struct http_head *h, const char **next, struct err *e)
{
    if (!is_token(h->method) || h->uri_at != h->start + h->method.n + 1 ||
        h->version.p != h->uri_at + h->uri.n + 1 || !is_uri_text(h->uri))
        return err_set(e, ST_USAGE, "the request line is malformed");
    if (!slice_is(h->version, "HTTP/1.1"))
        return err_set(e, ST_USAGE, "only HTTP/1.1 is spoken here");
    *next = h->version.p + h->version.n;
    return ST_OK;
}

static enum status check_lines(const struct http_head *h, const char *next, struct err *e)
{
    for (size_t i = 0; i < h->n_headers; i++) {
        const struct http_header *f = &h->headers[i];
        if (!step_line_end(h, &next) || f->name.p != next || !is_token(f->name) ||
            !is_separator(f->name.p + f->name.n, f->value.p) || !is_field_text(f->value))
            return err_set(e, ST_USAGE,
                           "a header line is malformed: expected 'Name: value' with CR LF, without control "
                           "bytes, folding or a space before the colon");
        next = f->value.p + f->value.n;
    }
    if (!step_line_end(h, &next) || !step_line_end(h, &next) || next != h->start + h->n)
        return err_set(e, ST_USAGE, "the end of the request's head is malformed: expected an empty line");
    return ST_OK;
}

/* Headers on which framing, routing or identity depend must not be ambiguous. */
static enum status check_once(const struct http_head *h, struct err *e)
{
    static const char *const once[] = {"Host",      "Content-Length",  "Content-Type",   "Authorization",
                                       "Signature", "Signature-Input", "Content-Digest", "If-Match",
                                       "Cookie",    "Idempotency-Key"};
    for (size_t k = 0; k < sizeof once / sizeof *once; k++) {
        int seen = 0;
        for (size_t i = 0; i < h->n_headers; i++)
            seen += named(&h->headers[i], once[k]);
        if (seen > 1)
            return err_set(e, ST_USAGE, "the header %s was given more than once", once[k]);
    }
    return ST_OK;
}

enum status guard_check(const struct http_head *h, struct err *e)
{
    const char *next = NULL;
    enum status s = check_request_line(h, &next, e);
    if (s == ST_OK)
        s = check_lines(h, next, e);
    if (s == ST_OK)
        s = check_once(h, e);
    return s;
}
