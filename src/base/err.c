/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *title;
    int exit_code;
    int http;
} statuses[ST_COUNT] = {
#define X(name, exit_code, http, title) [ST_##name] = {#name, title, exit_code, http},
#include "base/errors.def"
#undef X
};

enum status err_set(struct err *e, enum status s, const char *format, ...)
{
    if (!e)
        return s;
    e->status = s;
    e->detail[0] = '\0';
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

void err_detail(struct err *e, const char *format, ...)
{
    if (!e)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(e->detail, sizeof e->detail, format, args);
    va_end(args);
}

enum status err_wrap(struct err *e, const char *format, ...)
{
    if (!e)
        return ST_INTERNAL;
    char inner[sizeof e->text];
    memcpy(inner, e->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", inner);
    return e->status;
}

static enum status status_of_errno(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ST_NO_SPACE;
    case ENOENT:
        return ST_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ST_DENIED;
    case ENOMEM:
        return ST_NO_MEMORY;
    case EINTR:
        return ST_INTERRUPTED;
    default:
        return ST_IO;
    }
}

enum status err_errno(struct err *e, int error_number, const char *doing, const char *path)
{
    char why[128];
    const char *reason = strerror_r(error_number, why, sizeof why);
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    enum status s = err_set(e, status_of_errno(error_number), "%s '%s': %s", doing, name, reason);
    err_detail(e, "%s", path);
    return s;
}

const char *status_name(enum status s)
{
    return s < ST_COUNT ? statuses[s].name : "UNKNOWN";
}

const char *status_title(enum status s)
{
    return s < ST_COUNT ? statuses[s].title : "unknown status";
}

int status_exit_code(enum status s)
{
    return s < ST_COUNT ? statuses[s].exit_code : 70;
}

int status_http(enum status s)
{
    return s < ST_COUNT ? statuses[s].http : 500;
}
