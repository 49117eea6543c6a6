/* SPDX-License-Identifier: Apache-2.0 */
#include "cdm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"

#define COMMON(prefix)                                                                                       \
    {prefix "_type_concept_id", COL_TYPE, 'i'},                                                              \
    {                                                                                                        \
        prefix "_source_concept_id", COL_SOURCE_CONCEPT, 'i'                                                 \
    }
#define LINKS                                                                                                \
    {"visit_occurrence_id", COL_VISIT, 'i'}, {"visit_occurrence_id", COL_VISIT_CONCEPT, 'v'},                \
    {                                                                                                        \
        "provider_id", COL_PROVIDER_SPECIALTY, 'p'                                                           \
    }
#define END                                                                                                  \
    {                                                                                                        \
        NULL, STORE_N_COLUMNS, 0                                                                             \
    }

static const struct cdm_column condition[] = {{"condition_occurrence_id", COL_ID, 'i'},
                                              {"condition_concept_id", COL_CONCEPT, 'i'},
                                              {"condition_start_date", COL_START, 'd'},
                                              {"condition_end_date", COL_END, 'd'},
                                              {"condition_status_concept_id", COL_STATUS, 'i'},
                                              {"stop_reason", COL_STOP_REASON, 't'},
                                              COMMON("condition"),
                                              LINKS,
                                              END};
static const struct cdm_column procedure[] = {{"procedure_occurrence_id", COL_ID, 'i'},
                                              {"procedure_concept_id", COL_CONCEPT, 'i'},
                                              {"procedure_date", COL_START, 'd'},
                                              {"modifier_concept_id", COL_MODIFIER, 'i'},
                                              {"quantity", COL_QUANTITY, 'f'},
                                              COMMON("procedure"),
                                              LINKS,
                                              END};
static const struct cdm_column drug[] = {{"drug_exposure_id", COL_ID, 'i'},
                                         {"drug_concept_id", COL_CONCEPT, 'i'},
                                         {"drug_exposure_start_date", COL_START, 'd'},
                                         {"drug_exposure_end_date", COL_END, 'd'},
                                         {"stop_reason", COL_STOP_REASON, 't'},
                                         {"refills", COL_REFILLS, 'i'},
                                         {"quantity", COL_QUANTITY, 'f'},
                                         {"days_supply", COL_DAYS_SUPPLY, 'i'},
                                         {"route_concept_id", COL_ROUTE, 'i'},
                                         {"lot_number", COL_LOT_NUMBER, 't'},
                                         COMMON("drug"),
                                         LINKS,
                                         END};
static const struct cdm_column device[] = {{"device_exposure_id", COL_ID, 'i'},
                                           {"device_concept_id", COL_CONCEPT, 'i'},
                                           {"device_exposure_start_date", COL_START, 'd'},
                                           {"device_exposure_end_date", COL_END, 'd'},
                                           {"unique_device_id", COL_UNIQUE_DEVICE_ID, 't'},
                                           {"quantity", COL_QUANTITY, 'f'},
                                           COMMON("device"),
                                           LINKS,
                                           END};
static const struct cdm_column measurement[] = {{"measurement_id", COL_ID, 'i'},
                                                {"measurement_concept_id", COL_CONCEPT, 'i'},
                                                {"measurement_date", COL_START, 'd'},
                                                {"operator_concept_id", COL_OPERATOR, 'i'},
                                                {"value_as_number", COL_VALUE_NUMBER, 'f'},
                                                {"value_as_concept_id", COL_VALUE_CONCEPT, 'i'},
                                                {"unit_concept_id", COL_UNIT, 'i'},
                                                {"range_low", COL_RANGE_LOW, 'f'},
                                                {"range_high", COL_RANGE_HIGH, 'f'},
                                                COMMON("measurement"),
                                                LINKS,
                                                END};
static const struct cdm_column observation[] = {{"observation_id", COL_ID, 'i'},
                                                {"observation_concept_id", COL_CONCEPT, 'i'},
                                                {"observation_date", COL_START, 'd'},
                                                {"value_as_number", COL_VALUE_NUMBER, 'f'},
                                                {"value_as_string", COL_VALUE_TEXT, 't'},
                                                {"value_as_concept_id", COL_VALUE_CONCEPT, 'i'},
                                                {"qualifier_concept_id", COL_QUALIFIER, 'i'},
                                                {"unit_concept_id", COL_UNIT, 'i'},
                                                COMMON("observation"),
                                                LINKS,
                                                END};
