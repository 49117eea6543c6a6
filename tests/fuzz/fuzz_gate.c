/* SPDX-License-Identifier: Apache-2.0
 * Tables with hierarchies, made of the bytes so that most of them hold together, under policies made of them
 * too: every rounding and noise. What is released must pass the second look and the attacker of the document:
 * of no hidden count below the minimum may he find an interval without 1 or without the minimum less one, and
 * every printed count must be one of the true one's prints. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disclose/audit.h"
#include "disclose/gate.h"
#include "disclose/rounding.h"

enum { MOST_DIMENSIONS = 3, MOST_LEVELS = 6 };

struct bytes {
    const uint8_t *p;
    size_t n;
};

static uint32_t take(struct bytes *b, uint32_t below)
{
    if (b->n == 0)
        return 0;
    b->n--;
    return *b->p++ % below;
}

static bool make_policy(struct bytes *b, struct policy *out)
{
    static const char *const profiles[] = {"sde-10", "nhs-hes", "opensafely", "ons-10-5", "gel-5"};
    static const char *const roundings[] = {"none",     "nearest",    "nearest_even",
                                            "midpoint", "controlled", "cell_key"};
    char yaml[400], noise[100] = "";
    struct err e;
    const char *profile = profiles[take(b, 5)], *rounding = roundings[take(b, 6)];
    uint32_t most = 1 + take(b, 12), base = 1 + take(b, 12), tenths = 1 + take(b, 90);
    if (strcmp(rounding, "cell_key") == 0)
        snprintf(noise, sizeof noise, "noise_most: %u\nnoise_variance: %u.%u\nnoise_skip: %u\n", most,
                 tenths / 10, tenths % 10, take(b, 4));
    snprintf(yaml, sizeof yaml,
             "name: f\nversion: 1\napproved_by: f\ninherits: %s\nrounding: %s\nbase: %u\nminimum: %u\n%s",
             profile, rounding, base, 2 + take(b, 14), noise);
    return policy_parse(slice_of(yaml), "f", out, &e) == ST_OK;
}

/* Level 0 is the total; others are below any earlier one, at times below nothing. */
static void make_dimension(struct bytes *b, struct result *r, struct result_dimension *d, uint32_t index)
{
    d->n_levels = 2 + take(b, MOST_LEVELS - 1);
    d->name = arena_printf(r->arena, "d%u", index);
    d->levels = arena_array(r->arena, d->n_levels, sizeof *d->levels);
    for (uint32_t i = 0; i < d->n_levels; i++) {
        int32_t parent = i ? (int32_t)take(b, i) : -1;
        d->levels[i] = (struct result_level){arena_printf(r->arena, "%u", i), parent};
    }
}

static bool is_above(const struct result_dimension *d, uint32_t level, uint32_t below)
{
    for (int32_t at = (int32_t)below; at >= 0; at = d->levels[at].parent)
        if (at == (int32_t)level)
            return true;
    return false;
}

static bool has_parts(const struct result_dimension *d, uint32_t level)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent == (int32_t)level)
            return true;
    return false;
}

static void add_inner(struct result_table *t, const struct result_cell *inner, int64_t persons, int64_t key)
{
    for (uint64_t i = 0; i < t->n_cells; i++) {
        bool above = true;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            above = above && is_above(&t->dimensions[d], t->cells[i].at[d], inner->at[d]);
        if (above) {
            t->cells[i].persons += persons;
            t->cells[i].key = (t->cells[i].key + key) & UINT32_MAX;
        }
    }
}

static void fill(struct bytes *b, struct result_table *t)
{
    uint32_t most = 2 + take(b, 250);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        bool inner = true;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            inner = inner && !has_parts(&t->dimensions[d], t->cells[i].at[d]);
        int64_t n = inner ? take(b, most) : 0;
        if (n)
            add_inner(t, &t->cells[i], n,
                      (int64_t)take(b, 256) << 24 | (int64_t)(i * 2654435761u % 16777216));
    }
    for (uint64_t i = 0; i < t->n_cells; i++)
        t->cells[i].value = (double)t->cells[i].persons;
}

