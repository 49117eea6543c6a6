/* SPDX-License-Identifier: Apache-2.0
 *
 * Class disclosure (ACRO: zeros are disclosive; the SDAP handbook: group disclosure): where all of a group, or
 * none of it, are in one cell, who knows that somebody belongs to the group knows the fact about them,
 * however many they are. A policy that prints no zeros hides it; under the others it is for checkers to see.
 */
#ifndef ACCORD_DISCLOSE_WHOLE_GROUP_H
#define ACCORD_DISCLOSE_WHOLE_GROUP_H

#include "disclose/result.h"

/* By cell of the table: "all of a group", "none of a group", or NULL. In the arena. A group is what remains of
   a table of counts when all dimensions but one are held (its levels under one parent), or the persons of a
   share; tables of other types have none. */
const char *const *whole_groups(const struct result_table *t, struct arena *a);

#endif
