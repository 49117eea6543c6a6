/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Pseudonyms are HMACs: their own bytes are a hash. */
static size_t slot_of(const struct roster *r, const uint8_t *pseudonym)
{
    uint64_t bits;
    memcpy(&bits, pseudonym, sizeof bits);
    return (size_t)bits & (r->n_slots - 1);
}

static size_t slot_find(const struct roster *r, const uint8_t *pseudonym)
{
    size_t at = slot_of(r, pseudonym);
    while (r->slots[at] && memcmp(r->pseudonyms[r->slots[at] - 1], pseudonym, PSEUDONYM_BYTES) != 0)
        at = (at + 1) & (r->n_slots - 1);
    return at;
}

static void make_room(struct roster *r)
{
    if ((r->n + 1) * 2 < r->n_slots)
        return;
    r->n_slots = r->n_slots ? r->n_slots * 2 : 1024;
    free(r->slots);
    r->slots = xcalloc(r->n_slots, sizeof *r->slots);
    for (size_t i = 0; i < r->n; i++)
        r->slots[slot_find(r, r->pseudonyms[i])] = (uint32_t)i + 1;
}

uint32_t roster_number(struct roster *r, const uint8_t pseudonym[PSEUDONYM_BYTES])
{
    make_room(r);
    size_t at = slot_find(r, pseudonym);
    if (!r->slots[at]) {
        GROW(r->pseudonyms, r->n + 1, r->room);
        memcpy(r->pseudonyms[r->n++], pseudonym, PSEUDONYM_BYTES);
        r->slots[at] = (uint32_t)r->n;
    }
    return r->slots[at] - 1;
}

void roster_deinit(struct roster *r)
{
    free(r->pseudonyms);
    free(r->slots);
    *r = (struct roster){0};
}
