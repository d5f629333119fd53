/* wrap: net_start net_fetch */
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/fetch_fixture.h"

static void an_answer_for_another_server_is_refused(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "evil.example", &answer), -MX_BAD_SIGNATURE);
	fetch_fixture_knows_nothing(f, "evil.example");
	fetch_fixture_knows_nothing(f, "a.example");
	assert_int_equal(
		history_fixture_metric(f->history,
				       "test_key_objects_refused_total{reason=\"wrong_server\"}"),
		1);
	assert_false(key_fetch_may(f->fetcher, MX_SLICE("evil.example")));
}

static void names_of_another_case_do_not_answer_for_each_other(void **state)
{
	struct fetch_fixture *f = *state;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);

	assert_int_equal(fetch_fixture_fetch(f, "A.example", &answer), -MX_BAD_SIGNATURE);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	fetch_fixture_knows_nothing(f, "A.example");
}

static void all_keys_must_sign_unless_the_operator_says_any(void **state)
{
	struct fetch_fixture *f = *state;
	struct made_object half = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO + MX_DAY_MS,
		.keys = { { .id = "ed25519:1", .seed = 1 },
			  { .id = "ed25519:2", .seed = 2, .silent = true } },
	};
	struct net_mock_answer answer = fetch_fixture_answer(f, &half);

	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BAD_SIGNATURE);
	half.server = "any.example";
	answer = fetch_fixture_answer(f, &half);
	assert_int_equal(fetch_fixture_fetch(f, "any.example", &answer), 0);
}

static void a_reused_key_id_is_a_failure_and_changes_nothing(void **state)
{
	struct fetch_fixture *f = *state;
	struct made_object other = fetch_fixture_object;
	struct net_mock_answer answer = fetch_fixture_answer(f, &fetch_fixture_object);
	struct key_entry *entry;

	other.keys[0].seed = 2;
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	answer = fetch_fixture_answer(f, &other);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_CONFLICT);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BACKED_OFF);
	entry = history_fixture_load(f->history, "a.example");
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_eq(entry->versions[0].bytes,
				key_fixture_text(&fetch_fixture_object, f->history->mem)));
	key_entry_unref(entry);
	assert_int_equal(
		history_fixture_metric(f->history, "test_key_fetches_total{result=\"conflict\"}"),
		1);
}

/* Documents are accepted or refused for what they say, and what is odd about them is kept. */
static void odd_but_signed_objects_are_kept_as_they_are(void **state)
{
	struct fetch_fixture *f = *state;
	struct mx_arena *mem = f->history->mem;
	struct made_object past = fetch_fixture_object;
	struct net_mock_answer answer;
	struct key_entry *entry;

	past.valid_until_ts = 0;
	past.note = "\\u00e9\\u4e16";
	answer = fetch_fixture_answer(f, &past);
	answer.body = key_fixture_countersigned(answer.body, "notary.example",
						&(struct made_key){ .id = "ed25519:n", .seed = 9 },
						mem);
	assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), 0);
	entry = history_fixture_load(f->history, "a.example");
	assert_true(mx_slice_eq(entry->versions[0].bytes, answer.body));
	assert_int_equal(entry->versions[0].valid_until_ts, 0);
	key_entry_unref(entry);
}

static void bad_documents_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"<html>",
		"[]",
		"{}",
		"{\"server_name\":\"a.example\"}",
		"{\"server_name\":\"a.example\",\"valid_until_ts\":1,\"verify_keys\":{}}",
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct net_mock_answer answer = { .status = 200, .body = mx_slice(texts[i]) };

		history_fixture_pass(f->history, 2 * MX_HOUR_MS);
		assert_int_equal(fetch_fixture_fetch(f, "a.example", &answer), -MX_BAD_SIGNATURE);
	}
	fetch_fixture_knows_nothing(f, "a.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fetch_test(an_answer_for_another_server_is_refused),
		fetch_test(names_of_another_case_do_not_answer_for_each_other),
		fetch_test(all_keys_must_sign_unless_the_operator_says_any),
		fetch_test(a_reused_key_id_is_a_failure_and_changes_nothing),
		fetch_test(odd_but_signed_objects_are_kept_as_they_are),
		fetch_test(bad_documents_are_refused),
	};
	return cmocka_run_group_tests_name("keys/key_fetch_answers", tests, NULL, NULL);
}
