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
    struct person *persons;
    size_t n, capacity;
    struct period *periods;
    size_t n_periods, cap_periods;
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
    (void)scan, (void)e;
    struct people *p = context;
    for (size_t i = 0; i < c->n; i++) {
        int64_t id = i64_at(c, P_ID, i);
        int32_t year = i32_at(c, P_YEAR, i), month = i32_at(c, P_MONTH, i), day = i32_at(c, P_DAY, i);
        if (idmap_find(&im->opted_out, id) != IDMAP_NONE || !check_birth(c, i, year, month, day))
            continue;
        GROW(p->persons, p->n + 1, p->capacity);
        p->persons[p->n++] = (struct person){
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
    return ST_OK;
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
    (void)scan, (void)e;
    struct people *p = context;
    const int64_t *persons = c->columns[0];
    const int32_t *starts = c->columns[1], *ends = c->columns[2];
    for (size_t i = 0; i < c->n; i++) {
        if (idmap_find(&im->opted_out, persons[i]) != IDMAP_NONE)
            continue;
        int64_t id = i64_at(c, 3, i);
        GROW(p->periods, p->n_periods + 1, p->cap_periods);
        p->periods[p->n_periods++] =
            (struct period){.person_id = persons[i],
                            .id = id == NONE_I64 ? (int64_t)(c->lines_before + c->line[i] - 1) : id,
                            .start = starts[i],
                            .end = ends[i],
                            .type = i32_at(c, 4, i)};
    }
    return ST_OK;
}

static int by_person_id(const void *a, const void *b)
{
    const struct person *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return y->in_person - x->in_person;
}

/* Tables mostly come in order, and sorting takes as much memory again. */
static void sort_if_needed(void *rows, size_t n, size_t row_bytes, int (*compare)(const void *, const void *))
{
    const char *row = rows;
    size_t i = 1;
    while (i < n && compare(row + (i - 1) * row_bytes, row + i * row_bytes) <= 0)
        i++;
    if (i < n)
        qsort(rows, n, row_bytes, compare);
}

static bool has_person(const struct person *persons, size_t n, int64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (persons[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && persons[low].id == id;
}

/* Whoever only a period names. Persons are sorted. */
static void add_unknown_persons(struct people *p)
{
    size_t named = p->n;
    for (size_t i = 0; i < p->n_periods; i++) {
        int64_t id = p->periods[i].person_id;
        if ((i && id == p->periods[i - 1].person_id) || has_person(p->persons, named, id))
            continue;
        GROW(p->persons, p->n + 1, p->capacity);
        p->persons[p->n++] = (struct person){.id = id,
                                             .year = INT16_MIN,
                                             .gender = NONE_I32,
                                             .race = NONE_I32,
                                             .ethnicity = NONE_I32,
                                             .location = -1,
                                             .care_site = -1};
    }
}

static enum status unite_persons(struct import *im, struct people *p, struct err *e)
{
    size_t named = p->n, kept = 0, repeated = 0;
    sort_if_needed(p->persons, p->n, sizeof *p->persons, by_person_id);
    add_unknown_persons(p);
    sort_if_needed(p->persons, p->n, sizeof *p->persons, by_person_id);
    for (size_t i = 0; i < p->n; i++) {
        if (kept == 0 || p->persons[i].id != p->persons[kept - 1].id)
            p->persons[kept++] = p->persons[i];
        else
            repeated += p->persons[i].in_person;
    }
    p->n = kept;
    if (repeated && !im->o->skip_faults)
        return err_set(
            e, ST_INVALID,
            "person: %zu rows repeat a person_id; each person must have one row (--on-error skip keeps "
            "the first)",
            repeated);
    if (repeated)
        import_remark(im, "person: %zu rows repeat a person_id and were dropped", repeated);
    if (kept > INT32_MAX)
        return err_set(e, ST_UNSUPPORTED, "more than %d persons", INT32_MAX);
    im->n_persons = (uint32_t)kept;
    im->n_without_person = (uint32_t)(kept - (named - repeated));
    if (im->n_without_person)
        import_remark(
            im,
            "observation_period: %u persons have no row in person; they count as Circe counts them, but "
            "have no age or sex",
            im->n_without_person);
    return ST_OK;
}

#define WRITE_FIELD(array, rows, n, field)                                                                   \
    do {                                                                                                     \
        __typeof__((rows)->field) few[512];                                                                  \
        arrays_begin(w, array, sizeof *few);                                                                 \
        for (size_t i = 0; i < (n); i += 512) {                                                              \
            size_t k = 0;                                                                                    \
            for (; k < 512 && i + k < (n); k++)                                                              \
                few[k] = (rows)[i + k].field;                                                                \
            arrays_append(w, few, k * sizeof *few);                                                          \
        }                                                                                                    \
        arrays_end(w);                                                                                       \
    } while (0)

/* The pseudonym is HMAC-SHA256 of the source id in decimal, its first 16 bytes, under a key derived from the
 * site's. */
struct pseudonyms {
    const struct import *im;
    uint8_t key[HASH_BYTES];
    uint8_t *out;
};
enum { PSEUDONYM_BYTES = 16, PER_TASK = 4096 };

static enum status make_pseudonyms(void *context, size_t task, struct err *e)
{
    (void)e;
    struct pseudonyms *p = context;
    struct hmac_key *key = hmac_key_new((struct slice){(const char *)p->key, sizeof p->key});
    for (size_t i = task * PER_TASK; i < p->im->n_persons && i < (task + 1) * PER_TASK; i++) {
        char text[24];
        uint8_t hash[HASH_BYTES];
        int n = snprintf(text, sizeof text, "%lld", (long long)p->im->person_ids[i]);
        hmac_sha256_with(key, (struct slice){text, (size_t)n}, hash);
        memcpy(p->out + i * PSEUDONYM_BYTES, hash, PSEUDONYM_BYTES);
    }
    hmac_key_free(key);
    return ST_OK;
}

static enum status write_pseudonyms(struct import *im, struct arrays_writer *w, struct err *e)
{
    struct pseudonyms p = {.im = im, .out = xmalloc((size_t)im->n_persons * PSEUDONYM_BYTES)};
    hmac_sha256((struct slice){(const char *)im->key->seed, SEED_BYTES}, SLICE("accord person pseudonym 1"),
                p.key);
    enum status st =
        pool_run(im->o->pool, ((size_t)im->n_persons + PER_TASK - 1) / PER_TASK, make_pseudonyms, &p, e);
    arrays_add(w, "pseudonym", PSEUDONYM_BYTES, p.out, im->n_persons);
    secret_wipe(p.key, sizeof p.key);
    free(p.out);
    return st;
}

/* Source ids, sealed: differences of the sorted ids as LEB128. */
static void write_sealed_ids(const struct import *im, struct arrays_writer *w)
{
    struct buf plain, sealed;
    uint64_t before = 0;
    buf_init(&plain, (size_t)1 << 32);
    buf_init(&sealed, (size_t)1 << 32);
    for (uint32_t i = 0; i < im->n_persons; i++) {
        uint64_t step = (uint64_t)im->person_ids[i] - before;
        before = (uint64_t)im->person_ids[i];
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
    WRITE_FIELD("birth_year", p->persons, p->n, year);
    WRITE_FIELD("birth_month", p->persons, p->n, month);
    WRITE_FIELD("birth_day", p->persons, p->n, day);
    WRITE_FIELD("gender", p->persons, p->n, gender);
    WRITE_FIELD("race", p->persons, p->n, race);
    WRITE_FIELD("ethnicity", p->persons, p->n, ethnicity);
    WRITE_FIELD("location", p->persons, p->n, location);
    WRITE_FIELD("care_site", p->persons, p->n, care_site);
    WRITE_FIELD("in_person", p->persons, p->n, in_person);
    st = write_pseudonyms(im, w, e);
    write_sealed_ids(im, w);
    if (st != ST_OK) {
        arrays_abandon(w);
        return st;
    }
    return arrays_commit(w, e);
}

/* What the quality report asks of persons; their periods begin at `offset`. */
static void keep_known(struct import *im, const struct people *p, const uint32_t *offset)
{
    struct quality_persons *k = &im->known;
    k->persons = xrealloc_array(NULL, p->n + 1, sizeof *k->persons);
    for (size_t i = 0; i <= p->n; i++) {
        bool born = i < p->n && p->persons[i].in_person;
        k->persons[i] =
            (struct quality_person){born ? date_of(p->persons[i].year, 1, 1) : INT32_MIN, offset[i]};
    }
    k->periods = xrealloc_array(NULL, p->n_periods, sizeof *k->periods);
    for (size_t i = 0; i < p->n_periods; i++)
        k->periods[i] = (struct quality_period){p->periods[i].start, p->periods[i].end};
    k->today = (int32_t)(time_now_ms() / 86400000);
}

static int by_start_and_id(const void *a, const void *b)
{
    const struct period *x = a, *y = b;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static enum status write_periods(struct import *im, struct people *p, struct err *e)
{
    struct arrays_writer *w;
    char *path = import_path(im, "periods.acc");
    enum status st = arrays_create(path, &w, e);
    free(path);
    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < p->n_periods; i++)
        p->periods[i].person = idmap_find(&im->persons, p->periods[i].person_id);
    sort_if_needed(p->periods, p->n_periods, sizeof *p->periods, by_start_and_id);
    uint32_t *offset = xcalloc((size_t)im->n_persons + 1, sizeof *offset);
    for (size_t i = 0; i < p->n_periods; i++)
        offset[p->periods[i].person + 1]++;
    for (uint32_t i = 0; i < im->n_persons; i++)
        offset[i + 1] += offset[i];
    arrays_add(w, "offset", sizeof *offset, offset, (size_t)im->n_persons + 1);
    keep_known(im, p, offset);
    free(offset);
    WRITE_FIELD("start", p->periods, p->n_periods, start);
    WRITE_FIELD("end", p->periods, p->n_periods, end);
    WRITE_FIELD("type", p->periods, p->n_periods, type);
    WRITE_FIELD("id", p->periods, p->n_periods, id);
    return arrays_commit(w, e);
}

enum status import_people(struct import *im, struct err *e)
{
    struct people p = {0};
    bool found;
    struct import_table persons = {"person", person_columns, sizeof person_columns / sizeof *person_columns,
                                   true};
    struct import_table periods = {"observation_period", period_columns, 5, !im->o->periods_optional};
    enum status st = import_read(im, &persons, take_persons, &p, &found, e);
    if (st == ST_OK)
        st = import_read(im, &periods, take_periods, &p, &found, e);
    if (st == ST_OK)
        st = unite_persons(im, &p, e);
    if (st == ST_OK) {
        im->person_ids = xrealloc_array(NULL, p.n, sizeof *im->person_ids);
        for (size_t i = 0; i < p.n; i++)
            im->person_ids[i] = p.persons[i].id;
        idmap_init(&im->persons, im->person_ids, p.n);
        st = write_persons(im, &p, e);
    }
    if (st == ST_OK)
        st = write_periods(im, &p, e);
    free(p.persons);
    free(p.periods);
    return st;
}
