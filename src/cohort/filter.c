/* SPDX-License-Identifier: Apache-2.0
 *
 * The attributes of a criterion, applied to blocks of rows. A column is decoded only for the span of rows
 * that are still in, and only when an attribute before it left any.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "cohort/engine.h"

/* circe-be's "abnormal": outside its range, or one of the two concepts Abnormally high / low. */
enum { ABNORMAL_LOW = 4155142, ABNORMAL_HIGH = 4155143 };

/* An integer range as inclusive bounds, or as all but them. */
struct years {
    int32_t low, high;
    bool negated;
};

struct test {
    const struct attribute *attribute;
    const struct number_range *range;
    struct years years;        /* the same for ages */
    const struct id_set *set;  /* CHOICE, SET */
    struct id_set list;        /* LIST: its ids sorted; owned */
    _Atomic(uint8_t) *matches; /* TEXT: per code 0 unknown, 1 no, 2 yes; owned */
};

struct filter {
    const struct engine *g;
    size_t n;
    struct test *tests;
};

/* --- values --- */

bool number_in_range(const struct number_range *r, double v)
{
    switch (r->op) {
    case OP_LT:
        return v < r->value;
    case OP_LTE:
        return v <= r->value;
    case OP_EQ:
        return v == r->value;
    case OP_NE:
        return v < r->value || v > r->value;
    case OP_GT:
        return v > r->value;
    case OP_GTE:
        return v >= r->value;
    case OP_BT:
        return v >= r->value && v <= r->extent;
    default:
        return v < r->value || v > r->extent;
    }
}

static struct years years_of(const struct number_range *r)
{
    enum { FAR = 1000000 }; /* years: beyond any age */
    int32_t v = r->value > FAR ? FAR : r->value < -FAR ? -FAR : (int32_t)r->value;
    int32_t extent = r->extent > FAR ? FAR : r->extent < -FAR ? -FAR : (int32_t)r->extent;
    switch (r->op) {
    case OP_LT:
        return (struct years){-2 * FAR, v - 1, false};
    case OP_LTE:
        return (struct years){-2 * FAR, v, false};
    case OP_EQ:
    case OP_NE:
        return (struct years){v, v, r->op == OP_NE};
    case OP_GT:
        return (struct years){v + 1, 2 * FAR, false};
    case OP_GTE:
        return (struct years){v, 2 * FAR, false};
    default:
        return (struct years){v, extent, r->op == OP_NOT_BT};
    }
}

/* The year of a day: a guess that is right or one too high, put right by the first day of that year. */
static int32_t year_of(int32_t day)
{
    int64_t from_zero = (int64_t)day + 719528; /* days since 0000-01-01 */
    int32_t year = (int32_t)((from_zero * 400 + 591) / 146097), before = year - 1;
    int64_t first = 365 * (int64_t)year + before / 4 - before / 100 + before / 400 + 1;
    return from_zero < first ? before : year;
}

static bool day_in_range(const struct date_range *r, int32_t day)
{
    struct number_range days = {r->op, r->value, r->extent};
    return day != DATE_NONE && number_in_range(&days, day);
}

static const char *next_character(const char *s)
{
    do
        s++;
    while (((unsigned char)*s & 0xc0) == 0x80);
    return s;
}

/* One retry point is enough: the shortest match of what stands before the last % leaves the most for what
   comes after it. */
bool text_like(const char *text, const char *pattern)
{
    const char *retry_pattern = NULL, *retry_text = NULL;
    for (;;) {
        if (*pattern == '%') {
            retry_pattern = ++pattern;
            retry_text = text;
            continue;
        }
        if (!*pattern && !*text)
            return true;
        const char *p = *pattern == '\\' && pattern[1] ? pattern + 1 : pattern;
        if (*pattern == '_' && *text) {
            text = next_character(text);
            pattern++;
        } else if (*pattern && *p == *text) {
            text++;
            pattern = p + 1;
        } else if (retry_pattern && *retry_text) {
            text = retry_text = next_character(retry_text);
            pattern = retry_pattern;
        } else {
            return false;
        }
    }
}

