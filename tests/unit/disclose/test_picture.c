/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of random results: of every kind, with hidden cells, hostile labels and extreme numbers. Each must
 * be well-formed XML with nothing but shapes and text, and write no number that is neither released nor
 * worked out from what is.
 */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "disclose/picture.h"
#include "synth/rng.h"

/* --- a small reader of XML ------------------------------------------------------------------------------ */

/* Elements that a picture may have, and attributes. */
#define ELEMENTS "svg|title|desc|defs|pattern|rect|path|circle|text|g"
#define ATTRIBUTES                                                                                           \
    "xmlns|role|aria-labelledby|width|height|viewBox|font-family|font-size|font-weight|fill|fill-opacity|"   \
    "id|"                                                                                                    \
    "patternUnits|d|stroke|stroke-width|stroke-dasharray|x|y|cx|cy|r|text-anchor|class"

struct xml {
    const char *at;
    char open[16][16]; /* names of the elements we are in */
    int depth, in_axis;
    char text[1 << 16]; /* what <text> and <desc> outside of axes say, a line each */
};

static void name_of(struct xml *x, char name[32])
{
    size_t n = 0;
    while (isalpha((unsigned char)*x->at) || *x->at == '-')
        if (n < 31)
            name[n++] = *x->at++;
    name[n] = '\0';
    assert_true(n > 0);
}

static void reference(struct xml *x)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&apos;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(x->at, known[i], strlen(known[i])) == 0) {
            x->at += strlen(known[i]) - 1;
            return;
        }
    fail_msg("a bare & at '%.20s'", x->at);
}

static void attributes(struct xml *x, bool *axis)
{
    char name[32];
    while (*x->at == ' ') {
        x->at++;
        name_of(x, name);
        if (!word_in(ATTRIBUTES, name))
            fail_msg("attribute %s", name);
        assert_memory_equal(x->at, "=\"", 2);
        const char *value = x->at += 2;
        for (; *x->at != '"'; x->at++) {
            assert_true(*x->at && *x->at != '<');
            if (*x->at == '&')
                reference(x);
        }
        *axis |= strncmp(value, "axis\"", 5) == 0;
        if (strncmp(value, "url(", 4) == 0)
            assert_memory_equal(value, "url(#hidden)\"", 13);
        /* Coordinates are finite. */
        if (word_in("x|y|width|height|cx|cy|r|d", name))
            for (const char *v = value; v < x->at; v++)
                assert_true(strncmp(v, "nan", 3) != 0 && strncmp(v, "inf", 3) != 0);
        x->at++;
    }
}

static void keep_text(struct xml *x, const char *from)
{
    const char *of = x->open[x->depth - 1];
    if (x->in_axis || (strcmp(of, "text") != 0 && strcmp(of, "desc") != 0))
        return;
    size_t n = strlen(x->text), more = (size_t)(x->at - from);
    if (n + more + 2 < sizeof x->text) {
        memcpy(x->text + n, from, more);
        memcpy(x->text + n + more, "\n", 2);
    }
}

static void content(struct xml *x)
{
    const char *from = x->at;
    for (; *x->at && *x->at != '<'; x->at++) {
        assert_true((unsigned char)*x->at >= ' ' || *x->at == '\n');
        if (*x->at == '&')
            reference(x);
    }
    if (x->at > from && x->depth)
        keep_text(x, from);
}

static void element(struct xml *x)
{
    char name[32];
    bool axis = false, end = *++x->at == '/';
    x->at += end;
    name_of(x, name);
    if (!word_in(ELEMENTS, name))
        fail_msg("element %s", name);
    if (end) {
        assert_true(x->depth > 0);
        assert_string_equal(name, x->open[--x->depth]);
        x->in_axis -= x->in_axis && strcmp(name, "g") == 0;
    } else
        attributes(x, &axis);
    if (*x->at == '/')
        x->at++;
    else if (!end) {
        assert_true(x->depth < 16);
        snprintf(x->open[x->depth++], 16, "%s", name);
        x->in_axis += axis;
    }
    assert_int_equal(*x->at++, '>');
}

static void read_xml(struct xml *x, const char *svg)
{
    *x = (struct xml){.at = svg};
    do {
        content(x);
        if (*x->at)
            element(x);
    } while (*x->at);
    assert_int_equal(x->depth, 0);
}

/* --- random results ------------------------------------------------------------------------------------- */

static struct rng seed;

