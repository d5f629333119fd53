/* The way of an event into a room, of every version. TRINITY_ROOMS says how many random rooms of
 * each (default 6), TRINITY_FIRST the number of the first one; TRINITY_VERSION is the only version
 * to be tried. */
#include "homeserver/ingest/ingest.h"

#include "homeserver/event/event_build.h"
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
#include "tests/support/hs_fixture.h"
#include "tests/support/reference_replay.h"

#include <stdlib.h>

#define ANN "@ann:here.example"

#define ROOMS    6 /* of a version */
#define EVENTS   40 /* of a room */
#define RECENT   6 /* how far back one may not have heard of others */
#define PREV_MAX 3

static const char *const people[] = { ANN, "@bob:there.example", "@cat:there.example",
				      "@dan:else.example" };

#define PEOPLE (sizeof(people) / sizeof(people[0]))

static const uint8_t seed[MX_ED25519_SEED_LEN] = { 7 };

/* A room in which others say what they like, with whatever they have heard of. */
struct story {
	struct hs_fixture *f;
	const struct room_version *version;
	const char *room_id;
	uint32_t room;
	uint64_t random;
	struct mx_signing_key *key;
	uint64_t forks, hidden; /* that came about */
};

/* ---- chance: xorshift64* */

static uint32_t below(struct story *story, uint32_t bound)
{
	story->random ^= story->random >> 12;
	story->random ^= story->random << 25;
	story->random ^= story->random >> 27;
	return (uint32_t)((story->random * UINT64_C(2685821657736338717)) >> 33) % bound;
}

/* ---- a room */

static json_t *levels_of(const struct story *story, int bob)
{
	if (story->version->creators_rule)
		return json_pack("{s:{s:i}}", "users", people[1], bob);
	return json_pack("{s:{s:i, s:i}}", "users", ANN, 100, people[1], bob);
}

static void story_begin(struct story *story)
{
	json_auto_t *content = json_object();
	const struct room_birth birth = {
		.version = story->version,
		.create = { .sender = ANN,
			    .type = TYPE_CREATE,
			    .state_key = "",
			    .content = content },
	};
	struct room_turn *turn;
	struct mx_slice id;

	assert_int_equal(turn_create(&story->f->call, &birth, &turn, NULL), 0);
	assert_int_equal(hs_fixture_send(turn, ANN, TYPE_MEMBER, ANN,
					 json_pack("{s:s}", "membership", "join")),
			 0);
	assert_int_equal(hs_fixture_send(turn, ANN, TYPE_POWER_LEVELS, "", levels_of(story, 50)),
			 0);
	assert_int_equal(hs_fixture_send(turn, ANN, TYPE_JOIN_RULES, "",
					 json_pack("{s:s}", "join_rule", "public")),
			 0);
	id = turn_head(turn)->id;
	story->room_id = mx_arena_strndup(story->f->call.mem, id.ptr, id.len);
	story->room = turn_room(turn);
	assert_int_equal(turn_commit(turn, NULL), 0);
}

/* ---- what somebody says */

static const char *server_of(const char *user_id)
{
	return strchr(user_id, ':') + 1;
}

static json_t *member_content(struct story *story)
{
	static const char *const names[] = { "join", "join", "leave", "ban", "invite" };

	return json_pack("{s:s}", "membership", names[below(story, 5)]);
}

static void choose(struct story *story, struct event_draft *draft, json_t **ret_content)
{
	const char *sender = people[below(story, PEOPLE)];
	const char *target = below(story, 2) ? sender : people[below(story, PEOPLE)];

	draft->sender = mx_slice(sender);
	draft->server = server_of(sender);
	switch (below(story, 5)) {
	case 0:
		draft->type = MX_SLICE(TYPE_POWER_LEVELS);
		draft->state_key = MX_SLICE("");
		*ret_content = levels_of(story, (int)below(story, 3) * 50);
		return;
	case 1:
		draft->type = MX_SLICE("m.room.topic");
		draft->state_key = MX_SLICE("");
		*ret_content = json_pack("{s:i}", "topic", below(story, 1000));
		return;
	case 2:
		draft->type = MX_SLICE("m.room.message");
		*ret_content = json_pack("{s:i}", "body", below(story, 1000));
		return;
	default:
		draft->type = MX_SLICE(TYPE_MEMBER);
		draft->state_key = mx_slice(target);
		*ret_content = member_content(story);
		return;
	}
}

static struct event_reference reference_to(const struct event *event)
{
	struct event_reference reference = { .id = event->id };

	event_reference_hash(event, reference.hash);
	return reference;
}

/* Some of the last ones that are not rejected; the first one's state is what the sender goes by. */
static size_t follow(struct story *story, uint32_t newest, struct event_reference *ret_prev,
		     struct stored_event *ret_first)
{
	size_t want = 1 + below(story, PREV_MAX), len = 0;

	for (unsigned tries = 0; tries < 20 && len < want; tries++) {
		uint32_t back = below(story, newest < RECENT ? newest : RECENT);
		struct stored_event stored;
		bool twice = false;

		assert_int_equal(
			event_db_load(&story->f->call, story->room, newest - back, &stored), 0);
		for (size_t i = 0; i < len; i++)
			twice = twice || mx_slice_eq(ret_prev[i].id, stored.event.id);
		if (twice || (stored.header.flags & EVENT_REJECTED && below(story, 4)))
			continue;
		if (len == 0)
			*ret_first = stored;
		ret_prev[len++] = reference_to(&stored.event);
	}
	if (len == 0) {
		assert_int_equal(event_db_load(&story->f->call, story->room, 1, ret_first), 0);
		ret_prev[len++] = reference_to(&ret_first->event);
	}
	return len;
}

