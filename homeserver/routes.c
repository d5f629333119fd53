#include "homeserver/routes.h"

#include <stddef.h>

/* A line each, as many add to it. */
/* clang-format off */
const struct route *const hs_routes[] = {
	account_data_routes,
	account_routes,
	address_routes,
	alias_routes,
	capabilities_routes,
	device_routes,
	event_routes,
	events_routes,
	fallback_routes,
	filter_routes,
	initial_sync_routes,
	join_routes,
	later_routes,
	leave_routes,
	ending_routes,
	login_routes,
	media_download_routes,
	media_upload_routes,
	members_routes,
	messages_routes,
	moderate_routes,
	moderation_routes,
	onbind_routes,
	openid_routes,
	people_search_routes,
	presence_routes,
	profile_routes,
	publicrooms_routes,
	push_rules_routes,
	receipts_routes,
	register_routes,
	relations_routes,
	report_routes,
	room_create_routes,
	room_summary_routes,
	room_upgrade_routes,
	send_routes,
	server_keys_routes,
	state_read_routes,
	state_routes,
	sync_routes,
	tags_routes,
	threepids_routes,
	turn_routes,
	typing_routes,
	versions_routes,
	well_known_routes,
	NULL,
};

/* Paths as they were named before v1.1 of the specification; many clients still use them. */
const struct route_alias hs_aliases[] = {
	{ "/_matrix/client/r0", CLIENT_V3 },
	{ "/_matrix/media/r0", "/_matrix/media/v3" },
	{ "/_matrix/media/v1", "/_matrix/media/v3" },
	{ 0 },
};

const struct route *const hs_admin_routes[] = {
	registration_admin_routes,
	shared_secret_routes,
	user_admin_routes,
	ending_admin_routes,
	report_admin_routes,
	mail_admin_routes,
	room_admin_routes,
	media_admin_routes,
	NULL,
};
/* clang-format on */
