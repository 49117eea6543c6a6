/* SPDX-License-Identifier: Apache-2.0
 *
 * A disclosure policy: the rules of a site or project as data. A policy file (YAML) names the profile it
 * inherits and what it changes; the built-in profiles are sde-10 (the default), nhs-hes, opensafely, ons-10-5
 * and gel-5. Where several parties have a policy, the strictest value of each rule governs. A value looser
 * than the inherited profile needs `approved_by`, which the disclosure record carries.
 *
 * The hash is SHA-256 over the canonical JSON of the effective rules, so that comments and layout do not
 * matter.
 *
 * Of the ways to print a count the stricter is the one that leaves a reader the wider interval.
 */
#ifndef ACCORD_DISCLOSE_POLICY_H
#define ACCORD_DISCLOSE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/json.h"
#include "disclose/cellkey.h"
#include "disclose/result.h"

enum rounding {
    ROUNDING_NONE,
    ROUNDING_NEAREST,    /* to the nearest multiple of the base, halves up */
    ROUNDING_EVEN,       /* to the nearest multiple of the base, halves to the even one (hutch-bunny) */
    ROUNDING_MIDPOINT,   /* to the middle of a band of `base` counts: 1..6 gives 3, 7..12 gives 9; 0 stays */
    ROUNDING_CONTROLLED, /* each to a multiple of the base beside it, so that tables still add up
                            (controlled.h) */
    ROUNDING_CELL_KEY    /* none: noise by the keys of the persons (cellkey.h); the base is for rates */
};

struct policy {
    char name[64];
    char inherits[32]; /* the built-in profile below it */
    char approved_by[128];
    int64_t version;

    int64_t minimum;                       /* a count of 1 .. minimum - 1 persons is hidden */
    int64_t minimum_by_type[OUTPUT_TYPES]; /* more for one type of output; 0 = nothing more */
    bool zero_shown;                       /* whether a count of 0 may be printed */
    int rounding;                          /* enum rounding */
    int64_t base;                          /* of the rounding */
    int64_t noise_most, noise_skip;        /* ROUNDING_CELL_KEY: D and js of its p-table */
    double noise_variance;                 /* ... and V */
    double top1_share, top2_share;  /* hidden when the largest (two largest) reach this share of a sum */
    double p_ratio;                 /* hidden when (sum - top1 - top2) / top1 is below */
    double sum_protection;          /* a hidden sum must stay uncertain by this share either way */
    int64_t degrees_of_freedom;     /* at least, residual */
    double parameter_share;         /* parameters at most this share of persons */
    double model_gap, model_attack; /* train less test AUC; AUC of a membership attack: at most */
};

/* Persons that a cell of this type of output needs. */
int64_t policy_minimum(const struct policy *p, enum output_type type);

/* The p-table of a policy with cell keys. */
struct ptable_rules policy_ptable(const struct policy *p);

/* A built-in profile by name; NULL = sde-10. ST_NOT_FOUND lists what there is. */
MUST_CHECK enum status policy_profile(const char *name, struct policy *out, struct err *e);
/* A policy file, or a profile where `path` names one. ST_INVALID with file, line and the nearest key;
   ST_DENIED for a looser value that nobody approved. */
MUST_CHECK enum status policy_load(const char *path, struct policy *out, struct err *e);
MUST_CHECK enum status policy_parse(struct slice yaml, const char *name, struct policy *out, struct err *e);
/* The stricter of two policies rule by rule. */
void policy_strictest(const struct policy *a, const struct policy *b, struct policy *out);

/* The form in agreements on the register and in disclosure records; reading it refuses a looser value without
   `approved_by` as policy_load does, so that whoever loosened a rule is named wherever the policy goes. */
struct js *policy_to_json(const struct policy *p);
MUST_CHECK enum status policy_from_json(const struct js *j, struct policy *out, struct err *e);
void policy_hash(const struct policy *p, char hex[2 * HASH_BYTES + 1]);

#endif
