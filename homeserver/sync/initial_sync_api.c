/* What clients asked for before there was /sync; a single room is still read that way by who looks
 * into it without joining. Spec: client-server API, "Room Previews", and its deprecated
 * endpoints. */
#include "homeserver/ephemeral/presence.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/routes.h"
#include "homeserver/stream/stream.h"
#include "homeserver/timeline/page.h"
#include "homeserver/timeline/page_token.h"
#include "homeserver/timeline/sync_token.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"
#include "shared/store/store.h"

#define LIMIT_DEFAULT 10
#define LIMIT_MAX     100

/* ---- parts of an answer */

/* The newest ones, oldest first. */
static int add_messages(struct reading *reading, size_t limit)
{
	static const struct event_filter all;
	struct page_ask ask = {
		.to = TOPO_FIRST, .backwards = true, .limit = limit, .filter = &all
	};
	struct mx_str *out = &reading->out;
	struct page page;
	int rc = reading_last_place(reading, &ask.from);

	if (rc == 0)
		rc = page_load(reading, &ask, &page);
	if (rc)
		return rc;
	json_key(out, "messages");
	mx_str_add_text(out, "{\"chunk\":[");
	for (size_t i = page.len; i-- > 0;)
		reading_event(reading, &page.items[i]);
	mx_str_add_char(out, ']');
	page_token_write(out, "end", ask.from);
	if (page.more)
		page_token_write(out, "start", page.end);
	mx_str_add_char(out, '}');
	return 0;
}

static int add_account_data(const struct hs_call *call, const char *user_id, uint32_t room,
			    struct mx_str *out)
{
	struct account_data_list list;
	int rc = account_data_changed_in(call, user_id, room, 0, &list);

	if (rc)
		return rc;
	json_key(out, "account_data");
	mx_str_add_char(out, '[');
	for (size_t i = 0; i < list.len; i++) {
		json_next(out);
		mx_str_add_text(out, "{\"content\":");
		mx_str_add_slice(out, list.items[i].content);
		mx_str_add_text(out, ",\"type\":");
		mx_canonical_string(out, list.items[i].type);
		mx_str_add_char(out, '}');
	}
	mx_str_add_char(out, ']');
	return 0;
}

static void add_membership(struct mx_str *out, enum membership membership)
{
	json_key(out, "membership");
	mx_canonical_string(out, mx_slice(membership_name(membership)));
}

static int write_room(struct reading *reading, size_t limit)
{
	struct mx_str *out = &reading->out;
	int rc;

	mx_str_add_text(out, "{\"room_id\":");
	mx_canonical_string(out, reading->head.id);
	if (reading->visibility.now != MEMBERSHIP_NONE)
		add_membership(out, reading->visibility.now);
	rc = add_messages(reading, limit);
	if (rc)
		return rc;
	mx_str_add_text(out, ",\"state\":[");
	rc = reading_state(reading, &reading->state, STATE_ALL, NULL);
	mx_str_add_char(out, ']');
	if (rc == 0)
		rc = add_account_data(&reading->call, reading->r->user, reading->room, out);
	mx_str_add_char(out, '}');
	return rc;
}

/* ---- one room */

static int get_room(struct req *r)
{
	struct reading reading;
	size_t limit;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = reading_limit(r, LIMIT_DEFAULT, LIMIT_MAX, &limit);
	if (rc == 0)
		rc = write_room(&reading, limit);
	return reading_end(&reading, rc);
}

/* ---- all rooms */

struct overview {
	struct req *r;
	struct hs_call call;
	size_t limit;
	bool archived;
	struct mx_str out;
};

static int add_invite(struct overview *o, const struct hs_call *call, const struct user_room *row)
{
	const struct event_viewer viewer = { .user_id = o->r->user, .device = o->r->device };
	struct stored_event event;
	struct room_head head;
	int rc = room_db_head(call, row->room, &head);

	if (rc == 0)
		rc = event_db_load(call, row->room, row->event, &event);
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc; /* from elsewhere: there is no such event */
	json_next(&o->out);
	mx_str_add_text(&o->out, "{\"room_id\":");
	mx_canonical_string(&o->out, head.id);
	add_membership(&o->out, MEMBERSHIP_INVITE);
	json_key(&o->out, "invite");
	event_view(call, &viewer, &event, &o->out);
	mx_str_add_char(&o->out, '}');
	return 0;
}

