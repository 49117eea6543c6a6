/* SPDX-License-Identifier: Apache-2.0
 * A node's own reading of the hub's log: what it counts is what the log holds, and nothing that was left out,
 * changed, added or told otherwise before is taken for right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../govern/story.h"
#include "base/file.h"
#include "base/mem.h"
#include "grid/node_state.h"

struct world {
    struct story *s;
    struct node *node;
    char folder[64];
    struct js *entries; /* the whole log */
};

static enum status note_entry(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)d, (void)e;
    js_push(context, js_share(entry->json));
    return ST_OK;
}

static void read_log(struct world *w)
{
    struct err e = {0};
    js_free(w->entries);
    w->entries = js_array();
    assert_int_equal(ledger_walk(registry_ledger(w->s->r), 0, -1, NULL, note_entry, w->entries, &e), ST_OK);
}

static int begin(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct err e = {0};
    char key[65];
    w->s = story_new();
    story_people(w->s);
    story_agreement(w->s);
    read_log(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/accord-follow-%ld", (long)getpid());
    assert_int_equal(node_init(w->folder, key, &e), ST_OK);
    assert_int_equal(node_open(w->folder, false, NULL, &w->node, &e), ST_OK);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    node_close(w->node);
    story_free(w->s);
    js_free(w->entries);
    assert_int_equal(dir_remove(w->folder, NULL), ST_OK);
    free(w);
    return 0;
}

static struct checkpoint checkpoint_at(struct world *w, size_t size)
{
    struct err e = {0};
    struct checkpoint c = {.size = size};
    assert_int_equal(ledger_root(registry_ledger(w->s->r), (int64_t)size, c.root, &e), ST_OK);
    return c;
}

static struct js *slice(const struct js *entries, size_t from, size_t to)
{
    struct js *page = js_array();
    for (size_t i = from; i < to; i++)
        js_push(page, js_share(js_at(entries, i)));
    return page;
}

/* Entries from where the node is up to `to`, in pages; takes what comes of it. */
static enum status take(struct world *w, const struct js *entries, size_t to, size_t page_size, struct err *e)
{
    struct log_reading r;
    struct checkpoint c = checkpoint_at(w, to);
    enum status s = log_reading_load(w->node, &r, e);
    while (s == ST_OK && r.edge.size < to) {
        size_t from = (size_t)r.edge.size, until = from + page_size < to ? from + page_size : to;
        struct js *page = slice(entries, from, until);
        s = log_reading_page(&r, page, e);
        js_free(page);
    }
    if (s == ST_OK)
        s = log_reading_keep(w->node, &r, &c, e);
    log_reading_deinit(&r);
    return s;
}

static uint64_t known(struct world *w)
{
    struct log_reading r;
    assert_int_equal(log_reading_load(w->node, &r, NULL), ST_OK);
    uint64_t size = r.edge.size;
    log_reading_deinit(&r);
    return size;
}

static int64_t counted(const struct js *entries, size_t n, const char *subject)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += strcmp(js_get_str(js_at(entries, i), "subject"), subject) == 0;
    return count;
}

static void counts_are_those_of_the_log(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    size_t n = js_size(w->entries);
    for (size_t to = 1, step = 0; to <= n; to += 1 + step++ % 7)
        if (take(w, w->entries, to, 1 + step % 3, &e) != ST_OK)
            fail_msg("%zu: %s", to, e.text);
    assert_int_equal(take(w, w->entries, n, 5, &e), ST_OK);
    assert_int_equal(known(w), n);
    for (size_t i = 0; i < n; i++) {
        const char *subject = js_get_str(js_at(w->entries, i), "subject");
        bool kept = strncmp(subject, "body:", 5) != 0 && strncmp(subject, "node:", 5) != 0 &&
                    strncmp(subject, "template:", 9) != 0 && strncmp(subject, "vocabulary:", 11) != 0;
        int64_t entries = -1;
        assert_int_equal(log_count(w->node, subject, &entries, &e), ST_OK);
        if (kept)
            assert_int_equal(entries, counted(w->entries, n, subject));
    }
}

