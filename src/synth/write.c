/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows to CSV. Each table is a list of columns of OMOP CDM 5.4 in their order, with what fills them; a column
 * that is never filled is there and empty, as in real exports. Every value is a number, a date or a code, so
 * nothing needs quoting, except in the small files, where names are made without commas or are quoted.
 */
#include "synth/population.h"

enum { MOST_ROW_BYTES = 400, EHR = 32817, EHR_PRESCRIPTION = 32838 };
/* Blocks of ids, so that the rows of several sites can be pooled: persons of a site, and its rows of a table.
 */
#define SITE_PERSONS ((int64_t)SYNTH_MOST_PERSONS)
#define SITE_ROWS    ((int64_t)1000000000000)

enum filling {
    END_OF_COLUMNS,
    EMPTY,
    ROW_ID,
    PERSON_ID,
    CONCEPT,
    SOURCE,
    START,
    END,
    VALUE,
    UNIT,
    VISIT_ID,
    DAYS,
    GAP_DAYS,
    CARE_SITE,
    LOCATION,
    TYPE_EHR,
    TYPE_PRESCRIPTION,
    ZERO,
    GENDER,
    GENDER_LETTER,
    BIRTH_YEAR,
    BIRTH_MONTH,
    BIRTH_DAY,
    RACE,
    ETHNIC_LETTER
};
struct column {
    const char *name;
    enum filling filling;
};

