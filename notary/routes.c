#include "notary/routes.h"

#include <stddef.h>

const struct route *const notary_routes[] = { query_routes, server_routes, status_routes, NULL };

const struct route *const notary_admin_routes[] = { server_admin_routes, history_admin_routes,
						    NULL };
