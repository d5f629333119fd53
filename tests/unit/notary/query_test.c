/* wrap: net_start net_fetch req_wake_new req_wake req_wake_unref reply_owned */
#include "notary/query.h"

#include "notary/refresh.h"
#include "notary/trust.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "tests/support/notary_fixture.h"

#include <stdatomic.h>

#define A     MX_SLICE("a.example")
#define B     MX_SLICE("b.example")
#define ASKER "192.0.2.1"

static const struct made_object other = {
	.server = "b.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 3 } },
};

/* ---- a request that parks and wakes */

struct req_wake {
	_Atomic int refs;
	_Atomic unsigned woken;
};

static struct req_wake *last_wake;
static char *answer; /* of the last reply */

struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms);
void __wrap_req_wake(struct req_wake *wake);
void __wrap_req_wake_unref(struct req_wake *wake);
void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len);

struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms)
{
	(void)r;
	assert_int_equal(timeout_ms, 9000);
	last_wake = mx_calloc(1, sizeof(*last_wake));
	last_wake->refs = 2; /* the test's too */
	return last_wake;
}

void __wrap_req_wake(struct req_wake *wake)
{
	atomic_fetch_add(&wake->woken, 1);
}

void __wrap_req_wake_unref(struct req_wake *wake)
{
	if (atomic_fetch_sub(&wake->refs, 1) == 1)
		mx_free(wake);
}

void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len)
{
	(void)r;
	assert_string_equal(content_type, "application/json");
	mx_free(answer);
	answer = mx_strndup(bytes, len);
	mx_free(bytes);
}

static unsigned woken(void)
{
	return last_wake->woken;
}

static void drop_wake(void)
{
	__wrap_req_wake_unref(last_wake);
	last_wake = NULL;
}

/* ---- asking */

struct asking {
	struct query *query;
	struct req r;
};

static struct asking ask(struct notary_fixture *f)
{
	return (struct asking){
		.query = query_new(&f->notary, ASKER),
		.r = { .lane = LANE_WORK },
	};
}

static int run(struct asking *asking)
{
	return query_run(asking->query, &asking->r);
}

/* A question for one key of a.example; what it returns at once. */
static int ask_for(struct notary_fixture *f, struct mx_slice key_id, int64_t minimum_ms)
{
	struct asking asking = ask(f);
	int rc;

	query_add(asking.query, A, key_id, minimum_ms);
	rc = run(&asking);
	query_free(asking.query);
	if (rc == -MX_PARK)
		drop_wake();
	return rc;
}

static bool says(const char *text)
{
	return strstr(answer, text) != NULL;
}

/* Where a key stands in the answer as a verify key. */
static size_t place_of(const char *key_id)
{
	mx_str_auto text = { 0 };
	const char *at;

	mx_str_addf(&text, "\"%s\":{\"key\"", key_id);
	at = strstr(answer, text.ptr);
	return at ? (size_t)(at - answer) : SIZE_MAX;
}

/* ---- without origins */

static void a_question_for_nobody_has_no_entries(void **state)
{
	struct asking asking = ask(*state);

	assert_int_equal(run(&asking), 0);
	assert_string_equal(answer, "{\"server_keys\":[]}");
	query_free(asking.query);
}

static void what_is_known_and_valid_is_answered_at_once(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), 0);
	assert_true(says("\"a.example\"") && says("\"" NOTARY_NAME "\""));
	assert_int_equal(net_mock_asked(), 0);
}

static void all_keys_are_the_whole_history_the_oldest_first(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_second);
	notary_fixture_record(f, &notary_first);
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), 0);
	assert_true(place_of("ed25519:1") < place_of("ed25519:2"));
}

static void an_asked_key_comes_first(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	notary_fixture_record(f, &notary_second);
	assert_int_equal(ask_for(f, MX_SLICE("ed25519:2"), QUERY_NOW), 0);
	assert_int_equal(place_of("ed25519:1"), SIZE_MAX);
	assert_int_equal(ask_for(f, MX_SLICE("ed25519:1"), QUERY_NOW), 0);
	assert_true(place_of("ed25519:1") < place_of("ed25519:2"));
}

static void an_object_that_several_wants_name_is_there_once(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);
	const char *at;

	notary_fixture_record(f, &notary_first);
	query_add(asking.query, A, MX_SLICE("ed25519:1"), 0);
	query_add(asking.query, A, MX_SLICE(""), 0);
	query_add(asking.query, A, MX_SLICE("ed25519:1"), 1);
	assert_int_equal(run(&asking), 0);
	at = strstr(answer, "\"server_name\"");
	assert_null(strstr(at + 1, "\"server_name\""));
	query_free(asking.query);
}