static struct js *with_change(const struct js *entries, size_t at, const char *member, const char *text)
{
    struct js *changed = js_array();
    for (size_t i = 0; i < js_size(entries); i++) {
        struct js *entry = js_copy(js_at(entries, i));
        if (i == at)
            js_put_str(entry, member, text);
        js_push(changed, entry);
    }
    return changed;
}

static void a_changed_entry_anywhere_is_found_and_nothing_kept(void **state)
{
    struct world *w = *state;
    size_t n = js_size(w->entries);
    for (size_t at = 0; at < n; at += 3) {
        struct err e = {0};
        struct js *changed = with_change(w->entries, at, "nonce", "another");
        assert_int_equal(take(w, changed, n, 10, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, "does not continue"));
        assert_int_equal(known(w), 0);
        js_free(changed);
    }
}

static void a_missing_entry_is_named(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    struct js *fewer = slice(w->entries, 0, 4), *rest = slice(w->entries, 5, js_size(w->entries));
    for (size_t i = 0; i < js_size(rest); i++)
        js_push(fewer, js_share(js_at(rest, i)));
    assert_int_equal(take(w, fewer, js_size(fewer), 10, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "entry 4 "));
    assert_int_equal(known(w), 0);
    js_free(rest);
    js_free(fewer);
}

/* What was read stays read: a log that was other before is refused, though its checkpoint be signed. */
static void history_cannot_be_told_anew(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    size_t n = js_size(w->entries), half = n / 2;
    assert_int_equal(take(w, w->entries, half, 10, &e), ST_OK);
    struct log_reading r;
    struct checkpoint c = checkpoint_at(w, n);
    struct js *rest = slice(w->entries, half, n);
    assert_int_equal(log_reading_load(w->node, &r, &e), ST_OK);
    r.edge.hash[0][0] ^= 1; /* as if half of them had been others */
    for (unsigned level = 1; level < 64; level++)
        r.edge.hash[level][0] ^= 1;
    assert_int_equal(log_reading_page(&r, rest, &e), ST_OK);
    assert_int_equal(log_reading_keep(w->node, &r, &c, &e), ST_CORRUPT);
    log_reading_deinit(&r);
    js_free(rest);
    assert_int_equal(known(w), half);
    assert_int_equal(take(w, w->entries, n, 10, &e), ST_OK);
}

static struct js *dossier(struct world *w, size_t agreements, size_t of_analyst)
{
    struct js *d = js_object(), *analyst = js_object();
    js_put_str(analyst, "person", "ada");
    js_put_str(analyst, "body", "acme");
    js_put(analyst, "entries", slice(w->entries, 0, of_analyst));
    js_put(d, "agreement", slice(w->entries, 0, agreements));
    js_put(d, "analyst", analyst);
    return d;
}

static void a_dossier_is_whole_or_refused(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    size_t n = js_size(w->entries);
    assert_int_equal(take(w, w->entries, n, 50, &e), ST_OK);
    size_t agreed = (size_t)counted(w->entries, n, "agreement:a1");
    size_t who = (size_t)(counted(w->entries, n, "register:accord") + counted(w->entries, n, "person:ada") +
                          counted(w->entries, n, "grant:ada.analyst.acme"));
    assert_true(agreed >= 3 && who >= 4);
    for (size_t lost = 0; lost < 3; lost++) {
        struct js *terms = js_object(), *d = dossier(w, agreed - (lost == 1), who - (lost == 2));
        js_put_str(terms, "agreement", "a1");
        assert_int_equal(dossier_whole(w->node, d, terms, &e), lost ? ST_DENIED : ST_OK);
        assert_int_equal(js_get_int(terms, "entries", -1), agreed + who);
        js_free(terms);
        js_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_are_those_of_the_log, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_entry_anywhere_is_found_and_nothing_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_entry_is_named, begin, end),
        cmocka_unit_test_setup_teardown(history_cannot_be_told_anew, begin, end),
        cmocka_unit_test_setup_teardown(a_dossier_is_whole_or_refused, begin, end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
