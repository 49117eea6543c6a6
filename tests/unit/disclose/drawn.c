/* SPDX-License-Identifier: Apache-2.0 */
#include "drawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disclose/audit.h"
#include "synth/rng.h"

uint64_t drawn_state;

uint32_t draw(uint32_t below)
{
    struct rng r = {drawn_state};
    uint32_t drawn = rng_below(&r, below);
    drawn_state = r.state;
    return drawn;
}

struct result *drawn_table(const uint32_t *levels, uint32_t n_dimensions, uint32_t most)
{
    struct result *r = result_new("drawn");
    uint64_t places = 1;
    for (uint32_t d = 0; d < n_dimensions; d++)
        places *= levels[d];
    struct result_table *t = result_add_table(r, "t", "t", OUTPUT_COUNT, n_dimensions, places);
    for (uint32_t d = 0; d < n_dimensions; d++) {
        struct result_level *l = arena_array(r->arena, levels[d], sizeof *l);
        for (uint32_t i = 0; i < levels[d]; i++)
            l[i] = (struct result_level){arena_printf(r->arena, "%u", i), i ? 0 : -1};
        t->dimensions[d] = (struct result_dimension){arena_printf(r->arena, "d%u", d), l, levels[d], false};
    }
    for (uint64_t i = 0; i < places; i++) {
        uint32_t *at = arena_array(r->arena, n_dimensions, sizeof *at);
        uint64_t rest = i;
        for (uint32_t d = n_dimensions; d-- > 0; rest /= levels[d])
            at[d] = (uint32_t)(rest % levels[d]);
        t->cells[i].at = at;
        t->cells[i].key = 0;
    }
    for (uint64_t i = 0; i < places; i++) {
        const uint32_t *at = t->cells[i].at;
        bool inner = true;
        for (uint32_t d = 0; d < n_dimensions; d++)
            inner &= at[d] > 0;
        int64_t n = inner ? (int64_t)draw(draw(3) ? most : most / 8) : 0;
        int64_t key = n ? (int64_t)draw(UINT32_MAX) : 0;
        for (uint32_t margins = 0; inner && margins < 1u << n_dimensions; margins++) {
            uint64_t to = 0;
            for (uint32_t d = 0; d < n_dimensions; d++)
                to = to * levels[d] + (margins >> d & 1 ? 0 : at[d]);
            t->cells[to].persons += n;
            t->cells[to].key = (t->cells[to].key + key) & UINT32_MAX;
        }
    }
    for (uint64_t i = 0; i < places; i++)
        t->cells[i].value = (double)t->cells[i].persons;
    return r;
}

static int64_t count_at(const struct result *r, const char *place)
{
    const struct result_table *t = &r->tables[0];
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const char *own = "";
        for (uint32_t d = 0; d < t->n_dimensions; d++)
            own = arena_printf(r->arena, "%s%s%u", own, d ? ", " : "", t->cells[i].at[d]);
        if (strcmp(own, place) == 0)
            return t->cells[i].persons;
    }
    return -1;
}

uint32_t drawn_given_away(const struct result *raw, const struct released *r, const struct policy *p,
                          uint32_t *n_small)
{
    struct audit *audit = audit_new();
    struct err e;
    uint32_t n = 0, hidden = 0;
    assert_int_equal(audit_add_released(audit, released_table(r, 0), p, &e), ST_OK);
    assert_int_equal(audit_run(audit, p->minimum, &e), ST_OK);
    for (uint32_t i = 0; i < audit_n_cells(audit); i++) {
        const struct audit_cell *c = audit_cell(audit, i);
        int64_t count = count_at(raw, c->place);
        assert_true(count >= 0 && (double)count >= c->low && (double)count <= c->high);
        if (count > 0 && count < p->minimum) {
            hidden++;
            n += c->finding != FOUND_SAFE;
        }
    }
    audit_free(audit);
    *n_small += hidden;
    return n;
}

struct released *verified_release(const struct result *r, const struct policy *p)
{
    struct released *out;
    struct err e = {0};
    if (disclose_release(r, p, NULL, &out, &e) != ST_OK)
        fail_msg("%s", e.text);
    if (released_verify(out, &e) != ST_OK)
        fail_msg("%s", e.text);
    return out;
}
