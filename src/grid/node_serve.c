/* SPDX-License-Identifier: Apache-2.0
 *
 * The node at work. One thread asks the hub what there is to do and holds that request open until something
 * changes (so work starts at once, and a stop is seen while sums are being computed); the other does it, and
 * looks at the database, five times a second or more often while an output is held, for what people of the
 * site decided meanwhile.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "grid/node_state.h"

enum { HOLD_SECONDS = 25, TICK_MS = 200, TICK_HELD_MS = 25, FIRST_PAUSE_MS = 200, LONGEST_PAUSE_MS = 5000 };

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct js *answer; /* the newest: {mark, work, runs}; NULL before the first */
    bool fresh;
    atomic_bool stop;
    const char *data;
};

static void wait_ms(struct inbox *in, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = (int64_t)until.tv_nsec + (int64_t)ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&in->news, &in->lock, &until);
}

static void deliver(struct inbox *in, struct js *answer)
{
    pthread_mutex_lock(&in->lock);
    js_free(in->answer);
    in->answer = answer;
    in->fresh = true;
    pthread_cond_broadcast(&in->news);
    pthread_mutex_unlock(&in->lock);
}

static bool all_texts(const struct js *list)
{
    bool texts = js_is(list, JS_ARRAY);
    for (size_t i = 0; texts && i < js_size(list); i++)
        texts = js_str(js_at(list, i)) != NULL;
    return texts;
}

/* {mark, work, runs}: whole, or not taken at all. What is not in `runs` is over and forgotten, so a list that is
 * missing or garbled must never be read as an empty one. */
static bool is_work_answer(const struct js *answer)
{
    const char *mark = js_get_str(answer, "mark");
    return mark && strlen(mark) <= 64 && js_is(js_get(answer, "work"), JS_ARRAY) &&
           all_texts(js_get(answer, "runs"));
}

/* One long request; the mark of the last answer says what is known here. */
static enum status poll(struct hub_client *hub, struct inbox *in, char mark[65], struct err *e)
{
    char target[160];
    struct js *answer = NULL;
    snprintf(target, sizeof target, "/api/v1/node/work?wait=%d&seen=%s", HOLD_SECONDS, mark);
    enum status s = hub_get(hub, target, (HOLD_SECONDS + 10) * 1000, &answer, e);
    if (s == ST_OK && !is_work_answer(answer))
        s = err_set(e, ST_NETWORK, "the hub's answer about work has not the expected form");
    const char *new_mark = js_get_str(answer, "mark");
    if (s != ST_OK || strcmp(new_mark, mark) == 0) {
        js_free(answer);
        return s;
    }
    snprintf(mark, 65, "%s", new_mark);
    deliver(in, answer);
    return ST_OK;
}

static void *poller(void *context)
{
    struct inbox *in = context;
    struct node *n = NULL;
    struct err e = {0};
    char mark[65] = "";
    int pause_ms = 0;
    if (node_open(in->data, true, &in->stop, &n, &e) != ST_OK) {
        log_err(LOG_ERROR, "node.poll", &e);
        return NULL;
    }
    while (!interrupted() && !atomic_load(&in->stop)) {
        if (poll(n->hub, in, mark, &e) == ST_OK) {
            if (pause_ms)
                log_event(LOG_INFO, "node.hub.back", NULL);
            pause_ms = 0;
            continue;
        }
        if (interrupted() || atomic_load(&in->stop))
            break;
        if (!pause_ms)
            log_err(LOG_WARN, "node.hub.lost", &e);
        pause_ms = pause_ms ? pause_ms * 2 : FIRST_PAUSE_MS;
        pause_ms = pause_ms > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms;
        pthread_mutex_lock(&in->lock);
        wait_ms(in, pause_ms);
        pthread_mutex_unlock(&in->lock);
    }
    node_close(n);
    return NULL;
}

