/* Spec: client-server API, "Profiles". */
#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/acquaintance.h"
#include "homeserver/profile/profile.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

/* ---- asking */

/* Spec: "In all other cases, homeservers MAY deny profile look-up". */
static int check_viewer(struct req *r, const struct hs_call *call, const char *user_id)
{
	const struct hs_conf *conf = conf_of(call->hs);

	if (conf->profiles.look_up == CONF_LOOK_UP_EVERYBODY || streq(r->user, user_id))
		return 0;
	if (!r->user)
		return mx_fail(&r->err, MX_MISSING_TOKEN, "Profiles are shown to users only");
	if (conf->profiles.look_up == CONF_LOOK_UP_USERS)
		return 0;
	return acquaintance_sees(call, r->user, user_id, &r->err);
}

static int load(struct req *r, json_t **ret_profile)
{
	const struct hs_call call = call_of(r);
	const char *user_id = req_param(r, "userId");
	int rc = check_viewer(r, &call, user_id);

	if (rc == 0)
		rc = profile_load(&call, user_id, ret_profile);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such user here");
	return rc;
}

static int get_profile(struct req *r)
{
	json_t *profile;
	int rc = load(r, &profile);

	if (rc == 0)
		reply_json(r, profile);
	return rc;
}

static int get_field(struct req *r)
{
	const char *key = req_param(r, "keyName");
	json_auto_t *profile = NULL;
	json_t *value;
	int rc = load(r, &profile);

	if (rc)
		return rc;
	value = json_object_get(profile, key);
	if (!value)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such field in that profile");
	reply_json(r, json_pack("{s:O}", key, value));
	return 0;
}

/* ---- changing */

/* Spec: "Guest users may only modify their display name". */
static int check_change(struct req *r, const struct hs_call *call, const char *key)
{
	if (profile_is_locked(call->hs, key))
		return mx_fail(&r->err, MX_FORBIDDEN, "%s is not changed on this server", key);
	if (!streq(key, "displayname") && account_flags(call, mx_slice(r->user)) & ACCOUNT_GUEST)
		return mx_fail(&r->err, MX_GUEST_FORBIDDEN, "Guests have a display name only");
	return 0;
}

static int set_field(struct req *r, const json_t *value)
{
	const struct hs_call call = call_of(r);
	const char *key = req_param(r, "keyName");
	int rc = check_change(r, &call, key);

	return rc ? rc : profile_set(&call, r->user, key, value, &r->err);
}

static int put_field(struct req *r)
{
	const char *key = req_param(r, "keyName");
	const json_t *value = json_object_get(r->body, key);

	if (!value)
		return mx_fail(&r->err, MX_MISSING_PARAM, "%s is missing in the body", key);
	return set_field(r, value);
}

static int delete_field(struct req *r)
{
	return set_field(r, NULL);
}

#define PROFILE CLIENT_V3 "/profile/{userId:user_id}"
#define FIELD   CLIENT_V3 "/profile/{userId:me}/{keyName}"

const struct route profile_routes[] = {
	{ GET, PROFILE, get_profile, .auth = AUTH_OPTIONAL, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS | ROUTE_GUESTS, .reply = "client/profile.reply" },
	{ GET, PROFILE "/{keyName}", get_field, .auth = AUTH_OPTIONAL, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_GUESTS,
	  .reply = "client/profile_field.reply" },
	/* More than a profile may hold, so that what is too much for it is told from what is too
	 * much for a request. */
	{ PUT, FIELD, put_field, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_GUESTS, .body = "client/object",
	  .reply = "client/empty.reply", .body_max = 2 * PROFILE_BYTES_MAX },
	{ DELETE, FIELD, delete_field, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_GUESTS, .reply = "client/empty.reply" },
	{ 0 },
};
