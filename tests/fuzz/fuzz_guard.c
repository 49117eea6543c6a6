/* SPDX-License-Identifier: Apache-2.0
 * Foreign bytes where the guard and the noise read: sets of persons (behind a right hash, as damage that
 * happened before they were written would be), rows of the index, p-tables, policies as JSON. A p-table or policy that is taken
 * must keep what it promises. */
#include <stdlib.h>
#include <string.h>

#include "disclose/cellkey.h"
#include "disclose/guard_tables.h"
#include "disclose/persons.h"
#include "disclose/policy.h"

/* Gaps behind a right hash: what is taken is written again as the same set. */
static void gaps(const uint8_t *data, size_t size)
{
    struct persons *p, *again;
    struct buf bytes, written;
    struct err e;
    uint8_t hash[HASH_BYTES];
    buf_init(&bytes, 1 << 24);
    buf_init(&written, 1 << 28);
    buf_addc(&bytes, 'G');
    buf_add(&bytes, data, size);
    sha256(bytes.p, bytes.n, hash);
    if (persons_decode(buf_slice(&bytes), hash, &p, &e) == ST_OK) {
        persons_encode(p, &written, hash);
        if (persons_decode(buf_slice(&written), hash, &again, &e) != ST_OK ||
            persons_count(again) != persons_count(p) ||
            (persons_count(p) && persons_last(again) != persons_last(p)))
            abort();
        persons_free(again);
        persons_free(p);
    }
    buf_deinit(&written);
    buf_deinit(&bytes);
}

static void sets(const uint8_t *data, size_t size)
{
    struct persons *p, *again;
    struct buf bytes;
    struct err e;
    uint8_t wrong[HASH_BYTES] = {0}, hash[HASH_BYTES];
    uint32_t numbers[64];
    size_t n = 0;
    if (persons_decode((struct slice){(const char *)data, size}, wrong, &p, &e) == ST_OK)
        abort();
    for (size_t i = 0; i < size && n < 64; i++)
        numbers[n] = (n ? numbers[n - 1] : 0) + 1 + (uint32_t)data[i] * (data[i] > 200 ? 5000u : 1u), n++;
    p = persons_new(numbers, n);
    buf_init(&bytes, 1 << 24);
    persons_encode(p, &bytes, hash);
    if (persons_decode(buf_slice(&bytes), hash, &again, &e) != ST_OK || persons_count(again) != n)
        abort();
    persons_free(again);
    if (bytes.n) {
        bytes.p[size % bytes.n] ^= 1; /* one flipped bit is found */
        if (persons_decode(buf_slice(&bytes), hash, &again, &e) == ST_OK)
            abort();
    }
    buf_deinit(&bytes);
    persons_free(p);
}

/* A row of the index never tells of more sets than it has bytes. */
static void rows(struct slice row)
{
    struct guard_places found = {0};
    for (uint32_t person = 3; person < 40; person++) {
        found.n = 0;
        index_row_find(row, 3, person, 1, &found);
        if (found.n > row.n)
            abort();
    }
    free(found.v);
}

static void tables(struct slice text)
{
    struct ptable *t;
    struct err e;
    if (ptable_parse(text, "p-table", &t, &e) != ST_OK)
        return;
    for (int64_t i = 0; i < 50; i++)
        for (int u = 0; u < 8; u++)
            if (i + ptable_noise(t, i, u / 8.0) < 0)
                abort();
    ptable_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct js *j = NULL;
    struct policy policy;
    struct err e;
    sets(data, size);
    gaps(data, size);
    rows(text);
    tables(text);
    if (js_parse(text, "policy", &j, &e) == ST_OK && policy_from_json(j, &policy, &e) == ST_OK &&
        policy.minimum < 2)
        abort();
    js_free(j);
    return 0;
}
