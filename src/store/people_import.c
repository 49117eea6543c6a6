/* SPDX-License-Identifier: Apache-2.0
 *
 * Who: LOCATION, CARE_SITE, PROVIDER, PERSON, OBSERVATION_PERIOD. Persons get a dense index in person_id
 * order. A person is whoever PERSON or OBSERVATION_PERIOD names: Circe counts observation periods of unknown
 * persons, so these are kept, marked. Persons on the opt-out list are left out, with all that refers to them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "store/importing.h"
#include "store/only_period.h"

/* Addresses are not kept, only what areas are made of. */
static const struct table_column location_columns[] = {
    {"location_id", NULL, TABLE_I64, TABLE_VALUE},
    {"state", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"county", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"zip", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"location_source_value", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"latitude", NULL, TABLE_F64, TABLE_OPTIONAL},
    {"longitude", NULL, TABLE_F64, TABLE_OPTIONAL},
};
static const struct table_column care_site_columns[] = {
    {"care_site_id", NULL, TABLE_I64, TABLE_VALUE},
    {"care_site_name", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"care_site_source_value", NULL, TABLE_TEXT, TABLE_OPTIONAL},
    {"place_of_service_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL},
    {"location_id", NULL, TABLE_I64, TABLE_OPTIONAL},
};
static const struct table_column provider_columns[] = {
    {"provider_id", NULL, TABLE_I64, TABLE_VALUE},
    {"specialty_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL},
};

enum { MOST_TEXTS = 4 };
/* A small table kept whole: ids, up to four text columns and up to two numbers. */
struct place_rows {
    int64_t *ids, *locations;
    int32_t *concepts;
    double *numbers[2];
    uint64_t *text[MOST_TEXTS]; /* offsets into bytes */
    struct buf bytes;
    size_t n, capacity;
};

static int64_t i64_at(const struct table_chunk *c, size_t column, size_t row)
{
    return c->columns[column] ? ((const int64_t *)c->columns[column])[row] : NONE_I64;
}

static int32_t i32_at(const struct table_chunk *c, size_t column, size_t row)
{
    return c->columns[column] ? ((const int32_t *)c->columns[column])[row] : NONE_I32;
}

static uint64_t keep_text(struct place_rows *p, const struct table_chunk *c, size_t column, size_t row)
{
    const struct slice *texts = c->columns[column];
    uint64_t at = p->bytes.n;
    for (size_t i = 0; texts && i < texts[row].n; i++)
        buf_addc(&p->bytes, texts[row].p[i] ? texts[row].p[i] : ' ');
    buf_addc(&p->bytes, '\0');
    return at;
}

static void reserve_places(struct place_rows *p, size_t n)
{
    if (n <= p->capacity)
        return;
    p->capacity = n * 2;
    p->ids = xrealloc_array(p->ids, p->capacity, sizeof *p->ids);
    p->locations = xrealloc_array(p->locations, p->capacity, sizeof *p->locations);
    p->concepts = xrealloc_array(p->concepts, p->capacity, sizeof *p->concepts);
    for (size_t k = 0; k < 2; k++)
        p->numbers[k] = xrealloc_array(p->numbers[k], p->capacity, sizeof(double));
    for (size_t k = 0; k < MOST_TEXTS; k++)
        p->text[k] = xrealloc_array(p->text[k], p->capacity, sizeof(uint64_t));
}

static enum status take_locations(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                  void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    struct place_rows *p = context;
    reserve_places(p, p->n + c->n);
    for (size_t i = 0; i < c->n; i++, p->n++) {
        p->ids[p->n] = i64_at(c, 0, i);
        for (size_t k = 0; k < 4; k++)
            p->text[k][p->n] = keep_text(p, c, 1 + k, i);
        for (size_t k = 0; k < 2; k++)
            p->numbers[k][p->n] = c->columns[5 + k] ? ((const double *)c->columns[5 + k])[i] : (double)NAN;
    }
    return ST_OK;
}

static enum status take_care_sites(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                   void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    struct place_rows *p = context;
    reserve_places(p, p->n + c->n);
    for (size_t i = 0; i < c->n; i++, p->n++) {
        p->ids[p->n] = i64_at(c, 0, i);
        p->text[0][p->n] = keep_text(p, c, 1, i);
        p->text[1][p->n] = keep_text(p, c, 2, i);
        p->concepts[p->n] = i32_at(c, 3, i);
        p->locations[p->n] = i64_at(c, 4, i);
    }
    return ST_OK;
}

static enum status take_providers(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                  void *context, struct err *e)
{
    (void)im, (void)scan, (void)e;
    struct place_rows *p = context;
    reserve_places(p, p->n + c->n);
    for (size_t i = 0; i < c->n; i++, p->n++) {
        p->ids[p->n] = i64_at(c, 0, i);
        p->concepts[p->n] = i32_at(c, 1, i);
    }
    return ST_OK;
}

static void places_deinit(struct place_rows *p)
{
    free(p->ids);
    free(p->locations);
    free(p->concepts);
    for (size_t k = 0; k < 2; k++)
        free(p->numbers[k]);
    for (size_t k = 0; k < MOST_TEXTS; k++)
        free(p->text[k]);
    buf_deinit(&p->bytes);
}

/* Takes the ids and concepts over from p. */
static void lookup_init(struct lookup *l, struct place_rows *p)
{
    l->ids = p->ids;
    l->concept = p->concepts;
    l->n = p->n;
    p->ids = NULL;
    p->concepts = NULL;
    idmap_init(&l->map, l->ids, l->n);
}

static void write_texts(struct arrays_writer *w, const char *prefix, const char *const *names,
                        struct place_rows *p)
{
    char full[32];
    for (size_t k = 0; names[k]; k++) {
        snprintf(full, sizeof full, "%s.%s", prefix, names[k]);
        arrays_add(w, full, sizeof *p->text[k], p->text[k], p->n);
    }
    snprintf(full, sizeof full, "%s.text", prefix);
    arrays_add(w, full, 1, p->bytes.p, p->bytes.n);
}

static void write_locations(struct arrays_writer *w, struct place_rows *p)
{
    arrays_add(w, "place.id", 8, p->ids, p->n);
    arrays_add(w, "place.latitude", 8, p->numbers[0], p->n);
    arrays_add(w, "place.longitude", 8, p->numbers[1], p->n);
    write_texts(w, "place", (const char *const[]){"state", "county", "zip", "source", NULL}, p);
}

static void write_care_sites(const struct import *im, struct arrays_writer *w, struct place_rows *p)
{
    int32_t *locations = xrealloc_array(NULL, p->n, sizeof *locations);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t at = idmap_find(&im->locations, p->locations[i]);
        locations[i] = at == IDMAP_NONE ? -1 : (int32_t)at;
    }
    arrays_add(w, "site.id", 8, p->ids, p->n);
    arrays_add(w, "site.place_of_service", 4, p->concepts, p->n);
    arrays_add(w, "site.place", 4, locations, p->n);
    write_texts(w, "site", (const char *const[]){"name", "source", NULL}, p);
    free(locations);
}

enum status import_places(struct import *im, struct err *e)
{
    struct place_rows locations = {0}, sites = {0}, providers = {0};
    struct arrays_writer *w = NULL;
    bool found;
    buf_init(&locations.bytes, (size_t)1 << 30);
    buf_init(&sites.bytes, (size_t)1 << 30);
    struct import_table l = {"location", location_columns, 7, false},
                        c = {"care_site", care_site_columns, 5, false},
                        p = {"provider", provider_columns, 2, false};
    char *path = import_path(im, "places.acc");
    enum status st = arrays_create(path, &w, e);
    free(path);
    if (st == ST_OK)
        st = import_read(im, &l, take_locations, &locations, &found, e);
    if (st == ST_OK)
        st = import_read(im, &c, take_care_sites, &sites, &found, e);
    if (st == ST_OK)
        st = import_read(im, &p, take_providers, &providers, &found, e);
    if (st == ST_OK)
        st = buf_check(&locations.bytes, "location", e);
    if (st == ST_OK)
        st = buf_check(&sites.bytes, "care_site", e);
    if (st == ST_OK) {
        idmap_init(&im->locations, locations.ids, locations.n);
        write_locations(w, &locations);
        write_care_sites(im, w, &sites);
        st = arrays_commit(w, e);
        im->location_ids = locations.ids;
        locations.ids = NULL;
        lookup_init(&im->providers, &providers);
        lookup_init(&im->care_sites, &sites);
    } else {
        arrays_abandon(w);
    }
    places_deinit(&locations);
    places_deinit(&sites);
    places_deinit(&providers);
    return st;
}

enum { P_ID, P_GENDER, P_YEAR, P_MONTH, P_DAY, P_RACE, P_ETHNICITY, P_LOCATION, P_CARE_SITE };
static const struct table_column person_columns[] = {
    {"person_id", NULL, TABLE_I64, TABLE_VALUE},
    {"gender_concept_id", NULL, TABLE_I32, TABLE_COLUMN},
    {"year_of_birth", NULL, TABLE_I32, TABLE_VALUE},
    {"month_of_birth", NULL, TABLE_I32, TABLE_OPTIONAL},
    {"day_of_birth", NULL, TABLE_I32, TABLE_OPTIONAL},
    {"race_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL},
    {"ethnicity_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL},
    {"location_id", NULL, TABLE_I64, TABLE_OPTIONAL},
    {"care_site_id", NULL, TABLE_I64, TABLE_OPTIONAL},
};

struct person {
    int64_t id;
    int16_t year;
    int8_t month, day;
    int32_t gender, race, ethnicity, location, care_site;
    uint8_t in_person;
};

struct period {
    int64_t person_id, id;
    int32_t start, end, type;
    uint32_t person;
};

struct people {
    struct scratch_rows persons, periods; /* struct person, struct period */
};

static int32_t place_of(const struct idmap *map, int64_t id)
{
    uint32_t at = id == NONE_I64 ? IDMAP_NONE : idmap_find(map, id);
    return at == IDMAP_NONE ? -1 : (int32_t)at;
}

static bool check_birth(struct table_chunk *c, size_t row, int32_t year, int32_t month, int32_t day)
{
    if (year < 1 || year > 9999)
        table_fault_add(c, c->line[row], P_YEAR, "a year from 1 to 9999");
    else if (month != NONE_I32 && (month < 1 || month > 12))
        table_fault_add(c, c->line[row], P_MONTH, "a month from 1 to 12");
    else if (day != NONE_I32 && (day < 1 || day > 31))
        table_fault_add(c, c->line[row], P_DAY, "a day from 1 to 31");
    else
        return true;
    return false;
}

static enum status take_persons(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                void *context, struct err *e)
{
    (void)scan;
    struct people *p = context;
    enum status st = scratch_rows_reserve(&p->persons, c->n, e);
    struct person *rows = p->persons.rows;
    for (size_t i = 0; st == ST_OK && i < c->n; i++) {
        int64_t id = i64_at(c, P_ID, i);
        int32_t year = i32_at(c, P_YEAR, i), month = i32_at(c, P_MONTH, i), day = i32_at(c, P_DAY, i);
        if (idmap_find(&im->opted_out, id) != IDMAP_NONE || !check_birth(c, i, year, month, day))
            continue;
        rows[p->persons.n++] = (struct person){
            .id = id,
            .year = (int16_t)year,
            .month = (int8_t)(month == NONE_I32 ? 0 : month),
            .day = (int8_t)(day == NONE_I32 ? 0 : day),
            .gender = i32_at(c, P_GENDER, i),
            .race = i32_at(c, P_RACE, i),
            .ethnicity = i32_at(c, P_ETHNICITY, i),
            .location = place_of(&im->locations, i64_at(c, P_LOCATION, i)),
            .care_site = place_of(&im->care_sites.map, i64_at(c, P_CARE_SITE, i)),
            .in_person = 1,
        };
    }
    return st;
}

static const struct table_column period_columns[] = {
    {"person_id", NULL, TABLE_I64, TABLE_VALUE},
    {"observation_period_start_date", NULL, TABLE_DATE, TABLE_VALUE},
    {"observation_period_end_date", NULL, TABLE_DATE, TABLE_VALUE},
    {"observation_period_id", NULL, TABLE_I64, TABLE_OPTIONAL},
    {"period_type_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL},
};

static enum status take_periods(struct import *im, struct table_scan *scan, struct table_chunk *c,
                                void *context, struct err *e)
{
    (void)scan;
    struct people *p = context;
    const int64_t *persons = c->columns[0];
    const int32_t *starts = c->columns[1], *ends = c->columns[2];
    enum status st = scratch_rows_reserve(&p->periods, c->n, e);
    struct period *rows = p->periods.rows;
    for (size_t i = 0; st == ST_OK && i < c->n; i++) {
        if (idmap_find(&im->opted_out, persons[i]) != IDMAP_NONE)
            continue;
        int64_t id = i64_at(c, 3, i);
        rows[p->periods.n++] =
            (struct period){.person_id = persons[i],
                            .id = id == NONE_I64 ? (int64_t)(c->lines_before + c->line[i] - 1) : id,
                            .start = starts[i],
                            .end = ends[i],
                            .type = i32_at(c, 4, i)};
    }
    return st;
}

static int by_person_id(const void *a, const void *b)
{
    const struct person *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Persons have their index in the order of their ids. */
static int by_person_and_start(const void *a, const void *b)
{
    const struct period *x = a, *y = b;
    if (x->person_id != y->person_id)
        return x->person_id < y->person_id ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The index of the person who comes last in `rows`: whoever only a period names is added. */
static uint32_t last_person(struct scratch_rows *united, struct looks *looks, int64_t id)
{
    struct person *rows = united->rows;
    if (united->n == 0 || rows[united->n - 1].id != id)
        rows[united->n++] = (struct person){.id = id,
                                            .year = INT16_MIN,
                                            .gender = NONE_I32,
                                            .race = NONE_I32,
                                            .ethnicity = NONE_I32,
                                            .location = -1,
                                            .care_site = -1};
    look_at(looks, united->n * sizeof *rows);
    return (uint32_t)(united->n - 1);
}

/* Both are sorted. Each id once, the first row of it; how many repeated one is returned. */
static size_t unite_rows(const struct people *p, struct scratch_rows *united)
{
    const struct person *persons = p->persons.rows;
    struct period *periods = p->periods.rows;
    struct person *rows = united->rows;
    struct looks looks = {.scratch = united->scratch};
    size_t k = 0, repeated = 0;
    for (size_t i = 0; i < p->persons.n; i++) {
        for (; k < p->periods.n && periods[k].person_id < persons[i].id; k++)
            periods[k].person = last_person(united, &looks, periods[k].person_id);
        if (i && persons[i].id == persons[i - 1].id)
            repeated++;
        else
            rows[united->n++] = persons[i];
        for (; k < p->periods.n && periods[k].person_id == persons[i].id; k++)
            periods[k].person = (uint32_t)(united->n - 1);
        look_at(&looks, i * sizeof *persons);
    }
    for (; k < p->periods.n; k++)
        periods[k].person = last_person(united, &looks, periods[k].person_id);
    looks_end(&looks);
    return repeated;
}

static enum status check_persons(struct import *im, size_t persons, size_t named, size_t repeated,
                                 struct err *e)
{
    if (repeated && !im->o->skip_faults)
        return err_set(
            e, ST_INVALID,
            "person: %zu rows repeat a person_id; each person must have one row (--on-error skip keeps "
            "the first)",
            repeated);
    if (repeated)
        import_remark(im, "person: %zu rows repeat a person_id and were dropped", repeated);
    if (persons > INT32_MAX)
        return err_set(e, ST_UNSUPPORTED, "more than %d persons", INT32_MAX);
    im->n_persons = (uint32_t)persons;
    im->n_without_person = (uint32_t)(persons - (named - repeated));
    if (im->n_without_person)
        import_remark(
            im,
            "observation_period: %u persons have no row in person; they count as Circe counts them, but "
            "have no age or sex",
            im->n_without_person);
    return ST_OK;
}

static enum status unite_persons(struct import *im, struct people *p, struct err *e)
{
    struct scratch_rows united = {.scratch = im->scratch, .row_bytes = sizeof(struct person)};
    size_t named = p->persons.n, repeated = 0;
    enum status st = scratch_rows_sort(&p->persons, by_person_id, e);
    if (st == ST_OK)
        st = scratch_rows_sort(&p->periods, by_person_and_start, e);
    if (st == ST_OK)
        st = scratch_rows_reserve(&united, named + p->periods.n, e);
    if (st == ST_OK) {
        repeated = unite_rows(p, &united);
        scratch_rows_deinit(&p->persons);
        p->persons = united;
        st = check_persons(im, united.n, named, repeated, e);
    }
    return st;
}

static enum status index_persons(struct import *im, const struct people *p, struct err *e)
{
    const struct person *persons = p->persons.rows;
    struct looks looks = {.scratch = im->scratch};
    void *ids;
    enum status st = scratch_map(im->scratch, p->persons.n * sizeof *im->person_ids, &ids, e);
    im->person_ids = ids;
    for (size_t i = 0; st == ST_OK && i < p->persons.n; i++) {
        im->person_ids[i] = persons[i].id;
        look_at(&looks, i * sizeof *persons);
    }
    looks_end(&looks);
    return st == ST_OK ? idmap_init_sorted(&im->persons, im->person_ids, p->persons.n, im->scratch, e) : st;
}

#define WRITE_FIELD(array, type, from, field)                                                                \
    do {                                                                                                     \
        const type *rows = (from)->rows;                                                                     \
        __typeof__(((type *)NULL)->field) few[512];                                                          \
        arrays_begin(w, array, sizeof *few);                                                                 \
        for (size_t i = 0; i < (from)->n; i += 512) {                                                        \
            size_t k = 0;                                                                                    \
            for (; k < 512 && i + k < (from)->n; k++)                                                        \
                few[k] = rows[i + k].field;                                                                  \
            arrays_append(w, few, k * sizeof *few);                                                          \
            scratch_walked((from)->scratch, k * sizeof *rows);                                               \
        }                                                                                                    \
        arrays_end(w);                                                                                       \
    } while (0)

/* The pseudonym is HMAC-SHA256 of the source id in decimal, its first 16 bytes, under a key derived from the
 * site's. */
enum { PSEUDONYM_BYTES = 16, PER_TASK = 4096, TASKS_AT_ONCE = 64 };
struct pseudonyms {
    const struct import *im;
    uint8_t key[HASH_BYTES];
    size_t first, n; /* persons at hand */
    uint8_t out[TASKS_AT_ONCE * PER_TASK][PSEUDONYM_BYTES];
};

static enum status make_pseudonyms(void *context, size_t task, struct err *e)
{
    (void)e;
    struct pseudonyms *p = context;
    struct hmac_key *key = hmac_key_new((struct slice){(const char *)p->key, sizeof p->key});
    for (size_t i = task * PER_TASK; i < p->n && i < (task + 1) * PER_TASK; i++) {
        char text[24];
        uint8_t hash[HASH_BYTES];
        int n = snprintf(text, sizeof text, "%lld", (long long)p->im->person_ids[p->first + i]);
        hmac_sha256_with(key, (struct slice){text, (size_t)n}, hash);
        memcpy(p->out[i], hash, PSEUDONYM_BYTES);
    }
    scratch_walked(p->im->scratch, PER_TASK * sizeof *p->im->person_ids);
    hmac_key_free(key);
    return ST_OK;
}

static enum status write_pseudonyms(struct import *im, struct arrays_writer *w, struct err *e)
{
    enum { AT_ONCE = TASKS_AT_ONCE * PER_TASK };
    struct pseudonyms *p = xcalloc(1, sizeof *p);
    enum status st = ST_OK;
    p->im = im;
    hmac_sha256((struct slice){(const char *)im->key->seed, SEED_BYTES}, SLICE("accord person pseudonym 1"),
                p->key);
    arrays_begin(w, "pseudonym", PSEUDONYM_BYTES);
    for (; st == ST_OK && p->first < im->n_persons; p->first += AT_ONCE) {
        p->n = im->n_persons - p->first < AT_ONCE ? im->n_persons - p->first : AT_ONCE;
        st = pool_run(im->o->pool, (p->n + PER_TASK - 1) / PER_TASK, make_pseudonyms, p, e);
        arrays_append(w, p->out, p->n * PSEUDONYM_BYTES);
    }
    arrays_end(w);
    secret_wipe(p->key, sizeof p->key);
    free(p);
    return st;
}

/* Source ids, sealed: differences of the sorted ids as LEB128, twice in memory meanwhile: 2 bytes a person where
 * ids are numbered through, about 12 where they are random. */
static void write_sealed_ids(const struct import *im, struct arrays_writer *w)
{
    struct buf plain, sealed;
    uint64_t before = 0;
    struct looks looks = {.scratch = im->scratch};
    buf_init(&plain, (size_t)1 << 32);
    buf_init(&sealed, (size_t)1 << 32);
    for (uint32_t i = 0; i < im->n_persons; i++) {
        uint64_t step = (uint64_t)im->person_ids[i] - before;
        before = (uint64_t)im->person_ids[i];
        look_at(&looks, i * sizeof *im->person_ids);
        for (; step >= 128; step >>= 7)
            buf_addc(&plain, (char)(step | 128));
        buf_addc(&plain, (char)step);
    }
    seal(im->key->box_public, buf_slice(&plain), &sealed);
    arrays_add(w, "sealed_ids", 1, sealed.p, sealed.n);
    if (plain.n)
        secret_wipe(plain.p, plain.n);
    buf_deinit(&plain);
    buf_deinit(&sealed);
}

static enum status write_persons(struct import *im, const struct people *p, struct err *e)
{
    struct arrays_writer *w;
    char *path = import_path(im, "persons.acc");
    enum status st = arrays_create(path, &w, e);
    free(path);
    if (st != ST_OK)
        return st;
    WRITE_FIELD("birth_year", struct person, &p->persons, year);
    WRITE_FIELD("birth_month", struct person, &p->persons, month);
    WRITE_FIELD("birth_day", struct person, &p->persons, day);
    WRITE_FIELD("gender", struct person, &p->persons, gender);
    WRITE_FIELD("race", struct person, &p->persons, race);
    WRITE_FIELD("ethnicity", struct person, &p->persons, ethnicity);
    WRITE_FIELD("location", struct person, &p->persons, location);
    WRITE_FIELD("care_site", struct person, &p->persons, care_site);
    WRITE_FIELD("in_person", struct person, &p->persons, in_person);
    st = write_pseudonyms(im, w, e);
    write_sealed_ids(im, w);
    if (st != ST_OK) {
        arrays_abandon(w);
        return st;
    }
    return arrays_commit(w, e);
}

static enum status map_known(struct import *im, const struct people *p, struct err *e)
{
    struct quality_persons *k = &im->known;
    void *persons = NULL, *periods = NULL;
    enum status st = scratch_map(im->scratch, (p->persons.n + 1) * sizeof *k->persons, &persons, e);
    if (st == ST_OK)
        st = scratch_map(im->scratch, p->periods.n * sizeof *k->periods, &periods, e);
    *k = (struct quality_persons){persons, periods, im->scratch, (int32_t)(time_now_ms() / 86400000)};
    return st;
}

/* What the quality report asks of persons, and where the periods of each begin. Periods are in the order of
 * persons. */
static void keep_known(struct import *im, const struct people *p, struct arrays_writer *w)
{
    const struct person *persons = p->persons.rows;
    const struct period *periods = p->periods.rows;
    struct looks looks = {.scratch = im->scratch};
    uint32_t offset = 0;
    arrays_begin(w, "offset", sizeof offset);
    for (size_t i = 0; i <= p->persons.n; i++) {
        bool born = i < p->persons.n && persons[i].in_person;
        while (offset < p->periods.n && periods[offset].person < i)
            offset++;
        im->known.persons[i] =
            (struct quality_person){born ? date_of(persons[i].year, 1, 1) : INT32_MIN, offset};
        arrays_append(w, &offset, sizeof offset);
        look_at(&looks, i * sizeof *persons);
    }
    arrays_end(w);
    for (size_t i = 0; i < p->periods.n; i++) {
        im->known.periods[i] = (struct quality_period){periods[i].start, periods[i].end};
        look_at(&looks, i * sizeof *periods);
    }
    looks_end(&looks);
}

/* Each person's period where there is one (only_period.h). */
static void write_only(const struct import *im, struct arrays_writer *w)
{
    const struct quality_person *persons = im->known.persons;
    const struct quality_period *periods = im->known.periods;
    struct looks at_persons = {.scratch = im->scratch}, at_periods = {.scratch = im->scratch};
    arrays_begin(w, "only", sizeof(uint32_t));
    for (uint32_t i = 0; i < im->n_persons; i++) {
        uint32_t k = persons[i].first_period, n = persons[i + 1].first_period - k;
        uint32_t only = n == 1 ? only_period_of(periods[k].start, periods[k].end) : ONLY_PERIOD_NONE;
        arrays_append(w, &only, sizeof only);
        look_at(&at_persons, i * sizeof *persons);
        look_at(&at_periods, k * sizeof *periods);
    }
    looks_end(&at_persons);
    looks_end(&at_periods);
    arrays_end(w);
}

static enum status write_periods(struct import *im, const struct people *p, struct err *e)
{
    struct arrays_writer *w;
    enum status st = map_known(im, p, e);
    if (st != ST_OK)
        return st;
    char *path = import_path(im, "periods.acc");
    st = arrays_create(path, &w, e);
    free(path);
    if (st != ST_OK)
        return st;
    keep_known(im, p, w);
    WRITE_FIELD("start", struct period, &p->periods, start);
    WRITE_FIELD("end", struct period, &p->periods, end);
    WRITE_FIELD("type", struct period, &p->periods, type);
    WRITE_FIELD("id", struct period, &p->periods, id);
    write_only(im, w);
    return arrays_commit(w, e);
}

enum status import_people(struct import *im, struct err *e)
{
    struct people p = {{.scratch = im->scratch, .row_bytes = sizeof(struct person)},
                       {.scratch = im->scratch, .row_bytes = sizeof(struct period)}};
    bool found;
    struct import_table persons = {"person", person_columns, sizeof person_columns / sizeof *person_columns,
                                   true};
    struct import_table periods = {"observation_period", period_columns, 5, !im->o->periods_optional};
    enum status st = import_read(im, &persons, take_persons, &p, &found, e);
    if (st == ST_OK)
        st = import_read(im, &periods, take_periods, &p, &found, e);
    if (st == ST_OK)
        st = unite_persons(im, &p, e);
    if (st == ST_OK)
        st = index_persons(im, &p, e);
    if (st == ST_OK)
        st = write_persons(im, &p, e);
    if (st == ST_OK)
        st = write_periods(im, &p, e);
    scratch_rows_deinit(&p.persons);
    scratch_rows_deinit(&p.periods);
    return st;
}
