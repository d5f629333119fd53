/* Spec: client-server API, "Receipts" and "Fully read markers". */
#include "homeserver/call.h"
#include "homeserver/ephemeral/presence.h"
#include "homeserver/ephemeral/receipts.h"
#include "homeserver/hs.h"
#include "homeserver/room/room_db.h"
#include "homeserver/routes.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static const char *const types[] = { RECEIPT_READ, RECEIPT_READ_PRIVATE, RECEIPT_FULLY_READ };

#define TYPES_LEN (sizeof(types) / sizeof(types[0]))

static int check_type(struct req *r, const char *type)
{
	for (size_t i = 0; i < TYPES_LEN; i++)
		if (streq(type, types[i]))
			return 0;
	return mx_fail(&r->err, MX_INVALID_PARAM, "%s is no type of a receipt", type);
}

/* Rooms that are not here are refused like those that one is not in. */
static int find_room(struct req *r, const struct hs_call *call, uint32_t *ret_room)
{
	int rc = room_db_find(call, mx_slice(req_param(r, "roomId")), ret_room);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_FORBIDDEN, "You are not in that room");
	return rc;
}

/* Spec: "The thread_id is invalid … It is not a string. It is empty." */
static int read_thread(struct req *r, struct mx_slice *ret_thread)
{
	const json_t *thread = json_object_get(r->body, "thread_id");

	if (!thread)
		return 0;
	if (!json_is_string(thread) || json_string_length(thread) == 0)
		return mx_fail(&r->err, MX_INVALID_PARAM, "thread_id must be a non-empty string");
	*ret_thread = jslice(r->body, "thread_id");
	return 0;
}

static int post_receipt(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct receipt receipt = {
		.type = mx_slice(req_param(r, "receiptType")),
		.user_id = mx_slice(r->user),
		.event_id = mx_slice(req_param(r, "eventId")),
	};
	uint32_t room;
	int rc = check_type(r, receipt.type.ptr);

	if (rc == 0)
		rc = read_thread(r, &receipt.thread_id);
	if (rc == 0)
		rc = find_room(r, &call, &room);
	if (rc == 0)
		rc = receipts_mark(&call, room, &receipt, &r->err);
	if (rc == 0)
		presence_active(&call, r->user);
	return rc;
}

static int post_markers(struct req *r)
{
	const struct hs_call call = call_of(r);
	uint32_t room;
	int rc = find_room(r, &call, &room);

	for (size_t i = 0; rc == 0 && i < TYPES_LEN; i++) {
		const struct receipt receipt = {
			.type = mx_slice(types[i]),
			.user_id = mx_slice(r->user),
			.event_id = jslice(r->body, types[i]),
		};

		if (receipt.event_id.ptr)
			rc = receipts_mark(&call, room, &receipt, &r->err);
	}
	if (rc == 0)
		presence_active(&call, r->user);
	return rc;
}

#define ROOM CLIENT_V3 "/rooms/{roomId:room_id}"

const struct route receipts_routes[] = {
	{ POST, ROOM "/receipt/{receiptType}/{eventId:event_id}", post_receipt, .auth = AUTH_USER,
	  .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = ROUTE_CORS | ROUTE_SUSPENDED | ROUTE_OPTIONAL_BODY, .body = "client/object",
	  .reply = "client/empty.reply" },
	{ POST, ROOM "/read_markers", post_markers, .auth = AUTH_USER, .limit = LIMIT_EDIT,
	  .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_SUSPENDED, .body = "client/read_markers",
	  .reply = "client/empty.reply" },
	{ 0 },
};
