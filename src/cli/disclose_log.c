/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/disclose_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "ledger/command.h"
#include "ledger/copy.h"

struct finding {
    const char *hash;
    char subject[COMMAND_SUBJECT_MOST + 1]; /* of the release; "" = not found */
    char time[21];
    char node[2 * SIGN_PUBLIC_BYTES + 1];
    int64_t seq;
    struct js *checkers; /* keys of those who said yes to this hash */
};

static enum status verify_copy(const struct args *a, FILE *from, struct err *e)
{
    struct note_key key;
    const char *pinned = args_get(a, "key");
    struct ledger_verified v;
    if (pinned && note_vkey_parse(slice_of(pinned), &key, e) != ST_OK)
        return err_wrap(e, "--key");
    struct pool *pool = pool_new(0);
    enum status s = ledger_verify(from, pinned ? &key : NULL, pool, &v, e);
    pool_free(pool);
    return s;
}

/* The entry must hold the very document, not only its hash. */
static enum status check_document(const struct js *entry, const char *hash, struct err *e)
{
    struct buf text;
    char hex[2 * HASH_BYTES + 1];
    buf_init(&text, (size_t)COMMAND_MOST * 2);
    enum status s = js_canonical(js_get(js_get(entry, "body"), "document"), &text, e);
    if (s == ST_OK)
        s = buf_check(&text, "the released document", e);
    if (s == ST_OK) {
        sha256_hex(buf_slice(&text), hex);
        if (strcmp(hex, hash) != 0)
            s = err_set(e, ST_CORRUPT, "the log's release names this document and holds another");
    }
    buf_deinit(&text);
    return s;
}

static enum status take_entry(struct finding *f, const struct js *entry, struct err *e)
{
    const struct js *body = js_get(entry, "body");
    const char *verb = js_get_str(entry, "verb"), *hash = js_get_str(body, "hash");
    if (!verb || !hash || strcmp(hash, f->hash) != 0)
        return ST_OK;
    if (strcmp(verb, "review.give") == 0) {
        const char *verdict = js_get_str(body, "verdict");
        if (verdict && strcmp(verdict, "yes") == 0)
            js_put(f->checkers, js_get_str(entry, "actor"), js_boolean(true));
        return ST_OK;
    }
    if (strcmp(verb, "artefact.release") != 0)
        return ST_OK;
    snprintf(f->subject, sizeof f->subject, "%s", js_get_str(entry, "subject"));
    snprintf(f->time, sizeof f->time, "%s", js_get_str(entry, "time"));
    snprintf(f->node, sizeof f->node, "%s", js_get_str(entry, "actor"));
    f->seq = js_get_int(entry, "seq", 0);
    enum status s = command_check_signature(entry, e);
    return s == ST_OK ? check_document(entry, f->hash, e) : s;
}

static enum status search_copy(struct finding *f, FILE *from, struct err *e)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    enum status s = ST_OK;
    while (s == ST_OK && (n = getline(&line, &room, from)) >= 0) {
        struct js *j = NULL;
        s = js_parse((struct slice){line, (size_t)n}, "the copy of the log", &j, e);
        if (s == ST_OK && js_is(js_get(j, "entry"), JS_OBJECT))
            s = take_entry(f, js_get(j, "entry"), e);
        js_free(j);
    }
    if (s == ST_OK && ferror(from))
        s = err_errno(e, errno, "cannot read", "the copy of the log");
    free(line);
    return s;
}

enum status find_on_log(const struct args *a, const char *path, const char *hash, struct err *e)
{
    struct finding f = {.hash = hash, .checkers = js_object()};
    FILE *from = fopen(path, "r");
    enum status s = from ? verify_copy(a, from, e) : err_errno(e, errno, "cannot open", path);
    if (s == ST_OK) {
        rewind(from);
        s = search_copy(&f, from, e);
    }
    if (s == ST_OK && !*f.subject)
        s = err_set(e, ST_NOT_FOUND, "the log is right, and has no release of this document");
    if (s == ST_OK)
        fprintf(stderr, "released as %s on %s, entry %" PRId64 ", signed by node %s, checked by %zu\n",
                f.subject, f.time, f.seq, f.node, js_size(f.checkers));
    js_free(f.checkers);
    if (from)
        fclose(from);
    return s;
}