static const char *const hostile[] = {
    "</text><script>alert(1)</script>",
    "\" onload=\"x",
    "a & b < c > d ' e",
    "]]>",
    "\x01\x02\x1f",
    "&#x41;",
    "caf\xC3\xA9 \xE2\x80\xAE reversed",
    "a very long label that has no end and goes on for longer than any picture is wide and "
    "then some more so that it must be cut or broken somewhere",
    "Averyveryveryveryveryveryverylongwordwithoutanyspaceatallthatcannotbebrokenatanyspace",
    "",
    " > ",
    "A > B > C + D > E > F > G"};
enum { N_HOSTILE = sizeof hostile / sizeof *hostile };

/* Dimensions as the kinds look for them, so that random tables get past the first check of a kind. */
static struct js *dimension(uint32_t d, enum picture_kind kind, uint32_t *levels)
{
    static const char *const names[] = {"sex", "age_band", "interval", "site", "figure", "limit", "time"};
    static const char *const labels[] = {
        "male",      "female",    "observed",    "predicted",         "lower 99.8%",
        "lower 95%", "upper 95%", "upper 99.8%", "expected number",   "risk ratio",
        "value",     "mean",      "lower limit", "upper limit",       "special cause",
        "CUSUM",     "day 10",    "day 20",      "1 (most deprived)", "unknown"};
    struct js *j = js_object(), *list = js_array();
    bool total = rng_below(&seed, 3) == 0, nested = !total && rng_below(&seed, 6) == 0;
    *levels = 1 + rng_below(&seed, 7) + total;
    js_put_str(j, "name", kind == PICTURE_SURVIVAL ? names[d ? 6 : 0] : names[rng_below(&seed, 7)]);
    if (nested)
        js_put(j, "nested", js_boolean(true));
    for (uint32_t i = 0; i < *levels; i++) {
        struct js *level = js_object();
        char own[160];
        bool bad = rng_below(&seed, 4) == 0;
        snprintf(own, sizeof own, "%s%s%u",
                 bad ? hostile[rng_below(&seed, N_HOSTILE)] : labels[rng_below(&seed, 20)],
                 kind == PICTURE_PATHWAYS && i % 2 ? " > B" : "", bad ? i : 0);
        js_put_str(level, "label", own);
        if (total && i)
            js_put_int(level, "parent", 0);
        js_push(list, level);
    }
    js_put(j, "levels", list);
    return j;
}

static double any_number(void)
{
    static const double odd[] = {0, -1, 1e300, -1e300, 1e-300, 1e15, 0.5, 1, 123456789};
    return rng_below(&seed, 5) == 0 ? odd[rng_below(&seed, 9)]
                                    : rng_below(&seed, 100000) / (rng_below(&seed, 2) ? 1.0 : 1000.0);
}

static struct js *cells_of(const uint32_t *levels, uint32_t n_dimensions)
{
    struct js *cells = js_array();
    uint32_t n = 1;
    for (uint32_t d = 0; d < n_dimensions; d++)
        n *= levels[d];
    for (uint32_t c = 0; c < n; c++) {
        if (rng_below(&seed, 12) == 0)
            continue;
        struct js *cell = js_object(), *at = js_array();
        uint32_t rest = c, place[4];
        for (uint32_t d = n_dimensions; d-- > 0; rest /= levels[d])
            place[d] = rest % levels[d];
        for (uint32_t d = 0; d < n_dimensions; d++)
            js_push(at, js_integer(place[d]));
        js_put(cell, "at", at);
        double value = any_number();
        if (rng_below(&seed, 4) == 0)
            js_put(cell, "hidden", js_boolean(true));
        else
            js_put(cell, "value", js_real(value));
        if (!js_get(cell, "hidden") && rng_below(&seed, 2)) {
            js_put(cell, "lower", js_real(value - fabs(any_number())));
            js_put(cell, "upper", js_real(value + fabs(any_number())));
        }
        js_push(cells, cell);
    }
    return cells;
}

static struct js *random_table(const char *name, enum picture_kind kind)
{
    static const char *const units[] = {"persons", "share of persons", "per 100000 person-years", "ratio"};
    struct js *j = js_object(), *dimensions = js_array();
    uint32_t levels[4], n = 1 + rng_below(&seed, 3);
    js_put_str(j, "name", name);
    js_put_str(j, "title", hostile[rng_below(&seed, N_HOSTILE)]);
    js_put_str(j, "unit", units[rng_below(&seed, 4)]);
    js_put_str(j, "type", output_type_name((enum output_type)rng_below(&seed, OUTPUT_TYPES)));
    if (picture_kind_name(kind))
        js_put_str(j, "picture", picture_kind_name(kind));
    for (uint32_t d = 0; d < n; d++)
        js_push(dimensions, dimension(d, kind, &levels[d]));
    js_put(j, "dimensions", dimensions);
    js_put(j, "cells", cells_of(levels, n));
    return j;
}

