/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <strings.h>

#define PLAIN(column, name, kind)                                                                            \
    {                                                                                                        \
        column, FROM_SOURCE,                                                                                 \
        {                                                                                                    \
            name, NULL, kind, TABLE_OPTIONAL                                                                 \
        }                                                                                                    \
    }
#define PLAIN_OR(column, name, alias, kind)                                                                  \
    {                                                                                                        \
        column, FROM_SOURCE,                                                                                 \
        {                                                                                                    \
            name, alias, kind, TABLE_OPTIONAL                                                                \
        }                                                                                                    \
    }
#define RESOLVED(column, origin, name)                                                                       \
    {                                                                                                        \
        column, origin,                                                                                      \
        {                                                                                                    \
            name, NULL, TABLE_I64, TABLE_OPTIONAL                                                            \
        }                                                                                                    \
    }
/* The four that every table begins with. */
#define KEYS(concept, start, id)                                                                             \
    {COL_PERSON, FROM_PERSON, {"person_id", NULL, TABLE_I64, TABLE_VALUE}},                                  \
        {COL_CONCEPT, FROM_SOURCE, {concept, NULL, TABLE_I32, TABLE_COLUMN}},                                \
        {COL_START, FROM_SOURCE, {start, NULL, TABLE_DATE, TABLE_VALUE}},                                    \
    {                                                                                                        \
        COL_ID, FROM_SOURCE,                                                                                 \
        {                                                                                                    \
            id, NULL, TABLE_I64, TABLE_OPTIONAL                                                              \
        }                                                                                                    \
    }
#define VISIT                                                                                                \
    PLAIN(COL_VISIT, "visit_occurrence_id", TABLE_I64),                                                      \
        RESOLVED(COL_VISIT_CONCEPT, FROM_VISIT, "visit_occurrence_id")
#define SPECIALTY RESOLVED(COL_PROVIDER_SPECIALTY, FROM_PROVIDER, "provider_id")
#define SITE                                                                                                 \
    PLAIN(COL_CARE_SITE, "care_site_id", TABLE_I64), RESOLVED(COL_PLACE_OF_SERVICE, FROM_SITE, "care_site_id")

