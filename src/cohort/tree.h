/* SPDX-License-Identifier: Apache-2.0
 *
 * The typed tree of a cohort definition: what every notation (Circe JSON, RQuest, the text form) is parsed to
 * and what the engine evaluates. Names follow Circe. Everything lies in the definition's arena and is
 * immutable once parsed.
 *
 * Criteria differ only in the table their events come from and the attributes that filter them, so both are
 * tables (attributes.c): the parsers, the writers, the plain-English text, the engine and the tests' oracle
 * all walk the same rows and cannot drift apart.
 */
#ifndef ACCORD_COHORT_TREE_H
#define ACCORD_COHORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "store/store.h"

/* --- values that attributes compare with --- */

enum range_op { OP_LT, OP_LTE, OP_EQ, OP_NE, OP_GT, OP_GTE, OP_BT, OP_NOT_BT, N_RANGE_OPS };
extern const char *const range_op_names[N_RANGE_OPS]; /* as Circe writes them: "lt" ... "bt", "!bt" */

/* bt includes both ends; !bt is its negation; a missing value passes neither. */
struct number_range {
    enum range_op op;
    double value, extent;
};
struct date_range {
    enum range_op op;
    int32_t value, extent; /* days */
};

enum text_op { TEXT_EQUAL, TEXT_STARTS, TEXT_ENDS, TEXT_CONTAINS, N_TEXT_OPS };
extern const char *const text_op_names[N_TEXT_OPS]; /* "eq", "startsWith", "endsWith", "contains" */
/* SQL LIKE: % and _ of the text are wildcards and a backslash escapes; case-sensitive. */
struct text_filter {
    enum text_op op;
    bool negated;
    const char *text;
    const char *pattern; /* the whole LIKE pattern: text_filter_make */
};
void text_filter_make(struct text_filter *f, struct arena *a);

/* A concept written inline: compared by id exactly, without descendants. */
struct concept_ref {
    int32_t id;
    const char *name; /* "" where not given */
};
struct concept_list {
    struct concept_ref *items;
    size_t n;
    bool exclude; /* the ...TypeExclude flag beside it */
};
/* "In this concept set", or without a set "has any value"; exclusion negates either. */
struct set_choice {
    bool has_set;
    int32_t set;
    bool exclusion;
};

/* Great-circle distance from the person's location; one without coordinates is nowhere near. */
struct near_place {
    double latitude, longitude; /* degrees */
    double metres;
};

/* --- attributes --- */

enum attribute_kind {
    ATTR_INTEGER, /* number_range whose ends were truncated to whole numbers */
    ATTR_DECIMAL, /* number_range rounded half up to 4 digits */
    ATTR_DATE,
    ATTR_TEXT,
    ATTR_LIST,       /* concept_list */
    ATTR_LIST_FLAG,  /* the exclude flag of the list of the same operand: not an attribute of its own */
    ATTR_CHOICE,     /* set_choice, "{CodesetId, IsExclusion}" */
    ATTR_SET,        /* set_choice written as a bare codeset id */
    ATTR_FLAG,       /* true filters, false does nothing */
    ATTR_NEAR,       /* not in Circe: the person lives within a distance of a place (RQuest) */
    ATTR_IGNORED,    /* circe-be reads it and does nothing with it */
    ATTR_UNAVAILABLE /* needs tables or columns that OMOP CDM 5.3 and 5.4 do not have: refused */
};

/* What an attribute looks at. */
enum operand {
    BY_COLUMN, /* the event's column */
    BY_START,
    BY_END,
    BY_LENGTH, /* end - start in days */
    BY_AGE_AT_START,
    BY_AGE_AT_END, /* year of the date - year of birth */
    BY_GENDER,
    BY_RACE,
    BY_ETHNICITY,
    BY_RATIO_LOW,
    BY_RATIO_HIGH, /* value_as_number over range_low or range_high */
    BY_ABNORMAL,
    BY_PERIOD_TYPE,
    BY_PLACE,
    BY_NOTHING
};

