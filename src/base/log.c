/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/json.h"
#include "base/text.h"

static enum log_level least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
    least_level = least;
}

static void write_line(const struct js *line)
{
    struct buf text;
    buf_init(&text, 65536);
    js_format(line, JS_COMPACT, &text);
    buf_addc(&text, '\n');
    if (!text.failed && fwrite(text.p, 1, text.n, stderr) == text.n)
        fflush(stderr);
    buf_deinit(&text);
}

static struct js *line_new(enum log_level level, const char *event)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char now[21];
    time_format(time_now_ms(), now);
    struct js *line = js_object();
    js_put_str(line, "time", now);
    js_put_str(line, "level", names[level]);
    js_put_str(line, "event", event);
    return line;
}

void log_event(enum log_level level, const char *event, ...)
{
    if (level < least_level)
        return;
    struct js *line = line_new(level, event);
    va_list args;
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        js_put_str(line, key, value ? value : "");
    }
    va_end(args);
    write_line(line);
    js_free(line);
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
    log_event(level, event, "status", status_name(e->status), "text", e->text, "detail", e->detail, NULL);
}

void progress_start(struct progress *p, const char *what, const char *unit, uint64_t total)
{
    const char *forced = getenv("ACCORD_PROGRESS");
    *p = (struct progress){.what = what, .unit = unit, .total = total, .started_ns = time_monotonic_ns()};
    p->visible = forced ? strcmp(forced, "1") == 0 : isatty(STDERR_FILENO);
}

static void show(struct progress *p, int64_t now)
{
    double seconds = (double)(now - p->started_ns) / 1e9;
    double rate = seconds > 0 ? (double)p->done / seconds : 0;
    if (p->total && p->done) {
        double left = rate > 0 ? (double)(p->total - (p->done < p->total ? p->done : p->total)) / rate : 0;
        int filled = (int)(20.0 * (double)p->done / (double)p->total);
        filled = filled > 20 ? 20 : filled;
        fprintf(stderr, "\r\033[K%s [%.*s%.*s] %3.0f%%  %.0f %s/s, %.0f s left", p->what, filled,
                "####################", 20 - filled, "....................",
                100.0 * (double)p->done / (double)p->total, rate, p->unit, left);
    } else {
        fprintf(stderr, "\r\033[K%s  %llu %s, %.0f a second", p->what, (unsigned long long)p->done, p->unit,
                rate);
    }
    fflush(stderr);
    p->shown_ns = now;
}

void progress_add(struct progress *p, uint64_t more)
{
    p->done += more;
    if (!p->visible)
        return;
    int64_t now = time_monotonic_ns();
    if (now - p->shown_ns >= 100000000)
        show(p, now);
}

void progress_end(struct progress *p)
{
    if (p->visible)
        fputs("\r\033[K", stderr);
    p->visible = false;
}

static atomic_int interrupts;

static void on_signal(int signal_number)
{
    if (atomic_fetch_add(&interrupts, 1) > 0 && signal_number == SIGINT)
        _exit(128 + signal_number);
}

void interrupt_watch(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGXFSZ, &act, NULL); /* a file over its limit is an error of write(2), EFBIG */
}

bool interrupted(void)
{
    return atomic_load(&interrupts) > 0;
}

enum status interrupted_err(struct err *e)
{
    return err_set(e, ST_INTERRUPTED, "interrupted; nothing half-done was kept");
}
