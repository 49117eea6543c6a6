/* SPDX-License-Identifier: Apache-2.0
 *
 * A dictionary of distinct texts, coded in the order in which they are first seen. Its memory has a ceiling.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "store/importing.h"

struct text_list {
    char *bytes; /* NUL-terminated texts */
    size_t n_bytes, cap_bytes;
    uint64_t *at;
    size_t n, cap_at;
    uint32_t *slots; /* code + 1 */
    size_t mask;
    uint64_t most_bytes;
};

struct text_list *text_list_new(uint64_t most_bytes)
{
    struct text_list *t = xcalloc(1, sizeof *t);
    t->most_bytes = most_bytes;
    t->mask = 1023;
    t->slots = xcalloc(t->mask + 1, sizeof *t->slots);
    return t;
}

void text_list_free(struct text_list *t)
{
    if (!t)
        return;
    free(t->bytes);
    free(t->at);
    free(t->slots);
    free(t);
}

static struct slice text_at(const struct text_list *t, size_t code)
{
    uint64_t end = code + 1 < t->n ? t->at[code + 1] : t->n_bytes;
    return (struct slice){t->bytes + t->at[code], (size_t)(end - t->at[code] - 1)};
}

static size_t slot_of(const struct text_list *t, struct slice s)
{
    size_t at = XXH3_64bits(s.n ? s.p : "", s.n) & t->mask;
    while (t->slots[at] && !slice_equal(text_at(t, t->slots[at] - 1), s))
        at = (at + 1) & t->mask;
    return at;
}

static void rehash(struct text_list *t)
{
    t->mask = 2 * t->mask + 1;
    free(t->slots);
    t->slots = xcalloc(t->mask + 1, sizeof *t->slots);
    for (size_t i = 0; i < t->n; i++)
        t->slots[slot_of(t, text_at(t, i))] = (uint32_t)i + 1;
}

/* Texts end at a NUL in the store: one inside a text ends it early. */
static struct slice until_nul(struct slice s)
{
    const char *nul = s.n ? memchr(s.p, '\0', s.n) : NULL;
    return (struct slice){s.p, nul ? (size_t)(nul - s.p) : s.n};
}

int32_t text_list_add(struct text_list *t, struct slice given)
{
    struct slice s = until_nul(given);
    size_t slot = slot_of(t, s);
    if (t->slots[slot])
        return (int32_t)(t->slots[slot] - 1);
    if (t->n_bytes + s.n + 16 * t->n > t->most_bytes || t->n >= INT32_MAX - 1)
        return -2;
    GROW(t->at, t->n + 1, t->cap_at);
    GROW(t->bytes, t->n_bytes + s.n + 1, t->cap_bytes);
    t->at[t->n++] = t->n_bytes;
    t->slots[slot] = (uint32_t)t->n;
    if (s.n)
        memcpy(t->bytes + t->n_bytes, s.p, s.n);
    t->bytes[t->n_bytes + s.n] = '\0';
    t->n_bytes += s.n + 1;
    if (2 * t->n > t->mask)
        rehash(t);
    return (int32_t)(t->n - 1);
}

void text_list_write(const struct text_list *t, const char *name, struct arrays_writer *w)
{
    char full[32];
    snprintf(full, sizeof full, "%s.at", name);
    arrays_add(w, name, 1, t->bytes, t->n_bytes);
    arrays_add(w, full, sizeof *t->at, t->at, t->n);
}
