/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: slices (borrowed bytes), growable buffers with a ceiling given at creation, strict number parsing,
 * hex and base64, and the "did you mean" distance.
 */
#ifndef ACCORD_BASE_TEXT_H
#define ACCORD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Borrowed bytes, not terminated. */
struct slice {
    const char *p;
    size_t n;
};
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
static inline struct slice slice_of(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}
bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *s);
/* Whether a text of UTF-8 can be shown anywhere as it is: without control characters other than tab and line ends, without
   characters that turn the direction of what follows ("Trojan source", CVE-2021-42574) and without those that XML 1.0 has
   no place for. */
bool text_is_plain(const char *utf8);
bool word_in(const char *words, const char *word); /* whether "a|b|c" has the word; false for NULL words */
struct slice slice_trim(struct slice s);           /* spaces, tabs, CR, LF at both ends */
/* The bytes of a text file from elsewhere: a byte order mark of UTF-8 in front of them is passed over. ST_INVALID for
   UTF-16 and UTF-32, which says how to convert it; `name` is what the error calls the file. */
MUST_CHECK enum status text_of_file(struct slice bytes, const char *name, struct slice *out, struct err *e);

/* A growable buffer. Always NUL-terminated behind n. Going over `max` sets `failed` and drops the bytes:
   check once at the end with buf_check. */
struct buf {
    char *p;
    size_t n, capacity, max;
    bool failed;
};
void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Makes room for `more` bytes and a NUL behind n, for writing in place: the caller then adds to n and keeps
 * the NUL. */
MUST_CHECK bool buf_reserve(struct buf *b, size_t more);
/* One field of an RFC 4180 row, quoted where it must be. */
void buf_csv(struct buf *b, const char *text);
/* Text for XML, HTML and SVG: & < > " ' become references; control characters that XML 1.0 forbids are
 * dropped. */
void buf_xml(struct buf *b, const char *text);
/* Text for a part of a URL's path or query: all but letters, digits and -._~ percent-encoded (RFC 3986, 2.3). */
void buf_url(struct buf *b, const char *text);
char *buf_steal(struct buf *b); /* caller frees with free(); b is empty afterwards */
struct slice buf_slice(const struct buf *b);
MUST_CHECK enum status buf_check(const struct buf *b, const char *what,
                                 struct err *e); /* ST_NO_MEMORY if it overflowed */

/* Strict numbers: the whole slice, no spaces; false if it is not one or does not fit. */
bool parse_i64(struct slice s, int64_t *out);
bool parse_u64(struct slice s, uint64_t *out);
bool parse_double(struct slice s, double *out); /* decimal, optional exponent; no inf, nan, hex */

/* Lower-case hex. hex_decode wants exactly 2 * n digits. */
void hex_encode(const uint8_t *bytes, size_t n, char *out /* 2n + 1 */);
bool hex_decode(struct slice s, uint8_t *out, size_t n);
/* Standard base64 with padding (RFC 4648 section 4). base64_decode returns the byte count or -1 (strict: no
 * spaces, canonical). */
void base64_encode(const uint8_t *bytes, size_t n, struct buf *out);
long base64_decode(struct slice s, uint8_t *out, size_t max);

/* Damerau-Levenshtein (optimal string alignment) distance, texts up to 64 bytes; longer texts count as far.
 */
unsigned text_distance(const char *a, const char *b);
/* The nearest of `names` (n of them) within a third of its length, or NULL: for "did you mean". */
const char *text_nearest(const char *given, const char *const *names, size_t n);

#endif