/* A document that says of itself that it was released: form and hashes are right, as a hostile node's can be.
 */
static struct released *released_of(struct js *tables)
{
    struct js *document = js_object(), *body = js_object(), *record = js_object();
    struct policy policy;
    struct released *r;
    struct err e = {0};
    struct buf text;
    char hex[2 * HASH_BYTES + 1];
    buf_init(&text, 1 << 22);
    js_put_str(body, "title", hostile[rng_below(&seed, N_HOSTILE)]);
    js_put(body, "tables", tables);
    assert_int_equal(js_canonical(body, &text, &e), ST_OK);
    sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    js_put_str(document, "format", "accord-released-1");
    js_put(document, "title", js_share(js_get(body, "title")));
    js_put(document, "tables", js_share(js_get(body, "tables")));
    js_put_str(record, "tables_sha256", hex);
    assert_int_equal(policy_profile("sde-10", &policy, &e), ST_OK);
    js_put(record, "policy", policy_to_json(&policy));
    policy_hash(&policy, hex);
    js_put_str(record, "policy_sha256", hex);
    js_put(document, "record", record);
    if (released_from_json(document, &r, &e) != ST_OK)
        fail_msg("%s", e.text);
    js_free(document);
    js_free(body);
    return r;
}

/* An analysis of one kind, with the tables that are drawn beside it. */
static struct released *random_released(enum picture_kind kind)
{
    static const struct {
        const char *own, *beside[2];
    } names[PICTURE_KINDS] = {[PICTURE_FUNNEL] = {"x_ratios", {"x_funnel", "x_dispersion"}},
                              [PICTURE_GRADIENT] = {"x_groups", {"x_indices", NULL}},
                              [PICTURE_SURVIVAL] = {"x_curve", {"x_at_risk", NULL}},
                              [PICTURE_INCIDENCE] = {"x_cumulative_incidence", {"x_at_risk", NULL}},
                              [PICTURE_CALIBRATION] = {"x_calibration", {"x_performance", NULL}}};
    struct js *tables = js_array();
    js_push(tables, random_table(names[kind].own ? names[kind].own : "x", kind));
    for (int i = 0; i < 2 && names[kind].beside[i]; i++)
        js_push(tables, random_table(names[kind].beside[i], PICTURE_NONE));
    return released_of(tables);
}

static void draw(const struct released *r, uint32_t i, enum picture_width width, struct xml *x)
{
    struct buf svg, again;
    struct err e;
    buf_init(&svg, 16 << 20);
    buf_init(&again, 16 << 20);
    struct picture_source source = {"a & b", "<r>", "2026-11-23"};
    released_svg(r, i, &source, width, &svg);
    released_svg(r, i, &source, width, &again);
    assert_int_equal(buf_check(&svg, "picture", &e), ST_OK);
    assert_string_equal(svg.p, again.p);
    read_xml(x, svg.p);
    buf_deinit(&svg);
    buf_deinit(&again);
}

static void any_document_is_drawn_as_clean_xml(void **state)
{
    (void)state;
    struct xml *x = calloc(1, sizeof *x);
    for (int run = 0; run < 40 * PICTURE_KINDS; run++) {
        seed.state = (uint64_t)run * 7919 + 1;
        struct released *r = random_released((enum picture_kind)(run % PICTURE_KINDS));
        for (uint32_t i = 0; i < released_n_tables(r); i++)
            if (released_pictured(released_table(r, i))) {
                draw(r, i, PICTURE_WIDE, x);
                draw(r, i, PICTURE_NARROW, x);
            }
        released_free(r);
    }
    free(x);
}

/* --- a real release, damaged -----------------------------------------------------------------------------
 */

