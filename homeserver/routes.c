#include "homeserver/routes.h"

#include <stddef.h>

/* A line each, as many add to it. */
/* clang-format off */
const struct route *const hs_routes[] = {
	account_routes,
	device_routes,
	login_routes,
	moderation_routes,
	openid_routes,
	register_routes,
	server_keys_routes,
	versions_routes,
	NULL,
};

const struct route *const hs_admin_routes[] = {
	registration_admin_routes,
	user_admin_routes,
	NULL,
};
/* clang-format on */
