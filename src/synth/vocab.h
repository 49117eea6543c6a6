/* SPDX-License-Identifier: Apache-2.0
 *
 * The concepts of a population and their hierarchy. The UK profile takes codes.def; the bench profiles make
 * three trees of synthetic concepts. Immutable once made; read by all threads.
 */
#ifndef ACCORD_SYNTH_VOCAB_H
#define ACCORD_SYNTH_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "synth/rng.h"

enum code {
#define X(key, id, name, domain, parent, children) CODE_##key,
#include "synth/codes.def"
#undef X
    N_CODES,
    CODE_NONE = N_CODES
};

enum domain {
    DOMAIN_CONDITION,
    DOMAIN_DRUG,
    DOMAIN_MEASUREMENT,
    DOMAIN_PROCEDURE,
    DOMAIN_OBSERVATION,
    DOMAIN_VISIT,
    DOMAIN_GENDER,
    DOMAIN_RACE,
    DOMAIN_TYPE,
    DOMAIN_UNIT,
    N_DOMAINS
};
extern const char *const domain_names[N_DOMAINS];

enum { NO_PARENT = -1 };
struct concept {
    int32_t id;
    enum domain domain;
    const char *name;
    int32_t parents[2]; /* indexes into the vocabulary, NO_PARENT where absent */
    int32_t maps_to;    /* index of the standard concept of a source concept; its own index if standard */
};

struct vocabulary {
    struct arena *arena;
    struct concept *concepts;
    size_t n, capacity;
    uint8_t descendants[N_CODES]; /* synthetic concepts below each code of the UK profile */
};
void vocabulary_init_uk(struct vocabulary *v);
void vocabulary_deinit(struct vocabulary *v);

/* A tree of n concepts numbered from first_id, each node with five children (node i hangs below (i - 1) / 5).
 */
void vocabulary_add_tree(struct vocabulary *v, enum domain d, int32_t first_id, size_t n);
/* The concept of one code, without children. */
void vocabulary_add_code(struct vocabulary *v, enum code c);

int32_t code_id(enum code c);
const char *code_name(enum code c);
/* What is recorded for a code: itself in half of the records, else one of its synthetic descendants. */
int32_t code_pick(const struct vocabulary *v, enum code c, struct rng *r);
/* The ingredient of a medicine that code_pick gave, and the strength of a product of it in milligrams; 0 for
   the ingredient itself, whose record does not say. */
int32_t code_ingredient(int32_t id);
int32_t code_strength(int32_t id);
/* The source concept that maps to a code. */
int32_t code_source_id(enum code c);

/* The ancestors of concept i with their distances, itself (0, 0) included; a concept is reached over several
   ways when it has two parents. Returns how many; out has room for MOST_ANCESTORS. */
enum { MOST_ANCESTORS = 64 };
struct ancestor {
    int32_t index, least, most;
};
size_t vocabulary_ancestors(const struct vocabulary *v, size_t i, struct ancestor out[MOST_ANCESTORS]);

#endif
