/* wrap: net_start net_fetch */
#include "notary/refresh.h"

#include "notary/trust.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/notary_fixture.h"

#define A     MX_SLICE("a.example")
#define RETRY (15 * MX_MINUTE_MS) /* after it every server was looked at again */

static const struct made_object day_long = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};

/* Somebody asks for the server. */
static void note(struct notary_fixture *f, const char *server)
{
	struct key_entry *entry = notary_fixture_load(f, server);

	refresh_note(f->notary.refresh, mx_slice(server), entry);
	key_entry_unref(entry);
}

static void round_after(struct notary_fixture *f, int64_t ms)
{
	notary_fixture_pass(f, ms);
	refresh_round(f->notary.refresh);
}

static void keep_fresh(struct notary_fixture *f, const struct made_object *made)
{
	notary_fixture_record(f, made);
	note(f, made->server);
	refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 0);
}

static void at_its_half_life_a_server_is_asked_again(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	round_after(f, 11 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 0);
	round_after(f, 2 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 1);
}

static void what_it_says_then_is_known_without_a_question(void **state)
{
	struct made_object renewed = day_long;
	struct notary_fixture *f = *state;
	struct key_entry *entry;

	renewed.valid_until_ts = NOTARY_NOW + 3 * MX_DAY_MS;
	keep_fresh(f, &day_long);
	round_after(f, 13 * MX_HOUR_MS);
	notary_fixture_reply(f, &renewed);
	entry = notary_fixture_load(f, "a.example");
	assert_int_equal(entry->versions[0].valid_until_ts, renewed.valid_until_ts);
	key_entry_unref(entry);
	round_after(f, RETRY);
	assert_int_equal(net_mock_asked(), 1);
}

static void whoever_nobody_asked_for_is_left_alone(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &day_long);
	round_after(f, 20 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 0);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
}

static void names_that_nobody_answers_for_are_not_kept(void **state)
{
	struct notary_fixture *f = *state;

	note(f, "made-up.example");
	refresh_note(f->notary.refresh, MX_SLICE("other.example"), NULL);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
}

static void a_server_that_promises_ten_years_is_asked_within_a_week(void **state)
{
	struct notary_fixture *f = *state;
	struct made_object decade = day_long;

	decade.valid_until_ts = NOTARY_NOW + 3650 * MX_DAY_MS;
	keep_fresh(f, &decade);
	round_after(f, 3 * MX_DAY_MS);
	assert_int_equal(net_mock_asked(), 0);
	round_after(f, 4 * MX_DAY_MS);
	assert_int_equal(net_mock_asked(), 1);
}

static void a_server_that_fails_is_asked_again_later(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	round_after(f, 13 * MX_HOUR_MS);
	notary_fixture_fail(f, "a.example");
	round_after(f, 10 * MX_SECOND_MS);
	assert_int_equal(net_mock_asked(), 1);
	round_after(f, RETRY);
	assert_int_equal(net_mock_asked(), 2);
}

static void after_thirty_days_without_a_question_it_is_forgotten(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	round_after(f, 32 * MX_DAY_MS);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
	assert_int_equal(net_mock_asked(), 0);
	notary_fixture_restart_refresh(f);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
}

static void who_was_asked_for_survives_a_restart(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	notary_fixture_restart_refresh(f);
	assert_int_equal(refresh_count(f->notary.refresh), 1);
	round_after(f, 13 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 1);
}

static void a_denied_server_is_left_alone(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	assert_int_equal(trust_deny(f->notary.trust, A, "spam", NULL), 0);
	round_after(f, 13 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 0);
}

/* ---- prefetching */

static void a_prefetched_server_is_asked_at_once_and_for_ever(void **state)
{
	struct notary_fixture *f = *state;

	assert_int_equal(refresh_prefetch(f->notary.refresh, A, NULL), 0);
	refresh_round(f->notary.refresh);
	notary_fixture_reply(f, &day_long);
	notary_fixture_restart_refresh(f);
	round_after(f, 60 * MX_DAY_MS);
	assert_int_equal(net_mock_asked(), 2);
}

static void use_list(struct notary_fixture *f, const char *text)
{
	const char *path = notary_fixture_file(f, "prefetch", text);

	assert_int_equal(refresh_reload(f->notary.refresh, path, NULL), 0);
}

static void names_of_the_list_are_asked_at_once(void **state)
{
	struct notary_fixture *f = *state;

	use_list(f, "# friends\na.example\n\n  b.example:8448  # the other one\nno name!\n..\n");
	assert_int_equal(refresh_count(f->notary.refresh), 2);
	refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 2);
	notary_fixture_reply(f, &day_long);
	notary_fixture_fail(f, "b.example:8448");
}