static size_t cite(struct story *story, const struct event_draft *draft, const json_t *content,
		   const struct stored_event *after, struct event_reference *ret_cited)
{
	const struct auth_subject subject = {
		.version = story->version,
		.type = draft->type,
		.sender = draft->sender,
		.state_key = draft->state_key,
		.membership = jslice(content, "membership"),
	};
	struct selection selection;
	struct state_reader reader;
	size_t len = 0;

	auth_select(&subject, &selection);
	state_reader_init(&reader, &story->f->call, story->room);
	for (size_t i = 0; i < selection.len; i++) {
		struct stored_event stored;

		if (state_reader_load(&reader, &after->header.after, selection.keys[i].type,
				      selection.keys[i].state_key, &stored) == 0)
			ret_cited[len++] = reference_to(&stored.event);
	}
	state_reader_done(&reader);
	return len;
}

static void say_something(struct story *story, uint32_t newest)
{
	struct event_reference prev[PREV_MAX], cited[SELECTED_MAX];
	struct event_draft draft = { .version = story->version,
				     .key = story->key,
				     .room_id = mx_slice(story->room_id),
				     .depth = newest + 1 };
	const struct ingest_source source = { .local = false };
	const struct stored_event *result;
	struct stored_event first;
	json_auto_t *content = NULL;
	struct mx_error err = { 0 };
	struct room_turn *turn;
	struct event event;

	choose(story, &draft, &content);
	draft.content = content;
	draft.origin_server_ts = HS_FIXTURE_NOW + below(story, 20);
	draft.prev_events_len = follow(story, newest, prev, &first);
	draft.prev_events = prev;
	draft.auth_events_len = cite(story, &draft, content, &first, cited);
	draft.auth_events = cited;
	assert_int_equal(event_build(&draft, story->f->call.mem, &event, &err), 0);
	assert_int_equal(turn_begin(&story->f->call, story->room_id, &turn, &err), 0);
	assert_int_equal(ingest_apply(turn, &event, &source, &result, &err), 0);
	story->forks += turn_head(turn)->extremities_len > 1;
	story->hidden += (result->header.flags & EVENT_HIDDEN) != 0;
	assert_int_equal(turn_commit(turn, &err), 0);
	hs_fixture_read(story->f);
}

/* Somebody here talks in between. */
static void talk(struct story *story)
{
	struct room_turn *turn;

	assert_int_equal(turn_begin(&story->f->call, story->room_id, &turn, NULL), 0);
	if (hs_fixture_send(turn, ANN, "m.room.message", NULL,
			    json_pack("{s:s}", "body", "hello"))) {
		turn_abort(turn);
		return;
	}
	assert_int_equal(turn_commit(turn, NULL), 0);
	hs_fixture_read(story->f);
}

static void tell(struct story *story)
{
	mx_str_auto lines = { 0 };

	story_begin(story);
	hs_fixture_read(story->f);
	for (unsigned i = 0; i < EVENTS; i++) {
		struct room_head head;

		assert_int_equal(room_db_head(&story->f->call, story->room, &head), 0);
		if (below(story, 6) == 0)
			talk(story);
		else
			say_something(story, head.next_event - 1);
	}
	if (reference_replay(&story->f->call, story->room, &lines))
		fail_msg("%.*s", MX_SLICE_ARG(mx_str_slice(&lines)));
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *wanted = getenv(name);

	return wanted ? strtoull(wanted, NULL, 10) : otherwise;
}

static void rooms_that_fork_are_as_the_reference_has_them(void **state)
{
	struct story story = { .f = *state, .key = mx_signing_key_new("ed25519:7", seed) };
	const char *only = getenv("TRINITY_VERSION");
	uint64_t rooms = setting("TRINITY_ROOMS", ROOMS), first = setting("TRINITY_FIRST", 1);
	uint64_t versions = 0;

	for (size_t i = 0; (story.version = room_version_at(i)); i++) {
		if (only && !streq(only, story.version->id))
			continue;
		versions++;
		for (uint64_t room = first; room < first + rooms; room++) {
			story.random = room * 1000003 + i * 7919;
			tell(&story);
		}
	}
	/* Otherwise nothing was tried. */
	assert_true(story.forks > rooms * versions);
	assert_true(story.hidden > rooms * versions);
	mx_signing_key_free(story.key);
}

/* Each of them follows two or three others: there are more ways through them than are walked. */
static void behind_a_web_of_rejected_events_nothing_is_newest(void **state)
{
	struct story story = { .f = *state,
			       .key = mx_signing_key_new("ed25519:7", seed),
			       .version = room_version_at(0),
			       .random = UINT64_C(82) * 1000003 };

	tell(&story);
	assert_true(story.hidden > 0);
	mx_signing_key_free(story.key);
}

static void what_is_here_already_is_not_taken_again(void **state)
{
	struct story story = { .f = *state, .random = 1 };
	const struct ingest_source source = { .local = false };
	const struct stored_event *result;
	struct stored_event stored;
	struct room_turn *turn;

	story.version = room_version_find(MX_SLICE(ROOM_VERSION_DEFAULT));
	story_begin(&story);
	hs_fixture_read(story.f);
	assert_int_equal(event_db_load(&story.f->call, story.room, 2, &stored), 0);
	assert_int_equal(turn_begin(&story.f->call, story.room_id, &turn, NULL), 0);
	assert_int_equal(ingest_apply(turn, &stored.event, &source, &result, NULL), -MX_CONFLICT);
	turn_abort(turn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(rooms_that_fork_are_as_the_reference_has_them),
		hs_test(behind_a_web_of_rejected_events_nothing_is_newest),
		hs_test(what_is_here_already_is_not_taken_again),
	};

	return cmocka_run_group_tests_name("ingest/ingest", tests, NULL, NULL);
}
