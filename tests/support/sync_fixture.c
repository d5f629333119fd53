#include "tests/support/sync_fixture.h"

#include "homeserver/ephemeral/presence.h"
#include "homeserver/ephemeral/typing.h"
#include "homeserver/event/room_version.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/stream/stream.h"
#include "homeserver/sync/lazy_members.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

int sync_fixture_setup(void **state)
{
	struct hs_fixture *f;

	hs_fixture_setup(state);
	f = *state;
	f->hs.stream = stream_new(&f->hs);
	f->hs.typing = typing_start(&f->hs);
	f->hs.presence = presence_start(&f->hs);
	f->hs.lazy_members = lazy_members_new(1024 * 1024);
	return 0;
}

int sync_fixture_teardown(void **state)
{
	struct hs_fixture *f = *state;

	hs_fixture_write(f);
	presence_stop(f->hs.presence);
	typing_stop(f->hs.typing);
	stream_close(f->hs.stream);
	stream_free(f->hs.stream);
	lazy_members_free(f->hs.lazy_members);
	return hs_fixture_teardown(state);
}

/* ---- happenings */

static const char *kept(struct hs_fixture *f, struct mx_slice text)
{
	return mx_arena_strndup(f->call.mem, text.ptr, text.len);
}

static void must_send(struct room_turn *turn, const struct event_wish *wish)
{
	const struct event *event;
	struct mx_error err = { 0 };

	if (turn_send(turn, wish, &event, &err))
		fail_msg("%s of %s: %s", wish->type, wish->sender, err.text);
}

static void must_set(struct room_turn *turn, const char *sender, const char *type, json_t *content)
{
	json_auto_t *owned = content;

	must_send(turn,
		  &(struct event_wish){
			  .sender = sender, .type = type, .state_key = "", .content = owned });
}

const char *plan_room(struct hs_fixture *f, const struct room_plan *plan)
{
	json_auto_t *nothing = json_object(), *join = json_pack("{s:s}", "membership", "join");
	const char *version = plan->version ? plan->version : ROOM_VERSION_DEFAULT;
	const struct room_birth birth = {
		.version = room_version_find(mx_slice(version)),
		.create = { .sender = plan->maker,
			    .type = "m.room.create",
			    .state_key = "",
			    .content = nothing },
	};
	struct room_turn *turn;
	const char *room_id;

	assert_int_equal(turn_create(&f->call, &birth, &turn, NULL), 0);
	must_send(turn, &(struct event_wish){ .sender = plan->maker,
					      .type = "m.room.member",
					      .state_key = plan->maker,
					      .content = join });
	must_set(turn, plan->maker, "m.room.join_rules", json_pack("{s:s}", "join_rule", "public"));
	if (plan->visibility)
		must_set(turn, plan->maker, "m.room.history_visibility",
			 json_pack("{s:s}", "history_visibility", plan->visibility));
	room_id = kept(f, turn_head(turn)->id);
	assert_int_equal(turn_commit(turn, NULL), 0);
	return room_id;
}

const char *make_room(struct hs_fixture *f, const char *maker)
{
	return plan_room(f, &(struct room_plan){ .maker = maker });
}

int try_event(struct hs_fixture *f, const char *room_id, const struct event_wish *wish,
	      const char **ret_event_id)
{
	struct room_turn *turn;
	const struct event *event;
	int rc;

	assert_int_equal(turn_begin(&f->call, room_id, &turn, NULL), 0);
	rc = turn_send(turn, wish, &event, NULL);
	if (rc) {
		turn_abort(turn);
		return rc;
	}
	*ret_event_id = kept(f, event->id);
	return turn_commit(turn, NULL);
}

/* Takes the content. */
static const char *must_do(struct hs_fixture *f, const char *room_id, struct event_wish wish,
			   json_t *content)
{
	json_auto_t *owned = content;
	const char *event_id = NULL;

	wish.content = owned;
	assert_int_equal(try_event(f, room_id, &wish, &event_id), 0);
	return event_id;
}

const char *send_event(struct hs_fixture *f, const char *room_id, const char *sender,
		       const char *type, json_t *content)
{
	return must_do(f, room_id, (struct event_wish){ .sender = sender, .type = type }, content);
}

const char *set_state(struct hs_fixture *f, const char *room_id, const char *sender,
		      const char *type, json_t *content)
{
	const struct event_wish wish = { .sender = sender, .type = type, .state_key = "" };

	return must_do(f, room_id, wish, content);
}