/* --- compiling --- */

static void test_init(struct test *t, const struct engine *g, const struct criterion *c,
                      const struct attribute *a)
{
    *t = (struct test){.attribute = a, .range = criterion_range(c, a)};
    if (a->spec->kind == ATTR_INTEGER)
        t->years = years_of(t->range);
    if (a->spec->kind == ATTR_CHOICE || a->spec->kind == ATTR_SET)
        t->set = engine_set(g, a->choice.set);
    if (a->spec->kind == ATTR_LIST) {
        t->list.ids = xcalloc(a->list.n, sizeof *t->list.ids);
        for (size_t i = 0; i < a->list.n; i++)
            t->list.ids[t->list.n++] = a->list.items[i].id;
        qsort(t->list.ids, t->list.n, sizeof *t->list.ids, compare_ids);
    }
    if (a->spec->kind == ATTR_TEXT) {
        int32_t texts = store_n_texts(g->store, criterion_specs[c->type].table, a->spec->column);
        t->matches = xcalloc((size_t)(texts > 0 ? texts : 0), sizeof *t->matches);
    }
}

struct filter *filter_new(const struct engine *g, const struct criterion *c)
{
    struct filter *f = xcalloc(1, sizeof *f);
    f->g = g;
    f->tests = xcalloc(c->n_attributes, sizeof *f->tests);
    for (size_t i = 0; i < c->n_attributes; i++)
        test_init(&f->tests[f->n++], g, c, &c->attributes[i]);
    return f;
}

void filter_free(struct filter *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->tests[i].list.ids);
        free(f->tests[i].matches);
    }
    free(f->tests);
    free(f);
}

bool filter_uses_end(const struct filter *f)
{
    for (size_t i = 0; i < f->n; i++) {
        enum operand by = f->tests[i].attribute->spec->operand;
        if (by == BY_END || by == BY_LENGTH || by == BY_AGE_AT_END)
            return true;
    }
    return false;
}

/* --- one attribute over the selected rows of a block --- */

static enum status read_number(const struct filter *f, struct block *b, enum store_column column, double *out,
                               struct err *e)
{
    if (store_column_kind(b->table, column) == KIND_F64)
        return block_f64(f->g, b, column, out, e);
    enum status s = block_i32(f->g, b, column, b->c.i32, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++) {
        int32_t v = b->c.i32[b->sel[i]];
        out[b->sel[i]] = v == NONE_I32 ? (double)NAN : v;
    }
    return s;
}

#define KEEP(condition)                                                                                      \
    do {                                                                                                     \
        size_t kept_ = 0;                                                                                    \
        for (size_t i_ = 0; i_ < b->n_sel; i_++) {                                                           \
            const uint16_t at = b->sel[i_];                                                                  \
            b->sel[kept_] = at;                                                                              \
            kept_ += (condition) ? 1 : 0;                                                                    \
        }                                                                                                    \
        b->n_sel = kept_;                                                                                    \
    } while (0)

static bool id_passes(const struct test *t, int32_t id)
{
    const struct attribute *a = t->attribute;
    if (a->spec->kind == ATTR_LIST)
        return id != NONE_I32 && id_set_has(&t->list, id) != a->list.exclude;
    if (!a->choice.has_set)
        return (id != NONE_I32) != a->choice.exclusion;
    return id != NONE_I32 && id_set_has(t->set, id) != a->choice.exclusion;
}

static const int32_t *person_concepts(const struct engine *g, enum operand by)
{
    return by == BY_GENDER ? g->persons->gender : by == BY_RACE ? g->persons->race : g->persons->ethnicity;
}