/* At times the table lies: a count too many, a level below nothing, a cell left out, no key. */
static void spoil(struct bytes *b, struct result_table *t)
{
    struct result_cell *c = &t->cells[take(b, 255) % t->n_cells];
    struct result_dimension *d = &t->dimensions[take(b, t->n_dimensions)];
    switch (take(b, 12)) {
    case 1:
        c->persons++;
        break;
    case 2:
        c->value++;
        break;
    case 3:
        d->levels[take(b, d->n_levels)].parent = -1;
        break;
    case 4:
        *c = t->cells[--t->n_cells];
        break;
    case 5:
        c->key = -1;
        break;
    case 6:
        d->nested = true;
        break;
    default:
        break;
    }
}

static struct result *make_result(struct bytes *b)
{
    struct result *r = result_new("f");
    uint32_t n_dimensions = 1 + take(b, MOST_DIMENSIONS);
    struct result_dimension dimensions[MOST_DIMENSIONS] = {{0}};
    uint64_t n_cells = 1;
    for (uint32_t d = 0; d < n_dimensions; d++) {
        make_dimension(b, r, &dimensions[d], d);
        n_cells *= dimensions[d].n_levels;
    }
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, n_dimensions, n_cells);
    memcpy(t->dimensions, dimensions, n_dimensions * sizeof *dimensions);
    for (uint64_t i = 0; i < n_cells; i++) {
        uint32_t *at = arena_array(r->arena, n_dimensions, sizeof *at);
        uint64_t rest = i;
        for (uint32_t d = n_dimensions; d-- > 0; rest /= dimensions[d].n_levels)
            at[d] = (uint32_t)(rest % dimensions[d].n_levels);
        t->cells[i].at = at;
        t->cells[i].key = 0;
    }
    fill(b, t);
    spoil(b, t);
    return r;
}

/* -1 where the table has no such cell. */
static int64_t count_at(const struct result_table *t, const char *place)
{
    for (uint64_t i = 0; i < t->n_cells; i++) {
        char own[64] = "";
        size_t n = 0;
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            n += (size_t)snprintf(own + n, sizeof own - n, "%s%u", d ? ", " : "", t->cells[i].at[d]);
        if (strcmp(own, place) == 0)
            return (int64_t)t->cells[i].value;
    }
    return -1;
}

static void attack(const struct result_table *raw, const struct released_table *t, const struct policy *p)
{
    struct audit *audit = audit_new();
    struct err e = {0};
    int64_t minimum = policy_minimum(p, OUTPUT_COUNT);
    if (audit_add_released(audit, t, p, &e) != ST_OK || audit_run(audit, minimum, &e) != ST_OK) {
        fprintf(stderr, "the audit: %s\n", e.text);
        abort();
    }
    for (uint32_t i = 0; i < audit_n_cells(audit); i++) {
        const struct audit_cell *c = audit_cell(audit, i);
        int64_t n = count_at(raw, c->place);
        bool wrong = n >= 0 && ((double)n < c->low || (double)n > c->high);
        if (wrong || (n > 0 && n < minimum && c->finding != FOUND_SAFE)) {
            fprintf(stderr, "%s: %lld is within %g and %g\n", c->place, (long long)n, c->low, c->high);
            abort();
        }
    }
    audit_free(audit);
}

static void look_at_prints(const struct result_table *raw, const struct released_table *t,
                           const struct policy *p)
{
    int64_t minimum = policy_minimum(p, OUTPUT_COUNT);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const struct released_cell *c = &t->cells[i];
        for (uint64_t k = 0; !c->hidden && k < raw->n_cells; k++) {
            if (memcmp(raw->cells[k].at, c->at, t->n_dimensions * sizeof *c->at) != 0)
                continue;
            struct count_range r = print_range(p, (int64_t)c->value, minimum);
            int64_t n = (int64_t)raw->cells[k].value;
            if (n < r.low || n > r.high || (n > 0 && n < minimum))
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    struct policy policy;
    struct released *released = NULL;
    struct err e = {0};
    if (!make_policy(&b, &policy))
        return 0;
    struct result *r = make_result(&b);
    if (disclose_release(r, &policy, NULL, &released, &e) == ST_OK) {
        if (released_verify(released, &e) != ST_OK) {
            fprintf(stderr, "the second look: %s\n", e.text);
            abort();
        }
        attack(&r->tables[0], released_table(released, 0), &policy);
        look_at_prints(&r->tables[0], released_table(released, 0), &policy);
    }
    released_free(released);
    result_free(r);
    return 0;
}