static const struct schema_column condition[] = {
    KEYS("condition_concept_id", "condition_start_date", "condition_occurrence_id"),
    PLAIN(COL_END, "condition_end_date", TABLE_DATE),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "condition_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "condition_source_concept_id", TABLE_I32),
    PLAIN(COL_STATUS, "condition_status_concept_id", TABLE_I32),
    PLAIN(COL_STOP_REASON, "stop_reason", TABLE_TEXT),
};
static const struct schema_column procedure[] = {
    KEYS("procedure_concept_id", "procedure_date", "procedure_occurrence_id"),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "procedure_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "procedure_source_concept_id", TABLE_I32),
    PLAIN(COL_MODIFIER, "modifier_concept_id", TABLE_I32),
    PLAIN(COL_QUANTITY, "quantity", TABLE_F64),
};
static const struct schema_column drug[] = {
    KEYS("drug_concept_id", "drug_exposure_start_date", "drug_exposure_id"),
    PLAIN(COL_END, "drug_exposure_end_date", TABLE_DATE),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "drug_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "drug_source_concept_id", TABLE_I32),
    PLAIN(COL_STOP_REASON, "stop_reason", TABLE_TEXT),
    PLAIN(COL_REFILLS, "refills", TABLE_I32),
    PLAIN(COL_QUANTITY, "quantity", TABLE_F64),
    PLAIN(COL_DAYS_SUPPLY, "days_supply", TABLE_I32),
    PLAIN(COL_ROUTE, "route_concept_id", TABLE_I32),
    PLAIN(COL_LOT_NUMBER, "lot_number", TABLE_TEXT),
};
static const struct schema_column device[] = {
    KEYS("device_concept_id", "device_exposure_start_date", "device_exposure_id"),
    PLAIN(COL_END, "device_exposure_end_date", TABLE_DATE),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "device_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "device_source_concept_id", TABLE_I32),
    PLAIN(COL_UNIQUE_DEVICE_ID, "unique_device_id", TABLE_TEXT),
    PLAIN(COL_QUANTITY, "quantity", TABLE_F64),
};
static const struct schema_column measurement[] = {
    KEYS("measurement_concept_id", "measurement_date", "measurement_id"),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "measurement_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "measurement_source_concept_id", TABLE_I32),
    PLAIN(COL_OPERATOR, "operator_concept_id", TABLE_I32),
    PLAIN(COL_VALUE_NUMBER, "value_as_number", TABLE_F64),
    PLAIN(COL_VALUE_CONCEPT, "value_as_concept_id", TABLE_I32),
    PLAIN(COL_UNIT, "unit_concept_id", TABLE_I32),
    PLAIN(COL_RANGE_LOW, "range_low", TABLE_F64),
    PLAIN(COL_RANGE_HIGH, "range_high", TABLE_F64),
};
static const struct schema_column observation[] = {
    KEYS("observation_concept_id", "observation_date", "observation_id"),
    VISIT,
    SPECIALTY,
    PLAIN(COL_TYPE, "observation_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "observation_source_concept_id", TABLE_I32),
    PLAIN(COL_VALUE_NUMBER, "value_as_number", TABLE_F64),
    PLAIN(COL_VALUE_TEXT, "value_as_string", TABLE_TEXT),
    PLAIN(COL_VALUE_CONCEPT, "value_as_concept_id", TABLE_I32),
    PLAIN(COL_QUALIFIER, "qualifier_concept_id", TABLE_I32),
    PLAIN(COL_UNIT, "unit_concept_id", TABLE_I32),
};
static const struct schema_column specimen[] = {
    KEYS("specimen_concept_id", "specimen_date", "specimen_id"),
    PLAIN(COL_TYPE, "specimen_type_concept_id", TABLE_I32),
    PLAIN(COL_QUANTITY, "quantity", TABLE_F64),
    PLAIN(COL_UNIT, "unit_concept_id", TABLE_I32),
    PLAIN(COL_ANATOMIC_SITE, "anatomic_site_concept_id", TABLE_I32),
    PLAIN(COL_DISEASE_STATUS, "disease_status_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_ID, "specimen_source_id", TABLE_TEXT),
};
/* A death has no id of its own. Circe takes the person_id; the person's index orders alike and tells nobody.
 */
static const struct schema_column death[] = {
    {COL_PERSON, FROM_PERSON, {"person_id", NULL, TABLE_I64, TABLE_VALUE}},
    {COL_CONCEPT, FROM_SOURCE, {"cause_concept_id", NULL, TABLE_I32, TABLE_OPTIONAL}},
    {COL_START, FROM_SOURCE, {"death_date", NULL, TABLE_DATE, TABLE_VALUE}},
    {COL_ID, FROM_PERSON, {"person_id", NULL, TABLE_I64, TABLE_VALUE}},
    PLAIN(COL_TYPE, "death_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "cause_source_concept_id", TABLE_I32),
};
static const struct schema_column visit[] = {
    KEYS("visit_concept_id", "visit_start_date", "visit_occurrence_id"),
    PLAIN(COL_END, "visit_end_date", TABLE_DATE),
    SPECIALTY,
    SITE,
    PLAIN(COL_TYPE, "visit_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "visit_source_concept_id", TABLE_I32),
    PLAIN_OR(COL_ADMITTED_FROM, "admitted_from_concept_id", "admitting_source_concept_id", TABLE_I32),
    PLAIN_OR(COL_DISCHARGED_TO, "discharged_to_concept_id", "discharge_to_concept_id", TABLE_I32),
};
static const struct schema_column visit_detail[] = {
    KEYS("visit_detail_concept_id", "visit_detail_start_date", "visit_detail_id"),
    PLAIN(COL_END, "visit_detail_end_date", TABLE_DATE),
    VISIT,
    SPECIALTY,
    SITE,
    PLAIN(COL_TYPE, "visit_detail_type_concept_id", TABLE_I32),
    PLAIN(COL_SOURCE_CONCEPT, "visit_detail_source_concept_id", TABLE_I32),
    PLAIN_OR(COL_ADMITTED_FROM, "admitted_from_concept_id", "admitting_source_concept_id", TABLE_I32),
    PLAIN_OR(COL_DISCHARGED_TO, "discharged_to_concept_id", "discharge_to_concept_id", TABLE_I32),
};
static const struct schema_column condition_era[] = {
    KEYS("condition_concept_id", "condition_era_start_date", "condition_era_id"),
    PLAIN(COL_END, "condition_era_end_date", TABLE_DATE),
    PLAIN(COL_OCCURRENCE_COUNT, "condition_occurrence_count", TABLE_I32),
};
static const struct schema_column drug_era[] = {
    KEYS("drug_concept_id", "drug_era_start_date", "drug_era_id"),
    PLAIN(COL_END, "drug_era_end_date", TABLE_DATE),
    PLAIN(COL_OCCURRENCE_COUNT, "drug_exposure_count", TABLE_I32),
    PLAIN(COL_GAP_DAYS, "gap_days", TABLE_I32),
};
static const struct schema_column dose_era[] = {
    KEYS("drug_concept_id", "dose_era_start_date", "dose_era_id"),
    PLAIN(COL_END, "dose_era_end_date", TABLE_DATE),
    PLAIN(COL_UNIT, "unit_concept_id", TABLE_I32),
    PLAIN(COL_DOSE_VALUE, "dose_value", TABLE_F64),
};
static const struct schema_column payer_plan[] = {
    KEYS("payer_concept_id", "payer_plan_period_start_date", "payer_plan_period_id"),
    PLAIN(COL_END, "payer_plan_period_end_date", TABLE_DATE),
    PLAIN(COL_SOURCE_CONCEPT, "payer_source_concept_id", TABLE_I32),
    PLAIN(COL_PLAN_CONCEPT, "plan_concept_id", TABLE_I32),
    PLAIN(COL_SPONSOR_CONCEPT, "sponsor_concept_id", TABLE_I32),
    PLAIN(COL_STOP_REASON_CONCEPT, "stop_reason_concept_id", TABLE_I32),
    PLAIN(COL_PLAN_SOURCE_CONCEPT, "plan_source_concept_id", TABLE_I32),
    PLAIN(COL_SPONSOR_SOURCE_CONCEPT, "sponsor_source_concept_id", TABLE_I32),
    PLAIN(COL_STOP_REASON_SOURCE_CONCEPT, "stop_reason_source_concept_id", TABLE_I32),
};

#define TABLE(name, columns)                                                                                 \
    {                                                                                                        \
        name, #columns, columns, sizeof(columns) / sizeof(columns)[0]                                        \
    }
static const struct schema_table tables[STORE_N_TABLES] = {
    [STORE_CONDITION] = TABLE("condition_occurrence", condition),
    [STORE_PROCEDURE] = TABLE("procedure_occurrence", procedure),
    [STORE_DRUG] = TABLE("drug_exposure", drug),
    [STORE_DEVICE] = TABLE("device_exposure", device),
    [STORE_MEASUREMENT] = TABLE("measurement", measurement),
    [STORE_OBSERVATION] = TABLE("observation", observation),
    [STORE_SPECIMEN] = TABLE("specimen", specimen),
    [STORE_DEATH] = TABLE("death", death),
    [STORE_VISIT] = TABLE("visit_occurrence", visit),
    [STORE_VISIT_DETAIL] = TABLE("visit_detail", visit_detail),
    [STORE_CONDITION_ERA] = TABLE("condition_era", condition_era),
    [STORE_DRUG_ERA] = TABLE("drug_era", drug_era),
    [STORE_DOSE_ERA] = TABLE("dose_era", dose_era),
    [STORE_PAYER_PLAN] = TABLE("payer_plan_period", payer_plan),
};

static const char *const column_names[STORE_N_COLUMNS] = {
    [COL_PERSON] = "person",
    [COL_CONCEPT] = "concept",
    [COL_START] = "start",
    [COL_END] = "end",
    [COL_ID] = "id",
    [COL_VISIT] = "visit",
    [COL_TYPE] = "type",
    [COL_SOURCE_CONCEPT] = "source_concept",
    [COL_STATUS] = "status",
    [COL_STOP_REASON] = "stop_reason",
    [COL_PROVIDER_SPECIALTY] = "provider_specialty",
    [COL_VISIT_CONCEPT] = "visit_concept",
    [COL_PLACE_OF_SERVICE] = "place_of_service",
    [COL_CARE_SITE] = "care_site",
    [COL_VALUE_NUMBER] = "value_number",
    [COL_VALUE_CONCEPT] = "value_concept",
    [COL_VALUE_TEXT] = "value_text",
    [COL_UNIT] = "unit",
    [COL_OPERATOR] = "operator",
    [COL_RANGE_LOW] = "range_low",
    [COL_RANGE_HIGH] = "range_high",
    [COL_QUALIFIER] = "qualifier",
    [COL_QUANTITY] = "quantity",
    [COL_REFILLS] = "refills",
    [COL_DAYS_SUPPLY] = "days_supply",
    [COL_ROUTE] = "route",
    [COL_LOT_NUMBER] = "lot_number",
    [COL_MODIFIER] = "modifier",
    [COL_UNIQUE_DEVICE_ID] = "unique_device_id",
    [COL_ANATOMIC_SITE] = "anatomic_site",
    [COL_DISEASE_STATUS] = "disease_status",
    [COL_SOURCE_ID] = "source_id",
    [COL_ADMITTED_FROM] = "admitted_from",
    [COL_DISCHARGED_TO] = "discharged_to",
    [COL_OCCURRENCE_COUNT] = "occurrence_count",
    [COL_GAP_DAYS] = "gap_days",
    [COL_DOSE_VALUE] = "dose_value",
    [COL_PLAN_CONCEPT] = "plan_concept",
    [COL_SPONSOR_CONCEPT] = "sponsor_concept",
    [COL_STOP_REASON_CONCEPT] = "stop_reason_concept",
    [COL_PLAN_SOURCE_CONCEPT] = "plan_source_concept",
    [COL_SPONSOR_SOURCE_CONCEPT] = "sponsor_source_concept",
    [COL_STOP_REASON_SOURCE_CONCEPT] = "stop_reason_source",
};

const struct schema_table *schema_table(enum store_table t)
{
    return &tables[t];
}

const char *schema_column_name(enum store_column c)
{
    return column_names[c];
}

int schema_find(enum store_table t, enum store_column c)
{
    for (size_t i = 0; i < tables[t].n; i++)
        if (tables[t].columns[i].column == c)
            return (int)i;
    return -1;
}

bool schema_known_column(const char *name)
{
    static const char *const endings[] = {"_source_value", "_datetime",         "_source_concept_id",
                                          "_event_id",     "_field_concept_id", "_as_datetime"};
    static const char *const names[] = {"valid_start_date",
                                        "valid_end_date",
                                        "max_levels_of_separation",
                                        "provider_id",
                                        "provider_name",
                                        "npi",
                                        "dea",
                                        "care_site_id",
                                        "year_of_birth",
                                        "gender_concept_id",
                                        "visit_detail_id",
                                        "procedure_end_date",
                                        "verbatim_end_date",
                                        "sig",
                                        "measurement_time",
                                        "address_1",
                                        "address_2",
                                        "city",
                                        "country_concept_id",
                                        "production_id",
                                        "unit_concept_id",
                                        "preceding_visit_occurrence_id",
                                        "preceding_visit_detail_id",
                                        "parent_visit_detail_id",
                                        "visit_detail_parent_id",
                                        "concept_name",
                                        "domain_id",
                                        "vocabulary_id",
                                        "concept_class_id",
                                        "standard_concept"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t k = strlen(endings[i]);
        if (n > k && strcasecmp(name + n - k, endings[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}
