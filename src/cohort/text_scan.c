/* SPDX-License-Identifier: Apache-2.0 */
#include "cohort/text_scan.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"

/* Lines end with LF, CR LF, or CR alone. */
static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* --- errors --- */

enum status scan_fault(struct scanner *s, const char *p, const char *format, ...)
{
    char what[200];
    size_t line = 1;
    const char *start = s->begin;
    for (const char *q = s->begin; q < p; q++)
        if (*q == '\n' || (*q == '\r' && q[1] != '\n')) {
            line++;
            start = q + 1;
        }
    const char *stop = p;
    while (stop < s->end && !ends_line(*stop))
        stop++;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    size_t column = (size_t)(p - start);
    size_t from = column > 60 ? column - 60 : 0;
    err_set(s->e, ST_INVALID, "%s: line %zu, column %zu: %s", s->name, line, column + 1, what);
    err_detail(s->e, "%.*s <-- here --> %.*s", (int)(column - from), start + from,
               (int)(stop - p > 60 ? 60 : stop - p), p);
    s->failed = true;
    return ST_INVALID;
}

enum status scan_expected(struct scanner *s, const char *what)
{
    const struct token *t = &s->token;
    if (t->kind == T_END)
        return scan_fault(s, t->p, "expected %s, found the end", what);
    return scan_fault(s, t->p, "expected %s, found '%.*s'", what, (int)(t->n > 40 ? 40 : t->n), t->p);
}

/* --- tokens --- */

static void skip_blanks(struct scanner *s)
{
    while (s->at < s->end) {
        if (*s->at == '#')
            while (s->at < s->end && !ends_line(*s->at))
                s->at++;
        else if (isspace((unsigned char)*s->at))
            s->at++;
        else
            break;
    }
}

static enum status scan_string(struct scanner *s, struct token *t)
{
    char *out = arena_alloc(s->arena, (size_t)(s->end - s->at) + 1), *q = out;
    const char *p = s->at + 1;
    for (; p < s->end && *p != '"'; p++) {
        if (*p != '\\') {
            *q++ = *p;
            continue;
        }
        if (++p == s->end || !strchr("\"\\n", *p))
            return scan_fault(s, p - 1, "in a text in quotes, \\ stands before \", \\ or n");
        *q++ = *p == 'n' ? '\n' : *p;
    }
    if (p == s->end)
        return scan_fault(s, s->at, "this text in quotes has no end");
    t->kind = T_STRING;
    t->text = out;
    t->n = (size_t)(p - s->at) + 1;
    return ST_OK;
}

static size_t count_while(const struct scanner *s, const char *p, const char *set)
{
    size_t n = 0;
    while (p + n < s->end && p[n] && strchr(set, p[n]))
        n++;
    return n;
}

static enum status scan_number(struct scanner *s, struct token *t)
{
    struct slice date = {s->at, 10};
    if (s->end - s->at >= 10 && s->at[4] == '-' && s->at[7] == '-') {
        if (!date_parse(date, &t->day))
            return scan_fault(s, s->at, "there is no such day; expected a date such as 2010-01-31");
        t->kind = T_DATE;
        t->n = 10;
        return ST_OK;
    }
    size_t n = *s->at == '-' || *s->at == '+';
    n += count_while(s, s->at + n, "0123456789.");
    if (s->at + n < s->end && s->at[n] == 'e')
        n += 1 + count_while(s, s->at + n + 1, "+-0123456789");
    size_t plus = *s->at == '+';
    t->kind = T_NUMBER;
    t->n = n;
    if (!parse_double((struct slice){s->at + plus, n - plus}, &t->number))
        return scan_fault(s, s->at, "expected a number");
    return ST_OK;
}

static bool begins_number(const struct scanner *s)
{
    const char *p = s->at + (*s->at == '-' || *s->at == '+');
    return p < s->end && isdigit((unsigned char)*p);
}

static void scan_word(struct scanner *s, struct token *t)
{
    const char *p = s->at;
    while (p < s->end && (isalnum((unsigned char)*p) || *p == '-' || *p == '_'))
        p++;
    t->kind = T_WORD;
    t->n = (size_t)(p - s->at);
    t->text = arena_strndup(s->arena, s->at, t->n);
}

enum status scan_next(struct scanner *s)
{
    struct token *t = &s->token;
    enum status st = ST_OK;
    skip_blanks(s);
    *t = (struct token){.kind = T_END, .p = s->at};
    if (s->at == s->end)
        return ST_OK;
    if (*s->at == '"')
        st = scan_string(s, t);
    else if (begins_number(s))
        st = scan_number(s, t);
    else if (isalpha((unsigned char)*s->at))
        scan_word(s, t);
    else {
        t->kind = T_SIGN;
        t->n = 1;
        if (strchr("<>!", *s->at) && s->at + 1 < s->end && s->at[1] == '=')
            t->n = 2;
    }
    s->at += t->n;
    return st;
}

bool scan_is(const struct scanner *s, const char *what)
{
    const struct token *t = &s->token;
    return (t->kind == T_WORD || t->kind == T_SIGN) && t->n == strlen(what) && memcmp(t->p, what, t->n) == 0;
}

/* Takes the word or sign if it is next. A fault of the scanner shows as s->failed. */
bool scan_take(struct scanner *s, const char *what)
{
    if (s->failed || !scan_is(s, what))
        return false;
    return scan_next(s) == ST_OK;
}

enum status scan_need(struct scanner *s, const char *what)
{
    char quoted[64];
    if (s->failed)
        return ST_INVALID;
    snprintf(quoted, sizeof quoted, "'%s'", what);
    return scan_is(s, what) ? scan_next(s) : scan_expected(s, quoted);
}

enum status scan_number_value(struct scanner *s, double *out)
{
    if (s->failed)
        return ST_INVALID;
    if (s->token.kind != T_NUMBER)
        return scan_expected(s, "a number");
    *out = s->token.number;
    return scan_next(s);
}

enum status scan_int(struct scanner *s, int32_t *out)
{
    const char *p = s->token.p;
    double v = 0;
    enum status st = scan_number_value(s, &v);
    if (st == ST_OK && (v != trunc(v) || v < INT32_MIN || v > INT32_MAX))
        st = scan_fault(s, p, "expected a whole number from %d to %d", INT32_MIN, INT32_MAX);
    *out = st == ST_OK ? (int32_t)v : 0;
    return st;
}

enum status scan_day(struct scanner *s, int32_t *out)
{
    if (s->failed)
        return ST_INVALID;
    if (s->token.kind != T_DATE)
        return scan_expected(s, "a date such as 2010-01-31");
    *out = s->token.day;
    return scan_next(s);
}

/* "" where no text in quotes is next. */
enum status scan_optional_text(struct scanner *s, const char **out)
{
    *out = "";
    if (s->failed || s->token.kind != T_STRING)
        return s->failed ? ST_INVALID : ST_OK;
    *out = s->token.text;
    return scan_next(s);
}

enum status scan_text(struct scanner *s, const char **out)
{
    if (!s->failed && s->token.kind != T_STRING)
        return scan_expected(s, "a text in quotes");
    return scan_optional_text(s, out);
}
