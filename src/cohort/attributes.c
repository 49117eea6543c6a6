/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of criteria and their attributes. Keys are Circe's; what each looks at follows circe-be's SQL,
 * oddities included (../shared/circe.md, rule 13), because ATLAS users get those rows.
 */
#include <string.h>

#include "cohort/tree.h"

const char *const range_op_names[N_RANGE_OPS] = {"lt", "lte", "eq", "!eq", "gt", "gte", "bt", "!bt"};
const char *const text_op_names[N_TEXT_OPS] = {"eq", "startsWith", "endsWith", "contains"};

#define COLUMN(key, kind, column, phrase)                                                                    \
    {                                                                                                        \
        key, kind, BY_COLUMN, column, phrase                                                                 \
    }
#define OTHER(key, kind, operand, phrase)                                                                    \
    {                                                                                                        \
        key, kind, operand, STORE_N_COLUMNS, phrase                                                          \
    }
#define LIST_AND_CHOICE(key, column, phrase)                                                                 \
    COLUMN(key, ATTR_LIST, column, phrase), COLUMN(key "CS", ATTR_CHOICE, column, phrase)
#define TYPE_OF(key)                                                                                         \
    COLUMN(key, ATTR_LIST, COL_TYPE, "type"), COLUMN(key "Exclude", ATTR_LIST_FLAG, COL_TYPE, "type"),       \
        COLUMN(key "CS", ATTR_CHOICE, COL_TYPE, "type")
#define GENDER                                                                                               \
    OTHER("Gender", ATTR_LIST, BY_GENDER, "gender"), OTHER("GenderCS", ATTR_CHOICE, BY_GENDER, "gender")
#define AGE           OTHER("Age", ATTR_INTEGER, BY_AGE_AT_START, "age")
#define OCCURRED_FROM OTHER("OccurrenceStartDate", ATTR_DATE, BY_START, "start date")
#define OCCURRED_TO   OTHER("OccurrenceEndDate", ATTR_DATE, BY_END, "end date")
#define PROVIDER      LIST_AND_CHOICE("ProviderSpecialty", COL_PROVIDER_SPECIALTY, "provider specialty")
#define VISIT         LIST_AND_CHOICE("VisitType", COL_VISIT_CONCEPT, "visit")
#define ERA_DATES                                                                                            \
    OTHER("EraStartDate", ATTR_DATE, BY_START, "start date"),                                                \
        OTHER("EraEndDate", ATTR_DATE, BY_END, "end date"),                                                  \
        OTHER("EraLength", ATTR_INTEGER, BY_LENGTH, "length in days")
#define AGES                                                                                                 \
    OTHER("AgeAtStart", ATTR_INTEGER, BY_AGE_AT_START, "age at start"),                                      \
        OTHER("AgeAtEnd", ATTR_INTEGER, BY_AGE_AT_END, "age at end")
#define PERIOD_DATES                                                                                         \
    OTHER("PeriodStartDate", ATTR_DATE, BY_START, "start date"),                                             \
        OTHER("PeriodEndDate", ATTR_DATE, BY_END, "end date"),                                               \
        OTHER("PeriodLength", ATTR_INTEGER, BY_LENGTH, "length in days")
#define END_OF_LIST                                                                                          \
    {                                                                                                        \
        NULL, ATTR_IGNORED, BY_NOTHING, STORE_N_COLUMNS, NULL                                                \
    }

