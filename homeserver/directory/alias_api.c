/* Spec: client-server API, "Room aliases". */
#include "homeserver/call.h"
#include "homeserver/directory/alias.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int put_alias(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct alias alias = {
		.name = req_param(r, "roomAlias"),
		.room_id = jstr(r->body, "room_id"),
		.creator = r->user,
	};
	int rc = alias_check_own(&call, alias.name, &r->err);

	if (rc == 0)
		rc = room_access_check_member(&call, alias.room_id, r->user, &r->err);
	return rc ? rc : alias_claim(&call, &alias, &r->err);
}

static int get_alias(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *room_id;
	int rc = alias_resolve(&call, req_param(r, "roomAlias"), &room_id, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:s, s:[s]}", "room_id", room_id, "servers",
					call.hs->conf->server_name));
	return rc;
}

static int delete_alias(struct req *r)
{
	const struct hs_call call = call_of(r);
	int rc = alias_check_own(&call, req_param(r, "roomAlias"), &r->err);

	return rc ? rc : alias_release(&call, req_param(r, "roomAlias"), r->user, &r->err);
}

static int list_aliases(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *room_id = req_param(r, "roomId");
	struct alias_list list;
	json_t *names;
	int rc = room_access_check_reader(&call, room_id, r->user, &r->err);

	if (rc == 0)
		rc = alias_db_list(&call, room_id, &list);
	if (rc)
		return rc;
	names = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(names, json_string(list.items[i].name));
	reply_json(r, json_pack("{s:o}", "aliases", names));
	return 0;
}

#define ALIAS CLIENT_V3 "/directory/room/{roomAlias}"

const struct route alias_routes[] = {
	{ PUT, ALIAS, put_alias, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS, .body = "client/alias_put", .reply = "client/empty.reply" },
	{ GET, ALIAS, get_alias, .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/alias.reply" },
	{ DELETE, ALIAS, delete_alias, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS, .reply = "client/empty.reply" },
	{ GET, CLIENT_V3 "/rooms/{roomId:room_id}/aliases", list_aliases, .auth = AUTH_USER,
	  .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/aliases.reply" },
	{ 0 },
};
