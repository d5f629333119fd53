/* Spec: server-server API, "Auth events selection". */
#include "homeserver/eventauth/select.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BOB "@bob:b.example"

static void name_selection(const struct selection *selection, struct mx_str *out)
{
	for (size_t i = 0; i < selection->len; i++) {
		const struct state_key *key = &selection->keys[i];

		mx_str_addf(out, "%s%s|%.*s", i ? " " : "", key->type + strlen("m.room."),
			    MX_SLICE_ARG(key->state_key));
	}
}

/* line: as room_fixture_build() takes it. expected: "create| power_levels| member|@a:b" */
static void expect(const char *version, const char *line, const char *expected)
{
	json_auto_t *json = json_loads(line, 0, NULL);
	struct selection selection;
	struct room_fixture room;
	struct auth_subject subject;
	mx_str_auto names = { 0 };
	struct event event;

	assert_non_null(json);
	room_fixture_init(&room, version);
	room_fixture_public(&room);
	event = room_fixture_build(&room, json);
	subject = auth_subject_of(&event, room.mem);
	auth_select(&subject, &selection);
	name_selection(&selection, &names);
	assert_string_equal(names.ptr ? names.ptr : "", expected);
	room_fixture_done(&room);
}

#define COMMON "create| power_levels| member|@bob:b.example"

static void a_message_cites_room_levels_and_sender(void **state)
{
	(void)state;
	expect("11", "{\"type\":\"m.room.message\",\"sender\":\"" BOB "\"}", COMMON);
	expect("1", "{\"type\":\"m.room.topic\",\"key\":\"\",\"sender\":\"" BOB "\"}", COMMON);
}

static void a_room_that_is_its_create_event_is_not_cited(void **state)
{
	(void)state;
	expect("12", "{\"type\":\"m.room.message\",\"sender\":\"" BOB "\"}",
	       "power_levels| member|@bob:b.example");
}

static void the_create_event_cites_nothing(void **state)
{
	(void)state;
	expect("11", "{\"type\":\"m.room.create\",\"key\":\"\"}", "");
}

static void a_join_cites_the_join_rules_and_its_user_once(void **state)
{
	(void)state;
	expect("11",
	       "{\"sender\":\"" BOB "\",\"key\":\"" BOB "\",\"content\":{\"membership\":\"join\"}}",
	       COMMON " join_rules|");
}

static void who_is_talked_of_is_cited_too(void **state)
{
	(void)state;
	expect("11",
	       "{\"sender\":\"" BOB
	       "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":\"ban\"}}",
	       COMMON " member|@cat:c.example");
	expect("11",
	       "{\"sender\":\"" BOB
	       "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":\"leave\"}}",
	       COMMON " member|@cat:c.example");
	expect("11",
	       "{\"sender\":\"" BOB
	       "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":\"invite\"}}",
	       COMMON " member|@cat:c.example join_rules|");
}

static void a_knock_cites_the_join_rules(void **state)
{
	(void)state;
	expect("11",
	       "{\"sender\":\"" BOB "\",\"key\":\"" BOB
	       "\",\"content\":{\"membership\":\"knock\"}}",
	       COMMON " join_rules|");
}

static void an_invite_by_address_cites_the_invite_of_its_token(void **state)
{
	(void)state;
	expect("11",
	       "{\"sender\":\"" BOB "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":"
	       "\"invite\",\"third_party_invite\":{\"signed\":{\"token\":\"t0ken\"}}}}",
	       COMMON " member|@cat:c.example join_rules| third_party_invite|t0ken");
	expect("11",
	       "{\"sender\":\"" BOB "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":"
	       "\"join\",\"third_party_invite\":{\"signed\":{\"token\":\"t0ken\"}}}}",
	       COMMON " member|@cat:c.example join_rules|");
	expect("11",
	       "{\"sender\":\"" BOB "\",\"key\":\"@cat:c.example\",\"content\":{\"membership\":"
	       "\"invite\",\"third_party_invite\":{\"signed\":{\"token\":7}}}}",
	       COMMON " member|@cat:c.example join_rules|");
}

static void who_let_somebody_in_is_cited_where_joins_are_restricted(void **state)
{
	const char *line = "{\"sender\":\"" BOB "\",\"key\":\"" BOB "\",\"content\":{"
			   "\"membership\":\"join\",\"join_authorised_via_users_server\":"
			   "\"@cat:c.example\"}}";

	(void)state;
	expect("8", line, COMMON " join_rules| member|@cat:c.example");
	expect("7", line, COMMON " join_rules|");
}

static void a_selection_knows_its_events(void **state)
{
	json_auto_t *line = json_loads("{\"type\":\"m.room.topic\",\"key\":\"\"}", 0, NULL);
	struct selection selection = {
		.keys = { { "m.room.topic", MX_SLICE("") }, { "m.room.member", MX_SLICE(BOB) } },
		.len = 2,
	};
	struct room_fixture room;
	struct event topic;

	(void)state;
	room_fixture_init(&room, "11");
	room_fixture_public(&room);
	topic = room_fixture_build(&room, line);
	assert_true(selection_has(&selection, &topic));
	assert_false(selection_has(&selection, &room.events[0]));
	assert_false(selection_has(&selection, &room.events[1]));
	room_fixture_done(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_cites_room_levels_and_sender),
		cmocka_unit_test(a_room_that_is_its_create_event_is_not_cited),
		cmocka_unit_test(the_create_event_cites_nothing),
		cmocka_unit_test(a_join_cites_the_join_rules_and_its_user_once),
		cmocka_unit_test(who_is_talked_of_is_cited_too),
		cmocka_unit_test(a_knock_cites_the_join_rules),
		cmocka_unit_test(an_invite_by_address_cites_the_invite_of_its_token),
		cmocka_unit_test(who_let_somebody_in_is_cited_where_joins_are_restricted),
		cmocka_unit_test(a_selection_knows_its_events),
	};

	return cmocka_run_group_tests_name("eventauth/select", tests, NULL, NULL);
}
