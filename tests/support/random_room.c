#include "tests/support/random_room.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/eventauth/select.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const people[] = { "@ann:a.example", "@bob:a.example", "@cat:a.example",
				      "@dan:b.example", "@eve:b.example" };

#define PEOPLE (sizeof(people) / sizeof(people[0]))

/* What somebody wants to say. */
struct wish {
	const char *type, *key, *sender;
	const char *membership, *authorised_via; /* of the content, or NULL */
	struct mx_slice content;
	struct mx_slice before; /* the event before it; ptr NULL: some event */
};

/* ---- chance */

/* xorshift64* */
uint32_t random_room_number(struct random_room *random, uint32_t below)
{
	random->random ^= random->random >> 12;
	random->random ^= random->random << 25;
	random->random ^= random->random >> 27;
	return (uint32_t)((random->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

static bool one_in(struct random_room *random, uint32_t count)
{
	return random_room_number(random, count) == 0;
}

static const char *somebody(struct random_room *random)
{
	return people[random_room_number(random, PEOPLE)];
}

/* ---- events */

static void add_reference(const struct random_room *random, struct mx_slice id, struct mx_str *out)
{
	bool hashed = random->room.resolver.version->hashed_references;

	mx_str_addf(out, hashed ? "[\"%.*s\",{\"sha256\":\"x\"}]" : "\"%.*s\"", MX_SLICE_ARG(id));
}

static void add_cited(const struct random_room *random, const struct event *cited[], size_t len,
		      struct mx_str *out)
{
	for (size_t i = 0; i < len; i++) {
		if (i)
			mx_str_add_char(out, ',');
		add_reference(random, cited[i]->id, out);
	}
}

static struct mx_slice room_id(const struct random_room *random)
{
	return random->room.len > 1 ? random->room.events[1]->room_id : MX_SLICE("!r:a.example");
}

static void write_event(const struct random_room *random, const struct wish *wish,
			const struct event *cited[], size_t len, struct mx_str *out)
{
	const struct room_version *version = random->room.resolver.version;
	bool names_room = version->create_is_room_id && random->room.len == 1;
	struct mx_slice before = wish->before.ptr ? wish->before : MX_SLICE("$p:a.example");

	mx_str_clear(out);
	mx_str_addf(out,
		    "{\"type\":\"%s\",\"state_key\":\"%s\",\"sender\":\"%s\",\"depth\":%u,"
		    "\"origin_server_ts\":%lld,\"content\":%.*s,\"hashes\":{},\"signatures\":{}",
		    wish->type, wish->key, wish->sender, (unsigned)(random->random % 9),
		    (long long)random->time_ms, MX_SLICE_ARG(wish->content));
	if (!names_room)
		mx_str_addf(out, ",\"room_id\":\"%.*s\"", MX_SLICE_ARG(room_id(random)));
	if (version->event_ids == EVENT_ID_MEMBER)
		mx_str_addf(out, ",\"event_id\":\"$%u:a.example\"", random->room.len);
	mx_str_add_text(out, ",\"prev_events\":[");
	if (random->room.len > 1)
		add_reference(random, before, out);
	mx_str_add_text(out, "],\"auth_events\":[");
	add_cited(random, cited, len, out);
	mx_str_add_text(out, "]}");
}

/* What the event has to cite of the branch's state. */
static size_t select_cited(struct random_room *random, const struct state_branch *branch,
			   const struct wish *wish, const struct event *ret_cited[SELECTED_MAX])
{
	const struct auth_subject subject = {
		.version = random->room.resolver.version,
		.type = mx_slice(wish->type),
		.sender = mx_slice(wish->sender),
		.state_key = mx_slice(wish->key),
		.membership = mx_slice(wish->membership),
		.authorised_via = mx_slice(wish->authorised_via),
	};
	struct branch_of_room of = { &random->room, branch };
	struct selection selection;
	size_t len = 0;

	auth_select(&subject, &selection);
	for (size_t i = 0; i < selection.len; i++) {
		ret_cited[len] = state_branch_find(&of, selection.keys[i].type,
						   selection.keys[i].state_key);
		len += ret_cited[len] != NULL;
	}
	return len;
}

static bool is_allowed(struct random_room *random, const struct state_branch *branch,
		       const struct event *event)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct branch_of_room of = { &random->room, branch };
	const struct auth_state state = { state_branch_find, &of };

	return eventauth_check(event, &state, mem, NULL) == 0;
}

static void say(struct random_room *random, struct state_branch *branch, const struct wish *wish)
{
	struct event *event = mx_arena_alloc(random->room.mem, sizeof(*event));
	const struct event *cited[SELECTED_MAX] = { 0 };
	size_t len = select_cited(random, branch, wish, cited);
	mx_str_auto json = { 0 };
	uint32_t number;
	bool allowed;

	random->time_ms += random_room_number(random, 3);
	write_event(random, wish, cited, len, &json);
	assert_int_equal(event_parse(random->room.resolver.version, mx_str_slice(&json),
				     random->room.mem, event, NULL),
			 0);
	/* What differs only in what a redaction takes away has one id: it is there already. */
	if (state_fixture_find(&random->room, event->id))
		return;
	allowed = is_allowed(random, branch, event);
	if (!allowed && !one_in(random, 12))
		return;
	number = state_fixture_put(&random->room, event, !allowed);
	assert_true(number != 0);
	if (allowed || one_in(random, 2))
		state_branch_put(&random->room, branch, number);
}

/* ---- what people want */

/* content: JSON */
static void want(struct random_room *random, struct state_branch *branch, struct wish wish,
		 const char *content)
{
	wish.content = mx_slice(content);
	say(random, branch, &wish);
}

static void want_membership(struct random_room *random, struct state_branch *branch)
{
	static const char *const memberships[] = { "join",  "join",   "join", "leave",
						   "leave", "invite", "ban",  "knock" };
	struct wish wish = { TYPE_MEMBER, .sender = somebody(random) };
	const char *let_in = somebody(random);
	char content[160];

	wish.key = one_in(random, 2) ? wish.sender : somebody(random);
	wish.membership = memberships[random_room_number(random, 8)];
	wish.authorised_via = one_in(random, 5) ? let_in : NULL;
	snprintf(content, sizeof(content), "{\"membership\":\"%s\",\"%s\":\"%s\"}", wish.membership,
		 wish.authorised_via ? "join_authorised_via_users_server" : "reason", let_in);
	want(random, branch, wish, content);
}

static unsigned some_level(struct random_room *random)
{
	static const unsigned levels[] = { 0, 0, 10, 50, 50, 75, 100, 100 };

	return levels[random_room_number(random, 8)];
}

static void want_levels(struct random_room *random, struct state_branch *branch)
{
	static const char *const names[] = { "users_default", "events_default", "state_default",
					     "ban",           "kick",           "invite" };
	bool creators = random->room.resolver.version->creators_rule;
	mx_str_auto content = { 0 };

	mx_str_addf(&content, "{\"%s\":%u,\"users\":{", names[random_room_number(random, 6)],
		    some_level(random));
	for (size_t i = creators; i < PEOPLE; i++)
		mx_str_addf(&content, "%s\"%s\":%u", i > creators ? "," : "", people[i],
			    i == 0 && !one_in(random, 4) ? 100 : some_level(random));
	mx_str_addf(&content, "},\"events\":{\"m.room.topic\":%u}}", some_level(random));
	want(random, branch, (struct wish){ TYPE_POWER_LEVELS, "", somebody(random) }, content.ptr);
}

static void want_rules(struct random_room *random, struct state_branch *branch)
{
	static const char *const rules[] = { "public", "public",     "invite",
					     "knock",  "restricted", "knock_restricted" };
	char content[64];

	snprintf(content, sizeof(content), "{\"join_rule\":\"%s\"}",
		 rules[random_room_number(random, 6)]);
	want(random, branch, (struct wish){ TYPE_JOIN_RULES, "", somebody(random) }, content);
}

static void want_something(struct random_room *random, struct state_branch *branch)
{
	uint32_t what = random_room_number(random, 10);

	if (what < 5)
		want_membership(random, branch);
	else if (what < 7)
		want_levels(random, branch);
	else if (what < 8)
		want_rules(random, branch);
	else
		want(random, branch,
		     (struct wish){ "m.room.topic", what == 8 ? "" : "x", somebody(random) },
		     "{\"topic\":\"t\"}");
}

/* ---- the room */

static void found(struct random_room *random)
{
	struct state_branch *branch = &random->branches[0];
	struct wish join = { TYPE_MEMBER, people[0], people[0], "join" };

	want(random, branch, (struct wish){ TYPE_CREATE, "", people[0] },
	     one_in(random, 3) ? "{\"creator\":\"@ann:a.example\",\"additional_creators\":"
				 "[\"@dan:b.example\"]}"
			       : "{\"creator\":\"@ann:a.example\"}");
	join.before = random->room.events[1]->id;
	want(random, branch, join, "{\"membership\":\"join\"}");
	want(random, branch, (struct wish){ TYPE_JOIN_RULES, "", people[0] },
	     "{\"join_rule\":\"public\"}");
	random->branches_len = 1;
}

static void fork_branch(struct random_room *random, size_t branch)
{
	if (random->branches_len < RANDOM_ROOM_BRANCHES)
		random->branches[random->branches_len++] = random->branches[branch];
}

void random_room_init(struct random_room *random, const char *version, uint64_t seed,
		      unsigned steps)
{
	*random = (struct random_room){ .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
					.time_ms = 1000 };
	state_fixture_init(&random->room, version);
	found(random);
	for (unsigned i = 0; i < steps; i++) {
		size_t branch = random_room_number(random, (uint32_t)random->branches_len);

		if (one_in(random, 8) || (i > steps / 2 && random->branches_len == 1))
			fork_branch(random, branch);
		else
			want_something(random, &random->branches[branch]);
	}
}

void random_room_done(struct random_room *random)
{
	state_fixture_done(&random->room);
}
