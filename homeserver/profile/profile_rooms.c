#include "homeserver/profile/profile_rooms.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/profile/profile.h"
#include "homeserver/profile/profile_db.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define CHANGES_AT_ONCE 100
#define TRIES_MAX       5 /* of one room, when others write at the same moment */

/* Of a membership: what is not repeated with the next event.
 * Spec: m.room.member, "join_authorised_via_users_server", "third_party_invite" */
static const char *const once_only[] = {
	"join_authorised_via_users_server",
	"reason",
	"third_party_invite",
};

/* ---- one room */

static bool set_text(json_t *content, const char *key, const char *text)
{
	if (text ? streq(jstr(content, key), text) : !json_object_get(content, key))
		return false;
	if (text)
		json_object_set_new(content, key, json_string(text));
	else
		json_object_del(content, key);
	return true;
}

struct person {
	const char *user_id, *displayname, *avatar_url;
};

/* The content with the profile's values; NULL if it has them, or is no membership to be changed. */
static json_t *next_content(const struct event *event, const struct person *person,
			    struct mx_arena *mem)
{
	json_t *content = NULL;
	bool changed;

	if (!event || mx_json_parse(mx_json_raw(&event->doc, event->content),
				    &mx_json_default_limits, mem, &content, NULL))
		return NULL;
	changed = set_text(content, "displayname", person->displayname);
	changed |= set_text(content, "avatar_url", person->avatar_url);
	if (!changed || !streq(jstr(content, "membership"), "join")) {
		json_decref(content);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(once_only) / sizeof(once_only[0]); i++)
		json_object_del(content, once_only[i]);
	return content;
}

static int send_member(struct room_turn *turn, const struct person *person, struct mx_arena *mem,
		       struct mx_error *err)
{
	const struct event *event;
	json_auto_t *content = next_content(turn_state(turn, "m.room.member", person->user_id),
					    person, mem);
	const struct event_wish wish = {
		.type = "m.room.member",
		.sender = person->user_id,
		.state_key = person->user_id,
		.content = content,
	};

	return content ? turn_send(turn, &wish, &event, err) : -MX_NOT_FOUND;
}

/* Once. A room where it is not needed, or not allowed, is done. */
static int try_room(const struct hs_call *call, const char *room_id, const struct person *person)
{
	struct room_turn *turn;
	struct mx_error err = { 0 };
	int rc = turn_begin(call, room_id, &turn, &err);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	rc = send_member(turn, person, call->mem, &err);
	if (rc == 0)
		return turn_commit(turn, &err);
	turn_abort(turn);
	if (rc == -MX_NOT_FOUND)
		return 0;
	mx_log(MX_LOG_INFO, "a room was not told of a new profile", "room", room_id, "reason",
	       mx_error_text(&err, rc), NULL);
	return rc == -MX_STORE || rc == -MX_STORE_FULL ? rc : 0;
}

static int do_room(const struct hs_call *call, const char *room_id, const struct person *person)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; rc == -MX_CONFLICT && i < TRIES_MAX; i++)
		rc = try_room(call, room_id, person);
	return rc;
}

/* ---- one user */

struct room_ids {
	const char **items;
	size_t len;
};

static int add_joined(const struct hs_call *call, const struct user_room *row, struct room_ids *ids)
{
	struct room_head head;
	int rc;

	if (row->membership != MEMBERSHIP_JOIN)
		return 0;
	rc = room_db_head(call, row->room, &head);
	if (rc == 0)
		ids->items[ids->len++] = mx_arena_slice(call->mem, head.id).ptr;
	return rc;
}

static int load_rooms(const struct hs_call *call, const char *user_id, struct room_ids *ids)
{
	struct user_room_list list;
	int rc = user_room_db_list(call, mx_slice(user_id), &list);

	if (rc)
		return rc;
	ids->items = mx_arena_calloc(call->mem, list.len + 1, sizeof(*ids->items));
	for (size_t i = 0; rc == 0 && i < list.len; i++)
		rc = add_joined(call, &list.items[i], ids);
	return rc;
}

static int load_person(const struct hs_call *call, const char *user_id, struct person *person)
{
	int rc;

	person->user_id = user_id;
	rc = profile_text(call, user_id, "displayname", &person->displayname);
	return rc ? rc : profile_text(call, user_id, "avatar_url", &person->avatar_url);
}

static int load_work(struct hs_call *call, const char *user_id, struct person *person,
		     struct room_ids *ids)
{
	int rc;

	call->view = store_view_begin(call->hs->store);
	rc = load_person(call, user_id, person);
	if (rc == 0)
		rc = load_rooms(call, user_id, ids);
	store_view_end(call->view);
	call->view = NULL;
	return rc;
}

static int finish(struct hs_call *call, const struct profile_change *change)
{
	int rc;

	call->txn = store_txn_begin(call->hs->store);
	rc = profile_change_db_done(call, change);
	if (rc)
		store_txn_abort(call->txn);
	else
		rc = store_txn_commit(call->txn, NULL);
	call->txn = NULL;
	/* Changed at the same moment: it comes again. */
	return rc == -MX_CONFLICT ? 0 : rc;
}

static int do_user(struct hs *hs, const struct profile_change *change, const _Atomic bool *stopping)
{
	mx_arena_auto *mem = mx_arena_new(0), *room_mem = mx_arena_new(0);
	struct hs_call call = { .hs = hs, .mem = mem, .now_ms = mx_now_ms() };
	struct hs_call room_call = call;
	struct room_ids ids = { 0 };
	struct person person;
	int rc = load_work(&call, change->user_id, &person, &ids);

	room_call.mem = room_mem;
	for (size_t i = 0; rc == 0 && i < ids.len && !*stopping; i++) {
		room_call.now_ms = mx_now_ms();
		rc = do_room(&room_call, ids.items[i], &person);
		mx_arena_reset(room_mem);
	}
	return rc || *stopping ? rc : finish(&call, change);
}

/* ---- all of them */

static int load_changes(struct hs *hs, struct mx_arena *mem, struct profile_change_list *list)
{
	struct hs_call call = { .hs = hs, .mem = mem };
	int rc;

	call.view = store_view_begin(hs->store);
	rc = profile_change_db_list(&call, CHANGES_AT_ONCE, list);
	store_view_end(call.view);
	return rc;
}

/* How many were looked at; or why it does not go on. */
static int do_some(struct hs *hs, const _Atomic bool *stopping, size_t *ret_count)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct profile_change_list list = { 0 };
	int rc = load_changes(hs, mem, &list);

	for (size_t i = 0; rc == 0 && i < list.len && !*stopping; i++)
		rc = do_user(hs, &list.items[i], stopping);
	*ret_count = list.len;
	return rc;
}

int profile_rooms_tell(struct hs *hs, const _Atomic bool *stopping)
{
	size_t count;
	int rc;

	do
		rc = do_some(hs, stopping, &count);
	while (rc == 0 && count > 0 && !*stopping);
	return rc;
}
