/* wrap: net_start net_fetch key_history_record */
#include "shared/keys/key_fetch.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/keys/key_wait.h"
#include "tests/support/fetch_fixture.h"

#include <pthread.h>

#define SECOND MX_SECOND_MS
#define A      MX_SLICE("a.example")

/* A store that fails when told to. */

static int record_rc;

int __real_key_history_record(struct key_history *history, const struct key_object *checked,
			      const struct key_source *source, struct key_recorded *ret_recorded,
			      struct mx_error *err);
int __wrap_key_history_record(struct key_history *history, const struct key_object *checked,
			      const struct key_source *source, struct key_recorded *ret_recorded,
			      struct mx_error *err);

int __wrap_key_history_record(struct key_history *history, const struct key_object *checked,
			      const struct key_source *source, struct key_recorded *ret_recorded,
			      struct mx_error *err)
{
	return record_rc ? record_rc
			 : __real_key_history_record(history, checked, source, ret_recorded, err);
}

static int setup(void **state)
{
	record_rc = 0;
	return fetch_fixture_setup(state);
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, fetch_fixture_teardown)

static const struct net_mock_answer not_there = { .rc = -MX_REMOTE_FAILED };
static const struct net_mock_answer bad_request = { .status = 400,
						    .address = "192.0.2.7",
						    .certificate = "c0ffee" };

/* ---- one fetch for all */

static void a_hundred_askers_make_one_request(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);
	struct key_entry *entry;

	for (int i = 0; i < 100; i++)
		key_fetch(f->fetcher, A, false, fetch_fixture_ended, f);
	assert_int_equal(net_mock_asked(), 1);
	assert_int_equal(key_fetch_in_flight(f->fetcher), 1);
	assert_true(key_fetch_may(f->fetcher, A));
	assert_int_equal(f->calls, 0);
	assert_true(net_mock_reply("a.example", &answer));
	for (int i = 0; i < 100; i++)
		assert_int_equal(fetch_fixture_wait(f), 0);
	assert_int_equal(f->calls, 100);
	assert_int_equal(key_fetch_in_flight(f->fetcher), 0);
	entry = key_history_peek(f->history->history, A);
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_is(entry->versions[0].source, "origin"));
	assert_true(mx_slice_is(entry->versions[0].address, "192.0.2.7"));
	assert_true(mx_slice_is(entry->versions[0].certificate, "c0ffee"));
	key_entry_unref(entry);
}

static void look_into_history(void *ctx, int rc)
{
	struct fetch_fixture *f = ctx;
	struct key_entry *entry = key_history_peek(f->history->history, A);

	fetch_fixture_ended(ctx, rc ? rc : (entry && entry->len == 1 ? 0 : -1));
	key_entry_unref(entry);
}

static void it_is_recorded_before_anybody_is_told(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	key_fetch(f->fetcher, A, false, look_into_history, f);
	net_mock_reply("a.example", &answer);
	assert_int_equal(fetch_fixture_wait(f), 0);
}

static void who_gives_up_does_not_cancel_the_fetch(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);
	struct key_entry *entry;

	assert_int_equal(key_wait_fetch(f->fetcher, A, 0), -MX_REMOTE_TIMEOUT);
	key_fetch(f->fetcher, A, false, fetch_fixture_ended, f);
	net_mock_reply("a.example", &answer);
	assert_int_equal(fetch_fixture_wait(f), 0);
	assert_int_equal(net_mock_asked(), 1);
	entry = key_history_peek(f->history->history, A);
	assert_non_null(entry);
	key_entry_unref(entry);
}

