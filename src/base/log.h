/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says while it works, all on stderr: structured log lines (one JSON object a line, for
 * services), a progress line on a terminal, and the flag that Ctrl-C sets. No patient value may ever be
 * passed to any of these.
 */
#ifndef ACCORD_BASE_LOG_H
#define ACCORD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
void log_set_level(enum log_level least);
/* log_event(LOG_INFO, "run.admitted", "run", id, "site", name, NULL): keys and values in pairs, NULL at the
 * end. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
void log_err(enum log_level level, const char *event,
             const struct err *e); /* with the detail: operator's log only */

/* Progress: shown only when stderr is a terminal (or ACCORD_PROGRESS=1), at most ten times a second. total 0
 * = unknown. */
struct progress {
    const char *what; /* "importing measurement" */
    const char *unit; /* "rows" */
    uint64_t total, done;
    int64_t started_ns, shown_ns;
    bool visible;
};
void progress_start(struct progress *p, const char *what, const char *unit, uint64_t total);
void progress_add(struct progress *p, uint64_t more);
void progress_end(struct progress *p); /* wipes the line */

/* SIGINT and SIGTERM set the flag (a second SIGINT ends the process at once). Long loops ask interrupted()
   and return interrupted_err(e), which is ST_INTERRUPTED. */
void interrupt_watch(void);
bool interrupted(void);
enum status interrupted_err(struct err *e);

#endif
