/* Spec: client-server API, "Client Config". */
#include "homeserver/call.h"
#include "homeserver/push/default_rules.h"
#include "homeserver/routes.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/user_room.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

/* Spec: "Servers MUST reject setting account data for event types that the server manages". */
static int check_type(struct req *r, const char *type)
{
	if (streq(type, "m.fully_read") || streq(type, "m.push_rules"))
		return mx_fail(&r->err, MX_SERVER_MANAGED, "%s is not set by this endpoint", type);
	return 0;
}

static int put(struct req *r, uint32_t room)
{
	const struct hs_call call = call_of(r);
	const struct account_data_key key = {
		.user_id = r->user,
		.room = room,
		.type = req_param(r, "type"),
	};
	int rc = check_type(r, key.type);

	return rc ? rc : account_data_put(&call, &key, mx_trim(r->raw), &r->err);
}

static int get(struct req *r, uint32_t room)
{
	const struct hs_call call = call_of(r);
	const struct account_data_key key = {
		.user_id = r->user,
		.room = room,
		.type = req_param(r, "type"),
	};
	struct mx_slice content;
	int rc = account_data_load(&call, &key, &content);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no account data of this type");
	if (rc == 0)
		reply_bytes(r, "application/json", content);
	return rc;
}

static int put_global(struct req *r)
{
	return put(r, 0);
}

/* Nobody has other rules than the default ones, so they are kept nowhere. */
static int get_global(struct req *r)
{
	if (!streq(req_param(r, "type"), "m.push_rules"))
		return get(r, 0);
	reply_json(r, json_pack("{s:o}", "global", default_rules_new(r->user)));
	return 0;
}

static int put_room(struct req *r)
{
	uint32_t room;
	int rc = user_room_of(r, &room);

	return rc ? rc : put(r, room);
}

static int get_room(struct req *r)
{
	uint32_t room;
	int rc = user_room_of(r, &room);

	return rc ? rc : get(r, room);
}

#define GLOBAL CLIENT_V3 "/user/{userId:me}/account_data/{type}"
#define ROOM   CLIENT_V3 "/user/{userId:me}/rooms/{roomId:room_id}/account_data/{type}"

/* The content may be as large as ACCOUNT_DATA_BYTES_MAX, the default of body_max. */
const struct route account_data_routes[] = {
	{ PUT, GLOBAL, put_global, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/object",
	  .reply = "client/empty.reply" },
	{ GET, GLOBAL, get_global, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/object.reply" },
	{ PUT, ROOM, put_room, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/object",
	  .reply = "client/empty.reply" },
	{ GET, ROOM, get_room, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/object.reply" },
	{ 0 },
};
