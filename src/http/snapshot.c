/* SPDX-License-Identifier: Apache-2.0 */
#include "http/snapshot.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct snapshots {
    char *register_path, *board_path;
    const struct identity *hub;
    pthread_mutex_t lock;
    struct snapshot *idle;
};

struct snapshots *snapshots_new(const char *register_path, const char *board_path, const struct identity *hub)
{
    struct snapshots *s = xcalloc(1, sizeof *s);
    s->register_path = xstrdup(register_path);
    s->board_path = xstrdup(board_path);
    s->hub = hub;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void close_one(struct snapshot *one)
{
    registry_close(one->registry);
    board_close(one->board);
    free(one);
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    while (s->idle) {
        struct snapshot *one = s->idle;
        s->idle = one->next;
        close_one(one);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->register_path);
    free(s->board_path);
    free(s);
}

static enum status open_one(const struct snapshots *s, struct snapshot **out, struct err *e)
{
    struct snapshot *one = xcalloc(1, sizeof *one);
    *out = NULL;
    enum status st = registry_open(s->register_path, DB_READ, s->hub, NULL, &one->registry, e);
    if (st == ST_OK)
        st = board_open_read(s->board_path, &one->board, e);
    if (st == ST_OK)
        *out = one;
    else
        close_one(one);
    return st;
}

static struct snapshot *pop(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    struct snapshot *one = s->idle;
    if (one)
        s->idle = one->next;
    pthread_mutex_unlock(&s->lock);
    return one;
}

enum status snapshot_take(struct snapshots *s, struct snapshot **out, struct err *e)
{
    struct snapshot *one = pop(s);
    enum status st = one ? ST_OK : open_one(s, &one, e);
    *out = NULL;
    if (!one)
        return st;
    st = registry_read_begin(one->registry, e);
    if (st == ST_OK)
        *out = one;
    else
        close_one(one);
    return st;
}

void snapshot_give(struct snapshots *s, struct snapshot *taken)
{
    if (!taken)
        return;
    registry_read_end(taken->registry);
    pthread_mutex_lock(&s->lock);
    taken->next = s->idle;
    s->idle = taken;
    pthread_mutex_unlock(&s->lock);
}
