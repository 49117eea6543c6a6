/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tables.h"

const struct route *const route_tables[] = {account_routes,     run_routes,    register_routes,
                                            partnership_routes, work_routes,   oidc_routes,
                                            page_routes,        public_routes, NULL};