const char *say(struct hs_fixture *f, const char *room_id, const char *sender, const char *body)
{
	return send_event(f, room_id, sender, "m.room.message",
			  json_pack("{s:s, s:s}", "msgtype", "m.text", "body", body));
}

const char *name_room(struct hs_fixture *f, const char *room_id, const char *sender,
		      const char *name)
{
	return set_state(f, room_id, sender, "m.room.name", json_pack("{s:s}", "name", name));
}

const char *become(struct hs_fixture *f, const char *room_id, const char *sender, const char *user,
		   const char *membership)
{
	const struct event_wish wish = { .sender = sender,
					 .type = "m.room.member",
					 .state_key = user };

	return must_do(f, room_id, wish, json_pack("{s:s}", "membership", membership));
}

void keep_data(struct hs_fixture *f, const char *user, const char *room_id, const char *type,
	       const char *content)
{
	struct account_data_key key = { .user_id = user, .type = type };

	hs_fixture_write(f);
	if (room_id)
		assert_int_equal(room_db_find(&f->call, mx_slice(room_id), &key.room), 0);
	assert_int_equal(account_data_put(&f->call, &key, mx_slice(content), NULL), 0);
	hs_fixture_write(f);
}

/* ---- clients */

json_t *client_sync(struct hs_fixture *f, struct client *client)
{
	struct filter *filter;
	struct sync_ask ask = {
		.user_id = client->user,
		.device = client->device ? client->device : "DEVICE",
		.initial = client->since.tick == 0,
		.full_state = client->full_state,
		.state = client->state,
		.since = client->since,
		.acknowledged = client->since,
	};
	mx_str_auto out = { 0 };
	json_error_t error;
	json_t *answer;

	assert_int_equal(
		filter_parse(mx_slice(client->filter ? client->filter : "{}"), &filter, NULL), 0);
	ask.filter = filter;
	hs_fixture_read(f);
	assert_int_equal(sync_write(&f->call, &ask, &out, &client->since, &client->news), 0);
	filter_unref(filter);
	answer = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES, &error);
	if (!answer)
		fail_msg("%s: %s", error.text, out.ptr);
	return answer;
}

void client_skip(struct hs_fixture *f, struct client *client)
{
	json_decref(client_sync(f, client));
}

json_t *first_sync(struct hs_fixture *f, const char *user)
{
	struct client client = { .user = user };

	return client_sync(f, &client);
}

json_t *room_of(const json_t *answer, const char *kind, const char *room_id)
{
	return jobj(jobj(jobj(answer, "rooms"), kind), room_id);
}

json_t *events_of(const json_t *room, const char *member)
{
	return jarr(jobj(room, member), "events");
}

char *events_text(const json_t *room, const char *member)
{
	json_t *events = events_of(room, member), *event;
	mx_str_auto text = { 0 };
	size_t i;

	json_array_foreach (events, i, event) {
		const char *body = jstr(jobj(event, "content"), "body");
		const char *key = jstr(event, "state_key");

		mx_str_add_text(&text, i ? "," : "");
		mx_str_add_text(&text, body ? body : jstr_or(event, "type", "?"));
		if (key && *key)
			mx_str_addf(&text, "/%s", key);
	}
	return mx_str_steal(&text);
}

void assert_events(const json_t *room, const char *member, const char *text)
{
	mx_autofree char *found = events_text(room, member);

	assert_non_null(room);
	assert_string_equal(found, text);
}

void assert_joined(const json_t *answer, const char *room_id, const char *state,
		   const char *timeline)
{
	json_t *room = room_of(answer, "join", room_id);

	assert_events(room, "state", state);
	assert_events(room, "timeline", timeline);
}

bool is_limited(const json_t *answer, const char *kind, const char *room_id)
{
	return jbool(jobj(room_of(answer, kind, room_id), "timeline"), "limited", false);
}

void assert_says_nothing(const json_t *answer)
{
	assert_null(json_object_get(answer, "rooms"));
	assert_null(json_object_get(answer, "account_data"));
	assert_non_null(jstr(answer, "next_batch"));
	assert_int_equal(json_object_size(jobj(answer, "device_one_time_keys_count")), 0);
	assert_int_equal(json_array_size(jarr(answer, "device_unused_fallback_key_types")), 0);
}