static struct js *real_tables(void)
{
    struct js *j = NULL;
    struct result *raw;
    struct released *r;
    struct policy policy;
    struct err e;
    assert_int_equal(js_load(SOURCE_DIR "/tests/golden/pictures/result.json", &j, &e), ST_OK);
    assert_int_equal(result_from_json(j, &raw, &e), ST_OK);
    assert_int_equal(policy_profile("sde-10", &policy, &e), ST_OK);
    if (disclose_release(raw, &policy, NULL, &r, &e) != ST_OK)
        fail_msg("%s", e.text);
    struct js *document = released_to_json(r), *tables = js_copy(js_get(document, "tables"));
    js_free(document);
    released_free(r);
    result_free(raw);
    js_free(j);
    return tables;
}

static struct js *damaged_cell(const struct js *cell)
{
    struct js *j = js_object();
    js_put(j, "at", js_copy(js_get(cell, "at")));
    if (rng_below(&seed, 2)) {
        js_put(j, "hidden", js_boolean(true));
        return j;
    }
    double value = any_number();
    js_put(j, "value", js_real(value));
    if (rng_below(&seed, 2)) {
        js_put(j, "lower", js_real(any_number()));
        js_put(j, "upper", js_real(value));
    }
    return j;
}

static struct js *damaged_dimensions(const struct js *dimensions, uint32_t rarity)
{
    struct js *out = js_array();
    for (size_t d = 0; d < js_size(dimensions); d++) {
        struct js *j = js_copy(js_at(dimensions, d)), *levels = js_array();
        for (size_t i = 0; i < js_size(js_get(j, "levels")); i++) {
            struct js *level = js_copy(js_at(js_get(j, "levels"), i));
            if (rng_below(&seed, rarity) == 0)
                js_put_str(level, "label", hostile[rng_below(&seed, N_HOSTILE)]);
            js_push(levels, level);
        }
        js_put(j, "levels", levels);
        js_push(out, j);
    }
    return out;
}

static struct js *damaged(const struct js *table, uint32_t rarity)
{
    struct js *j = js_copy(table), *cells = js_array();
    for (size_t i = 0; i < js_size(js_get(table, "cells")); i++) {
        const struct js *cell = js_at(js_get(table, "cells"), i);
        if (rng_below(&seed, rarity) == 0)
            continue;
        js_push(cells, rng_below(&seed, rarity) ? js_copy(cell) : damaged_cell(cell));
    }
    js_put(j, "cells", cells);
    js_put(j, "dimensions", damaged_dimensions(js_get(table, "dimensions"), rarity));
    return j;
}

/* From nothing wrong to nearly everything. */
static void a_damaged_release_is_drawn_as_clean_xml(void **state)
{
    (void)state;
    static const uint32_t rarities[] = {1000000, 200, 40, 8, 2};
    struct js *tables = real_tables();
    struct xml *x = calloc(1, sizeof *x);
    for (int run = 0; run < 15; run++) {
        struct js *copy = js_array();
        seed.state = (uint64_t)run * 104729 + 3;
        for (size_t i = 0; i < js_size(tables); i++)
            js_push(copy, damaged(js_at(tables, i), rarities[run % 5]));
        struct released *r = released_of(copy);
        for (uint32_t i = 0; i < released_n_tables(r); i++)
            if (released_pictured(released_table(r, i))) {
                draw(r, i, PICTURE_WIDE, x);
                draw(r, i, PICTURE_NARROW, x);
            }
        released_free(r);
    }
    js_free(tables);
    free(x);
}

/* --- numbers -------------------------------------------------------------------------------------------- */

enum { N_VALUES = 8 };

/* Shown values are all different and far from anything a picture writes by itself; the hidden one too. */
static void one_table(enum picture_kind kind, const double *values, int hidden, struct js **out)
{
    struct js *j = js_object(), *dimensions = js_array(), *d = js_object(), *levels = js_array(),
              *cells = js_array();
    js_put_str(j, "name", "x");
    js_put_str(j, "title", "numbers");
    js_put_str(j, "unit", "ratio");
    js_put_str(j, "type", "sum");
    if (picture_kind_name(kind))
        js_put_str(j, "picture", picture_kind_name(kind));
    js_put_str(d, "name", kind == PICTURE_SERIES ? "interval" : "group");
    for (int i = 0; i < N_VALUES; i++) {
        struct js *level = js_object(), *cell = js_object(), *at = js_array();
        char label[] = {(char)('A' + i), '\0'};
        js_put_str(level, "label", label);
        js_push(levels, level);
        js_push(at, js_integer(i));
        js_put(cell, "at", at);
        if (i == hidden)
            js_put(cell, "hidden", js_boolean(true));
        else {
            js_put(cell, "value", js_real(values[i]));
            js_put(cell, "lower", js_real(values[i] - 0.25));
            js_put(cell, "upper", js_real(values[i] + 0.25));
        }
        js_push(cells, cell);
    }
    js_put(d, "levels", levels);
    js_push(dimensions, d);
    js_put(j, "dimensions", dimensions);
    js_put(j, "cells", cells);
    *out = js_array();
    js_push(*out, j);
}

