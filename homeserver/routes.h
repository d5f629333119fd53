/* All route tables of the homeserver. */
#pragma once

#include "shared/http/route.h"

#define CLIENT_V3 "/_matrix/client/v3"
#define CLIENT_V1 "/_matrix/client/v1"

enum hs_route_flags {
	ROUTE_GUESTS = ROUTE_OWN, /* guests may */
	ROUTE_LOCKED = ROUTE_OWN * 2, /* users who are locked may */
	ROUTE_UIA = ROUTE_OWN * 4, /* after user-interactive authentication */
	ROUTE_SUSPENDED = ROUTE_OWN * 8, /* users who are suspended may */
};

extern const struct route *const hs_routes[]; /* NULL-ended */
extern const struct route *const hs_admin_routes[];
extern const struct route_alias hs_aliases[]; /* ended by { 0 } */

extern const struct route address_routes[], fallback_routes[], threepids_routes[]; /* account/ */
extern const struct route ending_routes[]; /* ending/ending_api.c */
extern const struct route filter_routes[]; /* userdata/filter_api.c */
extern const struct route versions_routes[], server_keys_routes[], well_known_routes[],
	capabilities_routes[], turn_routes[], later_routes[]; /* meta/ */
extern const struct route push_rules_routes[]; /* push/ */
extern const struct route media_upload_routes[], media_download_routes[]; /* media/ */
extern const struct route mail_admin_routes[]; /* message/mail_admin_api.c */
extern const struct route media_admin_routes[];
extern const struct route sync_routes[]; /* sync/sync_api.c */
extern const struct route login_routes[]; /* account/login_api.c */
extern const struct route register_routes[]; /* registration/register_api.c */
extern const struct route account_routes[]; /* account/account_api.c */
extern const struct route openid_routes[]; /* account/openid_api.c */
extern const struct route moderation_routes[]; /* account/moderation_api.c */
extern const struct route device_routes[]; /* account/device_api.c */
extern const struct route user_admin_routes[], registration_admin_routes[]; /* admin/ */
extern const struct route ending_admin_routes[]; /* ending/ */
extern const struct route account_data_routes[]; /* userdata/account_data_api.c */
extern const struct route tags_routes[]; /* userdata/tags_api.c */
extern const struct route receipts_routes[]; /* ephemeral/receipts_api.c */
extern const struct route typing_routes[]; /* ephemeral/typing_api.c */
extern const struct route profile_routes[]; /* profile/profile_api.c */
extern const struct route presence_routes[]; /* ephemeral/presence_api.c */
extern const struct route people_search_routes[]; /* profile/people_search_api.c */
extern const struct route alias_routes[]; /* directory/alias_api.c */
extern const struct route room_admin_routes[]; /* admin/room_admin_api.c */
extern const struct route room_create_routes[], room_upgrade_routes[]; /* creation/ */
extern const struct route state_routes[]; /* roomstate/state_api.c */
extern const struct route join_routes[], leave_routes[], moderate_routes[],
	onbind_routes[]; /* member/ */
extern const struct route publicrooms_routes[], room_summary_routes[]; /* directory/ */
extern const struct route report_routes[], report_admin_routes[]; /* report/ */
extern const struct route send_routes[]; /* timeline/send_api.c */
extern const struct route messages_routes[]; /* timeline/messages_api.c */
extern const struct route event_routes[]; /* timeline/event_api.c */
extern const struct route relations_routes[]; /* timeline/relations_api.c */
extern const struct route state_read_routes[]; /* roomstate/state_read_api.c */
extern const struct route members_routes[]; /* timeline/members_api.c */
extern const struct route shared_secret_routes[]; /* admin/shared_secret_api.c */
extern const struct route initial_sync_routes[]; /* sync/initial_sync_api.c */
extern const struct route events_routes[]; /* sync/events_api.c */
