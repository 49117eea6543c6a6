/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice a, const char *s)
{
    return slice_equal(a, slice_of(s));
}

bool word_in(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (strcspn(p, "|") == n && memcmp(p, word, n) == 0)
            return true;
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* By its mark (Unicode 15, section 23.8), or by the zeros that half of the bytes of a Latin text then are. NULL:
   neither UTF-16 nor UTF-32. */
static const char *wide_encoding(struct slice s)
{
    if (s.n >= 4 && (memcmp(s.p, "\xff\xfe\0\0", 4) == 0 || memcmp(s.p, "\0\0\xfe\xff", 4) == 0))
        return "UTF-32";
    bool utf16 = s.n >= 2 && (memcmp(s.p, "\xff\xfe", 2) == 0 || memcmp(s.p, "\xfe\xff", 2) == 0 ||
                              (s.p[0] == '\0') != (s.p[1] == '\0'));
    return utf16 ? "UTF-16" : NULL;
}

enum status text_of_file(struct slice bytes, const char *name, struct slice *out, struct err *e)
{
    const char *wide = wide_encoding(bytes);
    *out = bytes;
    if (wide)
        return err_set(
            e, ST_INVALID,
            "%s is in %s; expected UTF-8: save it as UTF-8 (spreadsheets call it CSV UTF-8), or convert "
            "it with 'iconv -f %s -t UTF-8'",
            name, wide, wide);
    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0)
        *out = (struct slice){bytes.p + 3, bytes.n - 3};
    return ST_OK;
}

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (b->failed || more > b->max || b->n > b->max - more) {
        b->failed = true;
        return false;
    }
    GROW(b->p, b->n + more + 1, b->capacity);
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (!buf_reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_xml(struct buf *b, const char *text)
{
    static const char *const references[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 128 && references[c])
            buf_adds(b, references[c]);
        else if (c >= ' ' || c == '\t' || c == '\n' || c == '\r')
            buf_addc(b, *text);
    }
}

void buf_url(struct buf *b, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        if (strchr("-._~", c) || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
            buf_addc(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

void buf_csv(struct buf *b, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        buf_adds(b, text);
        return;
    }
    buf_addc(b, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_addc(b, '"');
        buf_addc(b, *text);
    }
    buf_addc(b, '"');
}

char *buf_steal(struct buf *b)
{
    char *p = b->p ? b->p : xstrdup("");
    *b = (struct buf){.max = b->max};
    return p;
}

struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->p ? b->p : "", b->n};
}

enum status buf_check(const struct buf *b, const char *what, struct err *e)
{
    if (!b->failed)
        return ST_OK;
    return err_set(e, ST_NO_MEMORY, "%s is larger than the %zu bytes allowed", what, b->max);
}

bool parse_u64(struct slice s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool parse_i64(struct slice s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;
    if (negative)
        s = (struct slice){s.p + 1, s.n - 1};
    if (!parse_u64(s, &v) || v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool looks_decimal(struct slice s)
{
    bool digit = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= '0' && c <= '9')
            digit = true;
        else if (!(c == '.' || c == '-' || c == '+' || ((c == 'e' || c == 'E') && digit)))
            return false;
    }
    return digit;
}

bool parse_double(struct slice s, double *out)
{
    char copy[64];
    if (s.n == 0 || s.n >= sizeof copy || !looks_decimal(s))
        return false;
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    char *end;
    errno = 0;
    double v = strtod(copy, &end);
    if (*end || end == copy || (errno == ERANGE && (v > 1 || v < -1)))
        return false;
    *out = v;
    return true;
}

bool text_is_plain(const char *utf8)
{
    static const char *const not_plain[] = {
        "\x7f",                                                                         /* DEL */
        "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", /* U+202A to U+202E */
        "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",                 /* U+2066 to U+2069 */
        "\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf"}; /* U+FEFF, U+FFFE, U+FFFF */
    for (const unsigned char *p = (const unsigned char *)utf8; *p; p++)
        if ((*p < ' ' && *p != '\t' && *p != '\n' && *p != '\r') ||
            (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
            return false;
    for (size_t i = 0; i < sizeof not_plain / sizeof *not_plain; i++)
        if (strstr(utf8, not_plain[i]))
            return false;
    return true;
}

void hex_encode(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool hex_decode(struct slice s, uint8_t *out, size_t n)
{
    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_value(s.p[2 * i]), lo = hex_value(s.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *bytes, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)bytes[i] << 16;
        v |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        v |= left > 2 ? bytes[i + 2] : 0;
        char four[4] = {base64_digits[v >> 18], base64_digits[v >> 12 & 63],
                        left > 1 ? base64_digits[v >> 6 & 63] : '=', left > 2 ? base64_digits[v & 63] : '='};
        buf_add(out, four, 4);
    }
}

static int base64_value(char c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;
    return at ? (int)(at - base64_digits) : -1;
}

long base64_decode(struct slice s, uint8_t *out, size_t max)
{
    size_t n = 0;
    if (s.n % 4)
        return -1;
    for (size_t i = 0; i < s.n; i += 4) {
        size_t pad =
            i + 4 == s.n ? (size_t)(s.p[i + 3] == '=') + (size_t)(s.p[i + 3] == '=' && s.p[i + 2] == '=') : 0;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_value(s.p[i + k]);
            if (d < 0)
                return -1;
            v = v << 6 | (uint32_t)d;
        }
        if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)) || n + 3 - pad > max)
            return -1;
        for (size_t k = 0; k < 3 - pad; k++)
            out[n++] = (uint8_t)(v >> (16 - 8 * k));
    }
    return (long)n;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t na = strlen(a), nb = strlen(b);
    if (na > MOST || nb > MOST)
        return UINT32_MAX;
    unsigned d[MOST + 1][MOST + 1];
    for (size_t i = 0; i <= na; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= nb; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++)
        for (size_t j = 1; j <= nb; j++) {
            unsigned v = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                v = least(v, d[i - 2][j - 2] + 1);
            d[i][j] = v;
        }
    return d[na][nb];
}

const char *text_nearest(const char *given, const char *const *names, size_t n)
{
    const char *best = NULL;
    unsigned best_distance = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        unsigned v = text_distance(given, names[i]);
        if (v < best_distance) {
            best_distance = v;
            best = names[i];
        }
    }
    if (!best || best_distance > 1 + strlen(best) / 3)
        return NULL;
    return best;
}