static void too_many_keys_of_one_server_are_all_its_keys(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	notary_fixture_record(f, &notary_first);
	notary_fixture_record(f, &notary_second);
	for (int i = 0; i < 100000; i++)
		query_add(asking.query, A, MX_SLICE("ed25519:2"), 0);
	assert_int_equal(run(&asking), 0);
	assert_true(place_of("ed25519:1") != SIZE_MAX && place_of("ed25519:2") != SIZE_MAX);
	query_free(asking.query);
}

static void the_io_thread_hands_over_what_is_not_in_memory(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	notary_fixture_record(f, &notary_first);
	key_history_forget(f->notary.history);
	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	asking.r.lane = LANE_IO;
	assert_int_equal(run(&asking), -MX_MOVE_WORK);
	asking.r.lane = LANE_WORK;
	assert_int_equal(run(&asking), 0);
	assert_true(says("a.example"));
	query_free(asking.query);
}

static void the_io_thread_hands_over_large_questions(void **state)
{
	struct asking asking = ask(*state);
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "s%d.example", i);
		query_add(asking.query, mx_slice(name), MX_SLICE(""), QUERY_NOW);
	}
	asking.r.lane = LANE_IO;
	assert_int_equal(run(&asking), -MX_MOVE_WORK);
	query_free(asking.query);
}

static void a_denied_server_is_left_out_and_not_asked(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	trust_deny(f->notary.trust, A, "spam", NULL);
	assert_int_equal(ask_for(f, MX_SLICE(""), NOTARY_NOW + MX_DAY_MS), 0);
	assert_string_equal(answer, "{\"server_keys\":[]}");
	assert_int_equal(net_mock_asked(), 0);
}

static void a_pin_leaves_out_what_does_not_fit(void **state)
{
	struct notary_fixture *f = *state;
	uint8_t key[32];

	key_fixture_public(2, key);
	notary_fixture_record(f, &notary_first);
	notary_fixture_record(f, &notary_second);
	trust_pin(f->notary.trust, A, MX_SLICE("ed25519:2"), key, "", NULL);
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), 0);
	assert_int_equal(place_of("ed25519:1"), SIZE_MAX);
	assert_int_not_equal(place_of("ed25519:2"), SIZE_MAX);
}

/* ---- with origins */

static void a_stranger_is_asked_and_the_question_waits(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_PARK);
	assert_int_equal(woken(), 0);
	notary_fixture_reply(f, &notary_first);
	while (!woken())
		continue;
	assert_int_equal(run(&asking), 0);
	assert_true(says("ed25519:1"));
	query_free(asking.query);
	drop_wake();
}

static void the_last_of_several_fetches_wakes_the_question(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	query_add(asking.query, B, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_PARK);
	notary_fixture_fail(f, "a.example");
	assert_int_equal(woken(), 0);
	notary_fixture_reply(f, &other);
	while (!woken())
		continue;
	assert_int_equal(run(&asking), 0);
	assert_true(says("b.example"));
	assert_false(says("a.example"));
	query_free(asking.query);
	drop_wake();
}

static void at_the_deadline_the_answer_is_what_is_there(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	notary_fixture_record(f, &other);
	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	query_add(asking.query, B, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_PARK);
	asking.r.timed_out = true;
	assert_int_equal(run(&asking), 0);
	assert_true(says("b.example"));
	assert_false(says("a.example"));
	query_free(asking.query);
	drop_wake();
}

static void an_origin_that_answers_a_question_that_has_gone_is_recorded(void **state)
{
	struct notary_fixture *f = *state;

	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), -MX_PARK);
	notary_fixture_reply(f, &notary_first);
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), 0);
	assert_true(says("ed25519:1"));
	assert_int_equal(net_mock_asked(), 1);
}

static void two_questions_share_a_fetch(void **state)
{
	struct notary_fixture *f = *state;

	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), -MX_PARK);
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), -MX_PARK);
	assert_int_equal(net_mock_asked(), 1);
}

static void what_is_too_old_is_answered_after_the_origin_was_asked(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	notary_fixture_record(f, &notary_first);
	query_add(asking.query, A, MX_SLICE("ed25519:1"), NOTARY_NOW + 2 * MX_HOUR_MS);
	assert_int_equal(run(&asking), -MX_PARK);
	notary_fixture_fail(f, "a.example");
	while (!woken())
		continue;
	assert_int_equal(run(&asking), 0);
	assert_true(says("ed25519:1"));
	query_free(asking.query);
	drop_wake();
	assert_int_equal(ask_for(f, MX_SLICE("ed25519:1"), NOTARY_NOW + 2 * MX_HOUR_MS), 0);
	assert_int_equal(net_mock_asked(), 1); /* it is left alone for a while */
}

