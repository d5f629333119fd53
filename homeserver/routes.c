#include "homeserver/routes.h"

#include <stddef.h>

/* A line each, as many add to it. */
/* clang-format off */
const struct route *const hs_routes[] = {
	account_data_routes,
	account_routes,
	alias_routes,
	device_routes,
	join_routes,
	leave_routes,
	filter_routes,
	address_routes,
	device_routes,
	fallback_routes,
	login_routes,
	moderate_routes,
	event_routes,
	events_routes,
	initial_sync_routes,
	join_routes,
	leave_routes,
	login_routes,
	members_routes,
	messages_routes,
	moderate_routes,
	moderation_routes,
	openid_routes,
	publicrooms_routes,
	people_search_routes,
	presence_routes,
	profile_routes,
	receipts_routes,
	register_routes,
	relations_routes,
	report_routes,
	room_create_routes,
	room_summary_routes,
	room_upgrade_routes,
	send_routes,
	server_keys_routes,
	state_routes,
	sync_routes,
	tags_routes,
	typing_routes,
	relations_routes,
	state_read_routes,
	state_routes,
	threepids_routes,
	versions_routes,
	NULL,
};

const struct route *const hs_admin_routes[] = {
	registration_admin_routes,
	shared_secret_routes,
	user_admin_routes,
	report_admin_routes,
	room_admin_routes,
	NULL,
};
/* clang-format on */
