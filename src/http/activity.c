/* SPDX-License-Identifier: Apache-2.0
 * A ring of days, each with the day that it stands for: a day that comes round again begins at nothing. */
#include "http/activity.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { RING = 32 }; /* days; more than are shown */

struct activity {
    pthread_mutex_t lock;
    bool begun;
    int64_t counted; /* entries before this one */
    int32_t day[RING];
    int64_t n[RING][ACTIVITY_KINDS];
};

const char *const activity_kinds[ACTIVITY_KINDS] = {
    "Needs and offers", "Projects and reviews",    "Agreements and value", "Studies",
    "Results",          "People and organisations"};

/* The last kind is everything else. */
static int kind_of(const char *verb)
{
    static const char *const nouns[ACTIVITY_KINDS - 1] = {"signal|contact", "project|review|measure",
                                                          "agreement|template|transfer", "run", "artefact"};
    char noun[24];
    snprintf(noun, sizeof noun, "%.*s", (int)strcspn(verb, "."), verb);
    for (int k = 0; k < ACTIVITY_KINDS - 1; k++)
        if (word_in(nouns[k], noun))
            return k;
    return ACTIVITY_KINDS - 1;
}

struct activity *activity_new(void)
{
    struct activity *a = xcalloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void activity_free(struct activity *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void tell(void *context, int32_t day, const char *verb, int64_t n)
{
    struct activity *a = context;
    int at = day % RING;
    if (day < a->day[at])
        return;
    if (day > a->day[at])
        memset(a->n[at], 0, sizeof a->n[at]);
    a->day[at] = day;
    a->n[at][kind_of(verb)] += n;
}

/* The first entry of `day` or later; times only grow. */
static enum status first_of(struct ledger *l, int32_t day, int64_t size, int64_t *out, struct err *e)
{
    int64_t low = 0, high = size;
    enum status s = ST_OK;
    while (s == ST_OK && low < high) {
        struct ledger_entry entry = {0};
        int64_t mid = low + (high - low) / 2;
        s = ledger_get(l, mid, &entry, e);
        if (s == ST_OK && entry.time_ms / 86400000 < day)
            low = mid + 1;
        else
            high = mid;
        ledger_entry_deinit(&entry);
    }
    *out = low;
    return s;
}

static enum status count_new(struct activity *a, struct ledger *l, int32_t today, struct err *e)
{
    int64_t size;
    enum status s = ledger_size(l, &size, e);
    if (s == ST_OK && !a->begun)
        s = first_of(l, today - ACTIVITY_DAYS + 1, size, &a->counted, e);
    a->begun = true;
    if (s == ST_OK && size > a->counted) {
        s = ledger_tally(l, a->counted, size, tell, a, e);
        a->counted = size;
    }
    return s;
}

enum status activity_count(struct activity *a, struct ledger *l, int32_t today, struct activity_table *out,
                           struct err *e)
{
    *out = (struct activity_table){.from = today - ACTIVITY_DAYS + 1};
    pthread_mutex_lock(&a->lock);
    enum status s = count_new(a, l, today, e);
    if (s != ST_OK) { /* what was half counted is counted anew */
        a->begun = false;
        memset(a->day, 0, sizeof a->day);
    }
    for (int i = 0; s == ST_OK && i < ACTIVITY_DAYS; i++)
        if (a->day[(out->from + i) % RING] == out->from + i)
            memcpy(out->n[i], a->n[(out->from + i) % RING], sizeof out->n[i]);
    pthread_mutex_unlock(&a->lock);
    return s;
}