static const struct column person_columns[] = {
    {"person_id", PERSON_ID},
    {"gender_concept_id", GENDER},
    {"year_of_birth", BIRTH_YEAR},
    {"month_of_birth", BIRTH_MONTH},
    {"day_of_birth", BIRTH_DAY},
    {"birth_datetime", EMPTY},
    {"race_concept_id", RACE},
    {"ethnicity_concept_id", ZERO},
    {"location_id", LOCATION},
    {"provider_id", EMPTY},
    {"care_site_id", CARE_SITE},
    {"person_source_value", EMPTY},
    {"gender_source_value", GENDER_LETTER},
    {"gender_source_concept_id", EMPTY},
    {"race_source_value", ETHNIC_LETTER},
    {"race_source_concept_id", EMPTY},
    {"ethnicity_source_value", ETHNIC_LETTER},
    {"ethnicity_source_concept_id", EMPTY},
    {0},
};
static const struct column period_columns[] = {
    {"observation_period_id", ROW_ID},        {"person_id", PERSON_ID},
    {"observation_period_start_date", START}, {"observation_period_end_date", END},
    {"period_type_concept_id", TYPE_EHR},     {0},
};
static const struct column visit_columns[] = {
    {"visit_occurrence_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"visit_concept_id", CONCEPT},
    {"visit_start_date", START},
    {"visit_start_datetime", EMPTY},
    {"visit_end_date", END},
    {"visit_end_datetime", EMPTY},
    {"visit_type_concept_id", TYPE_EHR},
    {"provider_id", EMPTY},
    {"care_site_id", CARE_SITE},
    {"visit_source_value", EMPTY},
    {"visit_source_concept_id", EMPTY},
    {"admitted_from_concept_id", EMPTY},
    {"admitted_from_source_value", EMPTY},
    {"discharged_to_concept_id", EMPTY},
    {"discharged_to_source_value", EMPTY},
    {"preceding_visit_occurrence_id", EMPTY},
    {0},
};
static const struct column condition_columns[] = {
    {"condition_occurrence_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"condition_concept_id", CONCEPT},
    {"condition_start_date", START},
    {"condition_start_datetime", EMPTY},
    {"condition_end_date", END},
    {"condition_end_datetime", EMPTY},
    {"condition_type_concept_id", TYPE_EHR},
    {"condition_status_concept_id", EMPTY},
    {"stop_reason", EMPTY},
    {"provider_id", EMPTY},
    {"visit_occurrence_id", VISIT_ID},
    {"visit_detail_id", EMPTY},
    {"condition_source_value", EMPTY},
    {"condition_source_concept_id", SOURCE},
    {"condition_status_source_value", EMPTY},
    {0},
};
static const struct column drug_columns[] = {
    {"drug_exposure_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"drug_concept_id", CONCEPT},
    {"drug_exposure_start_date", START},
    {"drug_exposure_start_datetime", EMPTY},
    {"drug_exposure_end_date", END},
    {"drug_exposure_end_datetime", EMPTY},
    {"verbatim_end_date", EMPTY},
    {"drug_type_concept_id", TYPE_PRESCRIPTION},
    {"stop_reason", EMPTY},
    {"refills", EMPTY},
    {"quantity", VALUE},
    {"days_supply", DAYS},
    {"sig", EMPTY},
    {"route_concept_id", EMPTY},
    {"lot_number", EMPTY},
    {"provider_id", EMPTY},
    {"visit_occurrence_id", VISIT_ID},
    {"visit_detail_id", EMPTY},
    {"drug_source_value", EMPTY},
    {"drug_source_concept_id", SOURCE},
    {"route_source_value", EMPTY},
    {"dose_unit_source_value", EMPTY},
    {0},
};
static const struct column procedure_columns[] = {
    {"procedure_occurrence_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"procedure_concept_id", CONCEPT},
    {"procedure_date", START},
    {"procedure_datetime", EMPTY},
    {"procedure_end_date", END},
    {"procedure_end_datetime", EMPTY},
    {"procedure_type_concept_id", TYPE_EHR},
    {"modifier_concept_id", EMPTY},
    {"quantity", EMPTY},
    {"provider_id", EMPTY},
    {"visit_occurrence_id", VISIT_ID},
    {"visit_detail_id", EMPTY},
    {"procedure_source_value", EMPTY},
    {"procedure_source_concept_id", SOURCE},
    {"modifier_source_value", EMPTY},
    {0},
};
static const struct column measurement_columns[] = {
    {"measurement_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"measurement_concept_id", CONCEPT},
    {"measurement_date", START},
    {"measurement_datetime", EMPTY},
    {"measurement_time", EMPTY},
    {"measurement_type_concept_id", TYPE_EHR},
    {"operator_concept_id", EMPTY},
    {"value_as_number", VALUE},
    {"value_as_concept_id", EMPTY},
    {"unit_concept_id", UNIT},
    {"range_low", EMPTY},
    {"range_high", EMPTY},
    {"provider_id", EMPTY},
    {"visit_occurrence_id", VISIT_ID},
    {"visit_detail_id", EMPTY},
    {"measurement_source_value", EMPTY},
    {"measurement_source_concept_id", SOURCE},
    {"unit_source_value", EMPTY},
    {"unit_source_concept_id", EMPTY},
    {"value_source_value", EMPTY},
    {"measurement_event_id", EMPTY},
    {"meas_event_field_concept_id", EMPTY},
    {0},
};
static const struct column observation_columns[] = {
    {"observation_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"observation_concept_id", CONCEPT},
    {"observation_date", START},
    {"observation_datetime", EMPTY},
    {"observation_type_concept_id", TYPE_EHR},
    {"value_as_number", VALUE},
    {"value_as_string", EMPTY},
    {"value_as_concept_id", EMPTY},
    {"qualifier_concept_id", EMPTY},
    {"unit_concept_id", UNIT},
    {"provider_id", EMPTY},
    {"visit_occurrence_id", VISIT_ID},
    {"visit_detail_id", EMPTY},
    {"observation_source_value", EMPTY},
    {"observation_source_concept_id", SOURCE},
    {"unit_source_value", EMPTY},
    {"qualifier_source_value", EMPTY},
    {"value_source_value", EMPTY},
    {"observation_event_id", EMPTY},
    {"obs_event_field_concept_id", EMPTY},
    {0},
};
static const struct column death_columns[] = {
    {"person_id", PERSON_ID},           {"death_date", START},
    {"death_datetime", EMPTY},          {"death_type_concept_id", TYPE_EHR},
    {"cause_concept_id", CONCEPT},      {"cause_source_value", EMPTY},
    {"cause_source_concept_id", EMPTY}, {0},
};
static const struct column condition_era_columns[] = {
    {"condition_era_id", ROW_ID},
    {"person_id", PERSON_ID},
    {"condition_concept_id", CONCEPT},
    {"condition_era_start_date", START},
    {"condition_era_end_date", END},
    {"condition_occurrence_count", VALUE},
    {0},
};
static const struct column drug_era_columns[] = {
    {"drug_era_id", ROW_ID},      {"person_id", PERSON_ID},
    {"drug_concept_id", CONCEPT}, {"drug_era_start_date", START},
    {"drug_era_end_date", END},   {"drug_exposure_count", VALUE},
    {"gap_days", GAP_DAYS},       {0},
};
static const struct column dose_era_columns[] = {
    {"dose_era_id", ROW_ID},      {"person_id", PERSON_ID},
    {"drug_concept_id", CONCEPT}, {"unit_concept_id", UNIT},
    {"dose_value", VALUE},        {"dose_era_start_date", START},
    {"dose_era_end_date", END},   {0},
};
static const struct column *const columns[SYNTH_TABLES] = {
    person_columns, period_columns,        visit_columns,       condition_columns,
    drug_columns,   procedure_columns,     measurement_columns, observation_columns,
    death_columns,  condition_era_columns, drug_era_columns,    dose_era_columns,
};
const char *const synth_table_names[SYNTH_TABLES] = {
    "person",        "observation_period",   "visit_occurrence", "condition_occurrence",
    "drug_exposure", "procedure_occurrence", "measurement",      "observation",
    "death",         "condition_era",        "drug_era",         "dose_era",
};

void write_header(enum table t, struct buf *out)
{
    for (const struct column *c = columns[t]; c->name; c++) {
        buf_adds(out, c->name);
        buf_addc(out, c[1].name ? ',' : '\n');
    }
}

static char *put_number(char *at, uint64_t v)
{
    char digits[20];
    int n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *at++ = digits[--n];
    return at;
}

static char *put_decimal(char *at, int32_t value, int decimals)
{
    static const uint32_t tens[] = {1, 10, 100, 1000};
    uint32_t v = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    if (value < 0)
        *at++ = '-';
    at = put_number(at, v / tens[decimals]);
    if (decimals == 0)
        return at;
    *at++ = '.';
    for (int d = decimals - 1; d >= 0; d--)
        *at++ = (char)('0' + v / tens[d] % 10);
    return at;
}

static char *put_date(char *at, int32_t day)
{
    int year, month, date;
    if (day == DATE_NONE)
        return at;
    date_parts(day, &year, &month, &date);
    at = put_number(at, (uint64_t)year); /* four digits: nobody lives before 1000 or after 9999 */
    *at++ = '-';
    *at++ = (char)('0' + month / 10);
    *at++ = (char)('0' + month % 10);
    *at++ = '-';
    *at++ = (char)('0' + date / 10);
    *at++ = (char)('0' + date % 10);
    return at;
}

/* What one chunk's rows are written with. */
struct writer {
    const struct population *pop;
    const struct chunk *chunk;
    int64_t first_person, first_row, first_visit;
};

static char *put_person_field(char *at, enum filling f, const struct writer *w, const struct person *p)
{
    int year, month, day;
    switch (f) {
    case GENDER:
        return put_number(at, (uint64_t)code_id(p->female ? CODE_FEMALE : CODE_MALE));
    case GENDER_LETTER:
        *at++ = p->female ? 'F' : 'M';
        return at;
    case RACE:
        return put_number(at, (uint64_t)ethnic_groups[p->ethnic].race_concept);
    case ETHNIC_LETTER:
        *at++ = ethnic_groups[p->ethnic].code;
        return at;
    case LOCATION:
        return put_number(at, (uint64_t)w->pop->site.number + 1);
    case CARE_SITE:
        return put_number(at, (uint64_t)(w->pop->site.number * 10000 + p->practice + 1));
    default:
        break;
    }
    date_parts(p->birth, &year, &month, &day);
    return put_number(at, (uint64_t)(f == BIRTH_YEAR ? year : f == BIRTH_MONTH ? month : day));
}

static char *put_field(char *at, enum filling f, const struct writer *w, const struct event *ev, size_t row)
{
    switch (f) {
    case ROW_ID:
        return put_number(at, (uint64_t)(w->first_row + (int64_t)row));
    case PERSON_ID:
        return put_number(at, (uint64_t)(w->first_person + ev->person));
    case CONCEPT:
        return put_number(at, (uint64_t)ev->concept);
    case SOURCE:
        return ev->source ? put_number(at, (uint64_t)ev->source) : at;
    case START:
        return put_date(at, ev->start);
    case END:
        return put_date(at, ev->end);
    case VALUE:
        return ev->has_value ? put_decimal(at, ev->value, ev->decimals) : at;
    case UNIT:
        return ev->unit ? put_number(at, (uint64_t)ev->unit) : at;
    case VISIT_ID:
        return ev->visit == NO_VISIT ? at : put_number(at, (uint64_t)(w->first_visit + ev->visit));
    case DAYS:
        return put_decimal(at, ev->end - ev->start + 1, 0);
    case GAP_DAYS:
        return put_number(at, (uint64_t)ev->gap_days);
    case TYPE_EHR:
        return put_number(at, EHR);
    case TYPE_PRESCRIPTION:
        return put_number(at, EHR_PRESCRIPTION);
    case ZERO:
        *at++ = '0';
        return at;
    default:
        return put_person_field(at, f, w, &w->chunk->persons[ev->person]);
    }
}

static char *put_row(char *at, const struct column *c, const struct writer *w, const struct event *ev,
                     size_t row)
{
    for (; c->name; c++) {
        if (c->filling != EMPTY)
            at = put_field(at, c->filling, w, ev, row);
        *at++ = ',';
    }
    at[-1] = '\n';
    return at;
}

void write_rows(const struct population *pop, const struct chunk *c, enum table t,
                const uint64_t ids[SYNTH_TABLES], uint64_t first_person, struct buf *out)
{
    int64_t site = pop->site.number;
    struct writer w = {pop, c, site * SITE_PERSONS + (int64_t)first_person + 1,
                       site * SITE_ROWS + (int64_t)ids[t] + 1,
                       site * SITE_ROWS + (int64_t)ids[TABLE_VISIT] + 1};
    size_t n = t == TABLE_PERSON ? c->n_persons : c->events[t].n;
    for (size_t i = 0; i < n; i++) {
        struct event person_row = {.person = (uint32_t)i};
        if (!buf_reserve(out, MOST_ROW_BYTES))
            return;
        char *end =
            put_row(out->p + out->n, columns[t], &w, t == TABLE_PERSON ? &person_row : &c->events[t].v[i], i);
        *end = '\0';
        out->n = (size_t)(end - out->p);
    }
}