static const struct cdm_column specimen[] = {{"specimen_id", COL_ID, 'i'},
                                             {"specimen_concept_id", COL_CONCEPT, 'i'},
                                             {"specimen_date", COL_START, 'd'},
                                             {"specimen_type_concept_id", COL_TYPE, 'i'},
                                             {"quantity", COL_QUANTITY, 'f'},
                                             {"unit_concept_id", COL_UNIT, 'i'},
                                             {"anatomic_site_concept_id", COL_ANATOMIC_SITE, 'i'},
                                             {"disease_status_concept_id", COL_DISEASE_STATUS, 'i'},
                                             {"specimen_source_id", COL_SOURCE_ID, 't'},
                                             END};
static const struct cdm_column death[] = {{"person_id", COL_ID, 'i'},
                                          {"death_date", COL_START, 'd'},
                                          {"death_type_concept_id", COL_TYPE, 'i'},
                                          {"cause_concept_id", COL_CONCEPT, 'i'},
                                          {"cause_source_concept_id", COL_SOURCE_CONCEPT, 'i'},
                                          END};
static const struct cdm_column visit[] = {{"visit_occurrence_id", COL_ID, 'i'},
                                          {"visit_concept_id", COL_CONCEPT, 'i'},
                                          {"visit_start_date", COL_START, 'd'},
                                          {"visit_end_date", COL_END, 'd'},
                                          {"visit_occurrence_id", COL_VISIT, 'i'},
                                          {"provider_id", COL_PROVIDER_SPECIALTY, 'p'},
                                          {"care_site_id", COL_PLACE_OF_SERVICE, 's'},
                                          COMMON("visit"),
                                          END};
static const struct cdm_column visit_detail[] = {{"visit_detail_id", COL_ID, 'i'},
                                                 {"visit_detail_concept_id", COL_CONCEPT, 'i'},
                                                 {"visit_detail_start_date", COL_START, 'd'},
                                                 {"visit_detail_end_date", COL_END, 'd'},
                                                 {"visit_occurrence_id", COL_VISIT, 'i'},
                                                 {"provider_id", COL_PROVIDER_SPECIALTY, 'p'},
                                                 {"care_site_id", COL_PLACE_OF_SERVICE, 's'},
                                                 COMMON("visit_detail"),
                                                 END};
static const struct cdm_column condition_era[] = {{"condition_era_id", COL_ID, 'i'},
                                                  {"condition_concept_id", COL_CONCEPT, 'i'},
                                                  {"condition_era_start_date", COL_START, 'd'},
                                                  {"condition_era_end_date", COL_END, 'd'},
                                                  {"condition_occurrence_count", COL_OCCURRENCE_COUNT, 'i'},
                                                  END};
static const struct cdm_column drug_era[] = {{"drug_era_id", COL_ID, 'i'},
                                             {"drug_concept_id", COL_CONCEPT, 'i'},
                                             {"drug_era_start_date", COL_START, 'd'},
                                             {"drug_era_end_date", COL_END, 'd'},
                                             {"drug_exposure_count", COL_OCCURRENCE_COUNT, 'i'},
                                             {"gap_days", COL_GAP_DAYS, 'i'},
                                             END};
static const struct cdm_column dose_era[] = {{"dose_era_id", COL_ID, 'i'},
                                             {"drug_concept_id", COL_CONCEPT, 'i'},
                                             {"dose_era_start_date", COL_START, 'd'},
                                             {"dose_era_end_date", COL_END, 'd'},
                                             {"unit_concept_id", COL_UNIT, 'i'},
                                             {"dose_value", COL_DOSE_VALUE, 'f'},
                                             END};
static const struct cdm_column payer[] = {
    {"payer_plan_period_id", COL_ID, 'i'},
    {"payer_concept_id", COL_CONCEPT, 'i'},
    {"payer_plan_period_start_date", COL_START, 'd'},
    {"payer_plan_period_end_date", COL_END, 'd'},
    {"payer_source_concept_id", COL_SOURCE_CONCEPT, 'i'},
    {"plan_concept_id", COL_PLAN_CONCEPT, 'i'},
    {"plan_source_concept_id", COL_PLAN_SOURCE_CONCEPT, 'i'},
    {"sponsor_concept_id", COL_SPONSOR_CONCEPT, 'i'},
    {"sponsor_source_concept_id", COL_SPONSOR_SOURCE_CONCEPT, 'i'},
    {"stop_reason_concept_id", COL_STOP_REASON_CONCEPT, 'i'},
    {"stop_reason_source_concept_id", COL_STOP_REASON_SOURCE_CONCEPT, 'i'},
    END};

