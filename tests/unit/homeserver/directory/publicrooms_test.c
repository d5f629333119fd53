#include "homeserver/directory/publicrooms.h"

#include "homeserver/event/room_version.h"
#include "homeserver/room/published_db.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/hs_fixture.h"

/* Room n has as many members as here. */
static const uint32_t members[] = { 5, 300, 5, 70000, 1, 5, 2 };
/* …so this is their order. */
static const char *const order[] = { "!3:here.example", "!1:here.example", "!0:here.example",
				     "!2:here.example", "!5:here.example", "!6:here.example",
				     "!4:here.example" };

#define ROOMS (sizeof(members) / sizeof(members[0]))

static struct room_head head_of(struct hs_fixture *f, uint32_t number, uint32_t joined)
{
	return (struct room_head){
		.version = room_version_find(MX_SLICE("11")),
		.id = mx_slice(mx_arena_strf(f->call.mem, "!%u:here.example", number)),
		.joined = joined,
		.is_published = true,
	};
}

static void publish(struct hs_fixture *f, uint32_t number, uint32_t joined)
{
	const struct room_head none = { 0 }, head = head_of(f, number, joined);

	room_db_add(f->call.txn, number + 1, &head);
	published_db_follow(f->call.txn, number + 1, &none, &head);
}

static void publish_all(struct hs_fixture *f)
{
	for (uint32_t i = 0; i < ROOMS; i++)
		publish(f, i, members[i]);
	hs_fixture_read(f);
}

static json_t *page(struct hs_fixture *f, const char *since, int64_t limit)
{
	const struct publicrooms_query query = { .since = since, .limit = limit };
	json_t *answer;

	assert_int_equal(publicrooms_list(&f->call, &query, &answer, NULL), 0);
	return answer;
}

static void assert_shows(const json_t *answer, size_t from, size_t len)
{
	const json_t *chunk = jarr(answer, "chunk");

	assert_int_equal(json_array_size(chunk), len);
	for (size_t i = 0; i < len; i++)
		assert_string_equal(jstr(json_array_get(chunk, i), "room_id"), order[from + i]);
}

/* ---- tests */

static void the_largest_come_first_and_equal_ones_by_number(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *whole = NULL;

	publish_all(f);
	whole = page(f, NULL, 0);
	assert_shows(whole, 0, ROOMS);
	assert_null(jstr(whole, "next_batch"));
	assert_null(jstr(whole, "prev_batch"));
}

static void pages_go_on_where_the_last_one_ended_both_ways(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *first = NULL, *second = NULL, *third = NULL, *back = NULL;

	publish_all(f);
	first = page(f, NULL, 3);
	second = page(f, jstr(first, "next_batch"), 3);
	third = page(f, jstr(second, "next_batch"), 3);
	assert_shows(first, 0, 3);
	assert_shows(second, 3, 3);
	assert_shows(third, 6, 1);
	assert_null(jstr(first, "prev_batch"));
	assert_null(jstr(third, "next_batch"));
	back = page(f, jstr(third, "prev_batch"), 3);
	assert_shows(back, 3, 3);
	assert_string_equal(jstr(back, "next_batch"), jstr(second, "next_batch"));
	assert_string_equal(jstr(back, "prev_batch"), jstr(second, "prev_batch"));
}

static void a_page_that_ends_with_the_list_has_no_next_one(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *last = NULL, *behind = NULL;

	publish_all(f);
	last = page(f, NULL, ROOMS);
	assert_shows(last, 0, ROOMS);
	assert_null(jstr(last, "next_batch"));
	behind = page(f, "f0_0", 3);
	assert_shows(behind, 0, 0);
	assert_null(jstr(behind, "next_batch"));
	assert_null(jstr(behind, "prev_batch"));
}

/* More than are read at once. */
static void a_long_list_is_walked_through_without_a_gap(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *whole = NULL, *first = NULL, *rest = NULL;

	for (uint32_t i = 0; i < 250; i++)
		publish(f, i, 1000 - i);
	hs_fixture_read(f);
	whole = page(f, NULL, 500);
	first = page(f, NULL, 200);
	rest = page(f, jstr(first, "next_batch"), 200);
	assert_int_equal(json_array_size(jarr(whole, "chunk")), 250);
	assert_int_equal(json_array_size(jarr(first, "chunk")), 200);
	assert_int_equal(json_array_size(jarr(rest, "chunk")), 50);
	assert_true(json_equal(json_array_get(jarr(whole, "chunk"), 200),
			       json_array_get(jarr(rest, "chunk"), 0)));
}

static void a_room_that_moves_between_pages_is_not_lost_for_the_others(void **state)
{
	struct hs_fixture *f = *state;
	const struct room_head was = head_of(f, 0, 5), is = head_of(f, 0, 4);
	json_auto_t *first = NULL, *second = NULL;

	publish_all(f);
	first = page(f, NULL, 3);
	hs_fixture_write(f);
	published_db_follow(f->call.txn, 1, &was, &is);
	hs_fixture_read(f);
	second = page(f, jstr(first, "next_batch"), 2);
	assert_shows(second, 3, 2);
}

static void the_estimate_is_at_most_a_minute_old(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *before = NULL, *soon = NULL, *later = NULL;

	publish_all(f);
	before = page(f, NULL, 1);
	assert_int_equal(jint(before, "total_room_count_estimate", -1), ROOMS);
	hs_fixture_write(f);
	publish(f, 100, 1);
	hs_fixture_read(f);
	soon = page(f, NULL, 1);
	assert_int_equal(jint(soon, "total_room_count_estimate", -1), ROOMS);
	hs_fixture_at(f, HS_FIXTURE_NOW + MX_MINUTE_MS);
	later = page(f, NULL, 1);
	assert_int_equal(jint(later, "total_room_count_estimate", -1), ROOMS + 1);
}

static void a_page_that_is_the_whole_list_counts_it(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *before = NULL, *grown = NULL, *part = NULL;

	hs_fixture_read(f);
	before = page(f, NULL, 0);
	assert_int_equal(jint(before, "total_room_count_estimate", -1), 0);
	hs_fixture_write(f);
	publish_all(f);
	grown = page(f, NULL, 0);
	assert_int_equal(jint(grown, "total_room_count_estimate", -1), ROOMS);
	part = page(f, NULL, 3);
	assert_true(jint(part, "total_room_count_estimate", -1) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(the_largest_come_first_and_equal_ones_by_number),
		hs_test(pages_go_on_where_the_last_one_ended_both_ways),
		hs_test(a_page_that_ends_with_the_list_has_no_next_one),
		hs_test(a_long_list_is_walked_through_without_a_gap),
		hs_test(a_room_that_moves_between_pages_is_not_lost_for_the_others),
		hs_test(the_estimate_is_at_most_a_minute_old),
		hs_test(a_page_that_is_the_whole_list_counts_it),
	};

	return cmocka_run_group_tests_name("directory/publicrooms", tests, NULL, NULL);
}
