/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/reads.h"

#include "govern/items.h"

/* FNV-1a over "noun", a sign of what follows, and a name. */
static uint64_t name_of(const char *noun, char sign, const char *name)
{
    uint64_t h = 14695981039346656037U;
    for (; *noun && *noun != '|'; noun++)
        h = (h ^ (uint8_t)*noun) * 1099511628211U;
    h = (h ^ (uint8_t)sign) * 1099511628211U;
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 1099511628211U;
    return h;
}

static struct db *db_of(const struct registry *r)
{
    return ledger_db(registry_ledger((struct registry *)(uintptr_t)r));
}

void registry_watch(struct registry *r, struct reads *into)
{
    struct watch *w = registry_watching(r);
    *into = (struct reads){.n = 0};
    *w = (struct watch){.into = into, .from = db_statements(db_of(r))};
}

void registry_unwatch(struct registry *r)
{
    struct watch *w = registry_watching(r);
    if (w->into && db_statements(db_of(r)) - w->from != w->told)
        w->into->everything = true;
    w->into = NULL;
}

struct reading reads_begin(const struct registry *r)
{
    const struct watch *w = registry_watching((struct registry *)(uintptr_t)r);
    return (struct reading){db_statements(db_of(r)), w->told};
}

void reads_end(struct registry *r, struct reading begun)
{
    registry_watching(r)->told = begun.told + db_statements(db_of(r)) - begun.statements;
}

static bool has(const struct reads *reads, uint64_t name)
{
    for (size_t i = 0; i < reads->n; i++)
        if (reads->of[i] == name)
            return true;
    return false;
}

static void take_down(struct registry *r, const char *noun, uint64_t name)
{
    struct reads *into = registry_watching(r)->into;
    if (!into || into->everything || has(into, name) || has(into, name_of(noun, ' ', "")))
        return;
    if (into->n < READS_MOST)
        into->of[into->n++] = name;
    else
        into->everything = true;
}

void reads_item(struct registry *r, const char *noun, const char *id)
{
    take_down(r, noun, name_of(noun, ':', id));
}

void reads_of_body(struct registry *r, const char *noun, const char *body)
{
    take_down(r, noun, name_of(noun, '@', body));
}

void reads_about(struct registry *r, const char *noun, const char *about)
{
    take_down(r, noun, name_of(noun, '^', about));
}

void reads_nouns(struct registry *r, const char *nouns)
{
    for (;;) {
        take_down(r, nouns, name_of(nouns, ' ', ""));
        nouns += strcspn(nouns, "|");
        if (!*nouns++)
            return;
    }
}

enum status registry_changes(struct registry *r, int64_t since,
                             void (*changed)(void *context, uint64_t name, int64_t size), void *context,
                             struct err *e)
{
    struct stmt *q;
    bool row = true;
    enum status s =
        db_prepare(db_of(r), "SELECT noun, id, body, about, changed + 1 FROM item WHERE changed>=?1", &q, e);
    if (s != ST_OK)
        return s;
    stmt_bind_int(q, 1, since);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        const char *noun = stmt_text(q, 0);
        int64_t size = stmt_int(q, 4);
        changed(context, name_of(noun, ' ', ""), size);
        changed(context, name_of(noun, ':', stmt_text(q, 1)), size);
        if (!stmt_is_null(q, 2))
            changed(context, name_of(noun, '@', stmt_text(q, 2)), size);
        if (!stmt_is_null(q, 3))
            changed(context, name_of(noun, '^', stmt_text(q, 3)), size);
    }
    stmt_done(q);
    return s;
}