struct attribute_spec {
    const char *key; /* Circe's */
    enum attribute_kind kind;
    enum operand operand;
    enum store_column column; /* BY_COLUMN */
    const char *phrase;       /* for plain English: "age at start" */
};

struct attribute {
    const struct attribute_spec *spec;
    union {
        struct number_range number;
        struct date_range date;
        struct text_filter text;
        struct concept_list list;
        struct set_choice choice;
        struct near_place near;
        bool flag;
    };
};

/* --- criteria --- */

enum criterion_type {
    CRIT_CONDITION_OCCURRENCE,
    CRIT_CONDITION_ERA,
    CRIT_DRUG_EXPOSURE,
    CRIT_DRUG_ERA,
    CRIT_DOSE_ERA,
    CRIT_PROCEDURE,
    CRIT_MEASUREMENT,
    CRIT_OBSERVATION,
    CRIT_DEVICE,
    CRIT_SPECIMEN,
    CRIT_VISIT,
    CRIT_VISIT_DETAIL,
    CRIT_DEATH,
    CRIT_OBSERVATION_PERIOD,
    CRIT_PAYER_PLAN,
    CRIT_PERSON, /* not in Circe: one event per PERSON row on the definition's as_of day (RQuest) */
    N_CRITERION_TYPES
};

/* How an event's end date follows from its row (../shared/circe.md, "Dates of an event"). */
enum end_rule { END_AS_IS, END_ELSE_NEXT_DAY, END_ELSE_SUPPLY_ELSE_NEXT_DAY, END_NEXT_DAY };

struct criterion_spec {
    const char *key;        /* Circe's: "ConditionOccurrence" */
    const char *word;       /* the text form's: "condition" */
    const char *noun;       /* plain English: "condition occurrence" */
    const char *source_key; /* key of the source concept set; NULL where there is none */
    enum store_table table; /* STORE_N_TABLES for those that are not event tables */
    enum end_rule end;
    bool has_set;                            /* takes a CodesetId */
    bool has_first;                          /* takes First */
    bool has_visit;                          /* RestrictVisit can hold */
    const struct attribute_spec *attributes; /* ended by key NULL */
};
extern const struct criterion_spec criterion_specs[N_CRITERION_TYPES];
extern const struct attribute_spec demographic_attributes[]; /* ended by key NULL */
extern const struct attribute_spec near_attribute;           /* of demographic criteria, beside those */

struct date_adjustment {
    bool start_with_end, end_with_start; /* the base is the other date than usual */
    int32_t start_offset, end_offset;
};
struct user_period {
    int32_t start, end; /* DATE_NONE where not given */
};

struct group;
struct criterion {
    enum criterion_type type;
    bool has_set, has_source_set, first;
    int32_t set, source_set; /* ids of concept sets; one that does not exist matches nothing */
    size_t n_attributes;
    struct attribute *attributes;
    const struct date_adjustment *adjustment; /* NULL for none */
    const struct user_period *period;         /* NULL for none */
    const struct group *nested;               /* NULL for none; never empty */
    const char *path;                         /* "$.PrimaryCriteria.CriteriaList[0]", for messages */
};

/* --- groups --- */

struct window_bound {
    bool all;     /* Days is null: the start (before) or end of the observation period */
    int32_t days; /* signed: coefficient times days */
    bool before;  /* with all: the start of the observation period, else its end */
};
struct window {
    struct window_bound start, end;
    bool use_index_end, use_event_end; /* defaults already filled in */
};

