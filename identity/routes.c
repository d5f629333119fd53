#include "identity/routes.h"

#include "identity/identity_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"

#include <stddef.h>

const struct route *const identity_routes[] = { meta_routes,
						pubkey_routes,
						account_routes,
						terms_routes,
						ephemeral_routes,
						sign_v1_routes,
						sign_v2_routes,
						store_invite_v1_routes,
						store_invite_v2_routes,
						email_routes,
						email_v1_routes,
						msisdn_routes,
						msisdn_v1_routes,
						confirm_routes,
						lookup_routes,
						lookup_v1_routes,
						bind_routes,
						bind_v1_routes,
						internal_routes,
						NULL };

const struct route *const identity_admin_routes[] = {
	person_admin_routes,      session_admin_routes, invite_admin_routes,  account_admin_routes,
	suppression_admin_routes, audit_admin_routes,   outbox_admin_routes,  record_admin_routes,
	pepper_admin_routes,      import_admin_routes,  message_admin_routes, NULL
};

/* What is not here is always there: invites in rooms name our keys for ever. */
static const struct {
	const struct route *routes;
	const char *group;
} grouped[] = {
	{ lookup_routes, "lookup" },
	{ lookup_v1_routes, "v1_lookup" },
	{ bind_routes, "binding" },
	{ bind_v1_routes, "v1_binding" },
	{ account_routes, "accounts" },
	{ terms_routes, "accounts" },
	{ email_routes, "validation" },
	{ email_v1_routes, "v1_validation" },
	{ msisdn_routes, "validation" },
	{ msisdn_v1_routes, "v1_validation" },
	{ sign_v1_routes, "v1_invites" },
	{ sign_v2_routes, "invites" },
	{ store_invite_v1_routes, "v1_invites" },
	{ store_invite_v2_routes, "invites" },
};

static const char *group_of(const struct route *routes)
{
	for (size_t i = 0; i < sizeof(grouped) / sizeof(grouped[0]); i++)
		if (grouped[i].routes == routes)
			return grouped[i].group;
	return NULL;
}

bool identity_has_group(const char *name)
{
	struct mx_slice rest = mx_slice(IDENTITY_GROUPS), group;

	while (mx_split_next(&rest, ',', &group))
		if (mx_slice_is(mx_trim(group), name))
			return true;
	return false;
}

static bool is_off(const struct identity_conf *conf, const struct route *routes)
{
	const char *group = group_of(routes);

	if (routes == internal_routes)
		return !conf->internal.token_file;
	for (unsigned i = 0; i < conf->endpoints.off_count; i++)
		if (streq(conf->endpoints.off[i], group))
			return true;
	return false;
}

const struct route **identity_routes_of(const struct identity_conf *conf)
{
	size_t count = sizeof(identity_routes) / sizeof(identity_routes[0]), len = 0;
	const struct route **tables = mx_calloc(count, sizeof(*tables));

	for (size_t i = 0; identity_routes[i]; i++)
		if (!is_off(conf, identity_routes[i]))
			tables[len++] = identity_routes[i];
	return tables;
}
