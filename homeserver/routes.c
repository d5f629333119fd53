#include "homeserver/routes.h"

#include <stddef.h>

const struct route *const hs_routes[] = {
	versions_routes,
	server_keys_routes,
	NULL,
};

const struct route *const hs_admin_routes[] = {
	NULL,
};