enum occurrence_type { EXACTLY, AT_MOST, AT_LEAST };
enum count_column {
    COUNT_DOMAIN_CONCEPT,
    COUNT_DOMAIN_SOURCE_CONCEPT,
    COUNT_START_DATE,
    COUNT_END_DATE,
    COUNT_VISIT,
    COUNT_DURATION,
    COUNT_DAYS_SUPPLY,
    COUNT_ERA_OCCURRENCES,
    COUNT_GAP_DAYS,
    COUNT_QUANTITY,
    COUNT_RANGE_HIGH,
    COUNT_RANGE_LOW,
    COUNT_REFILLS,
    COUNT_UNIT,
    COUNT_VALUE_AS_NUMBER,
    N_COUNT_COLUMNS
};
extern const char *const count_column_names[N_COUNT_COLUMNS]; /* as Circe writes them */
/* The column of a table that a count looks at; STORE_N_COLUMNS for dates and durations. */
enum store_column count_column_of(enum count_column c, enum store_table t);
/* Whether a criterion of the type has that column to count by. */
bool count_column_fits(enum count_column c, enum criterion_type t);

struct occurrence {
    enum occurrence_type type;
    int32_t count;
    bool distinct;
    enum count_column column; /* with distinct */
};

struct correlated {
    struct criterion criterion;
    struct window start_window;
    bool has_end_window;
    struct window end_window;
    struct occurrence occurrence;
    bool restrict_visit, ignore_observation_period;
};

struct demographic {
    size_t n_attributes;
    struct attribute *attributes;
};

enum group_type { GROUP_ALL, GROUP_ANY, GROUP_AT_LEAST, GROUP_AT_MOST };
struct group {
    enum group_type type;
    int32_t count; /* AT_LEAST, AT_MOST */
    size_t n_criteria, n_demographics, n_groups;
    struct correlated *criteria;
    struct demographic *demographics;
    struct group *groups;
};
static inline size_t group_size(const struct group *g)
{
    return g->n_criteria + g->n_demographics + g->n_groups;
}

/* --- the definition --- */

struct concept_item {
    int32_t id;
    const char *name;
    bool excluded, descendants, mapped;
};
struct concept_set {
    int32_t id;
    const char *name;
    bool literal; /* ids count without a CONCEPT row (RQuest) */
    size_t n_items;
    struct concept_item *items;
};

enum limit { LIMIT_ALL, LIMIT_FIRST, LIMIT_LAST };

struct inclusion_rule {
    const char *name, *description; /* "" where not given */
    struct group group;
};

enum end_strategy { END_OBSERVATION, END_OFFSET, END_ERA };
struct exit_strategy {
    enum end_strategy type;
    bool from_end;  /* END_OFFSET: from the event's end, else its start */
    int32_t offset; /* END_OFFSET, END_ERA */
    int32_t drug_set, gap_days;
    bool has_supply_override;
    int32_t supply_override;
};

struct cohort_definition {
    struct arena *arena;
    const char *title;
    size_t n_sets;
    struct concept_set *sets;
    size_t n_primary;
    struct criterion *primary;
    int32_t prior_days, post_days;
    enum limit primary_limit;
    bool has_additional; /* present, even if empty: then the qualified limit applies */
    struct group additional;
    enum limit qualified_limit;
    size_t n_rules;
    struct inclusion_rule *rules;
    enum limit expression_limit;
    struct exit_strategy exit;
    size_t n_censoring;
    struct criterion *censoring;
    int32_t era_pad;
    int32_t censor_start, censor_end; /* DATE_NONE where not given */
    int32_t as_of;                    /* the day of CRIT_PERSON events; DATE_NONE in Circe cohorts */
    size_t n_ignored;                 /* paths of fields that Circe does not know and that change nothing */
    const char **ignored;             /* heap array of arena texts */
};

/* NULL where there is no such set. */
const struct concept_set *definition_set_find(const struct cohort_definition *d, int32_t id);
const struct attribute *criterion_attribute_find(const struct criterion *c, const char *key);
/* The range an INTEGER or DECIMAL attribute is compared with: its own, but DrugEra's GapDays borrows that of
 * EraLength where there is one, as circe-be does. */
const struct number_range *criterion_range(const struct criterion *c, const struct attribute *a);

#endif
