/* All routes of the notary. */
#pragma once

#include "shared/http/route.h"

extern const struct route query_routes[], server_routes[], status_routes[];
extern const struct route server_admin_routes[], history_admin_routes[];

extern const struct route *const notary_routes[]; /* public listeners */
extern const struct route *const notary_admin_routes[]; /* admin listener */
