/* SPDX-License-Identifier: Apache-2.0
 * Matching beside a search through everybody, and what must hold of any matching. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "stats/matching.h"
#include "../../lib/random.h"

enum { N = 120, MOST_RATIO = 3, CASES = 400 };
static struct rng seed = {88172645463325252U};

struct people {
    double score[N], treated[N];
    size_t n;
};

/* Few scores make many ties. */
static void make_people(struct people *p)
{
    double scores = random_uniform(&seed) < 0.5 ? 7 : 1000, share = 0.2 + 0.5 * random_uniform(&seed);
    p->n = 2 + (size_t)(random_uniform(&seed) * (N - 2));
    for (size_t i = 0; i < p->n; i++) {
        p->treated[i] = random_uniform(&seed) < share;
        p->score[i] = floor(random_uniform(&seed) * scores + 0.3 * p->treated[i]) / scores;
    }
}

static bool is_own(const long *own, size_t ratio, size_t row)
{
    for (size_t k = 0; k < ratio; k++)
        if (own[k] == (long)row)
            return true;
    return false;
}

/* The best free match of a row by looking at all: nearest, then the lower score, then the later row where it
   is lower or, above, the earlier. */
static long naive_best(const struct people *p, const struct matching *how, size_t row, const long *own,
                       const bool *used, double *distance)
{
    long best = MATCH_NONE;
    bool best_below = false;
    *distance = INFINITY;
    for (size_t j = 0; j < p->n; j++) {
        double d = fabs(p->score[row] - p->score[j]);
        d = how->whole_differences ? floor(d) : d;
        if (p->treated[j] != 0 || used[j] || d > how->caliper || is_own(own, how->ratio, j))
            continue;
        bool below = p->score[j] < p->score[row] || (p->score[j] == p->score[row] && j < row), better;
        if (best == MATCH_NONE || d != *distance || below != best_below)
            better = best == MATCH_NONE || d < *distance || (d == *distance && below && !best_below);
        else /* on the same side: the nearer place in the order of scores and rows */
            better = below
                         ? p->score[j] > p->score[best] || (p->score[j] == p->score[best] && (long)j > best)
                         : p->score[j] < p->score[best] || (p->score[j] == p->score[best] && (long)j < best);
        if (better) {
            best = (long)j;
            best_below = below;
            *distance = d;
        }
    }
    return best;
}

/* One round: again and again the row that comes next, by distance or by score. */
static void naive_round(const struct people *p, const struct matching *how, size_t k, bool *used, long *match)
{
    bool done[N] = {false};
    for (;;) {
        size_t next = p->n;
        long with = MATCH_NONE;
        double nearest = INFINITY;
        for (size_t i = 0; i < p->n; i++) {
            long *own = match + i * how->ratio;
            double d;
            if (p->treated[i] == 0 || done[i] || (k > 0 && own[k - 1] == MATCH_NONE))
                continue;
            long best = naive_best(p, how, i, own, used, &d);
            bool first = next == p->n || (how->closest_first ? d < nearest : p->score[i] > p->score[next]);
            if (first && (best != MATCH_NONE || !how->closest_first)) {
                next = i;
                with = best;
                nearest = d;
            }
        }
        if (next == p->n)
            return;
        done[next] = true;
        match[next * how->ratio + k] = with;
        if (with != MATCH_NONE && !how->replace)
            used[with] = true;
    }
}

static void naive_match(const struct people *p, const struct matching *how, long *match)
{
    bool used[N] = {false};
    for (size_t i = 0; i < p->n * how->ratio; i++)
        match[i] = MATCH_NONE;
    for (size_t k = 0; k < how->ratio; k++)
        naive_round(p, how, k, used, match);
}

static void matches_are_those_of_a_search_through_everybody(void **state)
{
    (void)state;
    for (int c = 0; c < CASES; c++) {
        struct people p;
        long computed[N * MOST_RATIO], expected[N * MOST_RATIO];
        make_people(&p);
        struct matching how = {.ratio = 1 + (size_t)(random_uniform(&seed) * MOST_RATIO),
                               .replace = random_uniform(&seed) < 0.3,
                               .caliper = random_uniform(&seed) < 0.5 ? (double)INFINITY
                                                                      : 0.3 * random_uniform(&seed),
                               .closest_first = random_uniform(&seed) < 0.5,
                               .whole_differences = random_uniform(&seed) < 0.2};
        match_nearest(p.score, p.treated, p.n, &how, computed);
        naive_match(&p, &how, expected);
        assert_memory_equal(computed, expected, p.n * how.ratio * sizeof *computed);
    }
}

static void weights_are_one_for_each_matched_treated_on_either_side(void **state)
{
    (void)state;
    for (int c = 0; c < CASES; c++) {
        struct people p;
        long match[N * 2];
        double weight[N], arm[2] = {0};
        make_people(&p);
        struct matching how = {.ratio = 2, .replace = c % 2, .caliper = 0.1, .closest_first = true};
        match_nearest(p.score, p.treated, p.n, &how, match);
        match_weights(match, p.treated, p.n, 2, weight);
        for (size_t i = 0; i < p.n; i++) {
            arm[p.treated[i] != 0] += weight[i];
            assert_true(p.treated[i] == 0 || weight[i] == (match[2 * i] != MATCH_NONE));
        }
        assert_true(fabs(arm[0] - arm[1]) < 1e-9);
    }
}

/* Two classes of scores within the caliper: each keeps its own where it can. */
static void the_closest_first_leave_equals_to_each_other(void **state)
{
    (void)state;
    static const double score[] = {0.52, 0.52, 0.50, 0.50, 0.50, 0.50}, treated[] = {1, 1, 1, 1, 0, 0};
    long match[6];
    struct matching how = {.ratio = 1, .caliper = 0.1, .closest_first = true};
    match_nearest(score, treated, 6, &how, match);
    assert_true(match[0] == MATCH_NONE && match[1] == MATCH_NONE);
    assert_true(match[2] >= 4 && match[3] >= 4);
    how.closest_first = false;
    match_nearest(score, treated, 6, &how, match);
    assert_true(match[0] >= 4 && match[1] >= 4 && match[2] == MATCH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_are_those_of_a_search_through_everybody),
        cmocka_unit_test(weights_are_one_for_each_matched_treated_on_either_side),
        cmocka_unit_test(the_closest_first_leave_equals_to_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
