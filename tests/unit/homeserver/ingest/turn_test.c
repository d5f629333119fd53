#include "homeserver/ingest/turn.h"

#include "homeserver/event/room_version.h"
#include "homeserver/room/event_db.h"
#include "homeserver/room/published_db.h"
#include "homeserver/room/rooms.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"
#define BEA "@bea:here.example"

#define THREADS 8
#define EACH    25

/* ---- a line an event */

static struct event_wish wish_of(const char *sender, const char *type, const char *key,
				 const json_t *content)
{
	return (struct event_wish){
		.sender = sender, .type = type, .state_key = key, .content = content
	};
}

static const char *room_id_of(const struct room_turn *turn, struct hs_fixture *f)
{
	const struct mx_slice id = turn_head(turn)->id;

	return mx_arena_strndup(f->call.mem, id.ptr, id.len);
}

static json_t *membership(const char *name)
{
	return json_pack("{s:s}", "membership", name);
}

/* Ann made it and is in it; anybody may join. */
static const char *make_room(struct hs_fixture *f, const struct room_version *version)
{
	json_auto_t *content = json_object();
	const struct room_birth birth = {
		.version = version,
		.create = wish_of(ANN, "m.room.create", "", content),
	};
	struct mx_error err = { 0 };
	struct room_turn *turn;
	const char *room_id;

	assert_int_equal(turn_create(&f->call, &birth, &turn, &err), 0);
	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.member", ANN, membership("join")), 0);
	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.join_rules", "",
					 json_pack("{s:s}", "join_rule", "public")),
			 0);
	room_id = room_id_of(turn, f);
	assert_int_equal(turn_commit(turn, &err), 0);
	return room_id;
}

static const char *make_newest(struct hs_fixture *f)
{
	return make_room(f, room_version_find(MX_SLICE(ROOM_VERSION_DEFAULT)));
}

static struct room_turn *begin(struct hs_fixture *f, const char *room_id)
{
	struct mx_error err = { 0 };
	struct room_turn *turn;

	assert_int_equal(turn_begin(&f->call, room_id, &turn, &err), 0);
	return turn;
}

static json_t *text(const char *body)
{
	return json_pack("{s:s, s:s}", "msgtype", "m.text", "body", body);
}

/* The id of what was said. */
static const char *say(struct hs_fixture *f, const char *room_id, const char *sender,
		       const char *body)
{
	json_auto_t *content = text(body);
	const struct event_wish wish = wish_of(sender, "m.room.message", NULL, content);
	struct room_turn *turn = begin(f, room_id);
	const struct event *event;
	const char *id;

	assert_int_equal(turn_send(turn, &wish, &event, NULL), 0);
	id = mx_arena_strndup(f->call.mem, event->id.ptr, event->id.len);
	assert_int_equal(turn_commit(turn, NULL), 0);
	return id;
}

static struct room_head head_of(struct hs_fixture *f, const char *room_id, uint32_t *ret_room)
{
	struct room_head head;

	hs_fixture_read(f);
	assert_int_equal(room_db_find(&f->call, mx_slice(room_id), ret_room), 0);
	assert_int_equal(room_db_head(&f->call, *ret_room, &head), 0);
	return head;
}

/* ---- tests */

static void a_room_of_every_version_is_made_and_read_back(void **state)
{
	struct hs_fixture *f = *state;
	const struct room_version *version;

	for (size_t i = 0; (version = room_version_at(i)); i++) {
		const char *room_id = make_room(f, version);
		struct state_reader reader;
		struct stored_event stored;
		struct room_head head;
		uint32_t room;

		head = head_of(f, room_id, &room);
		assert_ptr_equal(head.version, version);
		assert_int_equal(head.joined, 1);
		assert_int_equal(head.last_rseq, 3);
		assert_int_equal(head.extremities_len, 1);
		state_reader_init(&reader, &f->call, room);
		assert_int_equal(state_reader_membership(&reader, &head.state, mx_slice(ANN)),
				 MEMBERSHIP_JOIN);
		assert_int_equal(state_reader_load(&reader, &head.state, "m.room.create",
						   MX_SLICE(""), &stored),
				 0);
		assert_true(mx_slice_is(stored.event.room_id, room_id));
		state_reader_done(&reader);
	}
}

static void what_is_sent_follows_what_was_sent(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f), *first, *second;
	struct stored_event stored;
	uint32_t room;

	first = say(f, room_id, ANN, "one");
	second = say(f, room_id, ANN, "two");
	head_of(f, room_id, &room);
	assert_int_equal(event_db_load_id(&f->call, room, mx_slice(second), &stored), 0);
	assert_int_equal(stored.event.prev_events_len, 1);
	assert_true(mx_slice_is(stored.event.prev_events[0], first));
	assert_int_equal(stored.header.rseq, 5);
	assert_int_equal(stored.event.depth, 5);
}

