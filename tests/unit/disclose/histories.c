/* SPDX-License-Identifier: Apache-2.0 */
#include "histories.h"

#include <stdlib.h>

#include "base/mem.h"

uint64_t world_draw(struct world *w, uint64_t below)
{
    return rng_next(&w->random) % below;
}

void world_init(struct world *w, uint32_t n, uint64_t seed)
{
    static const uint8_t levels[ATTRIBUTES] = {2, 5, 10, 8, 5, 3, 12, 6};
    *w = (struct world){.n = n, .random = {seed}};
    for (int a = 0; a < ATTRIBUTES; a++) {
        w->levels[a] = levels[a];
        w->attribute[a] = xmalloc(n);
        for (uint32_t p = 0; p < n; p++)
            w->attribute[a][p] = (uint8_t)world_draw(w, levels[a]);
    }
}

void world_deinit(struct world *w)
{
    for (int a = 0; a < ATTRIBUTES; a++)
        free(w->attribute[a]);
}

void crowd_add(struct crowd *c, uint32_t person)
{
    GROW(c->v, c->n + 1, c->room);
    c->v[c->n++] = person;
}

struct crowd world_cohort(struct world *w, uint64_t share)
{
    struct crowd c = {0};
    for (uint32_t p = 0; p < w->n; p++)
        if (world_draw(w, 1000) < share)
            crowd_add(&c, p);
    return c;
}

enum { MOST_LEVELS = 13 }; /* the last one of each attribute stands for the total */

void world_crosstab(const struct world *w, const struct crowd *cohort, int a, int b, size_t minimum,
                    cell_fn fn, void *context)
{
    struct crowd cells[MOST_LEVELS][MOST_LEVELS] = {0};
    bool small = false;
    uint8_t all_a = w->levels[a], all_b = w->levels[b];
    for (size_t j = 0; j < cohort->n; j++) {
        uint32_t p = cohort->v[j];
        uint8_t i = w->attribute[a][p], k = w->attribute[b][p];
        crowd_add(&cells[i][k], p);
        crowd_add(&cells[i][all_b], p);
        crowd_add(&cells[all_a][k], p);
        crowd_add(&cells[all_a][all_b], p);
    }
    for (int i = 0; i <= all_a; i++)
        for (int k = 0; k <= all_b; k++)
            small = small || (cells[i][k].n && cells[i][k].n < minimum);
    for (int i = 0; i <= all_a; i++)
        for (int k = 0; k <= all_b; k++) {
            if (!small && cells[i][k].n)
                fn(context, cells[i][k].v, cells[i][k].n);
            free(cells[i][k].v);
        }
}

void tracker_deinit(struct tracker *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->cell[i].v);
}

/* Every person off a group of 1 .. minimum - 1 gets a random membership in the cells that cancels under the
   signs; the group's persons one that leaves the same +1 or -1. */
bool world_tracker(struct world *w, int depth, uint64_t minimum, uint32_t most, struct tracker *t)
{
    int sign[GUARD_DEPTH + 1], patterns[2][32], n_patterns[2] = {0};
    uint64_t share[32], group = 1 + world_draw(w, minimum - 1), in_group = 0;
    *t = (struct tracker){.n = depth + 1};
    for (int i = 0; i <= depth; i++)
        sign[i] = i == depth ? 1 : i == 0 ? -1 : world_draw(w, 3) ? -1 : 1;
    for (int m = 0; m < 1 << (depth + 1); m++) {
        int sum = 0;
        for (int i = 0; i <= depth; i++)
            sum += m >> i & 1 ? sign[i] : 0;
        if (sum == 0 && m)
            patterns[0][n_patterns[0]++] = m;
        else if (sum == 1)
            patterns[1][n_patterns[1]++] = m;
    }
    for (int i = 0; i < n_patterns[0]; i++)
        share[i] = world_draw(w, 4) ? world_draw(w, 100) : 0;
    int leave = patterns[1][world_draw(w, (uint64_t)n_patterns[1])];
    uint32_t active = 100 + (uint32_t)world_draw(w, most - 100),
             first = (uint32_t)world_draw(w, w->n - active + 1);
    for (uint32_t p = first; p < first + active; p++) {
        int i = (int)world_draw(w, (uint64_t)n_patterns[0]), m = 0;
        if (in_group < group && world_draw(w, active) < 3 * group)
            in_group++, m = leave;
        else if (world_draw(w, 100) < share[i])
            m = patterns[0][i];
        for (int c = 0; c <= depth; c++)
            if (m >> c & 1)
                crowd_add(&t->cell[c], p);
    }
    bool good = in_group > 0;
    for (int c = 0; c <= depth; c++)
        good = good && t->cell[c].n >= minimum;
    return good;
}