static enum status test_concepts(const struct filter *f, const struct test *t, struct block *b, struct err *e)
{
    enum operand by = t->attribute->spec->operand;
    const struct store_persons *persons = f->g->persons;
    if (by == BY_PERIOD_TYPE) {
        KEEP(id_passes(t, b->period_type[at]));
        return ST_OK;
    }
    if (by != BY_COLUMN) {
        const int32_t *ids = person_concepts(f->g, by);
        KEEP(persons->in_person[b->person[at]] && id_passes(t, ids[b->person[at]]));
        return ST_OK;
    }
    enum status s = block_i32(f->g, b, t->attribute->spec->column, b->a.i32, e);
    if (s == ST_OK)
        KEEP(id_passes(t, b->a.i32[at]));
    return s;
}

static bool text_passes(const struct filter *f, const struct test *t, enum store_table table, int32_t code)
{
    if (code < 0)
        return false;
    uint8_t known = atomic_load_explicit(&t->matches[code], memory_order_relaxed);
    if (!known) {
        const char *text = store_text(f->g->store, table, t->attribute->spec->column, code);
        bool hit = text_like(text, t->attribute->text.pattern);
        known = hit != t->attribute->text.negated ? 2 : 1;
        atomic_store_explicit(&t->matches[code], known, memory_order_relaxed);
    }
    return known == 2;
}

static enum status test_text(const struct filter *f, const struct test *t, struct block *b, struct err *e)
{
    enum status s = block_i32(f->g, b, t->attribute->spec->column, b->a.i32, e);
    if (s == ST_OK)
        KEEP(text_passes(f, t, b->table, b->a.i32[at]));
    return s;
}

static bool age_passes(const struct engine *g, const struct years *r, uint32_t person, int32_t day)
{
    int16_t born = g->persons->birth_year[person];
    if (!g->persons->in_person[person] || day == DATE_NONE || born == INT16_MIN)
        return false;
    int32_t age = year_of(day) - born;
    return (age >= r->low && age <= r->high) != r->negated;
}

/* Division as SQL numerics do it: exact to 16 digits and more, so what equals a number of 4 decimals there
   must equal it here. */
static double ratio(double value, double range)
{
    if (range == 0)
        return (double)NAN;
    double q = value / range, near = round(q * 10000) / 10000;
    return fabs(q - near) <= 1e-12 * fabs(q) ? near : q;
}

static enum status test_ratio(const struct filter *f, const struct test *t, struct block *b, struct err *e)
{
    bool low = t->attribute->spec->operand == BY_RATIO_LOW;
    enum status s = read_number(f, b, COL_VALUE_NUMBER, b->a.f64, e);
    if (s == ST_OK)
        s = read_number(f, b, low ? COL_RANGE_LOW : COL_RANGE_HIGH, b->b.f64, e);
    if (s == ST_OK)
        KEEP(number_in_range(t->range, ratio(b->a.f64[at], b->b.f64[at])));
    return s;
}

static enum status test_number(const struct filter *f, const struct test *t, struct block *b, struct err *e)
{
    switch (t->attribute->spec->operand) {
    case BY_LENGTH:
        KEEP(b->end[at] != DATE_NONE && number_in_range(t->range, (double)b->end[at] - b->start[at]));
        return ST_OK;
    case BY_AGE_AT_START:
        KEEP(age_passes(f->g, &t->years, (uint32_t)b->person[at], b->start[at]));
        return ST_OK;
    case BY_AGE_AT_END:
        KEEP(age_passes(f->g, &t->years, (uint32_t)b->person[at], b->end[at]));
        return ST_OK;
    case BY_RATIO_LOW:
    case BY_RATIO_HIGH:
        return test_ratio(f, t, b, e);
    default:
        break;
    }
    enum status s = read_number(f, b, t->attribute->spec->column, b->a.f64, e);
    if (s == ST_OK)
        KEEP(number_in_range(t->range, b->a.f64[at]));
    return s;
}

static enum status test_date(const struct test *t, struct block *b)
{
    const int32_t *days = t->attribute->spec->operand == BY_END ? b->end : b->start;
    KEEP(day_in_range(&t->attribute->date, days[at]));
    return ST_OK;
}