const struct cdm_file cdm_files[STORE_N_TABLES] = {
    [STORE_CONDITION] = {"condition_occurrence", condition},
    [STORE_PROCEDURE] = {"procedure_occurrence", procedure},
    [STORE_DRUG] = {"drug_exposure", drug},
    [STORE_DEVICE] = {"device_exposure", device},
    [STORE_MEASUREMENT] = {"measurement", measurement},
    [STORE_OBSERVATION] = {"observation", observation},
    [STORE_SPECIMEN] = {"specimen", specimen},
    [STORE_DEATH] = {"death", death},
    [STORE_VISIT] = {"visit_occurrence", visit},
    [STORE_VISIT_DETAIL] = {"visit_detail", visit_detail},
    [STORE_CONDITION_ERA] = {"condition_era", condition_era},
    [STORE_DRUG_ERA] = {"drug_era", drug_era},
    [STORE_DOSE_ERA] = {"dose_era", dose_era},
    [STORE_PAYER_PLAN] = {"payer_plan_period", payer},
};

struct cdm *cdm_new(void)
{
    struct cdm *c = xcalloc(1, sizeof *c);
    c->arena = arena_new();
    return c;
}

void cdm_free(struct cdm *c)
{
    if (!c)
        return;
    for (int t = 0; t < STORE_N_TABLES; t++) {
        free(c->tables[t].rows);
        free(c->tables[t].first);
    }
    free(c->persons);
    free(c->periods);
    free(c->concepts);
    free(c->ancestors);
    free(c->maps);
    arena_free(c->arena);
    free(c);
}

struct cdm_row *cdm_add(struct cdm *c, enum store_table t)
{
    struct cdm_table *table = &c->tables[t];
    GROW(table->rows, table->n + 1, table->capacity);
    struct cdm_row *r = &table->rows[table->n++];
    for (int i = 0; i < STORE_N_COLUMNS; i++)
        r->v[i].i = NONE_I64;
    for (const struct cdm_column *m = cdm_files[t].columns; m->csv; m++) {
        if (m->kind == 'f')
            r->v[m->column].d = (double)NAN;
        if (m->kind == 't')
            r->v[m->column].s = NULL;
    }
    return r;
}

/* --- sorting --- */

static int by_person_id(const void *a, const void *b)
{
    const struct cdm_person *p = a, *q = b;
    return p->id != q->id ? (p->id < q->id ? -1 : 1) : q->in_person - p->in_person;
}

static int by_row_person(const void *a, const void *b)
{
    const struct cdm_row *p = a, *q = b;
    if (p->person_id != q->person_id)
        return p->person_id < q->person_id ? -1 : 1;
    return (p->v[COL_ID].i > q->v[COL_ID].i) - (p->v[COL_ID].i < q->v[COL_ID].i);
}

static int by_period(const void *a, const void *b)
{
    const struct cdm_period *p = a, *q = b;
    if (p->person_id != q->person_id)
        return p->person_id < q->person_id ? -1 : 1;
    if (p->start != q->start)
        return p->start < q->start ? -1 : 1;
    return (p->id > q->id) - (p->id < q->id);
}

static void add_person(struct cdm *c, int64_t id)
{
    GROW(c->persons, c->n_persons + 1, c->persons_capacity);
    c->persons[c->n_persons++] = (struct cdm_person){id, false, NONE_I64, NONE_I64, NONE_I64, NONE_I64};
}

