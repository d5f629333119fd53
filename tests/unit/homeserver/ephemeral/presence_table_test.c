/* wrap: stream_tick */
#include "homeserver/ephemeral/presence_table.h"

#include "homeserver/stream/stream.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ANN   "@ann:here"
#define BOB   "@bob:here"
#define START 1000000

static uint64_t tick;

uint64_t __wrap_stream_tick(struct stream *stream);
uint64_t __wrap_stream_tick(struct stream *stream)
{
	(void)stream;
	return ++tick;
}

static void now_is(int64_t after_ms)
{
	mx_time_fake(START + after_ms, START + after_ms);
}

static int setup(void **state)
{
	now_is(0);
	tick = 1;
	*state = presence_table_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	presence_table_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

/* "online", "online active", … */
static void assert_is(struct presence_table *table, const char *user_id, const char *expected)
{
	const struct presence_entry *entry = presence_table_find(table, user_id);
	mx_autofree char *text = NULL;

	assert_non_null(entry);
	text = mx_strf("%s%s", presence_state_name(entry->shown.state),
		       entry->shown.currently_active ? " active" : "");
	assert_string_equal(text, expected);
}

/* How many changed until then. */
static size_t run_until(struct presence_table *table, int64_t after_ms)
{
	struct presence_users users = { 0 };
	size_t len;

	now_is(after_ms);
	presence_table_run(table, START + after_ms, &users);
	len = users.len;
	presence_users_done(&users);
	return len;
}

static void who_syncs_is_online_until_the_next_one_does_not_come(void **table)
{
	assert_true(presence_table_sync(*table, ANN, PRESENCE_ONLINE, 30000));
	assert_is(*table, ANN, "online active");
	assert_int_equal(run_until(*table, 59999), 0);
	assert_int_equal(run_until(*table, 60000), 1);
	assert_is(*table, ANN, "offline");
	assert_int_equal(run_until(*table, MX_DAY_MS), 0);
}

static void who_goes_on_syncing_stays(void **table)
{
	for (int i = 0; i < 4; i++) {
		now_is(i * 14000);
		assert_int_equal(presence_table_sync(*table, ANN, PRESENCE_ONLINE, 0), i == 0);
		run_until(*table, i * 14000 + 13999);
	}
	assert_is(*table, ANN, "online active");
}

static void who_does_nothing_becomes_unavailable(void **table)
{
	presence_table_sync(*table, ANN, PRESENCE_ONLINE, MX_HOUR_MS);
	assert_int_equal(run_until(*table, PRESENCE_CURRENT_MS), 1);
	assert_is(*table, ANN, "online");
	assert_int_equal(run_until(*table, PRESENCE_IDLE_MS), 1);
	assert_is(*table, ANN, "unavailable");
	assert_false(presence_table_sync(*table, ANN, PRESENCE_ONLINE, MX_HOUR_MS));
	assert_true(presence_table_active(*table, ANN));
	assert_is(*table, ANN, "online active");
	assert_false(presence_table_active(*table, ANN));
}

static void activity_alone_makes_nobody_online(void **table)
{
	assert_false(presence_table_active(*table, ANN));
	assert_is(*table, ANN, "offline");
}

static void what_the_user_says_holds_while_they_sync(void **table)
{
	presence_table_sync(*table, ANN, PRESENCE_ONLINE, 1000);
	assert_true(presence_table_set(*table, ANN, PRESENCE_UNAVAILABLE, "lunch"));
	assert_false(presence_table_sync(*table, ANN, PRESENCE_ONLINE, 1000));
	assert_is(*table, ANN, "unavailable");
	assert_string_equal(presence_table_find(*table, ANN)->status, "lunch");
	assert_true(presence_table_set(*table, ANN, PRESENCE_UNAVAILABLE, "back soon"));
	assert_false(presence_table_set(*table, ANN, PRESENCE_UNAVAILABLE, "back soon"));
	assert_true(presence_table_set(*table, ANN, PRESENCE_UNAVAILABLE, NULL));
	assert_null(presence_table_find(*table, ANN)->status);
	assert_true(presence_table_set(*table, ANN, PRESENCE_OFFLINE, NULL));
	assert_is(*table, ANN, "offline");
	assert_true(presence_table_sync(*table, ANN, PRESENCE_UNAVAILABLE, 1000));
	assert_is(*table, ANN, "unavailable");
}

static void changes_are_in_their_order(void **table)
{
	const struct presence_entry *last;

	presence_table_active(*table, "@quiet:here");
	presence_table_sync(*table, ANN, PRESENCE_ONLINE, 1000);
	presence_table_sync(*table, BOB, PRESENCE_ONLINE, 1000);
	presence_table_active(*table, "@silent:here");
	last = presence_table_last(*table);
	assert_string_equal(last->user_id, BOB);
	assert_string_equal(last->before->user_id, ANN);
	assert_true(last->tick > last->before->tick);
	presence_table_set(*table, ANN, PRESENCE_ONLINE, "x");
	assert_string_equal(presence_table_last(*table)->user_id, ANN);
	assert_string_equal(presence_table_last(*table)->before->user_id, BOB);
}

static void who_was_away_longest_is_forgotten(void **table)
{
	presence_table_sync(*table, ANN, PRESENCE_ONLINE, MX_HOUR_MS);
	presence_table_sync(*table, BOB, PRESENCE_ONLINE, 0);
	run_until(*table, PRESENCE_GRACE_MS);
	for (int i = 2; i < PRESENCE_USERS_MAX + 1; i++) {
		mx_autofree char *user_id = mx_strf("@u%d:here", i);

		presence_table_sync(*table, user_id, PRESENCE_ONLINE, MX_HOUR_MS);
	}
	assert_null(presence_table_find(*table, BOB));
	assert_is(*table, ANN, "online active");
	assert_is(*table, "@u2:here", "online active");
}

static void names_are_read_back(void **table)
{
	enum presence_state state;

	(void)table;
	assert_true(presence_state_parse("unavailable", &state));
	assert_int_equal(state, PRESENCE_UNAVAILABLE);
	assert_true(presence_state_parse("offline", &state));
	assert_int_equal(state, PRESENCE_OFFLINE);
	assert_false(presence_state_parse("busy", &state));
	assert_false(presence_state_parse(NULL, &state));
}

#define table_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		table_test(who_syncs_is_online_until_the_next_one_does_not_come),
		table_test(who_goes_on_syncing_stays),
		table_test(who_does_nothing_becomes_unavailable),
		table_test(activity_alone_makes_nobody_online),
		table_test(what_the_user_says_holds_while_they_sync),
		table_test(changes_are_in_their_order),
		table_test(who_was_away_longest_is_forgotten),
		table_test(names_are_read_back),
	};

	return cmocka_run_group_tests_name("profile/presence_table", tests, NULL, NULL);
}
