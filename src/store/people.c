/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "store/only_period.h"
#include "store/reader.h"

enum { PSEUDONYM_BYTES = 16 };

#define NEED(file, name, out, count)                                                                         \
    do {                                                                                                     \
        const void *found_;                                                                                  \
        enum status st_ = arrays_need(file, name, sizeof *(out), count, &found_, e);                         \
        if (st_ != ST_OK)                                                                                    \
            return st_;                                                                                      \
        (out) = found_;                                                                                      \
    } while (0)

static enum status open_persons(struct store *s, struct err *e)
{
    struct store_persons *p = &s->persons;
    struct arrays *file = &s->persons_file;
    enum status st = store_open_arrays(s, "persons.acc", file, e);
    uint64_t n;
    if (st != ST_OK)
        return st;
    p->in_person = arrays_get(file, "in_person", 1, &n);
    if (!p->in_person || n > INT32_MAX)
        return store_damaged("persons.acc", "the number of persons is not valid", e);
    p->n = (uint32_t)n;
    NEED(file, "birth_year", p->birth_year, n);
    NEED(file, "birth_month", p->birth_month, n);
    NEED(file, "birth_day", p->birth_day, n);
    NEED(file, "gender", p->gender, n);
    NEED(file, "race", p->race, n);
    NEED(file, "ethnicity", p->ethnicity, n);
    NEED(file, "location", p->location, n);
    NEED(file, "care_site", p->care_site, n);
    const void *pseudonyms;
    st = arrays_need(file, "pseudonym", PSEUDONYM_BYTES, n, &pseudonyms, e);
    s->pseudonyms = pseudonyms;
    s->sealed = arrays_get(file, "sealed_ids", 1, &s->n_sealed);
    return st;
}

uint32_t *periods_only(const struct store_periods *p, uint32_t n_persons)
{
    uint32_t *only = xmalloc(((size_t)n_persons + 1) * sizeof *only);
    for (uint32_t i = 0; i < n_persons; i++) {
        uint32_t k = p->offset[i], n = p->offset[i + 1] - k;
        only[i] = n == 1 ? only_period_of(p->start[k], p->end[k]) : ONLY_PERIOD_NONE;
    }
    return only;
}

/* Stores of before 2026-11-23 do not have it. */
static enum status open_only(struct store *s, struct err *e)
{
    uint64_t n;
    if (arrays_get(&s->periods_file, "only", sizeof *s->periods.only, &n)) {
        NEED(&s->periods_file, "only", s->periods.only, s->persons.n);
        return ST_OK;
    }
    s->made_only = periods_only(&s->periods, s->persons.n);
    s->periods.only = s->made_only;
    return ST_OK;
}

static enum status open_periods(struct store *s, struct err *e)
{
    struct store_periods *p = &s->periods;
    struct arrays *file = &s->periods_file;
    enum status st = store_open_arrays(s, "periods.acc", file, e);
    uint64_t n;
    if (st != ST_OK)
        return st;
    arrays_fetch(file, "offset");
    arrays_fetch(file, "only"); /* every cohort asks who is observed when */
    arrays_fetch(file, "start");
    arrays_fetch(file, "end");
    p->start = arrays_get(file, "start", 4, &n);
    NEED(file, "offset", p->offset, (uint64_t)s->persons.n + 1);
    NEED(file, "start", p->start, n);
    NEED(file, "end", p->end, n);
    NEED(file, "type", p->type, n);
    NEED(file, "id", p->id, n);
    bool fine = p->offset[0] == 0 && p->offset[s->persons.n] == n;
    for (uint32_t i = 0; i < s->persons.n; i++)
        fine &= p->offset[i] <= p->offset[i + 1];
    if (!fine)
        return store_damaged("periods.acc", "the periods of the persons are not valid", e);
    return open_only(s, e);
}