/* Three columns at once: concept ids go where the ratio keeps its integers. */
static enum status test_abnormal(const struct filter *f, struct block *b, struct err *e)
{
    uint8_t hit[BLOCK] = {0};
    enum status s = read_number(f, b, COL_VALUE_NUMBER, b->a.f64, e);
    if (s == ST_OK)
        s = read_number(f, b, COL_RANGE_LOW, b->b.f64, e);
    for (size_t i = 0; s == ST_OK && i < b->n_sel; i++)
        hit[b->sel[i]] = b->a.f64[b->sel[i]] < b->b.f64[b->sel[i]];
    if (s == ST_OK)
        s = read_number(f, b, COL_RANGE_HIGH, b->b.f64, e);
    if (s == ST_OK)
        s = block_i32(f->g, b, COL_VALUE_CONCEPT, b->c.i32, e);
    if (s == ST_OK)
        KEEP(hit[at] || b->a.f64[at] > b->b.f64[at] || b->c.i32[at] == ABNORMAL_LOW ||
             b->c.i32[at] == ABNORMAL_HIGH);
    return s;
}

static enum status test_block(const struct filter *f, const struct test *t, struct block *b, struct err *e)
{
    switch (t->attribute->spec->kind) {
    case ATTR_INTEGER:
    case ATTR_DECIMAL:
        return test_number(f, t, b, e);
    case ATTR_DATE:
        return test_date(t, b);
    case ATTR_TEXT:
        return test_text(f, t, b, e);
    case ATTR_LIST:
    case ATTR_CHOICE:
    case ATTR_SET:
        return test_concepts(f, t, b, e);
    case ATTR_FLAG:
        return test_abnormal(f, b, e);
    default:
        return ST_OK;
    }
}

enum status filter_block(const struct filter *f, struct block *b, struct err *e)
{
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < f->n && b->n_sel > 0; i++)
        s = test_block(f, &f->tests[i], b, e);
    return s;
}

/* --- demographic criteria --- */

static bool demographic_id_holds(const struct engine *g, const struct attribute *a, int32_t id)
{
    if (id == NONE_I32)
        return a->spec->kind == ATTR_CHOICE && !a->choice.has_set && a->choice.exclusion;
    if (a->spec->kind == ATTR_CHOICE)
        return a->choice.has_set ? id_set_has(engine_set(g, a->choice.set), id) != a->choice.exclusion
                                 : !a->choice.exclusion;
    for (size_t i = 0; i < a->list.n; i++)
        if (a->list.items[i].id == id)
            return true;
    return false;
}

/* Haversine on a sphere of the Earth's mean radius. */
static double metres_between(const struct near_place *a, const struct store_place *b)
{
    const double radius = 6371008.8, radian = 3.14159265358979323846 / 180;
    double lat = (b->latitude - a->latitude) * radian, lon = (b->longitude - a->longitude) * radian;
    double h = sin(lat / 2) * sin(lat / 2) +
               cos(a->latitude * radian) * cos(b->latitude * radian) * sin(lon / 2) * sin(lon / 2);
    return 2 * radius * asin(sqrt(h < 1 ? h : 1));
}

static bool lives_near(const struct engine *g, const struct near_place *near, uint32_t person)
{
    struct store_place place;
    int32_t at = g->persons->location[person];
    return at >= 0 && store_place(g->store, (uint32_t)at, &place) &&
           metres_between(near, &place) <= near->metres;
}

bool demographic_holds(const struct engine *g, const struct demographic *d, uint32_t person, int32_t start,
                       int32_t end)
{
    bool holds = g->persons->in_person[person];
    for (size_t i = 0; holds && i < d->n_attributes; i++) {
        const struct attribute *a = &d->attributes[i];
        struct years years = years_of(&a->number);
        if (a->spec->kind == ATTR_INTEGER)
            holds = age_passes(g, &years, person, start);
        else if (a->spec->kind == ATTR_NEAR)
            holds = lives_near(g, &a->near, person);
        else if (a->spec->kind == ATTR_DATE)
            holds = day_in_range(&a->date, a->spec->operand == BY_END ? end : start);
        else
            holds = demographic_id_holds(g, a, person_concepts(g, a->spec->operand)[person]);
    }
    return holds;
}