static void a_name_that_leaves_the_list_is_kept_as_long_as_it_is_asked_for(void **state)
{
	struct notary_fixture *f = *state;

	use_list(f, "a.example\nb.example\n");
	notary_fixture_record(f, &day_long);
	note(f, "a.example");
	use_list(f, "");
	refresh_round(f->notary.refresh);
	assert_int_equal(refresh_count(f->notary.refresh), 1);
	notary_fixture_restart_refresh(f);
	round_after(f, 32 * MX_DAY_MS);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
}

static void a_list_that_cannot_be_read_leaves_the_old_one(void **state)
{
	struct notary_fixture *f = *state;

	use_list(f, "a.example\n");
	assert_int_equal(refresh_reload(f->notary.refresh, "/nonexistent/list", NULL),
			 -MX_BAD_CONFIG);
	refresh_round(f->notary.refresh);
	assert_int_equal(refresh_count(f->notary.refresh), 1);
}

static void a_round_asks_a_bounded_number_of_servers(void **state)
{
	struct notary_fixture *f = *state;
	mx_str_auto names = { 0 };

	for (int i = 0; i < 200; i++)
		mx_str_addf(&names, "s%d.example\n", i);
	use_list(f, names.ptr);
	refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 64);
	for (int i = 0; i < 3; i++)
		refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 200);
}

/* ---- the clock */

static void a_clock_that_goes_back_an_hour_asks_nobody(void **state)
{
	struct notary_fixture *f = *state;

	keep_fresh(f, &day_long);
	round_after(f, 13 * MX_HOUR_MS);
	notary_fixture_reply(f, &day_long);
	mx_time_fake(f->now_ms - MX_HOUR_MS, f->now_ms);
	for (int i = 0; i < 10; i++)
		refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 1);
}

static void a_clock_that_was_a_year_ahead_does_not_stop_the_refresh(void **state)
{
	struct notary_fixture *f = *state;
	struct made_object year_ago = day_long;

	year_ago.valid_until_ts = NOTARY_NOW - 364 * MX_DAY_MS;
	notary_fixture_record(f, &year_ago);
	note(f, "a.example");
	refresh_round(f->notary.refresh);
	notary_fixture_reply(f, &year_ago);
	mx_time_fake(f->now_ms - 365 * MX_DAY_MS, f->now_ms);
	refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 1);
	mx_time_fake(f->now_ms - 363 * MX_DAY_MS, f->now_ms + 2 * MX_DAY_MS);
	refresh_round(f->notary.refresh);
	assert_int_equal(net_mock_asked(), 2);
}

static void the_own_object_is_renewed_in_a_round(void **state)
{
	struct notary_fixture *f = *state;
	struct key_entry *entry;

	refresh_round(f->notary.refresh);
	round_after(f, 13 * MX_HOUR_MS);
	entry = notary_fixture_load(f, NOTARY_NAME);
	assert_int_equal(entry->len, 1);
	assert_int_equal(entry->versions[0].valid_until_ts, f->now_ms + MX_DAY_MS);
	key_entry_unref(entry);
}

static void the_notary_does_not_ask_itself(void **state)
{
	struct notary_fixture *f = *state;

	refresh_round(f->notary.refresh);
	note(f, NOTARY_NAME);
	round_after(f, 60 * MX_HOUR_MS);
	assert_int_equal(net_mock_asked(), 0);
}

static void the_thread_starts_and_stops(void **state)
{
	struct notary_fixture *f = *state;

	refresh_start(f->notary.refresh);
	refresh_stop(f->notary.refresh);
	refresh_stop(f->notary.refresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(at_its_half_life_a_server_is_asked_again),
		notary_test(what_it_says_then_is_known_without_a_question),
		notary_test(whoever_nobody_asked_for_is_left_alone),
		notary_test(names_that_nobody_answers_for_are_not_kept),
		notary_test(a_server_that_promises_ten_years_is_asked_within_a_week),
		notary_test(a_server_that_fails_is_asked_again_later),
		notary_test(after_thirty_days_without_a_question_it_is_forgotten),
		notary_test(who_was_asked_for_survives_a_restart),
		notary_test(a_denied_server_is_left_alone),
		notary_test(a_prefetched_server_is_asked_at_once_and_for_ever),
		notary_test(names_of_the_list_are_asked_at_once),
		notary_test(a_name_that_leaves_the_list_is_kept_as_long_as_it_is_asked_for),
		notary_test(a_list_that_cannot_be_read_leaves_the_old_one),
		notary_test(a_round_asks_a_bounded_number_of_servers),
		notary_test(a_clock_that_goes_back_an_hour_asks_nobody),
		notary_test(a_clock_that_was_a_year_ahead_does_not_stop_the_refresh),
		notary_test(the_own_object_is_renewed_in_a_round),
		notary_test(the_notary_does_not_ask_itself),
		notary_test(the_thread_starts_and_stops),
	};

	return cmocka_run_group_tests_name("notary/refresh", tests, NULL, NULL);
}