static void what_is_no_server_name_is_never_asked(void **state)
{
	static const char *const names[] = {
		"..", "a/b", "[::g]", "x:0", "", "a b", "x@y.example"
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(fetch_fixture_fetch(f, names[i], &not_there), -MX_INVALID_PARAM);
	assert_int_equal(net_mock_asked(), 0);
}

/* ---- back-off */

static void a_dead_server_is_asked_once_per_window(void **state)
{
	struct fetch_fixture *f = *state;
	unsigned backed_off = 0;

	for (int i = 0; i < 1000; i++) {
		history_fixture_pass(f->history, 20);
		backed_off += fetch_fixture_fetch(f, "a.example", &not_there) == -MX_BACKED_OFF;
	}
	assert_int_equal(net_mock_asked(), 1);
	assert_int_equal(backed_off, 999);
	assert_int_equal(key_fetch_backed_off(f->fetcher), 1);
}

static void a_server_that_comes_back_is_served_again(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_REMOTE_FAILED);
	history_fixture_pass(f->history, 61 * SECOND);
	assert_true(key_fetch_may(f->fetcher, A));
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_int_equal(key_fetch_backed_off(f->fetcher), 0);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
}

static void a_server_never_seen_is_no_for_a_minute(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "b.example", &not_there), -MX_REMOTE_FAILED);
	history_fixture_pass(f->history, 59 * SECOND); /* longer than the first pause */
	assert_false(key_fetch_may(f->fetcher, MX_SLICE("b.example")));
	history_fixture_pass(f->history, 2 * SECOND);
	assert_true(key_fetch_may(f->fetcher, MX_SLICE("b.example")));
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0); /* known from now on */
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &bad_request), -MX_REMOTE_FAILED);
	assert_false(key_fetch_may(f->fetcher, A));
	history_fixture_pass(f->history, 38 * SECOND);
	assert_true(key_fetch_may(f->fetcher, A));
}

/* A server that answers twice and then fails is asked each time; only the failure closes it. */
static void only_failures_back_off(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &bad_request), -MX_REMOTE_FAILED);
	assert_int_equal(net_mock_asked(), 3);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BACKED_OFF);
	assert_int_equal(net_mock_asked(), 3);
}

static void successes_have_a_budget(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	for (int i = 0; i < 5; i++)
		assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_false(key_fetch_may(f->fetcher, A));
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BACKED_OFF);
	history_fixture_pass(f->history, 10 * SECOND);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BACKED_OFF);
	history_fixture_pass(f->history, 10 * 5 * SECOND);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BACKED_OFF);
}

static void an_operator_may_force_it(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_REMOTE_FAILED);
	key_fetch(f->fetcher, A, true, fetch_fixture_ended, f);
	net_mock_reply("a.example", &answer);
	assert_int_equal(fetch_fixture_wait(f), 0);
	assert_int_equal(net_mock_asked(), 2);
}

static void a_dead_address_is_spared_for_all_its_servers(void **state)
{
	struct fetch_fixture *f = *state;
	const struct net_mock_answer no_listener = { .rc = -MX_REMOTE_TIMEOUT,
						     .address = "192.0.2.7" };
	const struct net_mock_answer bad_tls = { .rc = -MX_REMOTE_FAILED,
						 .address = "192.0.2.7",
						 .certificate = "bad" };
	struct made_object b = fetch_fixture_object;
	struct net_mock_answer fine = fetch_fixture_answer(f, &fetch_fixture_object), b_fine;

	b.server = "b.example";
	b_fine = fetch_fixture_answer(f, &b);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &fine), 0);
	assert_int_equal(fetch_fixture_fetch(f, "b.example", &b_fine), 0);
	assert_int_equal(fetch_fixture_fetch(f, "c.example", &bad_tls), -MX_REMOTE_FAILED);
	assert_true(key_fetch_may(f->fetcher, A)); /* only that name has no good certificate */
	assert_int_equal(fetch_fixture_fetch(f, "b.example", &no_listener), -MX_REMOTE_TIMEOUT);
	assert_false(key_fetch_may(f->fetcher, A));
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &fine), -MX_BACKED_OFF);
	history_fixture_pass(f->history, 61 * SECOND);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &fine), 0);
}

