/* Spec: client-server API, "Getting events for a room": who is, was or may be in it. */
#include "homeserver/json_out.h"
#include "homeserver/routes.h"
#include "homeserver/timeline/reading.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"

/* ---- /members */

struct choice {
	enum membership is, is_not; /* MEMBERSHIP_NONE: nothing is said */
};

static int query_membership(struct req *r, const char *name, enum membership *ret_membership)
{
	const char *text = req_query(r, name);

	*ret_membership = text ? membership_of(mx_slice(text)) : MEMBERSHIP_NONE;
	if (text && *ret_membership == MEMBERSHIP_NONE)
		return mx_fail(&r->err, MX_INVALID_PARAM, "%s is no membership", name);
	return 0;
}

/* Spec: both together are an "or". */
static bool is_chosen(const void *ctx, const struct event *event)
{
	enum membership membership = membership_of(event_membership(event));
	const struct choice *choice = ctx;

	if (choice->is == MEMBERSHIP_NONE && choice->is_not == MEMBERSHIP_NONE)
		return true;
	return (choice->is != MEMBERSHIP_NONE && membership == choice->is) ||
	       (choice->is_not != MEMBERSHIP_NONE && membership != choice->is_not);
}

static int get_members(struct req *r)
{
	struct room_state state;
	struct reading reading;
	struct choice choice;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = query_membership(r, "membership", &choice.is);
	if (rc == 0)
		rc = query_membership(r, "not_membership", &choice.is_not);
	if (rc == 0)
		rc = reading_state_at(&reading, req_query(r, "at"), &state);
	if (rc == 0) {
		mx_str_add_text(&reading.out, "{\"chunk\":[");
		rc = reading_state(&reading, &state, STATE_MEMBERS,
				   &(struct state_choice){ is_chosen, &choice });
		mx_str_add_text(&reading.out, "]}");
	}
	return reading_end(&reading, rc);
}

/* ---- /joined_members */

static void add_text(struct reading *reading, const struct hs_call *call, const struct event *event,
		     const char *from, const char *to)
{
	struct mx_slice text = event_content_text(event, from, call->mem);

	if (!text.ptr)
		return;
	json_key(&reading->out, to);
	mx_canonical_string(&reading->out, text);
}

static int add_member(struct reading *reading, const struct hs_call *call,
		      const struct member_row *row)
{
	struct stored_event event;
	int rc = event_db_load(call, reading->room, row->event, &event);

	if (rc)
		return rc;
	json_next(&reading->out);
	mx_canonical_string(&reading->out, mx_slice(row->user_id));
	mx_str_add_text(&reading->out, ":{");
	add_text(reading, call, &event.event, "avatar_url", "avatar_url");
	add_text(reading, call, &event.event, "displayname", "display_name");
	mx_str_add_char(&reading->out, '}');
	return 0;
}

static int add_joined(struct reading *reading)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call call = reading->call;
	struct member_list list;
	int rc = member_db_list(&reading->call, reading->room, MEMBERSHIP_JOIN, MX_SLICE(""),
				SIZE_MAX, &list);

	call.mem = mem;
	for (size_t i = 0; rc == 0 && i < list.len; i++) {
		rc = add_member(reading, &call, &list.items[i]);
		mx_arena_reset(mem);
	}
	return rc;
}

static int get_joined_members(struct req *r)
{
	struct reading reading;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0 && reading.visibility.now != MEMBERSHIP_JOIN)
		rc = mx_fail(&r->err, MX_FORBIDDEN, "You are not in this room");
	if (rc == 0) {
		mx_str_add_text(&reading.out, "{\"joined\":{");
		rc = add_joined(&reading);
		mx_str_add_text(&reading.out, "}}");
	}
	return reading_end(&reading, rc);
}

#define ROOM CLIENT_V3 "/rooms/{roomId:room_id}"

const struct route members_routes[] = {
	{ GET, ROOM "/members", get_members, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "client/members.reply" },
	{ GET, ROOM "/joined_members", get_joined_members, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "client/joined_members.reply" },
	{ 0 },
};