static bool is_of(double v, const double *values, int hidden)
{
    /* 95% intervals, rule, counts, the date, a hostile title */
    static const double own[] = {95, 1, 10, 5, 0, 7, 8, 2026, 11, 23, 41};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (v == own[i])
            return true;
    for (int i = 0; i < N_VALUES; i++)
        for (double limit = -0.25; i != hidden && limit <= 0.25; limit += 0.25)
            if (fabs(v - values[i] - limit) < (v < 10 ? 0.0051 : 0.051)) /* ratios have two or one decimals */
                return true;
    return false;
}

/* Text of a picture, without thousands' commas, as numbers. */
static void check_numbers(const char *text, const double *values, int hidden)
{
    for (const char *at = text; *at;) {
        char digits[64];
        size_t n = 0;
        if (!isdigit((unsigned char)*at)) {
            at += *at == '&' ? strcspn(at, ";") : 1; /* "&#39;" is a mark, no number */
            continue;
        }
        for (; isdigit((unsigned char)*at) || ((*at == ',' || *at == '.') && isdigit((unsigned char)at[1]));
             at++)
            if (*at != ',' && n < 63)
                digits[n++] = *at;
        digits[n] = '\0';
        if (!is_of(strtod(digits, NULL), values, hidden))
            fail_msg("the picture says %s, which nobody released, in: %s", digits, text);
    }
}

static void no_number_is_written_that_is_not_released(void **state)
{
    (void)state;
    static const enum picture_kind kinds[] = {PICTURE_BY_SHAPE, PICTURE_FOREST, PICTURE_DIFFERENCES,
                                              PICTURE_SERIES};
    struct xml *x = calloc(1, sizeof *x);
    double values[N_VALUES];
    for (int run = 0; run < 200; run++) {
        struct js *tables;
        int hidden = run % N_VALUES;
        seed.state = (uint64_t)run + 99;
        for (int i = 0; i < N_VALUES; i++)
            values[i] = 3 + (200 * i + (int)rng_below(&seed, 190)) / 37.0;
        one_table(kinds[run % 4], values, hidden, &tables);
        struct released *r = released_of(tables);
        for (int width = PICTURE_WIDE; width <= PICTURE_NARROW; width++) {
            draw(r, 0, (enum picture_width)width, x);
            assert_non_null(strstr(x->text, "suppressed"));
            check_numbers(x->text, values, hidden);
        }
        released_free(r);
    }
    free(x);
}

static void every_kind_says_what_is_suppressed(void **state)
{
    (void)state;
    struct buf says;
    double values[N_VALUES] = {3, 4, 5, 6, 7, 8, 9, 10};
    for (int kind = 0; kind < PICTURE_KINDS; kind++) {
        struct js *tables;
        if (kind == PICTURE_NONE)
            continue;
        one_table((enum picture_kind)kind, values, 2, &tables);
        struct released *r = released_of(tables);
        buf_init(&says, 1 << 16);
        released_describe(r, 0, &says);
        assert_non_null(strstr(says.p, "1 of 8 values are suppressed"));
        assert_memory_equal(says.p, "Numbers. ", 9);
        buf_deinit(&says);
        released_free(r);
    }
}

static void kinds_have_names_and_no_others(void **state)
{
    (void)state;
    enum picture_kind found;
    for (int k = 1; k < PICTURE_KINDS; k++) {
        assert_true(picture_kind_find(picture_kind_name((enum picture_kind)k), &found));
        assert_int_equal(found, k);
    }
    assert_true(picture_kind_find(NULL, &found));
    assert_int_equal(found, PICTURE_BY_SHAPE);
    assert_false(picture_kind_find("", &found));
    assert_false(picture_kind_find("sunburst", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_document_is_drawn_as_clean_xml),
        cmocka_unit_test(a_damaged_release_is_drawn_as_clean_xml),
        cmocka_unit_test(no_number_is_written_that_is_not_released),
        cmocka_unit_test(every_kind_says_what_is_suppressed),
        cmocka_unit_test(kinds_have_names_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
