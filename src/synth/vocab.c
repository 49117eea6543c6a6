/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/vocab.h"

#include <stdlib.h>

enum {
    FIRST_CHILD_ID = 2000000000,  /* + 100 * code + place below it */
    FIRST_SOURCE_ID = 2000500000, /* + code */
    OVERLAP_ID = 2000600000,
    GRANDCHILDREN = 2,
    TREE_BRANCHES = 5
};

static const struct {
    int32_t id;
    const char *name;
    enum domain domain;
    enum code parent;
    int children;
} codes[N_CODES] = {
#define X(key, id, name, domain, parent, children) {id, name, DOMAIN_##domain, CODE_##parent, children},
#include "synth/codes.def"
#undef X
};

const char *const domain_names[N_DOMAINS] = {"Condition",    "Drug",  "Measurement", "Procedure",
                                             "Observation",  "Visit", "Gender",      "Race",
                                             "Type Concept", "Unit"};

int32_t code_id(enum code c)
{
    return codes[c].id;
}

const char *code_name(enum code c)
{
    return codes[c].name;
}

int32_t code_source_id(enum code c)
{
    return FIRST_SOURCE_ID + (int32_t)c;
}

/* The lower of two draws: the first descendants are recorded more often. */
int32_t code_pick(const struct vocabulary *v, enum code c, struct rng *r)
{
    uint32_t n = v->descendants[c];
    uint64_t u = rng_next(r);
    if (n == 0 || (u >> 63))
        return codes[c].id;
    uint32_t a = (uint32_t)(((u & 0x7fffffff) * n) >> 31);
    uint32_t b = (uint32_t)((((u >> 31) & 0x7fffffff) * n) >> 31);
    return FIRST_CHILD_ID + 100 * (int32_t)c + 1 + (int32_t)(a < b ? a : b);
}

/* A synthetic descendant's place below its code, 0 for the code itself. */
static int32_t place_below(int32_t id)
{
    return id > FIRST_CHILD_ID && id < FIRST_SOURCE_ID ? (id - FIRST_CHILD_ID) % 100 : 0;
}

int32_t code_ingredient(int32_t id)
{
    return place_below(id) ? codes[(id - FIRST_CHILD_ID) / 100].id : id;
}

/* Products A, B, C, D have 5, 10, 20 and 40 mg; of each, A1 as much and A2 twice as much. */
int32_t code_strength(int32_t id)
{
    int32_t place = place_below(id) - 1;
    if (place < 0)
        return 0;
    int32_t strength = 5 << place / (1 + GRANDCHILDREN);
    return place % (1 + GRANDCHILDREN) == GRANDCHILDREN ? 2 * strength : strength;
}

static int32_t add(struct vocabulary *v, int32_t id, enum domain d, const char *name, int32_t parent)
{
    GROW(v->concepts, v->n + 1, v->capacity);
    int32_t index = (int32_t)v->n++;
    v->concepts[index] = (struct concept){id, d, name, {parent, NO_PARENT}, index};
    return index;
}

void vocabulary_add_code(struct vocabulary *v, enum code c)
{
    add(v, codes[c].id, codes[c].domain, codes[c].name, NO_PARENT);
}

static void add_descendants(struct vocabulary *v, enum code c, int32_t parent)
{
    const char *word = codes[c].domain == DOMAIN_DRUG ? "product" : "type";
    int32_t id = FIRST_CHILD_ID + 100 * (int32_t)c;
    for (int k = 0; k < codes[c].children; k++) {
        const char *name = arena_printf(v->arena, "%s, %s %c", codes[c].name, word, 'A' + k);
        int32_t child = add(v, ++id, codes[c].domain, name, parent);
        for (int g = 1; g <= GRANDCHILDREN; g++)
            add(v, ++id, codes[c].domain, arena_printf(v->arena, "%s%d", name, g), child);
    }
    v->descendants[c] = (uint8_t)(codes[c].children * (1 + GRANDCHILDREN));
}

static void add_source(struct vocabulary *v, enum code c, int32_t standard)
{
    const char *name = arena_printf(v->arena, "%s (source code)", codes[c].name);
    int32_t index = add(v, code_source_id(c), codes[c].domain, name, NO_PARENT);
    v->concepts[index].maps_to = standard;
}

void vocabulary_init_uk(struct vocabulary *v)
{
    int32_t at[N_CODES];
    *v = (struct vocabulary){.arena = arena_new()};
    for (enum code c = 0; c < N_CODES; c++) {
        int32_t parent = codes[c].parent == CODE_NONE ? NO_PARENT : at[codes[c].parent];
        at[c] = add(v, codes[c].id, codes[c].domain, codes[c].name, parent);
        add_descendants(v, c, at[c]);
        if (codes[c].domain == DOMAIN_CONDITION || codes[c].domain == DOMAIN_DRUG)
            add_source(v, c, at[c]);
    }
    int32_t overlap = add(v, OVERLAP_ID, DOMAIN_CONDITION, "Asthma-COPD overlap (synthetic)", at[CODE_COPD]);
    v->concepts[overlap].parents[1] = at[CODE_ASTHMA];
}

void vocabulary_deinit(struct vocabulary *v)
{
    free(v->concepts);
    arena_free(v->arena);
}

void vocabulary_add_tree(struct vocabulary *v, enum domain d, int32_t first_id, size_t n)
{
    int32_t base = (int32_t)v->n;
    for (size_t i = 0; i < n; i++) {
        const char *name = arena_printf(v->arena, "%s concept %zu (synthetic)", domain_names[d], i);
        add(v, first_id + (int32_t)i, d, name, i ? base + (int32_t)((i - 1) / TREE_BRANCHES) : NO_PARENT);
    }
}

static void reach(struct ancestor *out, size_t *n, int32_t index, int32_t distance)
{
    for (size_t k = 0; k < *n; k++)
        if (out[k].index == index) {
            out[k].least = distance < out[k].least ? distance : out[k].least;
            out[k].most = distance > out[k].most ? distance : out[k].most;
            return;
        }
    out[(*n)++] = (struct ancestor){index, distance, distance};
}

static void climb(const struct vocabulary *v, int32_t index, int32_t distance, struct ancestor *out,
                  size_t *n)
{
    reach(out, n, index, distance);
    for (int p = 0; p < 2; p++)
        if (v->concepts[index].parents[p] != NO_PARENT)
            climb(v, v->concepts[index].parents[p], distance + 1, out, n);
}

size_t vocabulary_ancestors(const struct vocabulary *v, size_t i, struct ancestor out[MOST_ANCESTORS])
{
    size_t n = 0;
    climb(v, (int32_t)i, 0, out, &n);
    return n;
}