static int add_open_room(struct overview *o, const struct hs_call *call,
			 const struct user_room *row)
{
	struct reading reading;
	struct room_head head;
	int rc = room_db_head(call, row->room, &head);

	if (rc == 0)
		rc = reading_open(&reading, o->r, call, head.id);
	if (rc)
		return rc == -MX_FORBIDDEN ? 0 : rc; /* never was a member */
	rc = write_room(&reading, o->limit);
	if (rc == 0)
		json_next(&o->out);
	return reading_close(&reading, rc, &o->out);
}

static int add_room(struct overview *o, const struct hs_call *call, const struct user_room *row)
{
	if (row->membership == MEMBERSHIP_INVITE)
		return add_invite(o, call, row);
	if (row->membership == MEMBERSHIP_JOIN || (o->archived && !row->forgotten))
		return add_open_room(o, call, row);
	return 0;
}

static int add_rooms(struct overview *o)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call call = o->call;
	struct user_room_list rooms;
	int rc = user_room_db_list(&o->call, mx_slice(o->r->user), &rooms);

	call.mem = mem;
	json_key(&o->out, "rooms");
	mx_str_add_char(&o->out, '[');
	for (size_t i = 0; rc == 0 && i < rooms.len; i++) {
		rc = add_room(o, &call, &rooms.items[i]);
		mx_arena_reset(mem);
	}
	mx_str_add_char(&o->out, ']');
	return rc;
}

static int add_presence(struct overview *o)
{
	const struct presence_ask ask = { .viewer = o->r->user };
	struct presence_events events;
	int rc = presence_events(&o->call, &ask, &events);

	if (rc)
		return rc;
	json_key(&o->out, "presence");
	mx_str_add_char(&o->out, '[');
	for (size_t i = 0; i < events.len; i++) {
		json_next(&o->out);
		mx_str_add_slice(&o->out, events.items[i]);
	}
	mx_str_add_char(&o->out, ']');
	return 0;
}

static int write_overview(struct overview *o)
{
	const struct sync_token now = { store_view_stamp(o->call.view),
					stream_ticks(o->call.hs->stream) };
	int rc;

	mx_str_add_text(&o->out, "{\"end\":\"");
	sync_token_add(&o->out, &now);
	mx_str_add_char(&o->out, '"');
	rc = add_presence(o);
	if (rc == 0)
		rc = add_account_data(&o->call, o->r->user, 0, &o->out);
	if (rc == 0)
		rc = add_rooms(o);
	mx_str_add_char(&o->out, '}');
	return rc;
}

static int query_overview(struct overview *o)
{
	const char *archived = req_query(o->r, "archived");

	if (archived && !streq(archived, "true") && !streq(archived, "false"))
		return mx_fail(&o->r->err, MX_INVALID_PARAM, "archived must be true or false");
	o->archived = streq(archived, "true");
	return reading_limit(o->r, LIMIT_DEFAULT, LIMIT_MAX, &o->limit);
}

static int get_overview(struct req *r)
{
	struct overview o = { .r = r, .call = call_of(r) };
	int rc = query_overview(&o);

	if (rc == 0)
		rc = write_overview(&o);
	if (rc == 0) {
		size_t len = o.out.len;

		reply_owned(r, "application/json", mx_str_steal(&o.out), len);
	}
	mx_str_done(&o.out);
	return rc;
}

#define READ .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS

const struct route initial_sync_routes[] = {
	{ GET, CLIENT_V3 "/rooms/{roomId:room_id}/initialSync", get_room,
	  .auth = AUTH_USER_OR_GUEST, READ, .reply = "client/room_initial_sync.reply" },
	{ GET, CLIENT_V3 "/initialSync", get_overview, .auth = AUTH_USER, READ,
	  .reply = "client/initial_sync.reply" },
	{ 0 },
};
