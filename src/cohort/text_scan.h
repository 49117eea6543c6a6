/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner of the text form (docs/cohort-language.md): one token ahead, and errors that point at the
 * character. After a fault every function says so, and scan_take and scan_is are false.
 */
#ifndef ACCORD_COHORT_TEXT_SCAN_H
#define ACCORD_COHORT_TEXT_SCAN_H

#include "base/text.h"
#include "cohort/tree.h"

enum token_kind { T_WORD, T_NUMBER, T_DATE, T_STRING, T_SIGN, T_END };

struct token {
    enum token_kind kind;
    const char *p; /* in the source */
    size_t n;
    double number;
    int32_t day;
    const char *text; /* words and strings, in the arena */
};

struct scanner {
    const char *name, *begin, *at, *end;
    struct token token; /* the next one, not used yet */
    struct arena *arena;
    struct cohort_definition *d;
    struct err *e;
    int depth;
    bool failed;
};

/* "NAME: line 2, column 9: ..." at a place in the source; the line with a mark in the detail. */
enum status scan_fault(struct scanner *s, const char *p, const char *format, ...) PRINTF_LIKE(3, 4);
/* "expected WHAT, found ..." at the next token. */
enum status scan_expected(struct scanner *s, const char *what);
MUST_CHECK enum status scan_next(struct scanner *s); /* the token after */
bool scan_is(const struct scanner *s, const char *what);
/* Takes the word or sign if it is next. */
bool scan_take(struct scanner *s, const char *what);
MUST_CHECK enum status scan_need(struct scanner *s, const char *what);
MUST_CHECK enum status scan_number_value(struct scanner *s, double *out);
MUST_CHECK enum status scan_int(struct scanner *s, int32_t *out);
MUST_CHECK enum status scan_day(struct scanner *s, int32_t *out);
MUST_CHECK enum status scan_optional_text(struct scanner *s, const char **out); /* "" where none is next */
MUST_CHECK enum status scan_text(struct scanner *s, const char **out);

#endif
