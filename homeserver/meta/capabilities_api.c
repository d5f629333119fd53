/* Spec: client-server API, "Capabilities negotiation". */
#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/event/room_version.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/profile.h"
#include "homeserver/routes.h"
#include "shared/http/request.h"

#include <jansson.h>

static json_t *room_versions_new(const struct hs_conf *conf)
{
	json_t *available = json_object();
	const struct room_version *version;

	for (size_t i = 0; (version = room_version_at(i)); i++)
		json_object_set_new(available, version->id, json_string("stable"));
	return json_pack("{s:s, s:o}", "default", conf->default_room_version, "available",
			 available);
}

static json_t *enabled_new(bool enabled)
{
	return json_pack("{s:b}", "enabled", enabled);
}

/* Spec: "m.profile_fields"; the two others are its older forms. */
static void add_profile(const struct hs *hs, json_t *all)
{
	const struct profiles_conf *conf = &conf_of(hs)->profiles;
	json_t *fields = enabled_new(true);

	if (conf->locked_count)
		json_object_set_new(fields, "disallowed", json_array());
	for (unsigned i = 0; i < conf->locked_count; i++)
		json_array_append_new(json_object_get(fields, "disallowed"),
				      json_string(conf->locked[i]));
	json_object_set_new(all, "m.profile_fields", fields);
	json_object_set_new(all, "m.set_displayname",
			    enabled_new(!profile_is_locked(hs, "displayname")));
	json_object_set_new(all, "m.set_avatar_url",
			    enabled_new(!profile_is_locked(hs, "avatar_url")));
}

/* Spec: left out where all of it would be false. */
static void add_moderation(struct req *r, json_t *all)
{
	const struct hs_call call = call_of(r);

	if (account_flags(&call, mx_slice(r->user)) & ACCOUNT_ADMIN)
		json_object_set_new(all, "m.account_moderation",
				    json_pack("{s:b, s:b}", "suspend", true, "lock", true));
}

static int get_capabilities(struct req *r)
{
	const struct hs_conf *conf = conf_of(r->app);
	json_t *all = json_pack("{s:o}", "m.room_versions", room_versions_new(conf));

	json_object_set_new(all, "m.change_password", enabled_new(true));
	json_object_set_new(all, "m.3pid_changes",
			    enabled_new(!conf->threepids.changes || *conf->threepids.changes));
	add_profile(r->app, all);
	json_object_set_new(all, "m.get_login_token", enabled_new(true));
	json_object_set_new(all, "m.forget_forced_upon_leave", enabled_new(false));
	add_moderation(r, all);
	reply_json(r, json_pack("{s:o}", "capabilities", all));
	return 0;
}

const struct route capabilities_routes[] = {
	{ GET, CLIENT_V3 "/capabilities", get_capabilities, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED,
	  .reply = "client/capabilities.reply" },
	{ 0 },
};