static void what_is_not_allowed_leaves_nothing(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct room_turn *turn = begin(f, room_id);
	uint32_t room;

	assert_int_equal(hs_fixture_send(turn, BEA, "m.room.message", NULL, text("hello")),
			 -MX_FORBIDDEN);
	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.message", NULL, text("mine")), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	assert_int_equal(head_of(f, room_id, &room).last_rseq, 4);
}

static void an_aborted_turn_leaves_nothing(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct room_turn *turn = begin(f, room_id);
	uint32_t room;

	assert_int_equal(hs_fixture_send(turn, BEA, "m.room.member", BEA, membership("join")), 0);
	assert_int_equal(turn_membership(turn, BEA), MEMBERSHIP_JOIN);
	turn_abort(turn);
	turn = begin(f, room_id);
	assert_int_equal(turn_membership(turn, BEA), MEMBERSHIP_NONE);
	turn_abort(turn);
	assert_int_equal(head_of(f, room_id, &room).joined, 1);
}

static void members_are_counted_and_listed(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct room_turn *turn = begin(f, room_id);
	struct user_room user_room;
	struct member_row row;
	uint32_t room;

	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.member", BEA, membership("invite")), 0);
	assert_int_equal(turn_head(turn)->invited, 1);
	assert_int_equal(hs_fixture_send(turn, BEA, "m.room.member", BEA, membership("join")), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	assert_int_equal(head_of(f, room_id, &room).joined, 2);
	assert_int_equal(head_of(f, room_id, &room).invited, 0);
	assert_int_equal(member_db_load(&f->call, room, MX_SLICE(BEA), &row), 0);
	assert_int_equal(row.membership, MEMBERSHIP_JOIN);
	assert_int_equal(user_room_db_load(&f->call, MX_SLICE(BEA), room, &user_room), 0);
	assert_int_equal(user_room.membership, MEMBERSHIP_JOIN);
	assert_true(user_room.position > 0);
	turn = begin(f, room_id);
	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.member", BEA, membership("ban")), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	assert_int_equal(head_of(f, room_id, &room).joined, 1);
}

static void a_lost_commit_takes_what_built_on_it_along(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct room_turn *turn;
	uint32_t room;

	say(f, room_id, ANN, "before");
	turn = begin(f, room_id);
	assert_int_equal(hs_fixture_send(turn, ANN, "m.room.message", NULL, text("lost")), 0);
	/* The row is there: the commit cannot succeed. */
	store_txn_get(turn_txn(turn), event_tables[0], MX_SLICE("other"), f->call.mem,
		      &(struct mx_slice){ 0 });
	hs_fixture_write(f);
	store_txn_put(f->call.txn, event_tables[0], MX_SLICE("other"), MX_SLICE("v"));
	hs_fixture_write(f);
	assert_int_equal(turn_commit(turn, NULL), -MX_CONFLICT);
	say(f, room_id, ANN, "after");
	assert_int_equal(head_of(f, room_id, &room).last_rseq, 5);
}

static void one_redacts_ones_own_and_others_with_the_level(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f), *of_ann, *of_bea;
	json_auto_t *content = json_object();
	struct event_wish wish = wish_of(BEA, "m.room.redaction", NULL, content);
	struct stored_event stored;
	const struct event *event;
	struct room_turn *turn = begin(f, room_id);
	uint32_t room;

	assert_int_equal(hs_fixture_send(turn, BEA, "m.room.member", BEA, membership("join")), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	of_ann = say(f, room_id, ANN, "mine");
	of_bea = say(f, room_id, BEA, "hers");
	turn = begin(f, room_id);
	wish.redacts = of_ann;
	assert_int_equal(turn_send(turn, &wish, &event, NULL), -MX_FORBIDDEN);
	wish.sender = ANN;
	wish.redacts = of_bea;
	assert_int_equal(turn_send(turn, &wish, &event, NULL), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	head_of(f, room_id, &room);
	assert_int_equal(event_db_load_id(&f->call, room, mx_slice(of_bea), &stored), 0);
	assert_int_not_equal(stored.header.redacted_by, 0);
	assert_int_equal(event_db_load_id(&f->call, room, mx_slice(of_ann), &stored), 0);
	assert_int_equal(stored.header.redacted_by, 0);
}

/* ---- many at once */

struct talker {
	struct hs *hs;
	const char *room_id;
	pthread_t thread;
	size_t said;
};

static void *talk(void *ctx)
{
	struct talker *talker = ctx;
	struct hs_call call = { .hs = talker->hs, .now_ms = HS_FIXTURE_NOW };

	call.mem = mx_arena_new(0);
	for (unsigned i = 0; i < EACH; i++) {
		struct room_turn *turn;

		mx_arena_reset(call.mem);
		if (turn_begin(&call, talker->room_id, &turn, NULL))
			continue;
		if (hs_fixture_send(turn, ANN, "m.room.message", NULL, text("hello")))
			turn_abort(turn);
		else if (turn_commit(turn, NULL) == 0)
			talker->said++;
	}
	mx_arena_free(call.mem);
	return NULL;
}

static void many_who_talk_at_once_make_one_line(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct talker talkers[THREADS];
	struct timeline timeline;
	struct room_head head;
	uint32_t room;

	for (unsigned i = 0; i < THREADS; i++) {
		talkers[i] = (struct talker){ .hs = &f->hs, .room_id = room_id };
		talkers[i].thread = mx_thread_start("talk", talk, &talkers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(talkers[i].thread, NULL);
		assert_int_equal(talkers[i].said, EACH);
	}
	head = head_of(f, room_id, &room);
	assert_int_equal(head.last_rseq, 3 + THREADS * EACH);
	assert_int_equal(head.extremities_len, 1);
	assert_int_equal(timeline_db_scan(&f->call, room,
					  &(struct timeline_range){
						  .after = 0, .before = INT64_MAX, .limit = 1000 },
					  &timeline),
			 0);
	assert_int_equal(timeline.len, 3 + THREADS * EACH);
	for (size_t i = 1; i < timeline.len; i++) {
		assert_int_equal(timeline.items[i].rseq, timeline.items[i - 1].rseq + 1);
		assert_true(timeline.items[i].position >= timeline.items[i - 1].position);
	}
}

static void a_room_that_was_forgotten_is_read_again(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f), *other = make_newest(f);
	struct room_turn *turn;

	say(f, room_id, ANN, "before");
	rooms_free(f->hs.rooms);
	f->hs.rooms = rooms_new(&f->hs, 0);
	for (unsigned i = 0; i < 3; i++) {
		say(f, room_id, ANN, "after");
		say(f, other, ANN, "elsewhere");
		/* Its own commit was under way when it was put aside. */
		assert_true(rooms_in_memory(f->hs.rooms) <= 1);
	}
	turn = begin(f, room_id);
	assert_int_equal(turn_head(turn)->last_rseq, 7);
	turn_abort(turn);
}

/* ---- the directory */

static struct published_places directory(struct hs_fixture *f)
{
	struct published_places places;

	hs_fixture_read(f);
	assert_int_equal(published_db_scan(&f->call, &(struct published_place){ UINT32_MAX, 0 },
					   false, 100, &places),
			 0);
	return places;
}

static void publish(struct hs_fixture *f, const char *room_id, bool is_published)
{
	struct room_turn *turn = begin(f, room_id);

	turn_publish(turn, is_published);
	assert_int_equal(turn_commit(turn, NULL), 0);
}

static void a_published_room_has_one_place_by_its_members(void **state)
{
	struct hs_fixture *f = *state;
	const char *small = make_newest(f), *large = make_newest(f);
	struct published_places places;
	struct room_turn *turn;
	uint32_t numbers[2];

	head_of(f, small, &numbers[0]);
	head_of(f, large, &numbers[1]);
	publish(f, small, true);
	publish(f, large, true);
	assert_int_equal(directory(f).items[0].room, numbers[0]);
	turn = begin(f, large);
	assert_int_equal(hs_fixture_send(turn, BEA, "m.room.member", BEA, membership("join")), 0);
	assert_int_equal(turn_commit(turn, NULL), 0);
	places = directory(f);
	assert_int_equal(places.len, 2);
	assert_int_equal(places.items[0].room, numbers[1]);
	assert_int_equal(places.items[0].joined, 2);
	publish(f, large, false);
	assert_int_equal(directory(f).len, 1);
	assert_true(head_of(f, small, &numbers[0]).is_published);
	assert_false(head_of(f, large, &numbers[1]).is_published);
}

static void a_room_that_is_not_published_has_no_place(void **state)
{
	struct hs_fixture *f = *state;
	const char *room_id = make_newest(f);
	struct room_turn *turn = begin(f, room_id);

	turn_publish(turn, true);
	turn_abort(turn);
	say(f, room_id, ANN, "nobody finds this");
	assert_int_equal(directory(f).len, 0);
}

static void an_unknown_room_is_not_found(void **state)
{
	struct hs_fixture *f = *state;
	struct room_turn *turn;

	assert_int_equal(turn_begin(&f->call, "!none:here.example", &turn, NULL), -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_room_of_every_version_is_made_and_read_back),
		hs_test(what_is_sent_follows_what_was_sent),
		hs_test(what_is_not_allowed_leaves_nothing),
		hs_test(an_aborted_turn_leaves_nothing),
		hs_test(members_are_counted_and_listed),
		hs_test(a_lost_commit_takes_what_built_on_it_along),
		hs_test(one_redacts_ones_own_and_others_with_the_level),
		hs_test(many_who_talk_at_once_make_one_line),
		hs_test(a_room_that_was_forgotten_is_read_again),
		hs_test(a_published_room_has_one_place_by_its_members),
		hs_test(a_room_that_is_not_published_has_no_place),
		hs_test(an_unknown_room_is_not_found),
	};

	return cmocka_run_group_tests_name("ingest/turn", tests, NULL, NULL);
}
