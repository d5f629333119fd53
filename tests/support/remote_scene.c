#include "tests/support/remote_scene.h"

#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/select.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"

static const uint8_t seed[MX_ED25519_SEED_LEN] = { 7 };

void scene_say_here(struct room_turn *turn, const char *type, const char *key, json_t *content)
{
	const struct event_wish wish = {
		.sender = ANN, .type = type, .state_key = key, .content = content
	};
	const struct event *event;

	assert_int_equal(turn_send(turn, &wish, &event, NULL), 0);
	json_decref(content);
}

void scene_begin(struct scene *scene, struct hs_fixture *f, const char *version)
{
	json_auto_t *content = json_object();
	const struct room_birth birth = {
		.version = room_version_find(mx_slice(version)),
		.create = { .sender = ANN,
			    .type = TYPE_CREATE,
			    .state_key = "",
			    .content = content },
	};
	struct room_turn *turn;

	assert_int_equal(turn_create(&f->call, &birth, &turn, NULL), 0);
	scene_say_here(turn, TYPE_MEMBER, ANN, json_pack("{s:s}", "membership", "join"));
	scene_say_here(turn, TYPE_JOIN_RULES, "", json_pack("{s:s}", "join_rule", "public"));
	*scene = (struct scene){
		.f = f,
		.version = birth.version,
		.room_id = mx_arena_slice(f->call.mem, turn_head(turn)->id).ptr,
		.room = turn_room(turn),
		.key = mx_signing_key_new("ed25519:7", seed),
	};
	assert_int_equal(turn_commit(turn, NULL), 0);
	hs_fixture_read(f);
}

void scene_end(struct scene *scene)
{
	mx_signing_key_free(scene->key);
}

static struct event_reference reference_to(const struct event *event)
{
	struct event_reference reference = { .id = event->id };

	event_reference_hash(event, reference.hash);
	return reference;
}

struct stored_event scene_newest(struct scene *scene)
{
	struct stored_event stored;
	struct room_head head;

	assert_int_equal(room_db_head(&scene->f->call, scene->room, &head), 0);
	assert_int_equal(event_db_load(&scene->f->call, scene->room, head.extremities[0], &stored),
			 0);
	return stored;
}

static size_t cite(struct scene *scene, const struct event_draft *draft,
		   struct event_reference *ret_cited)
{
	const struct auth_subject subject = {
		.version = scene->version,
		.type = draft->type,
		.sender = draft->sender,
		.state_key = draft->state_key,
		.membership = jslice(draft->content, "membership"),
	};
	struct selection selection;
	struct state_reader reader;
	struct room_head head;
	size_t len = 0;

	auth_select(&subject, &selection);
	assert_int_equal(room_db_head(&scene->f->call, scene->room, &head), 0);
	state_reader_init(&reader, &scene->f->call, scene->room);
	for (size_t i = 0; i < selection.len; i++) {
		struct stored_event stored;

		if (state_reader_load(&reader, &head.state, selection.keys[i].type,
				      selection.keys[i].state_key, &stored) == 0)
			ret_cited[len++] = reference_to(&stored.event);
	}
	state_reader_done(&reader);
	return len;
}

struct event scene_build(struct scene *scene, const struct said *said)
{
	struct stored_event last = scene_newest(scene);
	struct event_reference prev = reference_to(said->after ? said->after : &last.event);
	struct event_reference cited[SELECTED_MAX];
	json_auto_t *content = said->content ? said->content : json_object();
	struct event_draft draft = {
		.version = scene->version,
		.server = strchr(said->sender, ':') + 1,
		.key = scene->key,
		.room_id = mx_slice(scene->room_id),
		.type = mx_slice(said->type),
		.sender = mx_slice(said->sender),
		.state_key = mx_slice(said->state_key),
		.redacts = mx_slice(said->redacts),
		.content = content,
		.depth = said->depth ? said->depth : last.event.depth + 1,
		.origin_server_ts = HS_FIXTURE_NOW,
		.prev_events = &prev,
		.prev_events_len = 1,
		.auth_events = cited,
	};
	struct event event;

	draft.auth_events_len = cite(scene, &draft, cited);
	assert_int_equal(event_build(&draft, scene->f->call.mem, &event, NULL), 0);
	return event;
}