static void a_jump_of_the_wall_clock_makes_no_storm(void **state)
{
	struct fetch_fixture *f = *state;

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_REMOTE_FAILED);
	mx_time_shift(-MX_HOUR_MS);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_BACKED_OFF);
	mx_time_shift(2 * MX_HOUR_MS);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_BACKED_OFF);
	mx_time_shift(-2 * MX_HOUR_MS);
	mx_time_fake(DAY_ZERO - MX_HOUR_MS, DAY_ZERO + 61 * SECOND);
	assert_true(key_fetch_may(f->fetcher, A)); /* the pause itself is not longer */
	assert_int_equal(net_mock_asked(), 1);
}

static void back_off_survives_a_restart(void **state)
{
	struct fetch_fixture *f = *state;
	const struct net_mock_answer no_listener = { .rc = -MX_REMOTE_TIMEOUT,
						     .address = "192.0.2.9" };

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &no_listener), -MX_REMOTE_TIMEOUT);
	assert_int_equal(key_fetch_save(f->fetcher, NULL), 0);
	key_fetcher_free(f->fetcher);
	fetch_fixture_open(f);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &not_there), -MX_BACKED_OFF);
	history_fixture_pass(f->history, 61 * SECOND);
	assert_true(key_fetch_may(f->fetcher, A));
	assert_int_equal(key_fetch_save(f->fetcher, NULL), 0); /* nobody is left alone now */
	key_fetcher_free(f->fetcher);
	history_fixture_pass(f->history, -61 * SECOND);
	fetch_fixture_open(f);
	assert_true(key_fetch_may(f->fetcher, A));
}

/* ---- the store */

static void a_full_disk_is_not_the_origins_fault(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	record_rc = -MX_STORE_FULL;
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_STORE_FULL);
	assert_int_equal(key_fetch_backed_off(f->fetcher), 0);
	assert_true(key_fetch_may(f->fetcher, A));
	for (int i = 0; i < 4; i++)
		assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_STORE_FULL);
	assert_false(key_fetch_may(f->fetcher, A)); /* but it is not asked without end */
}

/* ---- for operators */

static void the_state_tells_the_last_results(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);
	struct key_fetch_state shown;

	assert_false(key_fetch_state(f->fetcher, A, &shown));
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	history_fixture_pass(f->history, 60 * SECOND);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &bad_request), -MX_REMOTE_FAILED);
	assert_true(key_fetch_state(f->fetcher, A, &shown));
	assert_true(mx_slice_is(shown.server, "a.example"));
	assert_int_equal(shown.last_success_ms, DAY_ZERO);
	assert_int_equal(shown.last_try_ms, DAY_ZERO + 60 * SECOND);
	assert_int_equal(shown.failures, 1);
	assert_int_equal(shown.last_rc, -MX_REMOTE_FAILED);
	assert_string_equal(shown.last_error, "HTTP status 400");
	assert_in_range(shown.backed_off_until_ms, DAY_ZERO + 80 * SECOND, DAY_ZERO + 100 * SECOND);
}

static void the_worst_come_first(void **state)
{
	struct fetch_fixture *f = *state;
	struct key_fetch_state worst[2];
	struct made_object made = fetch_fixture_object;
	char name[16];

	made.server = name;
	for (int i = 0; i < 5; i++) {
		struct net_mock_answer answer;

		snprintf(name, sizeof(name), "s%d.example", i);
		answer = fetch_fixture_answer(f, &made);
		answer.took_ms = i == 3 ? 900 : 10 * i;
		assert_int_equal(fetch_fixture_fetch(f, name, &answer), 0);
	}
	fetch_fixture_fetch(f, "dead.example", &not_there);
	for (int i = 0; i < 3; i++) {
		history_fixture_pass(f->history, 3 * MX_HOUR_MS);
		fetch_fixture_fetch(f, "deader.example", &not_there);
	}
	assert_int_equal(key_fetch_worst(f->fetcher, true, worst, 2, f->history->mem), 2);
	assert_true(mx_slice_is(worst[0].server, "s3.example"));
	assert_int_equal(worst[0].took_ms, 900);
	assert_true(mx_slice_is(worst[1].server, "s4.example"));
	assert_int_equal(key_fetch_worst(f->fetcher, false, worst, 2, f->history->mem), 2);
	assert_true(mx_slice_is(worst[0].server, "deader.example"));
	assert_int_equal(worst[0].failures, 3);
	assert_true(mx_slice_is(worst[1].server, "dead.example"));
	assert_int_equal(key_fetch_worst(f->fetcher, false, worst, 0, f->history->mem), 0);
}

