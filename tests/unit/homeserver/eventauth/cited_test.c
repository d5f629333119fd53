/* Spec: room versions, "Authorisation rules": "Reject if event has auth_events that …". */
#include "homeserver/eventauth/eventauth.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BOB "@bob:b.example"

/* A public room that Bob is in, and a message of his with what it may cite. */
struct cited_fixture {
	struct room_fixture room;
	struct event message;
	struct cited_event cited[ROOM_FIXTURE_EVENTS];
	size_t len;
	struct mx_error err;
};

static void add(struct room_fixture *room, const char *line)
{
	json_auto_t *json = json_loads(line, 0, NULL);

	assert_non_null(json);
	room_fixture_add(room, json);
}

static bool matters(const struct cited_fixture *f, const struct event *event)
{
	bool create = event_is(event, "m.room.create", MX_SLICE(""));

	return (create && !streq(f->room.version->id, "12")) ||
	       event_is(event, "m.room.power_levels", MX_SLICE("")) ||
	       event_is(event, "m.room.member", MX_SLICE(BOB));
}

static void begin(struct cited_fixture *f, const char *version)
{
	json_auto_t *line = json_pack("{s:s, s:s}", "type", "m.room.message", "sender", BOB);

	*f = (struct cited_fixture){ 0 };
	room_fixture_init(&f->room, version);
	room_fixture_public(&f->room);
	add(&f->room, "{\"type\":\"m.room.member\",\"key\":\"" BOB "\",\"sender\":\"" BOB
		      "\",\"content\":{\"membership\":\"join\"}}");
	add(&f->room, "{\"type\":\"m.room.power_levels\",\"key\":\"\",\"content\":{\"ban\":50}}");
	add(&f->room, "{\"type\":\"m.room.topic\",\"key\":\"\",\"content\":{\"topic\":\"x\"}}");
	f->message = room_fixture_build(&f->room, line);
	for (size_t i = 0; i < f->room.len; i++)
		if (matters(f, &f->room.events[i]))
			f->cited[f->len++].event = &f->room.events[i];
	assert_true(f->len >= 2);
}

/* NULL: it may cite that. */
static void expect(struct cited_fixture *f, const char *why)
{
	int rc = eventauth_check_cited(&f->message, f->cited, f->len, f->room.mem, &f->err);

	assert_int_equal(rc, why ? -MX_FORBIDDEN : 0);
	if (why)
		assert_non_null(strstr(f->err.text, why));
	room_fixture_done(&f->room);
}

static const char *const versions[] = { "1", "6", "11", "12" };

#define EACH(i) for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)

static void what_matters_may_be_cited(void **state)
{
	struct cited_fixture f;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		expect(&f, NULL);
	}
}

static void what_does_not_matter_may_not(void **state)
{
	struct cited_fixture f;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		f.cited[f.len++].event = &f.room.events[f.room.len - 1]; /* the topic */
		expect(&f, "does not matter");
	}
}

static void two_of_one_kind_may_not(void **state)
{
	struct cited_fixture f;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		f.cited[f.len] = f.cited[f.len - 1];
		f.len++;
		expect(&f, "two of one kind");
	}
}

static void one_that_was_rejected_may_not(void **state)
{
	struct cited_fixture f;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		f.cited[f.len - 1].rejected = true;
		expect(&f, "rejected");
	}
}

static void one_of_another_room_may_not(void **state)
{
	struct cited_fixture f;
	struct event other;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		other = *f.cited[f.len - 1].event;
		other.room_id = MX_SLICE("!other:a.example");
		f.cited[f.len - 1].event = &other;
		expect(&f, "another room");
	}
}

static void the_create_event_is_cited_where_it_is_not_the_rooms_name(void **state)
{
	struct cited_fixture f;

	(void)state;
	EACH(i)
	{
		begin(&f, versions[i]);
		f.cited[0] = f.cited[--f.len];
		expect(&f, streq(versions[i], "12") ? NULL : "no create event");
	}
}

static void a_room_that_is_its_create_event_may_not_cite_it(void **state)
{
	struct cited_fixture f;

	(void)state;
	begin(&f, "12");
	f.cited[f.len++].event = &f.room.events[0];
	expect(&f, "does not matter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matters_may_be_cited),
		cmocka_unit_test(what_does_not_matter_may_not),
		cmocka_unit_test(two_of_one_kind_may_not),
		cmocka_unit_test(one_that_was_rejected_may_not),
		cmocka_unit_test(one_of_another_room_may_not),
		cmocka_unit_test(the_create_event_is_cited_where_it_is_not_the_rooms_name),
		cmocka_unit_test(a_room_that_is_its_create_event_may_not_cite_it),
	};
	return cmocka_run_group_tests_name("eventauth/cited", tests, NULL, NULL);
}