static enum status open_places(struct store *s, struct err *e)
{
    static const char *const texts[] = {"place.state", "place.county", "place.zip", "place.source"};
    struct place_files *p = &s->places;
    enum status st = store_open_arrays(s, "places.acc", &p->file, e);
    if (st != ST_OK)
        return st;
    p->place_id = arrays_get(&p->file, "place.id", 8, &p->n_places);
    p->site_id = arrays_get(&p->file, "site.id", 8, &p->n_sites);
    p->place_bytes = arrays_get(&p->file, "place.text", 1, &p->n_place_bytes);
    p->site_bytes = arrays_get(&p->file, "site.text", 1, &p->n_site_bytes);
    for (size_t i = 0; i < 4; i++)
        NEED(&p->file, texts[i], p->place_text[i], p->n_places);
    NEED(&p->file, "place.latitude", p->latitude, p->n_places);
    NEED(&p->file, "place.longitude", p->longitude, p->n_places);
    NEED(&p->file, "site.name", p->site_text[0], p->n_sites);
    NEED(&p->file, "site.source", p->site_text[1], p->n_sites);
    NEED(&p->file, "site.place_of_service", p->site_service, p->n_sites);
    NEED(&p->file, "site.place", p->site_place, p->n_sites);
    return ST_OK;
}

enum status people_open(struct store *s, struct err *e)
{
    enum status st = open_persons(s, e);
    if (st == ST_OK)
        st = open_periods(s, e);
    return st == ST_OK ? open_places(s, e) : st;
}

const struct store_persons *store_persons(const struct store *s)
{
    return &s->persons;
}

const struct store_periods *store_periods(const struct store *s)
{
    return &s->periods;
}

void store_pseudonym(const struct store *s, uint32_t person, uint8_t out[16])
{
    memcpy(out, s->pseudonyms + (size_t)person * PSEUDONYM_BYTES, PSEUDONYM_BYTES);
}

bool store_place(const struct store *s, uint32_t i, struct store_place *out)
{
    const struct place_files *p = &s->places;
    if (i >= p->n_places)
        return false;
    *out =
        (struct store_place){.id = p->place_id[i],
                             .latitude = p->latitude[i],
                             .longitude = p->longitude[i],
                             .state = text_in(p->place_bytes, p->n_place_bytes, p->place_text[0][i]),
                             .county = text_in(p->place_bytes, p->n_place_bytes, p->place_text[1][i]),
                             .zip = text_in(p->place_bytes, p->n_place_bytes, p->place_text[2][i]),
                             .source_value = text_in(p->place_bytes, p->n_place_bytes, p->place_text[3][i])};
    return true;
}

bool store_care_site(const struct store *s, uint32_t i, struct store_care_site *out)
{
    const struct place_files *p = &s->places;
    if (i >= p->n_sites)
        return false;
    *out =
        (struct store_care_site){.id = p->site_id[i],
                                 .place_of_service = p->site_service[i],
                                 .place = p->site_place[i],
                                 .name = text_in(p->site_bytes, p->n_site_bytes, p->site_text[0][i]),
                                 .source_value = text_in(p->site_bytes, p->n_site_bytes, p->site_text[1][i])};
    return true;
}

/* Differences as LEB128; false when there are not exactly n. */
static bool decode_ids(struct slice plain, int64_t *ids, uint32_t n)
{
    uint64_t id = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t step = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (at == plain.n || shift > 63)
                return false;
            uint8_t byte = (uint8_t)plain.p[at++];
            step |= (uint64_t)(byte & 127) << shift;
            if (byte < 128)
                break;
        }
        id += step;
        ids[i] = (int64_t)id;
    }
    return at == plain.n;
}

enum status store_source_ids(const struct store *s, const char *key_path, int64_t **out, struct err *e)
{
    struct identity *key;
    struct buf plain;
    *out = NULL;
    enum status st = identity_load(key_path, &key, e);
    if (st != ST_OK)
        return st;
    buf_init(&plain, (size_t)1 << 32);
    int64_t *ids = xrealloc_array(NULL, s->persons.n, sizeof *ids);
    struct slice sealed = {(const char *)s->sealed, (size_t)s->n_sealed};
    if (!s->sealed || !seal_open(key, sealed, &plain))
        st = err_set(e, ST_DENIED,
                     "this key does not open the store's person ids; give the key of the import");
    else if (!decode_ids(buf_slice(&plain), ids, s->persons.n))
        st = store_damaged("persons.acc", "the sealed ids are not valid", e);
    if (plain.n)
        secret_wipe(plain.p, plain.n);
    buf_deinit(&plain);
    identity_free(key);
    if (st == ST_OK)
        *out = ids;
    else
        free(ids);
    return st;
}
