#include "homeserver/room/room_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ROOM 7

static void add(struct hs_fixture *f, int64_t rseq, int64_t depth)
{
	const struct timeline_entry entry = { .rseq = rseq,
					      .event = (uint32_t)(rseq + 100),
					      .depth = depth,
					      .after = { (uint32_t)depth, 2 } };

	timeline_db_add(f->call.txn, ROOM, &entry);
}

/* Entries of rooms around it, which no scan of it may show. */
static void add_neighbours(struct hs_fixture *f)
{
	const struct timeline_entry entry = { .rseq = 1, .event = 1, .depth = 1 };

	timeline_db_add(f->call.txn, ROOM - 1, &entry);
	timeline_db_add(f->call.txn, ROOM + 1, &entry);
}

static void assert_scan(struct hs_fixture *f, struct timeline_range range, const int64_t *rseqs)
{
	struct timeline timeline;
	size_t i = 0;

	assert_int_equal(timeline_db_scan(&f->call, ROOM, &range, &timeline), 0);
	for (; rseqs[i] != INT64_MAX; i++) {
		assert_true(i < timeline.len);
		assert_int_equal(timeline.items[i].rseq, rseqs[i]);
	}
	assert_int_equal(timeline.len, i);
}

#define RSEQS(...) ((const int64_t[]){ __VA_ARGS__, INT64_MAX })

static void bounds_are_exclusive(void **state)
{
	struct hs_fixture *f = *state;

	add_neighbours(f);
	for (int64_t rseq = -2; rseq <= 4; rseq++)
		add(f, rseq, 10 + rseq);
	hs_fixture_read(f);
	assert_scan(f, (struct timeline_range){ .after = 1, .before = 4 }, RSEQS(2, 3));
	assert_scan(f, (struct timeline_range){ .before = INT64_MAX }, RSEQS(1, 2, 3, 4));
	assert_scan(f, (struct timeline_range){ .after = INT64_MIN, .before = 1 },
		    RSEQS(-2, -1, 0));
	assert_scan(f,
		    (struct timeline_range){
			    .after = -2, .before = INT64_MAX, .limit = 2, .reverse = true },
		    RSEQS(4, 3));
	assert_scan(f, (struct timeline_range){ .after = 3, .before = 4 }, RSEQS(INT64_MAX));
	assert_scan(f, (struct timeline_range){ .after = INT64_MAX, .before = INT64_MAX },
		    RSEQS(INT64_MAX));
}

static void an_entry_is_read_as_it_was(void **state)
{
	struct hs_fixture *f = *state;
	struct timeline_entry entry;

	add(f, 1, 20);
	hs_fixture_read(f);
	assert_int_equal(timeline_db_at(&f->call, ROOM, UINT64_MAX, &entry), 0);
	assert_int_equal(entry.rseq, 1);
	assert_int_equal(entry.event, 101);
	assert_int_equal(entry.depth, 20);
	assert_int_equal(entry.after.members, 20);
	assert_int_equal(entry.after.others, 2);
	assert_int_equal(entry.position, store_view_stamp(f->call.view));
}

/* Commits of one to three entries each, with commits elsewhere between them. */
static size_t fill(struct hs_fixture *f, uint64_t *positions, size_t max)
{
	size_t len = 0;

	while (len + 3 <= max) {
		size_t more = 1 + len % 3;

		for (size_t i = 0; i < more; i++)
			add(f, (int64_t)(len + i + 1), 1);
		hs_fixture_read(f);
		for (size_t i = 0; i < more; i++)
			positions[len++] = store_view_stamp(f->call.view);
		hs_fixture_write(f);
		add_neighbours(f);
		hs_fixture_write(f);
	}
	return len;
}

static void the_entry_of_every_moment_is_found(void **state)
{
	struct hs_fixture *f = *state;
	struct timeline_entry entry;
	uint64_t positions[70];
	size_t len = fill(f, positions, 70);

	add(f, -3, 1); /* fetched later: no moment of it is found */
	hs_fixture_read(f);
	for (uint64_t at = 0; at <= positions[len - 1] + 2; at++) {
		size_t expected = 0;

		while (expected < len && positions[expected] <= at)
			expected++;
		if (expected == 0) {
			assert_int_equal(timeline_db_at(&f->call, ROOM, at, &entry), -MX_NOT_FOUND);
			continue;
		}
		assert_int_equal(timeline_db_at(&f->call, ROOM, at, &entry), 0);
		assert_int_equal(entry.rseq, expected);
	}
}

