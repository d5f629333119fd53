/* What others say, and what of it a room does not take. */
#include "homeserver/event/event_types.h"
#include "homeserver/ingest/ingest.h"
#include "homeserver/ingest/turn.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/remote_scene.h"

#define LARGEST ((INT64_C(1) << 53) - 1)

static int take(struct scene *scene, const struct event *event, struct stored_event *ret_stored)
{
	const struct ingest_source source = { .local = false };
	const struct stored_event *result;
	struct room_turn *turn;
	int rc;

	assert_int_equal(turn_begin(&scene->f->call, scene->room_id, &turn, NULL), 0);
	rc = ingest_apply(turn, event, &source, &result, NULL);
	if (rc) {
		turn_abort(turn);
		return rc;
	}
	*ret_stored = *result;
	assert_int_equal(turn_commit(turn, NULL), 0);
	hs_fixture_read(scene->f);
	return 0;
}

static int hear(struct scene *scene, const struct said *said, struct stored_event *ret_stored)
{
	const struct event event = scene_build(scene, said);

	return take(scene, &event, ret_stored);
}

static struct stored_event heard(struct scene *scene, const struct said *said)
{
	struct stored_event stored;

	assert_int_equal(hear(scene, said, &stored), 0);
	assert_int_equal(stored.header.flags & EVENT_HIDDEN, 0);
	return stored;
}

static void bob_joins(struct scene *scene)
{
	heard(scene, &(struct said){ .sender = BOB,
				     .type = TYPE_MEMBER,
				     .state_key = BOB,
				     .content = json_pack("{s:s}", "membership", "join") });
}

static struct stored_event said_by(struct scene *scene, const char *sender)
{
	return heard(scene, &(struct said){ .sender = sender, .type = "m.room.message" });
}

static bool is_redacted(struct scene *scene, uint32_t number)
{
	struct stored_event stored;

	assert_int_equal(event_db_load(&scene->f->call, scene->room, number, &stored), 0);
	return stored.header.redacted_by != 0;
}

static const char *id_of(struct scene *scene, const struct stored_event *stored)
{
	return mx_arena_slice(scene->f->call.mem, stored->event.id).ptr;
}

/* ---- redactions. Version 9: they name their target beside the content */

static void redact(struct scene *scene, const char *sender, const char *event_id)
{
	heard(scene,
	      &(struct said){ .sender = sender, .type = TYPE_REDACTION, .redacts = event_id });
}

static void a_redaction_from_another_server_needs_the_level(void **state)
{
	struct stored_event of_ann, of_bob;
	struct scene scene;

	scene_begin(&scene, *state, "9");
	bob_joins(&scene);
	of_ann = said_by(&scene, ANN);
	of_bob = said_by(&scene, BOB);
	redact(&scene, BOB, id_of(&scene, &of_ann));
	assert_false(is_redacted(&scene, of_ann.header.number));
	redact(&scene, BOB, id_of(&scene, &of_bob));
	assert_true(is_redacted(&scene, of_bob.header.number));
	redact(&scene, ANN, id_of(&scene, &of_ann));
	assert_true(is_redacted(&scene, of_ann.header.number));
	scene_end(&scene);
}

static void a_rooms_beginning_is_not_redacted_by_anybody(void **state)
{
	struct stored_event create;
	struct scene scene;

	scene_begin(&scene, *state, "9");
	assert_int_equal(event_db_load(&scene.f->call, scene.room, 1, &create), 0);
	redact(&scene, ANN, id_of(&scene, &create));
	assert_false(is_redacted(&scene, 1));
	scene_end(&scene);
}

static void redactions_of_each_other_end(void **state)
{
	struct stored_event first, second;
	struct scene scene;

	scene_begin(&scene, *state, "9");
	first = heard(&scene, &(struct said){ .sender = ANN,
					      .type = TYPE_REDACTION,
					      .redacts = "$not-here-yet" });
	redact(&scene, ANN, id_of(&scene, &first));
	second = scene_newest(&scene);
	redact(&scene, ANN, id_of(&scene, &second));
	assert_true(is_redacted(&scene, first.header.number));
	assert_true(is_redacted(&scene, second.header.number));
	scene_end(&scene);
}

/* ---- what it follows */

static void an_event_follows_events_of_its_own_room(void **state)
{
	struct scene scene, other;
	struct stored_event last, stored;

	scene_begin(&other, *state, "11");
	last = scene_newest(&other);
	scene_begin(&scene, *state, "11");
	assert_int_equal(hear(&scene,
			      &(struct said){ .sender = ANN,
					      .type = "m.room.message",
					      .after = &last.event },
			      &stored),
			 -MX_FORBIDDEN);
	scene_end(&other);
	scene_end(&scene);
}

static void the_state_at_what_came_without_it_is_not_known(void **state)
{
	struct stored_event outlier, stored;
	struct hs_fixture *f = *state;
	struct scene scene;

	scene_begin(&scene, f, "11");
	outlier = said_by(&scene, ANN);
	said_by(&scene, ANN);
	outlier.header.flags |= EVENT_OUTLIER;
	hs_fixture_write(f);
	event_db_put(f->call.txn, &outlier);
	hs_fixture_read(f);
	assert_int_equal(hear(&scene,
			      &(struct said){ .sender = ANN,
					      .type = "m.room.message",
					      .after = &outlier.event },
			      &stored),
			 -MX_NOT_FOUND);
	scene_end(&scene);
}

/* The depth of what is said here after an event from elsewhere. */
static int64_t depth_after(void **state, const char *version, int64_t depth)
{
	struct stored_event before, after;
	struct scene scene;
	struct room_turn *turn;

	scene_begin(&scene, *state, version);
	heard(&scene, &(struct said){ .sender = ANN, .type = "m.room.message", .depth = depth });
	before = scene_newest(&scene);
	assert_true(before.event.depth == depth);
	assert_int_equal(turn_begin(&scene.f->call, scene.room_id, &turn, NULL), 0);
	scene_say_here(turn, "m.room.message", NULL, json_pack("{s:s}", "body", "still here"));
	assert_int_equal(turn_commit(turn, NULL), 0);
	hs_fixture_read(scene.f);
	after = scene_newest(&scene);
	assert_true(mx_slice_eq(after.event.prev_events[0], before.event.id));
	scene_end(&scene);
	return after.event.depth;
}

/* Spec: server-server API, "PDUs": "If the room's depth is already at the limit, the depth must be
 * set to the limit", which is of the version. */
static void a_depth_never_grows_beyond_what_json_can_say(void **state)
{
	assert_true(depth_after(state, "11", LARGEST) == LARGEST);
	assert_true(depth_after(state, "6", LARGEST) == LARGEST);
}

static void a_depth_in_an_old_room_may_be_any_integer(void **state)
{
	assert_true(depth_after(state, "5", LARGEST) == LARGEST + 1);
	assert_true(depth_after(state, "1", LARGEST + 5) == LARGEST + 6);
	assert_true(depth_after(state, "5", INT64_MAX) == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_redaction_from_another_server_needs_the_level),
		hs_test(a_rooms_beginning_is_not_redacted_by_anybody),
		hs_test(redactions_of_each_other_end),
		hs_test(an_event_follows_events_of_its_own_room),
		hs_test(the_state_at_what_came_without_it_is_not_known),
		hs_test(a_depth_never_grows_beyond_what_json_can_say),
		hs_test(a_depth_in_an_old_room_may_be_any_integer),
	};

	return cmocka_run_group_tests_name("ingest/refusals", tests, NULL, NULL);
}