/* Everything that is kept for a run but its output and what was told. */
static enum status forget(struct node *n, const char *run, struct err *e)
{
    static const char *const statements[] = {
        "DELETE FROM local WHERE run=?1", "DELETE FROM part WHERE run=?1",
        "DELETE FROM progress WHERE run=?1",
        "UPDATE output SET state='stopped', checks='' WHERE run=?1 AND state='held'",
        "UPDATE run SET state='over' WHERE id=?1"};
    enum status s = db_begin(n->db, e);
    for (size_t i = 0; s == ST_OK && i < sizeof statements / sizeof *statements; i++) {
        struct stmt *q;
        s = db_prepare(n->db, statements[i], &q, e);
        if (s == ST_OK) {
            stmt_bind_text(q, 1, run);
            s = stmt_run(q, e);
        }
    }
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

/* Runs that the hub no longer lists are over (released, stopped, failed); what is still to be told about them
   is told first. */
static enum status forget_finished(struct node *n, const struct js *runs, struct err *e)
{
    struct stmt *q;
    bool row = false;
    struct js *mine = js_array();
    enum status s = db_prepare(n->db,
                               "SELECT id FROM run WHERE state<>'over' AND id NOT IN"
                               " (SELECT run FROM outbox WHERE refused IS NULL)",
                               &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row)
        js_push(mine, js_string(stmt_text(q, 0)));
    stmt_done(q);
    for (size_t i = 0; s == ST_OK && i < js_size(mine); i++)
        if (!js_has_text(runs, js_str(js_at(mine, i)))) {
            log_event(LOG_INFO, "node.over", "run", js_str(js_at(mine, i)), NULL);
            s = forget(n, js_str(js_at(mine, i)), e);
        }
    js_free(mine);
    return s;
}

/* The same trouble is told once. */
static void complain(const char *event, const struct err *e)
{
    static struct err last; /* of the one working thread */
    if (strcmp(last.text, e->text) != 0)
        log_err(LOG_WARN, event, e);
    last = *e;
}

static void do_item(struct node *n, const struct js *work)
{
    struct err e = {0};
    const char *what = js_get_str(work, "do");
    if (!what || !js_get_str(work, "run") || strlen(js_get_str(work, "run")) > RUN_ID_MOST)
        return;
    enum status s = strcmp(what, "part") == 0    ? site_work(n, work, &e)
                    : strcmp(what, "total") == 0 ? lead_work(n, work, &e)
                                                 : ST_OK;
    if (s == ST_OK)
        s = node_flush(n, &e);
    if (s != ST_OK)
        complain("node.work", &e);
}

/* One look at everything that may be waiting. */
static void turn(struct node *n, const struct js *answer, bool fresh, bool *held)
{
    struct err e = {0};
    enum status s = node_flush(n, &e);
    const struct js *work = js_get(answer, "work");
    for (size_t i = 0; i < js_size(work) && !interrupted(); i++)
        do_item(n, js_at(work, i));
    if (s == ST_OK)
        s = outputs_settle(n, held, &e);
    if (s == ST_OK)
        s = node_flush(n, &e);
    if (s == ST_OK && fresh)
        s = forget_finished(n, js_get(answer, "runs"), &e);
    if (s != ST_OK)
        complain("node.turn", &e);
}

static void work_until_interrupted(struct node *n, struct inbox *in)
{
    bool held = false;
    while (!interrupted()) {
        pthread_mutex_lock(&in->lock);
        if (!in->fresh)
            wait_ms(in, held ? TICK_HELD_MS : TICK_MS);
        bool fresh = in->fresh;
        struct js *answer = in->answer ? js_share(in->answer) : NULL;
        in->fresh = false;
        pthread_mutex_unlock(&in->lock);
        if (answer)
            turn(n, answer, fresh, &held);
        pthread_mutex_lock(&in->lock);
        js_free(answer);
        pthread_mutex_unlock(&in->lock);
    }
}

enum status node_serve(const char *data, const char *store, unsigned threads, struct err *e)
{
    struct inbox in = {.data = data};
    struct node *n;
    struct store *probe = NULL;
    pthread_t thread;
    pthread_condattr_t monotonic;
    int folder = -1;
    enum status s = node_open(data, true, &in.stop, &n, e);
    if (s != ST_OK)
        return s;
    s = dir_lock(data, &folder, e); /* what is done once per site is done by one process */
    if (s == ST_OK)
        s = store_open(store, &probe, e);
    store_close(probe);
    n->store_path = store;
    n->pool = pool_new(threads);
    pthread_mutex_init(&in.lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&in.news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (s == ST_OK && pthread_create(&thread, NULL, poller, &in) != 0)
        s = err_set(e, ST_NO_MEMORY, "a thread could not be started");
    if (s == ST_OK) {
        log_event(LOG_INFO, "node.serving", "body", n->body, "hub", n->hub_url, NULL);
        work_until_interrupted(n, &in);
        atomic_store(&in.stop, true);
        pthread_mutex_lock(&in.lock);
        pthread_cond_broadcast(&in.news);
        pthread_mutex_unlock(&in.lock);
        pthread_join(thread, NULL);
        log_event(LOG_INFO, "node.stopped", NULL);
    }
    js_free(in.answer);
    pthread_cond_destroy(&in.news);
    pthread_mutex_destroy(&in.lock);
    pool_free(n->pool);
    node_close(n);
    if (folder >= 0)
        close(folder);
    return s;
}
