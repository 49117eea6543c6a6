/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the fields of Circe JSON: every error names the JSON path of the field, and scalars are coerced as
 * circe-be's JSON reader (Jackson) does it: "30" and 30.0 are 30 where a whole number is wanted.
 */
#ifndef ACCORD_COHORT_CIRCE_FIELDS_H
#define ACCORD_COHORT_CIRCE_FIELDS_H

#include "base/json.h"
#include "cohort/tree.h"

/* Where a value lies: a chain on the stack up to the root ("$"). key NULL means element `index`. */
struct where {
    const struct where *up;
    const char *key;
    size_t index;
};
#define ROOT ((struct where){NULL, NULL, 0})
static inline struct where at_key(const struct where *up, const char *key)
{
    return (struct where){up, key, 0};
}
static inline struct where at_index(const struct where *up, size_t i)
{
    return (struct where){up, NULL, i};
}
char *where_format(const struct where *w, struct arena *a);

struct parser {
    struct arena *arena;
    struct cohort_definition *d;
    struct err *e; /* the first fault */
    int depth;
    size_t ignored_capacity;
    /* Where every fault is wanted: their texts go there, `prefix` before each. NULL: the first ends reading. */
    struct js *faults;
    const char *prefix;
    const char **places; /* what is at fault already */
    size_t n_places, places_capacity;
};
/* Where every fault is wanted these note theirs and return ST_OK: the value that is being read is then zero or
   absent, what lies at or below its place is not told again, and the definition is of no use. */
enum status circe_refuse(struct parser *p, const struct where *w, const char *format, ...) PRINTF_LIKE(3, 4);
enum status unsupported(struct parser *p, const struct where *w, const char *feature, const char *why);

/* Each takes the object `o` at `w` and one of its keys. Absent or null gives `absent` (and *has false). */
MUST_CHECK enum status field_int(struct parser *p, const struct js *o, const struct where *w, const char *key,
                                 int32_t absent, bool *has, int32_t *out);
MUST_CHECK enum status field_number(struct parser *p, const struct js *o, const struct where *w,
                                    const char *key, bool *has, double *out);
MUST_CHECK enum status field_bool(struct parser *p, const struct js *o, const struct where *w,
                                  const char *key, bool absent, bool *out);
/* NULL where absent. Borrowed from the JSON. */
MUST_CHECK enum status field_text(struct parser *p, const struct js *o, const struct where *w,
                                  const char *key, const char **out);
MUST_CHECK enum status field_date(struct parser *p, const struct js *o, const struct where *w,
                                  const char *key, bool *has, int32_t *out);
MUST_CHECK enum status field_object(struct parser *p, const struct js *o, const struct where *w,
                                    const char *key, const struct js **out);
MUST_CHECK enum status field_array(struct parser *p, const struct js *o, const struct where *w,
                                   const char *key, const struct js **out);

/* Values of attributes. */
MUST_CHECK enum status field_number_range(struct parser *p, const struct js *v, const struct where *w,
                                          bool whole, struct number_range *out);
MUST_CHECK enum status field_date_range(struct parser *p, const struct js *v, const struct where *w,
                                        struct date_range *out);
MUST_CHECK enum status field_text_filter(struct parser *p, const struct js *v, const struct where *w,
                                         struct text_filter *out);
MUST_CHECK enum status field_concepts(struct parser *p, const struct js *v, const struct where *w,
                                      struct concept_list *out);
MUST_CHECK enum status field_choice(struct parser *p, const struct js *v, const struct where *w,
                                    struct set_choice *out);

/* Looks at the keys of `o` that are neither in `known` (NULL-terminated) nor keys of `attributes` (may be
   NULL). One that looks like a filter or like a misspelt known key could change the result: refused with its
   path. One that a newer Circe gives a meaning is refused as unsupported. Anything else Circe itself would
   ignore: noted in the definition. */
MUST_CHECK enum status check_keys(struct parser *p, const struct js *o, const struct where *w,
                                  const char *const *known, const struct attribute_spec *attributes);

/* Criteria and groups (circe_criteria.c). A list that is absent is empty. */
MUST_CHECK enum status circe_criteria(struct parser *p, const struct js *o, const struct where *w,
                                      const char *key, struct criterion **out, size_t *n);
MUST_CHECK enum status circe_group(struct parser *p, const struct js *o, const struct where *w,
                                   struct group *out);

/* Number rounded as circe-be writes it into SQL: half up to 4 decimals. */
double round_decimal(double v);

#endif
