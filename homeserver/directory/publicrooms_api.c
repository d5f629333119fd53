/* Spec: client-server API, "Published room directory". */
#include "homeserver/call.h"
#include "homeserver/directory/publicrooms.h"
#include "homeserver/directory/remote.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

static int get_visibility(struct req *r)
{
	const struct hs_call call = call_of(r);
	bool is_public;
	int rc = publicrooms_get(&call, req_param(r, "roomId"), &is_public, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "visibility", is_public ? "public" : "private"));
	return rc;
}

static int put_visibility(struct req *r)
{
	const struct hs_call call = call_of(r);
	bool is_public = streq(jstr_or(r->body, "visibility", "public"), "public");
	struct room_turn *turn = NULL;
	int rc = turn_begin(&call, req_param(r, "roomId"), &turn, &r->err);

	if (rc == 0)
		rc = publicrooms_set_in(turn, r->user, is_public, &r->err);
	return turn_answer(turn, r, rc);
}

/* ---- the list */

static int check_server(struct req *r)
{
	const struct hs *hs = r->app;
	const char *server = req_query(r, "server");

	if (!server || streq(server, hs->conf->server_name))
		return 0;
	if (!mx_server_name_valid(mx_slice(server)))
		return mx_fail(&r->err, MX_INVALID_PARAM, "server is no server name");
	return remote_ask_server(server, &r->err);
}

static int answer_list(struct req *r, const struct publicrooms_query *query)
{
	const struct hs_call call = call_of(r);
	json_t *answer;
	int rc = check_server(r);

	if (rc == 0)
		rc = publicrooms_list(&call, query, &answer, &r->err);
	if (rc == 0)
		reply_json(r, answer);
	return rc;
}

static int list_rooms(struct req *r)
{
	struct publicrooms_query query = { .since = req_query(r, "since") };
	int rc = req_query_i64(r, "limit", 0, &query.limit);

	if (rc || query.limit < 0)
		return mx_fail(&r->err, MX_INVALID_PARAM, "limit must be a number of rooms");
	return answer_list(r, &query);
}

static int search_rooms(struct req *r)
{
	const json_t *filter = jobj(r->body, "filter");
	const struct publicrooms_query query = {
		.limit = jint(r->body, "limit", 0),
		.since = jstr(r->body, "since"),
		.term = jstr(filter, "generic_search_term"),
		.room_types = jarr(filter, "room_types"),
	};

	return answer_list(r, &query);
}

#define LISTED CLIENT_V3 "/directory/list/room/{roomId:room_id}"

const struct route publicrooms_routes[] = {
	{ GET, LISTED, get_visibility, .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS,
	  .reply = "client/visibility" },
	{ PUT, LISTED, put_visibility, .auth = AUTH_USER, .limit = LIMIT_EDIT, .flags = ROUTE_CORS,
	  .body = "client/visibility", .reply = "client/empty.reply" },
	{ GET, CLIENT_V3 "/publicRooms", list_rooms, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED,
	  .reply = "client/public_rooms.reply" },
	{ POST, CLIENT_V3 "/publicRooms", search_rooms, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ,
	  .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED | ROUTE_OPTIONAL_BODY,
	  .body = "client/public_rooms", .reply = "client/public_rooms.reply" },
	{ 0 },
};
