/* SPDX-License-Identifier: Apache-2.0
 * The tables of routes; tables.c is the one list. */
#ifndef ACCORD_HTTP_TABLES_H
#define ACCORD_HTTP_TABLES_H

#include "http/route.h"

extern const struct route account_routes[];
extern const struct route run_routes[];
extern const struct route register_routes[];
extern const struct route oidc_routes[];
extern const struct route page_routes[];
extern const struct route partnership_routes[];
extern const struct route public_routes[];
extern const struct route work_routes[];

#endif