static const struct attribute_spec condition_attributes[] = {
    OCCURRED_FROM,
    OCCURRED_TO,
    TYPE_OF("ConditionType"),
    LIST_AND_CHOICE("ConditionStatus", COL_STATUS, "condition status"),
    COLUMN("StopReason", ATTR_TEXT, COL_STOP_REASON, "stop reason"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

static const struct attribute_spec condition_era_attributes[] = {
    ERA_DATES,   COLUMN("OccurrenceCount", ATTR_INTEGER, COL_OCCURRENCE_COUNT, "number of occurrences"),
    AGES,        GENDER,
    END_OF_LIST,
};

static const struct attribute_spec drug_attributes[] = {
    OCCURRED_FROM,
    OTHER("OccurrenceEndDate", ATTR_DATE, BY_START, "start date"), /* circe-be filters the start */
    TYPE_OF("DrugType"),
    COLUMN("StopReason", ATTR_TEXT, COL_STOP_REASON, "stop reason"),
    COLUMN("Refills", ATTR_INTEGER, COL_REFILLS, "refills"),
    COLUMN("Quantity", ATTR_DECIMAL, COL_QUANTITY, "quantity"),
    COLUMN("DaysSupply", ATTR_INTEGER, COL_DAYS_SUPPLY, "days supply"),
    LIST_AND_CHOICE("RouteConcept", COL_ROUTE, "route"),
    OTHER("EffectiveDrugDose", ATTR_UNAVAILABLE, BY_NOTHING, "effective drug dose"),
    OTHER("DoseUnit", ATTR_UNAVAILABLE, BY_NOTHING, "dose unit"),
    OTHER("DoseUnitCS", ATTR_UNAVAILABLE, BY_NOTHING, "dose unit"),
    COLUMN("LotNumber", ATTR_TEXT, COL_LOT_NUMBER, "lot number"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

/* circe-be compares GapDays with the range of EraLength; see criterion_range. */
static const struct attribute_spec drug_era_attributes[] = {
    ERA_DATES,
    COLUMN("OccurrenceCount", ATTR_INTEGER, COL_OCCURRENCE_COUNT, "number of exposures"),
    COLUMN("GapDays", ATTR_INTEGER, COL_GAP_DAYS, "gap days"),
    AGES,
    GENDER,
    END_OF_LIST,
};

static const struct attribute_spec dose_era_attributes[] = {
    ERA_DATES,
    LIST_AND_CHOICE("Unit", COL_UNIT, "unit"),
    COLUMN("DoseValue", ATTR_DECIMAL, COL_DOSE_VALUE, "dose"),
    AGES,
    GENDER,
    END_OF_LIST,
};

static const struct attribute_spec procedure_attributes[] = {
    OCCURRED_FROM,
    TYPE_OF("ProcedureType"),
    LIST_AND_CHOICE("Modifier", COL_MODIFIER, "modifier"),
    COLUMN("Quantity", ATTR_INTEGER, COL_QUANTITY, "quantity"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

static const struct attribute_spec measurement_attributes[] = {
    OCCURRED_FROM,
    TYPE_OF("MeasurementType"),
    LIST_AND_CHOICE("Operator", COL_OPERATOR, "operator"),
    COLUMN("ValueAsNumber", ATTR_DECIMAL, COL_VALUE_NUMBER, "value"),
    LIST_AND_CHOICE("ValueAsConcept", COL_VALUE_CONCEPT, "value"),
    LIST_AND_CHOICE("Unit", COL_UNIT, "unit"),
    COLUMN("RangeLow", ATTR_DECIMAL, COL_RANGE_LOW, "low end of the normal range"),
    COLUMN("RangeHigh", ATTR_DECIMAL, COL_RANGE_HIGH, "high end of the normal range"),
    OTHER("RangeLowRatio", ATTR_DECIMAL, BY_RATIO_LOW, "value over the low end of the range"),
    OTHER("RangeHighRatio", ATTR_DECIMAL, BY_RATIO_HIGH, "value over the high end of the range"),
    OTHER("Abnormal", ATTR_FLAG, BY_ABNORMAL, "abnormal result"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

static const struct attribute_spec observation_attributes[] = {
    OCCURRED_FROM,
    TYPE_OF("ObservationType"),
    COLUMN("ValueAsNumber", ATTR_DECIMAL, COL_VALUE_NUMBER, "value"),
    COLUMN("ValueAsString", ATTR_TEXT, COL_VALUE_TEXT, "value as text"),
    LIST_AND_CHOICE("ValueAsConcept", COL_VALUE_CONCEPT, "value"),
    LIST_AND_CHOICE("Qualifier", COL_QUALIFIER, "qualifier"),
    LIST_AND_CHOICE("Unit", COL_UNIT, "unit"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

static const struct attribute_spec device_attributes[] = {
    OCCURRED_FROM,
    OCCURRED_TO,
    TYPE_OF("DeviceType"),
    COLUMN("UniqueDeviceId", ATTR_TEXT, COL_UNIQUE_DEVICE_ID, "unique device id"),
    COLUMN("Quantity", ATTR_INTEGER, COL_QUANTITY, "quantity"),
    AGE,
    GENDER,
    PROVIDER,
    VISIT,
    END_OF_LIST,
};

static const struct attribute_spec specimen_attributes[] = {
    OCCURRED_FROM,
    TYPE_OF("SpecimenType"),
    COLUMN("Quantity", ATTR_DECIMAL, COL_QUANTITY, "quantity"),
    LIST_AND_CHOICE("Unit", COL_UNIT, "unit"),
    LIST_AND_CHOICE("AnatomicSite", COL_ANATOMIC_SITE, "anatomic site"),
    LIST_AND_CHOICE("DiseaseStatus", COL_DISEASE_STATUS, "disease status"),
    COLUMN("SourceId", ATTR_TEXT, COL_SOURCE_ID, "source id"),
    OTHER("SpecimenSourceConcept", ATTR_IGNORED, BY_NOTHING, "source concept"),
    AGE,
    GENDER,
    END_OF_LIST,
};

static const struct attribute_spec visit_attributes[] = {
    OCCURRED_FROM,
    OCCURRED_TO,
    TYPE_OF("VisitType"), /* the type of the record here, not the kind of visit */
    OTHER("VisitLength", ATTR_INTEGER, BY_LENGTH, "length in days"),
    AGE,
    GENDER,
    PROVIDER,
    LIST_AND_CHOICE("PlaceOfService", COL_PLACE_OF_SERVICE, "place of service"),
    OTHER("PlaceOfServiceLocation", ATTR_UNAVAILABLE, BY_NOTHING, "region of the care site"),
    END_OF_LIST,
};

static const struct attribute_spec visit_detail_attributes[] = {
    OTHER("VisitDetailStartDate", ATTR_DATE, BY_START, "start date"),
    OTHER("VisitDetailEndDate", ATTR_DATE, BY_END, "end date"),
    COLUMN("VisitDetailTypeCS", ATTR_CHOICE, COL_TYPE, "type"),
    OTHER("VisitDetailTypeExclude", ATTR_IGNORED, BY_NOTHING, "type"),
    OTHER("VisitDetailLength", ATTR_INTEGER, BY_LENGTH, "length in days"),
    OTHER("Age", ATTR_INTEGER, BY_AGE_AT_END, "age at end"), /* circe-be takes the year of the end */
    OTHER("GenderCS", ATTR_CHOICE, BY_GENDER, "gender"),
    COLUMN("ProviderSpecialtyCS", ATTR_CHOICE, COL_PROVIDER_SPECIALTY, "provider specialty"),
    COLUMN("PlaceOfServiceCS", ATTR_CHOICE, COL_PLACE_OF_SERVICE, "place of service"),
    OTHER("PlaceOfServiceLocation", ATTR_UNAVAILABLE, BY_NOTHING, "region of the care site"),
    END_OF_LIST,
};

static const struct attribute_spec death_attributes[] = {
    OCCURRED_FROM, TYPE_OF("DeathType"), AGE, GENDER, END_OF_LIST,
};

static const struct attribute_spec period_attributes[] = {
    PERIOD_DATES,
    OTHER("PeriodType", ATTR_LIST, BY_PERIOD_TYPE, "type"),
    OTHER("PeriodTypeCS", ATTR_CHOICE, BY_PERIOD_TYPE, "type"),
    AGES,
    END_OF_LIST,
};

static const struct attribute_spec payer_attributes[] = {
    PERIOD_DATES,
    AGES,
    GENDER,
    COLUMN("PayerConcept", ATTR_SET, COL_CONCEPT, "payer"),
    COLUMN("PlanConcept", ATTR_SET, COL_PLAN_CONCEPT, "plan"),
    COLUMN("SponsorConcept", ATTR_SET, COL_SPONSOR_CONCEPT, "sponsor"),
    COLUMN("StopReasonConcept", ATTR_SET, COL_STOP_REASON_CONCEPT, "stop reason"),
    COLUMN("PayerSourceConcept", ATTR_SET, COL_SOURCE_CONCEPT, "payer source concept"),
    COLUMN("PlanSourceConcept", ATTR_SET, COL_PLAN_SOURCE_CONCEPT, "plan source concept"),
    COLUMN("SponsorSourceConcept", ATTR_SET, COL_SPONSOR_SOURCE_CONCEPT, "sponsor source concept"),
    COLUMN("StopReasonSourceConcept", ATTR_SET, COL_STOP_REASON_SOURCE_CONCEPT, "stop reason source concept"),
    END_OF_LIST,
};

static const struct attribute_spec person_attributes[] = {END_OF_LIST};

/* RaceCS and EthnicityCS look at the gender in circe-be. */
const struct attribute_spec demographic_attributes[] = {
    AGE,
    GENDER,
    OTHER("Race", ATTR_LIST, BY_RACE, "race"),
    OTHER("RaceCS", ATTR_CHOICE, BY_GENDER, "gender (as circe-be reads RaceCS)"),
    OTHER("Ethnicity", ATTR_LIST, BY_ETHNICITY, "ethnicity"),
    OTHER("EthnicityCS", ATTR_CHOICE, BY_GENDER, "gender (as circe-be reads EthnicityCS)"),
    OTHER("OccurrenceStartDate", ATTR_DATE, BY_START, "start date of the index event"),
    OTHER("OccurrenceEndDate", ATTR_DATE, BY_END, "end date of the index event"),
    END_OF_LIST,
};

const struct attribute_spec near_attribute = OTHER("Near", ATTR_NEAR, BY_PLACE, "home within");

const struct criterion_spec criterion_specs[N_CRITERION_TYPES] = {
    [CRIT_CONDITION_OCCURRENCE] = {"ConditionOccurrence", "condition", "condition occurrence",
                                   "ConditionSourceConcept", STORE_CONDITION, END_ELSE_NEXT_DAY, true, true,
                                   true, condition_attributes},
    [CRIT_CONDITION_ERA] = {"ConditionEra", "condition-era", "condition era", NULL, STORE_CONDITION_ERA,
                            END_AS_IS, true, true, false, condition_era_attributes},
    [CRIT_DRUG_EXPOSURE] = {"DrugExposure", "drug", "drug exposure", "DrugSourceConcept", STORE_DRUG,
                            END_ELSE_SUPPLY_ELSE_NEXT_DAY, true, true, true, drug_attributes},
    [CRIT_DRUG_ERA] = {"DrugEra", "drug-era", "drug era", NULL, STORE_DRUG_ERA, END_AS_IS, true, true, false,
                       drug_era_attributes},
    [CRIT_DOSE_ERA] = {"DoseEra", "dose-era", "dose era", NULL, STORE_DOSE_ERA, END_AS_IS, true, true, false,
                       dose_era_attributes},
    [CRIT_PROCEDURE] = {"ProcedureOccurrence", "procedure", "procedure", "ProcedureSourceConcept",
                        STORE_PROCEDURE, END_NEXT_DAY, true, true, true, procedure_attributes},
    [CRIT_MEASUREMENT] = {"Measurement", "measurement", "measurement", "MeasurementSourceConcept",
                          STORE_MEASUREMENT, END_NEXT_DAY, true, true, true, measurement_attributes},
    [CRIT_OBSERVATION] = {"Observation", "observation", "observation", "ObservationSourceConcept",
                          STORE_OBSERVATION, END_NEXT_DAY, true, true, true, observation_attributes},
    [CRIT_DEVICE] = {"DeviceExposure", "device", "device exposure", "DeviceSourceConcept", STORE_DEVICE,
                     END_ELSE_NEXT_DAY, true, true, true, device_attributes},
    [CRIT_SPECIMEN] = {"Specimen", "specimen", "specimen", NULL, STORE_SPECIMEN, END_NEXT_DAY, true, true,
                       false, specimen_attributes},
    [CRIT_VISIT] = {"VisitOccurrence", "visit", "visit", "VisitSourceConcept", STORE_VISIT, END_AS_IS, true,
                    true, true, visit_attributes},
    [CRIT_VISIT_DETAIL] = {"VisitDetail", "visit-detail", "visit detail", "VisitDetailSourceConcept",
                           STORE_VISIT_DETAIL, END_AS_IS, true, true, true, visit_detail_attributes},
    [CRIT_DEATH] = {"Death", "death", "death", "DeathSourceConcept", STORE_DEATH, END_NEXT_DAY, true, false,
                    false, death_attributes},
    [CRIT_OBSERVATION_PERIOD] = {"ObservationPeriod", "observation-period", "observation period", NULL,
                                 STORE_N_TABLES, END_AS_IS, false, true, false, period_attributes},
    [CRIT_PAYER_PLAN] = {"PayerPlanPeriod", "payer-plan", "payer plan period", NULL, STORE_PAYER_PLAN,
                         END_AS_IS, false, true, false, payer_attributes},
    [CRIT_PERSON] = {NULL, "person", "person", NULL, STORE_N_TABLES, END_AS_IS, false, false, false,
                     person_attributes},
};

const char *const count_column_names[N_COUNT_COLUMNS] = {
    "DOMAIN_CONCEPT",  "DOMAIN_SOURCE_CONCEPT",
    "START_DATE",      "END_DATE",
    "VISIT_ID",        "DURATION",
    "DAYS_SUPPLY",     "ERA_OCCURRENCES",
    "GAP_DAYS",        "QUANTITY",
    "RANGE_HIGH",      "RANGE_LOW",
    "REFILLS",         "UNIT",
    "VALUE_AS_NUMBER",
};

enum store_column count_column_of(enum count_column c, enum store_table t)
{
    switch (c) {
    case COUNT_DOMAIN_CONCEPT:
        return COL_CONCEPT;
    case COUNT_DOMAIN_SOURCE_CONCEPT:
        return COL_SOURCE_CONCEPT;
    case COUNT_VISIT:
        return COL_VISIT;
    case COUNT_DAYS_SUPPLY:
        return COL_DAYS_SUPPLY;
    case COUNT_ERA_OCCURRENCES:
        return COL_OCCURRENCE_COUNT;
    case COUNT_GAP_DAYS:
        return COL_GAP_DAYS;
    case COUNT_QUANTITY:
        return COL_QUANTITY;
    case COUNT_RANGE_HIGH:
        return COL_RANGE_HIGH;
    case COUNT_RANGE_LOW:
        return COL_RANGE_LOW;
    case COUNT_REFILLS:
        return COL_REFILLS;
    case COUNT_UNIT:
        return COL_UNIT;
    case COUNT_VALUE_AS_NUMBER:
        return t == STORE_DOSE_ERA ? COL_DOSE_VALUE : COL_VALUE_NUMBER;
    default:
        return STORE_N_COLUMNS;
    }
}

bool count_column_fits(enum count_column c, enum criterion_type t)
{
    if (c == COUNT_START_DATE || c == COUNT_END_DATE || c == COUNT_DURATION || c == COUNT_DOMAIN_CONCEPT ||
        c == COUNT_VISIT) /* no visit: every value is missing, so none is counted */
        return true;
    enum store_table table = criterion_specs[t].table;
    return table != STORE_N_TABLES && store_column_kind(table, count_column_of(c, table)) != KIND_ABSENT;
}

void text_filter_make(struct text_filter *f, struct arena *a)
{
    bool before = f->op == TEXT_ENDS || f->op == TEXT_CONTAINS;
    bool after = f->op == TEXT_STARTS || f->op == TEXT_CONTAINS;
    f->pattern = arena_printf(a, "%s%s%s", before ? "%" : "", f->text, after ? "%" : "");
}

const struct concept_set *definition_set_find(const struct cohort_definition *d, int32_t id)
{
    for (size_t i = 0; i < d->n_sets; i++)
        if (d->sets[i].id == id)
            return &d->sets[i];
    return NULL;
}

const struct number_range *criterion_range(const struct criterion *c, const struct attribute *a)
{
    bool borrowed = c->type == CRIT_DRUG_ERA && a->spec->column == COL_GAP_DAYS;
    const struct attribute *length = borrowed ? criterion_attribute_find(c, "EraLength") : NULL;
    return length ? &length->number : &a->number;
}

const struct attribute *criterion_attribute_find(const struct criterion *c, const char *key)
{
    for (size_t i = 0; i < c->n_attributes; i++)
        if (strcmp(c->attributes[i].spec->key, key) == 0)
            return &c->attributes[i];
    return NULL;
}
