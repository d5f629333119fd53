/* Spec: client-server API, "Room Tagging". */
#include "homeserver/call.h"
#include "homeserver/routes.h"
#include "homeserver/userdata/tags.h"
#include "homeserver/userdata/user_room.h"
#include "shared/http/request.h"

static int get_tags(struct req *r)
{
	const struct hs_call call = call_of(r);
	json_t *content;
	uint32_t room;
	int rc = user_room_of(r, &room);

	if (rc == 0)
		rc = tags_load(&call, r->user, room, &content);
	if (rc == 0)
		reply_json(r, content);
	return rc;
}

static int put_tag(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct tag_key key = { .user_id = r->user, .tag = req_param(r, "tag") };
	int rc = user_room_of(r, &key.room);

	return rc ? rc : tags_put(&call, &key, r->body, &r->err);
}

static int delete_tag(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct tag_key key = { .user_id = r->user, .tag = req_param(r, "tag") };
	int rc = user_room_of(r, &key.room);

	return rc ? rc : tags_remove(&call, &key, &r->err);
}

#define TAGS CLIENT_V3 "/user/{userId:me}/rooms/{roomId:room_id}/tags"

const struct route tags_routes[] = {
	{ GET, TAGS, get_tags, .auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/tags.reply" },
	{ PUT, TAGS "/{tag}", put_tag, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/object",
	  .reply = "client/empty.reply" },
	{ DELETE, TAGS "/{tag}", delete_tag, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_SUSPENDED, .reply = "client/empty.reply" },
	{ 0 },
};
