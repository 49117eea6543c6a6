/* SPDX-License-Identifier: Apache-2.0
 * The small lattice around a cell holds whole moves, is as small as it was asked to be, and leaves out what
 * cannot move. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"
#include "disclose/near.h"

enum { LEVELS = 7, CELLS = LEVELS * LEVELS * LEVELS * LEVELS };

/* Total over six, in four dimensions, every margin. */
static const uint32_t children[] = {1, 2, 3, 4, 5, 6};
static const struct lattice_sum sum = {0, LEVELS - 1, children};
static const struct lattice_dimension dimensions[] = {
    {LEVELS, &sum, 1}, {LEVELS, &sum, 1}, {LEVELS, &sum, 1}, {LEVELS, &sum, 1}};

static void make(struct system *s, struct lattice *l)
{
    *l = (struct lattice){dimensions, 4, xcalloc(CELLS, sizeof *l->cells), CELLS};
    system_init(s);
    for (uint32_t v = 0; v < CELLS; v++) {
        system_add_variable(s, 100, 100, 100);
        l->cells[v] = (struct lattice_cell){v, v};
    }
    lattice_add_equations(l, UINT32_MAX, NULL, s);
    system_close(s);
    system_place(s, l);
}

static uint32_t key_of(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return ((a * LEVELS + b) * LEVELS + c) * LEVELS + d;
}

static bool listed(const uint32_t *list, uint32_t n, uint32_t v)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == v)
            return true;
    return false;
}

static void the_cheapest_move_is_within(void **state)
{
    (void)state;
    struct system s;
    struct lattice l;
    double price[CELLS];
    uint32_t list[CELLS];
    make(&s, &l);
    /* The sixteen cells of levels 2 and 5 are free, all others dear. */
    for (uint32_t v = 0; v < CELLS; v++)
        price[v] = 100;
    for (int i = 0; i < 16; i++)
        price[key_of(i & 1 ? 2 : 5, i & 2 ? 2 : 5, i & 4 ? 2 : 5, i & 8 ? 2 : 5)] = 0;
    struct near *near = near_new(&s);
    for (uint32_t most = 81; most <= CELLS; most *= 2) {
        uint32_t n = near_list(near, key_of(2, 2, 2, 2), price, most, list);
        assert_in_range(n, 16, most);
        for (int i = 0; i < 16; i++)
            assert_true(listed(list, n, key_of(i & 1 ? 2 : 5, i & 2 ? 2 : 5, i & 4 ? 2 : 5, i & 8 ? 2 : 5)));
    }
    near_free(near);
    free(l.cells);
    system_deinit(&s);
}

static void what_cannot_move_is_left_out(void **state)
{
    (void)state;
    struct system s;
    struct lattice l;
    double price[CELLS];
    uint32_t list[CELLS];
    make(&s, &l);
    for (uint32_t v = 0; v < CELLS; v++)
        price[v] = v % 3 ? 1 : (double)INFINITY;
    struct near *near = near_new(&s);
    uint32_t n = near_list(near, key_of(1, 2, 3, 5), price, 400, list);
    assert_true(n > 0);
    for (uint32_t i = 0; i < n; i++)
        assert_true(list[i] % 3 != 0);
    assert_int_equal(near_list(near, key_of(1, 2, 3, 5), price, 2, list), 0); /* not that small */
    near_free(near);
    free(l.cells);
    system_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_move_is_within),
        cmocka_unit_test(what_cannot_move_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
