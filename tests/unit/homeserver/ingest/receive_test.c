/* Events of others, with a network that has what it was given. */
#include "homeserver/ingest/receive.h"

#include "homeserver/event/event_sign.h"
#include "homeserver/event/event_types.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/remote_scene.h"

#define HELD_MAX 128

struct others {
	struct mx_slice ids[HELD_MAX], jsons[HELD_MAX];
	size_t len, asked;
	const char *liar; /* the id of an event that nobody has signed */
};

static int check_signatures(void *ctx, const struct event *event,
			    const struct event_signers *signers, struct mx_error *err)
{
	const struct others *others = ctx;

	assert_true(signers->len >= 1 && signers->servers[0].len > 0);
	if (others->liar && mx_slice_is(event->id, others->liar))
		return mx_fail(err, MX_FORBIDDEN, "Nobody has signed it");
	return 0;
}

static int fetch(void *ctx, const char *room_id, struct mx_slice event_id, struct mx_arena *mem,
		 struct mx_slice *ret_json, struct mx_error *err)
{
	struct others *others = ctx;

	assert_int_equal(room_id[0], '!');
	others->asked++;
	for (size_t i = 0; i < others->len; i++) {
		if (mx_slice_eq(others->ids[i], event_id)) {
			*ret_json = mx_arena_slice(mem, others->jsons[i]);
			return 0;
		}
	}
	return mx_fail(err, MX_NOT_FOUND, "Nobody has it");
}

static void hold(struct others *others, struct mx_slice id, const struct event *event)
{
	assert_true(others->len < HELD_MAX);
	others->ids[others->len] = id;
	others->jsons[others->len++] = event->json;
}

static int receive_json(struct scene *scene, struct others *others, struct mx_slice json)
{
	const struct ingest_network network = { others, check_signatures, fetch };
	struct mx_error err = { 0 };
	int rc = ingest_receive(&scene->f->call, scene->room_id, json, &network, &err);

	assert_true(rc == 0 || err.text[0]);
	hs_fixture_read(scene->f);
	return rc;
}

static int receive(struct scene *scene, struct others *others, const struct event *event)
{
	return receive_json(scene, others, event->json);
}

static bool is_here(struct scene *scene, const struct event *event, unsigned flags)
{
	struct stored_event stored;

	return event_db_load_id(&scene->f->call, scene->room, event->id, &stored) == 0 &&
	       (stored.header.flags & EVENT_HIDDEN) == flags;
}

static struct event joining(struct scene *scene)
{
	return scene_build(scene,
			   &(struct said){ .sender = BOB,
					   .type = TYPE_MEMBER,
					   .state_key = BOB,
					   .content = json_pack("{s:s}", "membership", "join") });
}

static struct event saying(struct scene *scene, const struct event *after)
{
	return scene_build(scene, &(struct said){ .sender = ANN,
						  .type = "m.room.message",
						  .content = json_pack("{s:s}", "body", "hello"),
						  .after = after });
}

/* Bob comes in, and what Ann says after that, one after the other. */
static void say_in_a_row(struct scene *scene, struct event *said, size_t len)
{
	said[0] = joining(scene);
	for (size_t i = 1; i < len; i++)
		said[i] = saying(scene, &said[i - 1]);
}

static void what_is_sound_becomes_part_of_the_room(void **state)
{
	struct others others = { 0 };
	struct scene scene;
	struct event join;

	scene_begin(&scene, *state, "12");
	join = joining(&scene);
	assert_int_equal(receive(&scene, &others, &join), 0);
	assert_true(is_here(&scene, &join, 0));
	assert_true(mx_slice_eq(scene_newest(&scene).event.id, join.id));
	assert_int_equal(others.asked, 0);
	assert_int_equal(receive(&scene, &others, &join), -MX_CONFLICT);
	scene_end(&scene);
}

static void what_is_missing_is_fetched_and_comes_first(void **state)
{
	struct others others = { 0 };
	struct event said[3];
	struct scene scene;

	scene_begin(&scene, *state, "11");
	say_in_a_row(&scene, said, 3);
	hold(&others, said[0].id, &said[0]);
	hold(&others, said[1].id, &said[1]);
	assert_int_equal(receive(&scene, &others, &said[2]), 0);
	assert_int_equal(others.asked, 2);
	assert_true(is_here(&scene, &said[0], 0) && is_here(&scene, &said[1], 0));
	assert_true(mx_slice_eq(scene_newest(&scene).event.id, said[2].id));
	scene_end(&scene);
}

static void what_nobody_has_is_waited_for_by_nothing(void **state)
{
	struct others others = { 0 };
	struct event said[3];
	struct scene scene;

	scene_begin(&scene, *state, "11");
	say_in_a_row(&scene, said, 3);
	hold(&others, said[1].id, &said[1]);
	assert_int_equal(receive(&scene, &others, &said[2]), -MX_NOT_FOUND);
	assert_false(is_here(&scene, &said[1], 0) || is_here(&scene, &said[2], 0));
	scene_end(&scene);
}

static void a_gap_is_filled_up_to_a_hundred_events(void **state)
{
	struct others others = { 0 };
	struct event chain[RECEIVE_FETCHED_MAX + 2];
	struct scene scene;

	scene_begin(&scene, *state, "11");
	say_in_a_row(&scene, chain, RECEIVE_FETCHED_MAX + 2);
	for (size_t i = 0; i < RECEIVE_FETCHED_MAX + 1; i++)
		hold(&others, chain[i].id, &chain[i]);
	assert_int_equal(receive(&scene, &others, &chain[RECEIVE_FETCHED_MAX + 1]), -MX_NOT_FOUND);
	assert_int_equal(receive(&scene, &others, &chain[RECEIVE_FETCHED_MAX]), 0);
	assert_true(is_here(&scene, &chain[0], 0));
	scene_end(&scene);
}

