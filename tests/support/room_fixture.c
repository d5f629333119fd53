#include "tests/support/room_fixture.h"

#include "homeserver/event/event_build.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALICE  "@alice:a.example"
#define SERVER "a.example"

static const uint8_t seed[MX_ED25519_SEED_LEN] = { 7 };

void room_fixture_init(struct room_fixture *room, const char *version)
{
	*room = (struct room_fixture){
		.version = room_version_find(mx_slice(version)),
		.mem = mx_arena_new(0),
	};
	assert_non_null(room->version);
	mx_crypto_init();
}

void room_fixture_done(struct room_fixture *room)
{
	mx_arena_free(room->mem);
}

/* ---- building */

static struct mx_slice text_or(const json_t *line, const char *key, const char *otherwise)
{
	const char *text = jstr(line, key);

	return mx_slice(text ? text : otherwise);
}

static size_t references(const struct room_fixture *room, struct event_reference *ret_last)
{
	if (!room->len)
		return 0;
	ret_last->id = room->events[room->len - 1].id;
	event_reference_hash(&room->events[room->len - 1], ret_last->hash);
	return 1;
}

static struct mx_slice room_id(const struct room_fixture *room)
{
	if (room->len)
		return room->events[0].room_id;
	return room->version->create_is_room_id ? (struct mx_slice){ 0 }
						: MX_SLICE("!room:" SERVER);
}

/* Of whom the create event of old versions says that he made the room. */
static json_t *content_of(const struct room_fixture *room, const json_t *line)
{
	json_t *content = json_deep_copy(json_object_get(line, "content"));

	if (!content)
		content = json_object();
	if (streq(jstr(line, "type"), TYPE_CREATE) && room->version->creator_in_content &&
	    !json_object_get(content, "creator"))
		json_object_set_new(content, "creator", json_string(ALICE));
	return content;
}

struct event room_fixture_build(struct room_fixture *room, const json_t *line)
{
	struct mx_signing_key *key = mx_signing_key_new("ed25519:1", seed);
	json_auto_t *content = content_of(room, line);
	struct event_reference last;
	struct event_draft draft = {
		.version = room->version,
		.server = jstr(line, "server") ? jstr(line, "server") : SERVER,
		.key = key,
		.room_id = room_id(room),
		.type = text_or(line, "type", TYPE_MEMBER),
		.sender = text_or(line, "sender", ALICE),
		.state_key = mx_slice(jstr(line, "key")),
		.redacts = mx_slice(jstr(line, "redacts")),
		.content = content,
		.depth = ++room->depth,
		.origin_server_ts = room->depth * 1000,
		.prev_events = &last,
		.prev_events_len = references(room, &last),
	};
	struct mx_error err = { 0 };
	struct event event;
	int rc = event_build(&draft, room->mem, &event, &err);

	mx_signing_key_free(key);
	if (rc)
		fail_msg("%s", err.text);
	return event;
}

const struct event *room_fixture_add(struct room_fixture *room, const json_t *line)
{
	struct event event = room_fixture_build(room, line);

	assert_true(room->len < ROOM_FIXTURE_EVENTS);
	room->events[room->len] = event;
	return &room->events[room->len++];
}

void room_fixture_public(struct room_fixture *room)
{
	json_t *lines = json_pack("[{s:s, s:s}, {s:s, s:{s:s}}, {s:s, s:s, s:{s:s}}]", "type",
				  TYPE_CREATE, "key", "", "key", ALICE, "content", "membership",
				  "join", "type", TYPE_JOIN_RULES, "key", "", "content",
				  "join_rule", "public");
	json_t *line;
	size_t i;

	json_array_foreach (lines, i, line)
		room_fixture_add(room, line);
	json_decref(lines);
}

/* ---- state */

static const struct event *find(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct room_fixture *room = ctx;

	for (size_t i = room->len; i-- > 0;)
		if (event_is(&room->events[i], type, state_key))
			return &room->events[i];
	return NULL;
}

struct auth_state room_fixture_state(struct room_fixture *room)
{
	return (struct auth_state){ .find = find, .ctx = room };
}

/* ---- versions */

bool room_fixture_version_in(const char *range, const char *version)
{
	long at = strtol(version, NULL, 10), from, to;
	const char *dash;

	if (!range)
		return true;
	dash = strchr(range, '-');
	from = strtol(range, NULL, 10);
	if (!dash)
		return at == from;
	if (dash == range)
		from = 0;
	to = dash[1] ? strtol(dash + 1, NULL, 10) : 99;
	return from <= at && at <= to;
}