static void a_failing_stranger_is_no_at_once(void **state)
{
	struct notary_fixture *f = *state;

	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), -MX_PARK);
	notary_fixture_fail(f, "a.example");
	assert_int_equal(ask_for(f, MX_SLICE(""), QUERY_NOW), 0);
	assert_string_equal(answer, "{\"server_keys\":[]}");
	assert_int_equal(net_mock_asked(), 1);
}

static void the_notary_never_asks_itself(void **state)
{
	struct asking asking = ask(*state);

	query_add(asking.query, MX_SLICE(NOTARY_NAME), MX_SLICE("ed25519:none"), QUERY_NOW);
	assert_int_equal(run(&asking), 0);
	assert_int_equal(net_mock_asked(), 0);
	query_free(asking.query);
}

static void use_up_the_budget(struct notary_fixture *f)
{
	struct asking asking = ask(f);

	query_add(asking.query, MX_SLICE("x.example"), MX_SLICE(""), QUERY_NOW);
	query_add(asking.query, MX_SLICE("y.example"), MX_SLICE(""), QUERY_NOW);
	query_add(asking.query, MX_SLICE("z.example"), MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_PARK);
	assert_int_equal(net_mock_asked(), 3);
	query_free(asking.query);
	drop_wake();
}

static void without_a_budget_only_an_empty_answer_is_refused(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	use_up_the_budget(f);
	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_LIMIT_EXCEEDED);
	assert_true(asking.r.err.retry_after_ms > 0);
	query_free(asking.query);
	asking = ask(f);
	notary_fixture_record(f, &other);
	query_add(asking.query, A, MX_SLICE(""), QUERY_NOW);
	query_add(asking.query, B, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), 0);
	assert_true(says("b.example"));
	query_free(asking.query);
}

static void every_server_is_counted_once_by_what_became_of_it(void **state)
{
	struct notary_fixture *f = *state;
	struct asking asking = ask(f);

	f->notary.counters.known = mx_counter_new(f->notary.metrics, "known", "", "");
	f->notary.counters.missing = mx_counter_new(f->notary.metrics, "missing", "", "");
	f->notary.counters.deadline = mx_counter_new(f->notary.metrics, "late", "", "");
	notary_fixture_record(f, &other);
	query_add(asking.query, A, MX_SLICE("ed25519:1"), QUERY_NOW);
	query_add(asking.query, A, MX_SLICE("ed25519:2"), QUERY_NOW);
	query_add(asking.query, B, MX_SLICE(""), QUERY_NOW);
	assert_int_equal(run(&asking), -MX_PARK);
	asking.r.timed_out = true;
	assert_int_equal(run(&asking), 0);
	assert_int_equal(mx_metric_get(f->notary.counters.known), 1);
	assert_int_equal(mx_metric_get(f->notary.counters.missing), 1);
	assert_int_equal(mx_metric_get(f->notary.counters.deadline), 1);
	query_free(asking.query);
	drop_wake();
}

static void who_is_asked_for_is_kept_fresh(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	assert_int_equal(ask_for(f, MX_SLICE("ed25519:1"), 0), 0);
	assert_int_equal(refresh_count(f->notary.refresh), 1);
}

static int forget_answer(void **state)
{
	(void)state;
	mx_free(answer);
	answer = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(a_question_for_nobody_has_no_entries),
		notary_test(what_is_known_and_valid_is_answered_at_once),
		notary_test(all_keys_are_the_whole_history_the_oldest_first),
		notary_test(an_asked_key_comes_first),
		notary_test(an_object_that_several_wants_name_is_there_once),
		notary_test(too_many_keys_of_one_server_are_all_its_keys),
		notary_test(the_io_thread_hands_over_what_is_not_in_memory),
		notary_test(the_io_thread_hands_over_large_questions),
		notary_test(a_denied_server_is_left_out_and_not_asked),
		notary_test(a_pin_leaves_out_what_does_not_fit),
		notary_test(a_stranger_is_asked_and_the_question_waits),
		notary_test(the_last_of_several_fetches_wakes_the_question),
		notary_test(at_the_deadline_the_answer_is_what_is_there),
		notary_test(an_origin_that_answers_a_question_that_has_gone_is_recorded),
		notary_test(two_questions_share_a_fetch),
		notary_test(what_is_too_old_is_answered_after_the_origin_was_asked),
		notary_test(a_failing_stranger_is_no_at_once),
		notary_test(the_notary_never_asks_itself),
		notary_test(without_a_budget_only_an_empty_answer_is_refused),
		notary_test(every_server_is_counted_once_by_what_became_of_it),
		notary_test(who_is_asked_for_is_kept_fresh),
	};

	return cmocka_run_group_tests_name("notary/query", tests, NULL, forget_answer);
}