static void who_has_not_signed_has_not_spoken(void **state)
{
	struct others others = { 0 };
	struct event join, said;
	struct scene scene;

	scene_begin(&scene, *state, "11");
	join = joining(&scene);
	said = saying(&scene, &join);
	hold(&others, join.id, &join);
	others.liar = mx_arena_slice(scene.f->call.mem, join.id).ptr;
	assert_int_equal(receive(&scene, &others, &join), -MX_FORBIDDEN);
	assert_int_equal(receive(&scene, &others, &said), -MX_FORBIDDEN);
	assert_false(is_here(&scene, &join, 0) || is_here(&scene, &said, 0));
	scene_end(&scene);
}

static void another_event_than_was_asked_for_is_not_taken(void **state)
{
	struct others others = { 0 };
	struct event join, other, said;
	struct scene scene;

	scene_begin(&scene, *state, "11");
	join = joining(&scene);
	other = saying(&scene, NULL);
	said = saying(&scene, &join);
	hold(&others, join.id, &other);
	assert_int_equal(receive(&scene, &others, &said), -MX_FORBIDDEN);
	assert_false(is_here(&scene, &other, 0) || is_here(&scene, &said, 0));
	scene_end(&scene);
}

static void an_event_of_another_room_is_refused(void **state)
{
	struct others others = { 0 };
	struct scene scene, other;
	struct event said;

	scene_begin(&other, *state, "11");
	said = saying(&other, NULL);
	scene_begin(&scene, *state, "11");
	assert_int_equal(receive(&scene, &others, &said), -MX_FORBIDDEN);
	scene_end(&other);
	scene_end(&scene);
}

static void content_that_was_changed_on_the_way_is_left_out(void **state)
{
	struct others others = { 0 };
	struct stored_event stored;
	struct event said;
	struct scene scene;
	mx_str_auto json = { 0 };
	const char *hello;

	scene_begin(&scene, *state, "11");
	said = saying(&scene, NULL);
	mx_str_add_slice(&json, said.json);
	hello = strstr(json.ptr, "hello");
	assert_non_null(hello);
	json.ptr[hello - json.ptr] = 'j';
	assert_int_equal(receive_json(&scene, &others, mx_str_slice(&json)), 0);
	assert_int_equal(event_db_load_id(&scene.f->call, scene.room, said.id, &stored), 0);
	assert_null(event_content_text(&stored.event, "body", scene.f->call.mem).ptr);
	scene_end(&scene);
}

static void what_the_rules_forbid_is_kept_and_hidden(void **state)
{
	struct others others = { 0 };
	struct event said;
	struct scene scene;

	scene_begin(&scene, *state, "11");
	said = scene_build(&scene, &(struct said){ .sender = BOB, .type = "m.room.message" });
	assert_int_equal(receive(&scene, &others, &said), 0);
	assert_true(is_here(&scene, &said, EVENT_REJECTED));
	scene_end(&scene);
}

static void bytes_that_are_no_event_are_refused(void **state)
{
	struct others others = { 0 };
	struct scene scene;

	scene_begin(&scene, *state, "11");
	assert_int_equal(receive_json(&scene, &others, MX_SLICE("{}")), -MX_BAD_JSON);
	assert_int_equal(receive_json(&scene, &others, MX_SLICE("[")), -MX_BAD_JSON);
	scene.room_id = "!nowhere:there.example";
	assert_int_equal(receive_json(&scene, &others, MX_SLICE("{}")), -MX_NOT_FOUND);
	scene_end(&scene);
}

/* Ids of the first versions are chosen by who sends: such events can cite each other. */
static void a_circle_is_seen(void **state)
{
	struct others others = { 0 };
	struct event first, second;
	struct scene scene;
	mx_str_auto json = { 0 };
	char *cited;

	scene_begin(&scene, *state, "1");
	first = saying(&scene, NULL);
	second = saying(&scene, &first);
	hold(&others, second.id, &second);
	mx_str_add_slice(&json, first.json);
	cited = strstr(json.ptr, mx_arena_slice(scene.f->call.mem, first.prev_events[0]).ptr);
	assert_true(cited && first.prev_events[0].len == second.id.len);
	memcpy(cited, second.id.ptr, second.id.len);
	assert_int_equal(receive_json(&scene, &others, mx_str_slice(&json)), -MX_FORBIDDEN);
	assert_int_equal(others.asked, 1);
	assert_false(is_here(&scene, &first, 0) || is_here(&scene, &second, 0));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(what_is_sound_becomes_part_of_the_room),
		hs_test(what_is_missing_is_fetched_and_comes_first),
		hs_test(what_nobody_has_is_waited_for_by_nothing),
		hs_test(a_gap_is_filled_up_to_a_hundred_events),
		hs_test(who_has_not_signed_has_not_spoken),
		hs_test(another_event_than_was_asked_for_is_not_taken),
		hs_test(an_event_of_another_room_is_refused),
		hs_test(content_that_was_changed_on_the_way_is_left_out),
		hs_test(what_the_rules_forbid_is_kept_and_hidden),
		hs_test(bytes_that_are_no_event_are_refused),
		hs_test(a_circle_is_seen),
	};

	return cmocka_run_group_tests_name("ingest/receive", tests, NULL, NULL);
}
