/* SPDX-License-Identifier: Apache-2.0
 * The audit's intervals against enumeration: every small table that prints the same is tried. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "disclose/audit.h"

enum { CELLS = 9, MOST = 9, TRIALS = 150 }; /* two by two with margins; inner values tried up to MOST */

struct puzzle {
    int shown[CELLS]; /* as printed */
    bool hidden[CELLS];
    int base;
    int low[CELLS], high[CELLS]; /* over all tables that print the same */
    int largest;                 /* inner value in any of them */
};

/* Row by row, each with its total at the end, then the totals. */
static void fill(const int inner[4], int out[CELLS])
{
    const int all[CELLS] = {
        inner[0],
        inner[1],
        inner[0] + inner[1],
        inner[2],
        inner[3],
        inner[2] + inner[3],
        inner[0] + inner[2],
        inner[1] + inner[3],
        inner[0] + inner[1] + inner[2] + inner[3],
    };
    for (int i = 0; i < CELLS; i++)
        out[i] = all[i];
}

static int printed(int n, int base)
{
    return (n + base / 2) / base * base;
}

static void make(struct puzzle *p, uint32_t *seed)
{
    int inner[4], cells[CELLS];
    for (int i = 0; i < 4; i++)
        inner[i] = (int)((*seed = *seed * 1664525 + 1013904223) >> 16) % 5;
    fill(inner, cells);
    p->base = (*seed >> 20) % 3 ? 1 : 3;
    for (int i = 0; i < CELLS; i++) {
        *seed = *seed * 1664525 + 1013904223;
        p->hidden[i] = (*seed >> 16) % 100 < (p->base == 1 ? 45 : 20);
        p->shown[i] = printed(cells[i], p->base);
        p->low[i] = INT32_MAX;
        p->high[i] = -1;
    }
}

static void try_table(struct puzzle *p, const int inner[4])
{
    int cells[CELLS];
    fill(inner, cells);
    for (int i = 0; i < CELLS; i++)
        if (!p->hidden[i] && printed(cells[i], p->base) != p->shown[i])
            return;
    for (int i = 0; i < CELLS; i++) {
        p->low[i] = cells[i] < p->low[i] ? cells[i] : p->low[i];
        p->high[i] = cells[i] > p->high[i] ? cells[i] : p->high[i];
    }
    for (int i = 0; i < 4; i++)
        p->largest = inner[i] > p->largest ? inner[i] : p->largest;
}

static void enumerate(struct puzzle *p)
{
    for (int n = 0; n < 10000; n++) {
        const int inner[4] = {n % 10, n / 10 % 10, n / 100 % 10, n / 1000};
        try_table(p, inner);
    }
}

static void write_csv(const struct puzzle *p, const char *path)
{
    static const char *const labels[] = {"1", "2", "All"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("a,b,n\n", f);
    for (int i = 0; i < CELLS; i++) {
        fprintf(f, "%s,%s,", labels[i / 3], labels[i % 3]);
        if (p->hidden[i])
            fputs("*\n", f);
        else
            fprintf(f, "%d\n", p->shown[i]);
    }
    assert_int_equal(fclose(f), 0);
}

/* Which cell of the puzzle a place is. */
static int index_of(const char *place)
{
    char a[8], b[8];
    assert_int_equal(sscanf(place, "%7[^,], %7s", a, b), 2);
    return (a[0] == 't' ? 2 : a[0] - '1') * 3 + (b[0] == 't' ? 2 : b[0] - '1');
}

static void compare(const struct puzzle *p, const struct audit *a)
{
    uint32_t n = 0;
    for (int i = 0; i < CELLS; i++)
        n += p->hidden[i];
    assert_int_equal(audit_n_cells(a), n);
    for (uint32_t k = 0; k < n; k++) {
        const struct audit_cell *c = audit_cell(a, k);
        int i = index_of(c->place);
        assert_true(p->hidden[i] && c->low <= p->low[i] && c->high >= p->high[i]);
        /* Nothing was cut off by MOST: the interval is this and no more. */
        if (p->largest < MOST) {
            assert_true(c->low == p->low[i] && c->high == p->high[i]);
            assert_int_equal(c->finding == FOUND_EXACT, p->low[i] == p->high[i]);
        }
    }
}

static void intervals_are_those_of_enumeration(void **state)
{
    (void)state;
    char path[] = "/tmp/accord_audit_XXXXXX";
    uint32_t seed = 7;
    int complete = 0;
    close(mkstemp(path));
    for (int trial = 0; trial < TRIALS; trial++) {
        struct puzzle p = {0};
        struct audit *a = audit_new();
        struct err e;
        make(&p, &seed);
        enumerate(&p);
        write_csv(&p, path);
        const struct audit_form form = {.base = p.base};
        assert_int_equal(audit_add_csv(a, path, &form, &e), ST_OK);
        assert_int_equal(audit_run(a, 1000000, &e), ST_OK);
        compare(&p, a);
        complete += p.largest < MOST;
        audit_free(a);
    }
    assert_true(complete > TRIALS / 3);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(intervals_are_those_of_enumeration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