static uint32_t find_person(const struct cdm *c, int64_t id)
{
    size_t low = 0, high = c->n_persons;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (c->persons[middle].id <= id)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static void index_table(struct cdm *c, struct cdm_table *t)
{
    if (t->n)
        qsort(t->rows, t->n, sizeof *t->rows, by_row_person);
    free(t->first);
    t->first = xcalloc(c->n_persons + 2, sizeof *t->first);
    for (size_t i = 0; i < t->n; i++) {
        t->rows[i].person = find_person(c, t->rows[i].person_id);
        t->first[t->rows[i].person + 1]++;
    }
    for (size_t p = 0; p < c->n_persons; p++)
        t->first[p + 1] += t->first[p];
}

void cdm_index(struct cdm *c)
{
    for (int t = 0; t < STORE_N_TABLES; t++)
        for (size_t i = 0; i < c->tables[t].n; i++)
            add_person(c, c->tables[t].rows[i].person_id);
    for (size_t i = 0; i < c->n_periods; i++)
        add_person(c, c->periods[i].person_id);
    if (c->n_persons)
        qsort(c->persons, c->n_persons, sizeof *c->persons, by_person_id);
    size_t n = 0;
    for (size_t i = 0; i < c->n_persons; i++)
        if (n == 0 || c->persons[n - 1].id != c->persons[i].id)
            c->persons[n++] = c->persons[i];
    c->n_persons = n;
    for (int t = 0; t < STORE_N_TABLES; t++)
        index_table(c, &c->tables[t]);
    if (c->n_periods)
        qsort(c->periods, c->n_periods, sizeof *c->periods, by_period);
    for (size_t i = 0; i < c->n_periods; i++)
        c->periods[i].person = find_person(c, c->periods[i].person_id);
}

/* --- loading --- */

static char *file_of(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s.csv", folder, name);
    if (!file_exists(path)) {
        free(path);
        path = xasprintf("%s/%s.csv.gz", folder, name);
    }
    if (!file_exists(path)) {
        free(path);
        return NULL;
    }
    return path;
}

typedef enum status (*row_reader)(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                                  struct err *e);

static enum status read_file(struct cdm *c, const char *folder, const char *name, row_reader read,
                             void *context, struct err *e)
{
    char *path = file_of(folder, name);
    if (!path)
        return ST_OK;
    struct csv *csv = NULL;
    const struct slice *fields;
    enum status s = csv_open(path, &csv, e);
    while (s == ST_OK && (s = csv_next(csv, &fields, e)) == ST_OK && fields)
        s = read(c, csv, fields, context, e);
    csv_close(csv);
    free(path);
    return s;
}

static enum status whole(const struct csv *csv, const char *column, int64_t *out, struct err *e)
{
    return csv_i64(csv, csv_find(csv, column), NONE_I64, out, e);
}

struct links { /* id -> value, sorted by id (and owner) */
    struct link {
        int64_t id, owner, value;
    } * at;
    size_t n, capacity;
    const char *id_column, *owner_column, *value_column;
};

static int by_link(const void *a, const void *b)
{
    const struct link *p = a, *q = b;
    if (p->id != q->id)
        return p->id < q->id ? -1 : 1;
    return (p->owner > q->owner) - (p->owner < q->owner);
}

static enum status read_link(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                             struct err *e)
{
    (void)c, (void)f;
    struct links *l = context;
    GROW(l->at, l->n + 1, l->capacity);
    struct link *k = &l->at[l->n++];
    k->owner = 0;
    enum status s = whole(csv, l->id_column, &k->id, e);
    if (s == ST_OK && l->owner_column)
        s = whole(csv, l->owner_column, &k->owner, e);
    return s == ST_OK ? whole(csv, l->value_column, &k->value, e) : s;
}

static int64_t link_find(const struct links *l, int64_t id, int64_t owner)
{
    struct link key = {id, owner, 0};
    const struct link *k = id == NONE_I64 || !l->n ? NULL : bsearch(&key, l->at, l->n, sizeof key, by_link);
    return k ? k->value : NONE_I64;
}

struct loading {
    struct links providers, sites, visits;
    enum store_table table;
};

static enum status read_value(struct cdm *c, const struct csv *csv, const struct slice *f,
                              const struct loading *l, const struct cdm_column *m, struct cdm_row *r,
                              struct err *e)
{
    union cdm_value *v = &r->v[m->column];
    int at = csv_find(csv, m->csv);
    int32_t day = 0;
    enum status s;
    if (at < 0)
        return ST_OK;
    switch (m->kind) {
    case 'd':
        s = csv_date(csv, at, NONE_I32, &day, e);
        v->i = day == NONE_I32 ? NONE_I64 : day;
        return s;
    case 'f':
        return csv_double(csv, at, (double)NAN, &v->d, e);
    case 't':
        v->s = f[at].n ? arena_strndup(c->arena, f[at].p, f[at].n) : NULL;
        return ST_OK;
    default:
        s = csv_i64(csv, at, NONE_I64, &v->i, e);
        if (m->kind == 'p')
            v->i = link_find(&l->providers, v->i, 0);
        if (m->kind == 's')
            v->i = link_find(&l->sites, v->i, 0);
        if (m->kind == 'v')
            v->i = link_find(&l->visits, v->i, r->person_id);
        return s;
    }
}

static enum status read_event(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                              struct err *e)
{
    struct loading *l = context;
    struct cdm_row *r = cdm_add(c, l->table);
    enum status s = whole(csv, "person_id", &r->person_id, e);
    for (const struct cdm_column *m = cdm_files[l->table].columns; s == ST_OK && m->csv; m++)
        s = read_value(c, csv, f, l, m, r, e);
    return s;
}

static enum status read_person(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                               struct err *e)
{
    (void)f, (void)context;
    int64_t id;
    enum status s = whole(csv, "person_id", &id, e);
    if (s != ST_OK)
        return s;
    add_person(c, id);
    struct cdm_person *p = &c->persons[c->n_persons - 1];
    p->in_person = true;
    if (s == ST_OK)
        s = whole(csv, "year_of_birth", &p->birth_year, e);
    if (s == ST_OK)
        s = whole(csv, "gender_concept_id", &p->gender, e);
    if (s == ST_OK)
        s = whole(csv, "race_concept_id", &p->race, e);
    return s == ST_OK ? whole(csv, "ethnicity_concept_id", &p->ethnicity, e) : s;
}

static enum status read_period(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                               struct err *e)
{
    (void)f, (void)context;
    GROW(c->periods, c->n_periods + 1, c->periods_capacity);
    struct cdm_period *p = &c->periods[c->n_periods++];
    enum status s = whole(csv, "person_id", &p->person_id, e);
    if (s == ST_OK)
        s = whole(csv, "observation_period_id", &p->id, e);
    if (s == ST_OK)
        s = whole(csv, "period_type_concept_id", &p->type, e);
    if (s == ST_OK)
        s = csv_date(csv, csv_find(csv, "observation_period_start_date"), 0, &p->start, e);
    return s == ST_OK ? csv_date(csv, csv_find(csv, "observation_period_end_date"), 0, &p->end, e) : s;
}

static enum status read_concept(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                                struct err *e)
{
    (void)context;
    GROW(c->concepts, c->n_concepts + 1, c->concepts_capacity);
    struct cdm_concept *k = &c->concepts[c->n_concepts++];
    k->invalid = f[csv_find(csv, "invalid_reason")].n > 0;
    return whole(csv, "concept_id", &k->id, e);
}

static enum status read_ancestor(struct cdm *c, const struct csv *csv, const struct slice *f, void *context,
                                 struct err *e)
{
    (void)f, (void)context;
    GROW(c->ancestors, c->n_ancestors + 1, c->ancestors_capacity);
    struct cdm_pair *k = &c->ancestors[c->n_ancestors++];
    enum status s = whole(csv, "ancestor_concept_id", &k->a, e);
    return s == ST_OK ? whole(csv, "descendant_concept_id", &k->b, e) : s;
}

static enum status read_relationship(struct cdm *c, const struct csv *csv, const struct slice *f,
                                     void *context, struct err *e)
{
    (void)context;
    if (!slice_is(f[csv_find(csv, "relationship_id")], "Maps to") || f[csv_find(csv, "invalid_reason")].n)
        return ST_OK;
    GROW(c->maps, c->n_maps + 1, c->maps_capacity);
    struct cdm_pair *k = &c->maps[c->n_maps++];
    enum status s = whole(csv, "concept_id_1", &k->a, e);
    return s == ST_OK ? whole(csv, "concept_id_2", &k->b, e) : s;
}

static enum status read_links(struct cdm *c, const char *folder, const char *name, struct links *l,
                              struct err *e)
{
    enum status s = read_file(c, folder, name, read_link, l, e);
    if (l->n)
        qsort(l->at, l->n, sizeof *l->at, by_link);
    return s;
}

enum status cdm_load(const char *folder, struct cdm **out, struct err *e)
{
    struct cdm *c = cdm_new();
    struct loading l = {
        .providers = {.id_column = "provider_id", .value_column = "specialty_concept_id"},
        .sites = {.id_column = "care_site_id", .value_column = "place_of_service_concept_id"},
        .visits = {.id_column = "visit_occurrence_id",
                   .owner_column = "person_id",
                   .value_column = "visit_concept_id"},
    };
    enum status s = read_file(c, folder, "person", read_person, NULL, e);
    if (s == ST_OK)
        s = read_file(c, folder, "observation_period", read_period, NULL, e);
    if (s == ST_OK)
        s = read_file(c, folder, "concept", read_concept, NULL, e);
    if (s == ST_OK)
        s = read_file(c, folder, "concept_ancestor", read_ancestor, NULL, e);
    if (s == ST_OK)
        s = read_file(c, folder, "concept_relationship", read_relationship, NULL, e);
    if (s == ST_OK)
        s = read_links(c, folder, "provider", &l.providers, e);
    if (s == ST_OK)
        s = read_links(c, folder, "care_site", &l.sites, e);
    if (s == ST_OK)
        s = read_links(c, folder, "visit_occurrence", &l.visits, e);
    for (int t = 0; s == ST_OK && t < STORE_N_TABLES; t++) {
        l.table = (enum store_table)t;
        s = read_file(c, folder, cdm_files[t].name, read_event, &l, e);
    }
    free(l.providers.at);
    free(l.sites.at);
    free(l.visits.at);
    cdm_index(c);
    *out = c;
    return s;
}
