#include "homeserver/member/restricted.h"

#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/ingest/turn.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"

#define ALLOWED_MAX 100 /* conditions that are looked at */
#define MEMBERS_MAX 1000 /* members who are asked */

/* ---- the conditions */

static struct mx_slice text_of(const struct event *rules, uint32_t object, const char *key,
			       struct mx_arena *mem)
{
	uint32_t node = mx_json_member(&rules->doc, object, key);

	if (!node || mx_json_type(&rules->doc, node) != MX_JSON_STRING)
		return (struct mx_slice){ 0 };
	return mx_json_string(&rules->doc, node, mem);
}

static struct mx_slice join_rule(const struct event *rules, struct mx_arena *mem)
{
	return rules ? event_content_text(rules, "join_rule", mem) : MX_SLICE("");
}

bool restricted_is(struct room_turn *turn)
{
	const struct event *rules = turn_state(turn, TYPE_JOIN_RULES, "");
	const struct room_version *version = turn_head(turn)->version;
	struct mx_slice rule = join_rule(rules, turn_call(turn)->mem);

	return (version->restricted_joins && mx_slice_is(rule, "restricted")) ||
	       (version->knock_restricted && mx_slice_is(rule, "knock_restricted"));
}

static bool is_in_room(const struct hs_call *call, struct mx_slice room_id, const char *user_id)
{
	struct user_room row;
	uint32_t room;

	return room_id.ptr && room_db_find(call, room_id, &room) == 0 &&
	       user_room_db_load(call, mx_slice(user_id), room, &row) == 0 &&
	       row.membership == MEMBERSHIP_JOIN;
}

static bool meets(const struct event *rules, uint32_t condition, const struct hs_call *call,
		  const char *user_id)
{
	return mx_slice_is(text_of(rules, condition, "type", call->mem), "m.room_membership") &&
	       is_in_room(call, text_of(rules, condition, "room_id", call->mem), user_id);
}

static bool meets_any(const struct event *rules, const struct hs_call *call, const char *user_id)
{
	const struct mx_json_doc *doc = &rules->doc;
	uint32_t list = mx_json_member(doc, rules->content, "allow");
	unsigned looked_at = 0;

	if (!list || mx_json_type(doc, list) != MX_JSON_ARRAY)
		return false;
	for (uint32_t at = mx_json_first(doc, list);
	     at < mx_json_end(doc, list) && looked_at < ALLOWED_MAX;
	     at = mx_json_next(doc, at), looked_at++)
		if (mx_json_type(doc, at) == MX_JSON_OBJECT && meets(rules, at, call, user_id))
			return true;
	return false;
}

/* ---- who lets in */

struct hosts {
	struct room_turn *turn;
	const struct hs_call *call;
	struct room_power power;
};

static bool may_let_in(struct hosts *hosts, const char *user_id)
{
	return id_is_local(hosts->call->hs, user_id) &&
	       turn_membership(hosts->turn, user_id) == MEMBERSHIP_JOIN &&
	       room_power_may(&hosts->power, user_id, LEVEL_INVITE);
}

static const char *find_named(struct hosts *hosts)
{
	const struct room_creators *creators = &hosts->power.levels.creators;
	const struct level_list *users = &hosts->power.stated.users;
	const char *user;

	for (size_t i = 0; i < creators->len; i++) {
		user = mx_arena_slice(hosts->call->mem, creators->users[i]).ptr;
		if (may_let_in(hosts, user))
			return user;
	}
	for (size_t i = 0; i < users->len; i++) {
		user = mx_arena_slice(hosts->call->mem, users->items[i].name).ptr;
		if (may_let_in(hosts, user))
			return user;
	}
	return NULL;
}

/* Where everybody may invite. */
static const char *find_any(struct hosts *hosts)
{
	struct member_list members;

	if (member_db_list(hosts->call, turn_room(hosts->turn), MEMBERSHIP_JOIN, MX_SLICE(""),
			   MEMBERS_MAX, &members))
		return NULL;
	for (size_t i = 0; i < members.len; i++)
		if (may_let_in(hosts, members.items[i].user_id))
			return members.items[i].user_id;
	return NULL;
}

static int find_host(struct hosts *hosts, const char *user_id, const char **ret_host,
		     struct mx_error *err)
{
	const struct event *rules = turn_state(hosts->turn, TYPE_JOIN_RULES, "");
	const char *host;

	if (!rules || !meets_any(rules, hosts->call, user_id))
		return mx_fail(err, MX_FORBIDDEN,
			       "You are in none of the rooms that this one lets people in from");
	room_power_of_turn(&hosts->power, hosts->turn, hosts->call->mem);
	host = find_named(hosts);
	if (!host)
		host = find_any(hosts);
	if (!host)
		return mx_fail(err, MX_FORBIDDEN, "Nobody on this server may let you in");
	*ret_host = host;
	return 0;
}

int restricted_find_host(struct room_turn *turn, const char *user_id, const char **ret_host,
			 struct mx_error *err)
{
	struct hs_call call = *turn_call(turn);
	struct hosts hosts = { .turn = turn, .call = &call };
	int rc;

	/* A view: what changes meanwhile in other rooms is no reason to do all of it again. */
	call.txn = NULL;
	call.view = store_view_begin(call.hs->store);
	rc = find_host(&hosts, user_id, ret_host, err);
	store_view_end(call.view);
	return rc;
}
