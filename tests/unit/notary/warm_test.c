/* wrap: net_start net_fetch reply_body_new reply_body_ref reply_body_unref */
#include "notary/warm.h"

#include "notary/refresh.h"
#include "notary/trust.h"
#include "shared/core/arena.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "tests/support/notary_fixture.h"
#include "tests/support/reply_mock.h"

#include <pthread.h>

#define A MX_SLICE("a.example")

/* The warm answer's text in the fixture's memory, NULL if it is not warm. */
static const char *warm(struct notary_fixture *f)
{
	struct reply_body *body = warm_answer(&f->notary, A);
	const char *text;

	if (!body)
		return NULL;
	text = mx_arena_strdup(f->mem, reply_mock_text(body));
	reply_body_unref(body);
	return text;
}

static void who_is_not_in_memory_is_not_warm(void **state)
{
	assert_null(warm(*state));
}

static void who_is_in_memory_without_keys_is_not_warm(void **state)
{
	struct notary_fixture *f = *state;

	key_entry_unref(notary_fixture_load(f, "a.example"));
	assert_null(warm(f));
}

static void a_whole_history_is_one_warm_answer(void **state)
{
	struct notary_fixture *f = *state;
	struct key_entry *entry;
	const char *expected;

	notary_fixture_record(f, &notary_second);
	notary_fixture_record(f, &notary_first);
	entry = notary_fixture_load(f, "a.example");
	expected = mx_arena_strf(f->mem, "{\"server_keys\":[%.*s,%.*s]}",
				 MX_SLICE_ARG(entry->versions[0].sealed),
				 MX_SLICE_ARG(entry->versions[1].sealed));
	assert_string_equal(warm(f), expected);
	key_entry_unref(entry);
}

static void an_answer_is_made_once(void **state)
{
	struct notary_fixture *f = *state;
	struct reply_body *one, *other;

	notary_fixture_record(f, &notary_first);
	one = warm_answer(&f->notary, A);
	other = warm_answer(&f->notary, A);
	assert_ptr_equal(one, other);
	reply_body_unref(one);
	reply_body_unref(other);
}

static void what_is_not_valid_any_more_is_not_warm(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	notary_fixture_pass(f, MX_HOUR_MS);
	assert_non_null(warm(f));
	notary_fixture_pass(f, 1);
	assert_null(warm(f));
}

static void a_newer_object_is_in_the_next_answer(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	assert_null(strstr(warm(f), "ed25519:2"));
	notary_fixture_record(f, &notary_second);
	assert_non_null(strstr(warm(f), "ed25519:2"));
}

static void a_decision_ends_prepared_answers(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	assert_non_null(warm(f));
	trust_deny(f->notary.trust, A, "spam", NULL);
	key_history_forget(f->notary.history);
	key_entry_unref(notary_fixture_load(f, "a.example"));
	assert_null(warm(f));
	assert_int_equal(reply_mock_alive(), 1); /* the notary's own object */
}

static void a_pinned_server_is_warm_with_what_fits(void **state)
{
	struct notary_fixture *f = *state;
	uint8_t key[32];

	key_fixture_public(2, key);
	trust_pin(f->notary.trust, A, MX_SLICE("ed25519:2"), key, "", NULL);
	notary_fixture_record(f, &notary_first);
	assert_null(warm(f));
	notary_fixture_record(f, &notary_second);
	assert_non_null(strstr(warm(f), "ed25519:2"));
	assert_null(strstr(warm(f), "ed25519:1\":{\"key\""));
}

static void warm_questions_keep_a_server_fresh(void **state)
{
	struct notary_fixture *f = *state;

	notary_fixture_record(f, &notary_first);
	assert_int_equal(refresh_count(f->notary.refresh), 0);
	warm(f);
	assert_int_equal(refresh_count(f->notary.refresh), 1);
}

static void warm_answers_are_counted(void **state)
{
	struct notary_fixture *f = *state;

	f->notary.counters.warm = mx_counter_new(f->notary.metrics, "warm", "", "");
	notary_fixture_record(f, &notary_first);
	warm(f);
	warm(f);
	assert_int_equal(mx_metric_get(f->notary.counters.warm), 2);
}

static void *ask_often(void *ctx)
{
	struct notary_fixture *f = ctx;

	for (int i = 0; i < 2000; i++) {
		struct reply_body *body = warm_answer(&f->notary, A);

		if (body)
			reply_body_unref(body);
	}
	return NULL;
}

static void many_may_ask_while_the_memory_is_emptied(void **state)
{
	struct notary_fixture *f = *state;
	pthread_t askers[3];

	notary_fixture_record(f, &notary_first);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&askers[i], NULL, ask_often, f), 0);
	for (int i = 0; i < 300; i++) {
		key_history_forget(f->notary.history);
		key_entry_unref(notary_fixture_load(f, "a.example"));
	}
	for (size_t i = 0; i < 3; i++)
		pthread_join(askers[i], NULL);
	assert_non_null(warm(f));
	key_history_forget(f->notary.history);
	assert_int_equal(reply_mock_alive(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(who_is_not_in_memory_is_not_warm),
		notary_test(who_is_in_memory_without_keys_is_not_warm),
		notary_test(a_whole_history_is_one_warm_answer),
		notary_test(an_answer_is_made_once),
		notary_test(what_is_not_valid_any_more_is_not_warm),
		notary_test(a_newer_object_is_in_the_next_answer),
		notary_test(a_decision_ends_prepared_answers),
		notary_test(a_pinned_server_is_warm_with_what_fits),
		notary_test(warm_questions_keep_a_server_fresh),
		notary_test(warm_answers_are_counted),
		notary_test(many_may_ask_while_the_memory_is_emptied),
	};

	return cmocka_run_group_tests_name("notary/warm", tests, NULL, NULL);
}
