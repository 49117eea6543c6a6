/* SPDX-License-Identifier: Apache-2.0 */
#include "store/quality.h"

#include "store/run.h"

static const struct {
    const char *category, *text;
    enum store_column column; /* only for tables that have it */
} checks[QUALITY_CHECKS] = {
    [QUALITY_UNKNOWN_CONCEPT] = {"conformance", "the concept is not in the vocabulary", COL_CONCEPT},
    [QUALITY_VISIT_NOT_FOUND] = {"conformance", "there is no such visit of the person", COL_VISIT_CONCEPT},
    [QUALITY_UNMAPPED] = {"completeness", "the concept is 0 or missing", COL_CONCEPT},
    [QUALITY_BEFORE_BIRTH] = {"plausibility", "starts before the year of birth", COL_START},
    [QUALITY_IN_FUTURE] = {"plausibility", "starts after the day of the import", COL_START},
    [QUALITY_END_BEFORE_START] = {"plausibility", "ends before it starts", COL_END},
    [QUALITY_OUTSIDE_PERIODS] = {"plausibility", "starts outside the person's observation periods",
                                 COL_START},
};

static bool observed(const struct quality_persons *p, int64_t person, int64_t day)
{
    for (uint32_t i = p->persons[person].first_period; i < p->persons[person + 1].first_period; i++)
        if (p->periods[i].start <= day && day <= p->periods[i].end)
            return true;
    return false;
}

enum { AHEAD = 16, AT_ONCE = 512 }; /* rows looked ahead, so that memory comes in time */

struct plausibility {
    uint64_t before, future, outside;
};

static void check_starts(const struct quality_persons *p, const struct quality_rows *r, size_t from,
                         size_t to, struct plausibility *out)
{
    scratch_spanned(p->scratch, to - from, (uint64_t)r->person[from], (uint64_t)r->person[to - 1],
                    2 * sizeof *p->persons); /* and their periods */
    for (size_t i = from; i < to; i++) {
        if (i + 2 * AHEAD < to) {
            __builtin_prefetch(&p->persons[r->person[i + 2 * AHEAD]]);
            __builtin_prefetch(&p->periods[p->persons[r->person[i + AHEAD]].first_period]);
        }
        out->before += r->start[i] < p->persons[r->person[i]].birth;
        out->future += r->start[i] > p->today;
        out->outside += !observed(p, r->person[i], r->start[i]);
    }
}

void quality_count(const struct quality_persons *p, const struct quality_rows *r, struct quality_counts *c)
{
    struct plausibility starts = {0};
    uint64_t backwards = 0, lost = 0;
    for (size_t from = 0; from < r->n; from += AT_ONCE)
        check_starts(p, r, from, r->n - from < AT_ONCE ? r->n : from + AT_ONCE, &starts);
    for (size_t i = 0; r->end && i < r->n; i++)
        backwards += r->end[i] != NONE_I64 && r->end[i] < r->start[i];
    for (size_t i = 0; r->visit && r->visit_concept && i < r->n; i++)
        lost += r->visit[i] != NONE_I64 && r->visit_concept[i] == NONE_I64;
    *c = (struct quality_counts){0};
    c->rows[QUALITY_BEFORE_BIRTH] = starts.before;
    c->rows[QUALITY_IN_FUTURE] = starts.future;
    c->rows[QUALITY_OUTSIDE_PERIODS] = starts.outside;
    c->rows[QUALITY_END_BEFORE_START] = backwards;
    c->rows[QUALITY_VISIT_NOT_FOUND] = lost;
    c->rows[QUALITY_UNKNOWN_CONCEPT] = r->key & KEY_UNKNOWN && r->key != KEY_MISSING ? r->n : 0;
    c->rows[QUALITY_UNMAPPED] = r->concept == 0 || r->concept == NONE_I32 ? r->n : 0;
}

void quality_add(struct quality_counts *to, const struct quality_counts *more)
{
    for (int i = 0; i < QUALITY_CHECKS; i++)
        to->rows[i] += more->rows[i];
}

static void push(struct js *list, const char *table, const char *column, const char *category,
                 const char *text, uint64_t rows, uint64_t broken)
{
    struct js *check = js_object();
    js_put_str(check, "table", table);
    js_put_str(check, "column", column);
    js_put_str(check, "category", category);
    js_put_str(check, "check", text);
    js_put_int(check, "rows", (int64_t)rows);
    js_put_int(check, "violations", (int64_t)broken);
    js_put(check, "percent", js_real(rows ? 100.0 * (double)broken / (double)rows : 0.0));
    js_push(list, check);
}

void quality_report(struct js *list, enum store_table t, uint64_t rows, uint64_t rejected,
                    const struct quality_counts *c, const uint64_t *missing)
{
    const struct schema_table *s = schema_table(t);
    push(list, s->name, "", "conformance", "rows that were rejected", rows + rejected, rejected);
    for (int i = 0; i < QUALITY_CHECKS; i++)
        if (schema_find(t, checks[i].column) >= 0)
            push(list, s->name, schema_column_name(checks[i].column), checks[i].category, checks[i].text,
                 rows, c->rows[i]);
    for (size_t k = 0; k < s->n; k++)
        if (s->columns[k].column != COL_PERSON && s->columns[k].column != COL_CONCEPT &&
            s->columns[k].column != COL_START)
            push(list, s->name, schema_column_name(s->columns[k].column), "completeness",
                 "the value is missing", rows, missing[k]);
}
