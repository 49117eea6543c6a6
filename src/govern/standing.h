/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person may do now, worked out from the permission table by trying each verb without doing it: for
 * pages that show the buttons that work, and say of the others why they do not. */
#ifndef ACCORD_GOVERN_STANDING_H
#define ACCORD_GOVERN_STANDING_H

#include "govern/register.h"

/* Who asks, and when. */
struct standing {
    struct registry *registry;
    const char *key;    /* hex, that of the person */
    const char *person; /* on the register */
    int64_t now_ms;
};

/* The person's grants: [{"role","body","body_name","scope"?,"until","counts","why"?}]. Caller frees. */
MUST_CHECK enum status standing_roles(const struct standing *p, struct js **out, struct err *e);
/* Every verb that people do on the item: [{"verb","about","open","why"?}], in the order of the table. A verb
   that is open may still be refused for what its body says. Caller frees. */
MUST_CHECK enum status standing_verbs(const struct standing *p, const char *noun, const char *id,
                                      struct js **out, struct err *e);
/* Whether the person may do one verb; a refusal's text is in *why. Other errors are returned. */
MUST_CHECK enum status standing_try(const struct standing *p, const char *verb, const char *noun,
                                    const char *id, bool *open, struct err *why, struct err *e);
/* What waits for the person: [{"verb","noun","id","title","state","due"?,"late"?,"perspective"?}], the most
   urgent first. Caller frees. */
MUST_CHECK enum status standing_waiting(const struct standing *p, struct js **out, struct err *e);

/* A verb with its fields, for forms: {"verb","about","roles","from","to","fields":[{"name","type","required",
   "choices"?,"scheme"?,"noun"?,"most"?,"fields"?}]}. Caller frees. */
struct verb;
struct js *verb_describe(const struct verb *v);

#endif
