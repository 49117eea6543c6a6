/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes about by itself on its day: released outputs that nobody withholds become open, emergency lanes
 * close. */
#ifndef ACCORD_GOVERN_DUE_H
#define ACCORD_GOVERN_DUE_H

#include "govern/register.h"

/* What the hub has to say on this day, each with an empty body: [{"verb", "subject"}]; caller frees. */
MUST_CHECK enum status registry_due(struct registry *r, int32_t day, struct js **out, struct err *e);
/* The day on which a released artefact becomes open: so many days after its release as its agreement says
   (open_after_days; 28 without), or the day after the one until which it is withheld. */
MUST_CHECK enum status artefact_opens_on(struct db *d, const struct js *artefact, int32_t *day,
                                         struct err *e);

#endif