static void a_room_without_entries_has_no_moment(void **state)
{
	struct hs_fixture *f = *state;
	struct timeline_entry entry;

	add_neighbours(f);
	assert_int_equal(timeline_db_at(&f->call, ROOM, UINT64_MAX, &entry), -MX_NOT_FOUND);
}

static void what_is_not_committed_is_later_than_all(void **state)
{
	struct hs_fixture *f = *state;
	struct timeline_entry entry;

	add(f, 1, 1);
	hs_fixture_write(f);
	add(f, 2, 2);
	assert_int_equal(timeline_db_at(&f->call, ROOM, 1000, &entry), 0);
	assert_int_equal(entry.rseq, 1);
}

/* ---- by depth */

static void assert_topo(struct hs_fixture *f, struct topo_place from, bool backwards, size_t limit,
			const int64_t *rseqs)
{
	struct topo topo;
	size_t i = 0;

	assert_int_equal(topo_db_scan(&f->call, ROOM, from, backwards, limit, &topo), 0);
	for (; rseqs[i] != INT64_MAX; i++) {
		assert_true(i < topo.len);
		assert_int_equal(topo.items[i].place.rseq, rseqs[i]);
		assert_int_equal(topo.items[i].event, rseqs[i] + 100);
	}
	assert_int_equal(topo.len, i);
}

static void depth_comes_before_arrival(void **state)
{
	struct hs_fixture *f = *state;

	add_neighbours(f);
	add(f, 1, 5);
	add(f, 2, 4);
	add(f, 3, 5);
	add(f, -1, 2);
	add(f, 0, INT64_MAX);
	hs_fixture_read(f);
	assert_topo(f, (struct topo_place){ 0, INT64_MIN }, false, 0, RSEQS(-1, 2, 1, 3, 0));
	assert_topo(f, (struct topo_place){ INT64_MAX, INT64_MAX }, true, 2, RSEQS(0, 3));
	assert_topo(f, (struct topo_place){ 5, 3 }, false, 0, RSEQS(3, 0));
	assert_topo(f, (struct topo_place){ 5, 3 }, true, 0, RSEQS(1, 2, -1));
}

static void assert_times(struct hs_fixture *f, int64_t ts, bool backwards, const char *expected)
{
	struct time_list list;
	mx_str_auto events = { 0 };

	assert_int_equal(time_db_scan(&f->call, ROOM, ts, backwards, 2, &list), 0);
	for (size_t i = 0; i < list.len; i++)
		mx_str_addf(&events, "%u ", list.events[i]);
	assert_true(mx_slice_is(mx_str_slice(&events), expected));
}

static void events_are_found_by_their_time(void **state)
{
	static const int64_t times[] = { 50, -7, 60, 50, INT64_MAX };
	struct hs_fixture *f = *state;

	add_neighbours(f);
	for (uint32_t i = 0; i < 5; i++) {
		const struct timeline_entry entry = {
			.rseq = i + 1, .event = i + 1, .depth = i, .origin_server_ts = times[i]
		};

		timeline_db_add(f->call.txn, ROOM, &entry);
	}
	hs_fixture_read(f);
	assert_times(f, 50, false, "1 4 ");
	assert_times(f, 50, true, "4 1 ");
	assert_times(f, 49, true, "2 ");
	assert_times(f, 51, false, "3 5 ");
	assert_times(f, INT64_MAX, true, "5 3 ");
	assert_times(f, -8, true, "");
}

static void a_change_without_an_event_has_no_depth(void **state)
{
	struct hs_fixture *f = *state;
	const struct timeline_entry entry = { .rseq = 1, .event = 0 };

	timeline_db_add(f->call.txn, ROOM, &entry);
	assert_scan(f, (struct timeline_range){ .before = INT64_MAX }, RSEQS(1));
	assert_topo(f, (struct topo_place){ 0, INT64_MIN }, false, 0, RSEQS(INT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(bounds_are_exclusive),
		hs_test(an_entry_is_read_as_it_was),
		hs_test(the_entry_of_every_moment_is_found),
		hs_test(a_room_without_entries_has_no_moment),
		hs_test(what_is_not_committed_is_later_than_all),
		hs_test(depth_comes_before_arrival),
		hs_test(events_are_found_by_their_time),
		hs_test(a_change_without_an_event_has_no_depth),
	};
	return cmocka_run_group_tests_name("room/timeline_db", tests, NULL, NULL);
}
