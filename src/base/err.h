/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors are values: every function that can fail returns an enum status that the compiler makes the caller
 * check, and fills a caller-owned struct err. Two texts: `text` may be shown to anybody (no path of the
 * machine, no patient value); `detail` (paths, values, SQL) never leaves the site: it goes to the operator's
 * terminal and log only. Set once where it happens (err_set), wrapped with context on the way up (err_wrap).
 * One `goto out` per function.
 */
#ifndef ACCORD_BASE_ERR_H
#define ACCORD_BASE_ERR_H

#include <stdarg.h>

enum status {
#define X(name, exit_code, http, title) ST_##name,
#include "base/errors.def"
#undef X
    ST_COUNT
};

#define MUST_CHECK                      __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

struct err {
    enum status status;
    char text[512];
    char detail[512];
};

/* Sets status and the public text (what was wrong, where, what was expected, what to do). Returns s. `e` may
 * be NULL. */
enum status err_set(struct err *e, enum status s, const char *format, ...) PRINTF_LIKE(3, 4);
/* Adds what only the site's own operator may see. */
void err_detail(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts "context: " before the public text; returns the status already in e. */
enum status err_wrap(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);
/* From errno: NO_SPACE for ENOSPC, EDQUOT and EFBIG, NOT_FOUND for ENOENT, DENIED for EACCES/EPERM/EROFS,
   NO_MEMORY, else IO. The path goes into detail; its last component into the text. */
enum status err_errno(struct err *e, int error_number, const char *doing, const char *path);

const char *status_name(enum status s);  /* "INVALID" */
const char *status_title(enum status s); /* "the input is not valid" */
int status_exit_code(enum status s);
int status_http(enum status s);

#endif