/* ---- the end */

static void waiters_are_told_when_the_fetcher_stops(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	key_fetch(f->fetcher, A, false, fetch_fixture_ended, f);
	key_fetch(f->fetcher, A, false, fetch_fixture_ended, f);
	key_fetch(f->fetcher, MX_SLICE("b.example"), false, fetch_fixture_ended, f);
	key_fetcher_free(f->fetcher);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fetch_fixture_wait(f), -MX_BUSY);
	assert_true(net_mock_reply("a.example", &answer)); /* the network ends later */
	assert_true(net_mock_reply("b.example", &not_there));
	assert_int_equal(f->calls, 3);
	fetch_fixture_knows_nothing(f, "a.example");
	fetch_fixture_open(f);
}

/* ---- many threads */

#define THREADS 4
#define FETCHES 100

static struct mx_slice texts[2];

static struct net_mock_answer answer_at_once(void *ctx, const struct net_mock_request *request)
{
	(void)ctx;
	return (struct net_mock_answer){
		.status = 200,
		.body = texts[strcmp(request->server, "a.example") ? 1 : 0],
		.address = "192.0.2.7",
	};
}

static void *fetch_often(void *ctx)
{
	struct fetch_fixture *f = ctx;
	struct mx_arena *mem = mx_arena_new(0);

	for (int i = 0; i < FETCHES; i++) {
		struct mx_slice server = i % 2 ? A : MX_SLICE("b.example");
		struct key_fetch_state shown;

		key_fetch(f->fetcher, server, true, fetch_fixture_ended, f);
		key_fetch_may(f->fetcher, server);
		key_fetch_state(f->fetcher, server, &shown);
		key_fetch_worst(f->fetcher, true, &shown, 1, mem);
	}
	mx_arena_free(mem);
	return NULL;
}

static void every_asker_is_told_once(void **state)
{
	struct fetch_fixture *f = *state;
	struct made_object b = fetch_fixture_object;
	pthread_t threads[THREADS];

	b.server = "b.example";
	texts[0] = key_fixture_text(&fetch_fixture_object, f->history->mem);
	texts[1] = key_fixture_text(&b, f->history->mem);
	net_mock_handle(answer_at_once, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fetch_often, f), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	key_fetcher_free(f->fetcher); /* whoever is not told yet, is now */
	assert_int_equal(f->calls, THREADS * FETCHES);
	fetch_fixture_open(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_hundred_askers_make_one_request),
		test(it_is_recorded_before_anybody_is_told),
		test(who_gives_up_does_not_cancel_the_fetch),
		test(what_is_no_server_name_is_never_asked),
		test(a_dead_server_is_asked_once_per_window),
		test(a_server_that_comes_back_is_served_again),
		test(a_server_never_seen_is_no_for_a_minute),
		test(only_failures_back_off),
		test(successes_have_a_budget),
		test(an_operator_may_force_it),
		test(a_dead_address_is_spared_for_all_its_servers),
		test(a_jump_of_the_wall_clock_makes_no_storm),
		test(back_off_survives_a_restart),
		test(a_full_disk_is_not_the_origins_fault),
		test(the_state_tells_the_last_results),
		test(the_worst_come_first),
		test(waiters_are_told_when_the_fetcher_stops),
		test(every_asker_is_told_once),
	};
	return cmocka_run_group_tests_name("keys/key_fetch", tests, NULL, NULL);
}
