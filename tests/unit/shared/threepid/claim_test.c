#include "shared/threepid/claim.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/outbox/outbox.h"
#include "tests/support/store_fixture.h"

/* wrap: outbox_look */

#define BORN_MS  INT64_C(1700000000000)
#define HOUR_MS  INT64_C(3600000)
#define EVERYONE 1000

static const struct store_table *const store_test_tables[] = { &claim_table, &claim_address_table,
							       &claim_end_table, NULL };

static struct outbox_report outbox_says;

void __wrap_outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report);

void __wrap_outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report)
{
	(void)outbox;
	(void)id;
	*ret_report = outbox_says;
}

static struct claim_call at(void **txn, int64_t now_ms)
{
	return (struct claim_call){ .txn = *txn, .mem = test_mem, .now_ms = now_ms };
}

static const struct claim_request ann = {
	.threepid = { "email", "ann@example.org" },
	.address_as_sent = "Ann@example.org",
	.client_secret = "s3cret",
	.send_attempt = 1,
};

/* Opens, and sends if a message is due. */
static struct claim ask(void **txn, const struct claim_request *request, int64_t now_ms,
			bool *ret_sends)
{
	const struct claim_call call = at(txn, now_ms);
	struct mx_error err = { 0 };
	struct claim session;

	if (claim_open(&call, request, &session, ret_sends, &err))
		fail_msg("%s", err.text);
	if (*ret_sends)
		claim_sent(&call, &session, request->send_attempt, 7);
	return session;
}

static struct claim open_ann(void **txn, int64_t now_ms)
{
	bool sends;

	outbox_says = (struct outbox_report){ .stage = OUTBOX_ENDED, .result = OUTBOX_SENT };
	return ask(txn, &ann, now_ms, &sends);
}

static bool submit(void **txn, const struct claim *session, const char *token, int64_t now_ms)
{
	const struct claim_call call = at(txn, now_ms);
	struct claim loaded;
	bool right = false;

	assert_int_equal(claim_load(&call, session->id, "s3cret", &loaded, NULL), 0);
	assert_int_equal(claim_submit(&call, &loaded, token, &right, NULL), 0);
	return right;
}

static int load(void **txn, const char *id, const char *secret, int64_t now_ms)
{
	const struct claim_call call = at(txn, now_ms);
	struct claim session;

	return claim_load(&call, id, secret, &session, NULL);
}

static int prove(void **txn, const char *id, const char *secret, int64_t now_ms)
{
	const struct claim_call call = at(txn, now_ms);
	struct claim session;

	return claim_proof(&call, id, secret, &session, NULL);
}

static void the_same_attempt_sends_once(void **txn)
{
	struct claim_request second = ann;
	struct claim session = open_ann(txn, BORN_MS);
	bool sends;

	assert_string_equal(ask(txn, &ann, BORN_MS, &sends).id, session.id);
	assert_false(sends);
	second.send_attempt = 2;
	assert_string_equal(ask(txn, &second, BORN_MS, &sends).token, session.token);
	assert_true(sends);
	assert_string_equal(ask(txn, &ann, BORN_MS, &sends).id, session.id);
	assert_false(sends);
}

static void an_attempt_that_failed_for_good_is_made_again(void **txn)
{
	static const enum outbox_result lost[] = { OUTBOX_REFUSED, OUTBOX_EXPIRED,
						   OUTBOX_WITHDRAWN };
	bool sends;

	open_ann(txn, BORN_MS);
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		outbox_says.result = lost[i];
		ask(txn, &ann, BORN_MS, &sends);
		assert_true(sends);
	}
	outbox_says.result = OUTBOX_UNSURE;
	ask(txn, &ann, BORN_MS, &sends);
	assert_false(sends);
	outbox_says = (struct outbox_report){ .stage = OUTBOX_WAITING, .result = OUTBOX_AGAIN };
	ask(txn, &ann, BORN_MS, &sends);
	assert_false(sends);
}

static void an_attempt_noted_as_not_sent_is_made_again(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	const struct claim_call call = at(txn, BORN_MS);
	bool sends;

	claim_not_sent(&call, session.id, 6);
	outbox_says.stage = OUTBOX_UNKNOWN;
	ask(txn, &ann, BORN_MS, &sends);
	assert_false(sends);
	claim_not_sent(&call, session.id, 7);
	ask(txn, &ann, BORN_MS, &sends);
	assert_true(sends);
}

static void without_an_attempt_it_is_sent_once(void **txn)
{
	struct claim_request first = ann;
	bool sends;

	first.send_attempt = -1;
	outbox_says = (struct outbox_report){ .stage = OUTBOX_ENDED, .result = OUTBOX_SENT };
	ask(txn, &first, BORN_MS, &sends);
	assert_true(sends);
	ask(txn, &first, BORN_MS, &sends);
	assert_false(sends);
	ask(txn, &ann, BORN_MS, &sends);
	assert_true(sends);
}

static void another_secret_is_another_session(void **txn)
{
	struct claim_request other = ann;
	struct claim session = open_ann(txn, BORN_MS);
	bool sends;

	other.client_secret = "0ther";
	assert_string_not_equal(ask(txn, &other, BORN_MS, &sends).id, session.id);
	assert_true(sends);
}

static void the_right_token_validates_and_stays_right(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	const struct claim_call call = at(txn, BORN_MS + 2 * HOUR_MS);
	struct claim proven;

	assert_int_equal(strlen(session.token), 32);
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS), -MX_SESSION_NOT_VALIDATED);
	assert_true(submit(txn, &session, session.token, BORN_MS + HOUR_MS));
	assert_true(submit(txn, &session, session.token, BORN_MS + 2 * HOUR_MS));
	assert_int_equal(claim_proof(&call, session.id, "s3cret", &proven, NULL), 0);
	assert_int_equal(proven.validated_ms, BORN_MS + HOUR_MS);
	assert_string_equal(proven.threepid.address, "ann@example.org");
	assert_string_equal(proven.address_as_sent, "Ann@example.org");
	assert_string_equal(proven.client_secret, "s3cret");
}

static void five_wrong_tries_kill_the_token(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);

	for (int i = 0; i < CLAIM_TRIES; i++) {
		assert_false(submit(txn, &session, "wrong", BORN_MS));
		store_fixture_commit(txn);
	}
	assert_false(submit(txn, &session, session.token, BORN_MS));
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS), -MX_SESSION_NOT_VALIDATED);
}

static void four_wrong_tries_do_not(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);

	for (int i = 0; i < CLAIM_TRIES - 1; i++)
		assert_false(submit(txn, &session, "wrong", BORN_MS));
	assert_true(submit(txn, &session, session.token, BORN_MS));
	for (int i = 0; i < CLAIM_TRIES; i++)
		assert_false(submit(txn, &session, "wrong", BORN_MS));
	assert_true(submit(txn, &session, session.token, BORN_MS));
}

static void a_dead_token_is_replaced_by_a_new_session(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	struct claim next;
	bool sends;

	for (int i = 0; i < CLAIM_TRIES; i++)
		submit(txn, &session, "wrong", BORN_MS);
	next = ask(txn, &ann, BORN_MS, &sends);
	assert_true(sends);
	assert_string_not_equal(next.id, session.id);
	assert_string_not_equal(next.token, session.token);
}

static void a_request_after_validation_gets_a_fresh_session(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	struct claim next;
	bool sends;

	submit(txn, &session, session.token, BORN_MS);
	next = ask(txn, &ann, BORN_MS + HOUR_MS, &sends);
	assert_true(sends);
	assert_string_not_equal(next.id, session.id);
	assert_int_equal(prove(txn, next.id, "s3cret", BORN_MS + HOUR_MS),
			 -MX_SESSION_NOT_VALIDATED);
	/* The old proof is what it was, and no request prolongs it. */
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS + 24 * HOUR_MS - 1), 0);
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS + 24 * HOUR_MS),
			 -MX_SESSION_EXPIRED);
}

static void a_session_ends_a_day_after_its_birth_or_validation(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	bool sends;

	ask(txn, &ann, BORN_MS + 20 * HOUR_MS, &sends);
	assert_int_equal(load(txn, session.id, "s3cret", BORN_MS + 24 * HOUR_MS),
			 -MX_SESSION_EXPIRED);
	assert_true(submit(txn, &session, session.token, BORN_MS + 24 * HOUR_MS - 1));
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS + 48 * HOUR_MS - 2), 0);
	assert_int_equal(prove(txn, session.id, "s3cret", BORN_MS + 48 * HOUR_MS - 1),
			 -MX_SESSION_EXPIRED);
}

static void an_expired_session_is_remembered_for_five_days(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	int64_t forgotten_ms = BORN_MS + CLAIM_LIFE_MS + CLAIM_TOMBSTONE_MS;

	assert_int_equal(load(txn, session.id, "s3cret", forgotten_ms - 1), -MX_SESSION_EXPIRED);
	assert_int_equal(load(txn, session.id, "s3cret", forgotten_ms), -MX_NO_VALID_SESSION);
}

static void a_wrong_secret_looks_like_an_unknown_session(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	const struct claim_call late = at(txn, BORN_MS + 30 * HOUR_MS);
	struct mx_error unknown = { 0 }, wrong = { 0 };
	struct claim out;

	assert_int_equal(claim_load(&late, "nobody", "s3cret", &out, &unknown),
			 -MX_NO_VALID_SESSION);
	assert_int_equal(claim_load(&late, session.id, "other", &out, &wrong),
			 -MX_NO_VALID_SESSION);
	assert_string_equal(wrong.text, unknown.text);
}

static void a_token_has_at_most_255_code_points(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	const struct claim_call call = at(txn, BORN_MS);
	mx_str_auto token = { 0 };
	bool right = true;

	for (int i = 0; i < VALIDATION_TOKEN_MAX; i++)
		mx_str_add_text(&token, "\U0001F600");
	assert_int_equal(claim_submit(&call, &session, token.ptr, &right, NULL), 0);
	assert_false(right);
	mx_str_add_text(&token, "\U0001F600");
	assert_int_equal(claim_submit(&call, &session, token.ptr, &right, NULL), -MX_INVALID_PARAM);
}

static void a_client_secret_has_its_alphabet_and_length(void **txn)
{
	char longest[CLIENT_SECRET_MAX + 2];

	(void)txn;
	memset(longest, 'x', sizeof(longest));
	longest[CLIENT_SECRET_MAX + 1] = '\0';
	assert_int_equal(client_secret_check(longest, NULL), -MX_INVALID_PARAM);
	longest[CLIENT_SECRET_MAX] = '\0';
	assert_int_equal(client_secret_check(longest, NULL), 0);
	assert_int_equal(client_secret_check("A.=_-0", NULL), 0);
	assert_int_equal(client_secret_check("", NULL), -MX_INVALID_PARAM);
	assert_int_equal(client_secret_check("a b", NULL), -MX_INVALID_PARAM);
	assert_int_equal(client_secret_check("abc\n", NULL), -MX_INVALID_PARAM);
}

static void a_text_message_has_six_digits(void **txn)
{
	const struct claim_request phone = {
		.threepid = { "msisdn", "447700900001" },
		.address_as_sent = "",
		.client_secret = "s3cret",
		.send_attempt = 1,
		.short_token = true,
	};
	struct claim session;
	bool sends;

	session = ask(txn, &phone, BORN_MS, &sends);
	assert_int_equal(strlen(session.token), 6);
	assert_int_equal(strspn(session.token, "0123456789"), 6);
	assert_string_not_equal(open_ann(txn, BORN_MS).id, session.id);
}

static void the_newest_next_link_counts(void **txn)
{
	struct claim_request linked = ann;
	const struct claim_call call = at(txn, BORN_MS);
	struct claim session = open_ann(txn, BORN_MS), loaded;
	bool sends;

	assert_null(session.next_link);
	linked.next_link = "https://ok.example/";
	ask(txn, &linked, BORN_MS, &sends);
	assert_int_equal(claim_load(&call, session.id, "s3cret", &loaded, NULL), 0);
	assert_string_equal(loaded.next_link, "https://ok.example/");
}

static void only_what_is_past_its_tombstone_is_reaped(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	struct store *store = store_fixture_store(txn);
	int64_t end_ms = BORN_MS + 2 * CLAIM_LIFE_MS + CLAIM_TOMBSTONE_MS;

	store_fixture_commit(txn);
	assert_int_equal(claim_reap(store, end_ms, EVERYONE), 0);
	assert_int_equal(claim_reap(store, end_ms + 1, EVERYONE), 1);
	assert_int_equal(claim_reap(store, end_ms + 1, EVERYONE), 0);
	store_fixture_commit(txn);
	assert_int_equal(load(txn, session.id, "s3cret", BORN_MS), -MX_NO_VALID_SESSION);
}

static void reaping_an_old_session_leaves_its_successor(void **txn)
{
	struct claim session = open_ann(txn, BORN_MS);
	int64_t later_ms = BORN_MS + 3 * CLAIM_LIFE_MS;
	struct claim next;
	bool sends;

	next = ask(txn, &ann, later_ms, &sends);
	assert_string_not_equal(next.id, session.id);
	store_fixture_commit(txn);
	assert_int_equal(
		claim_reap(store_fixture_store(txn), BORN_MS + 8 * CLAIM_LIFE_MS, EVERYONE), 1);
	store_fixture_commit(txn);
	assert_string_equal(ask(txn, &ann, later_ms + 1, &sends).id, next.id);
	assert_false(sends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(the_same_attempt_sends_once),
		store_test(an_attempt_that_failed_for_good_is_made_again),
		store_test(an_attempt_noted_as_not_sent_is_made_again),
		store_test(without_an_attempt_it_is_sent_once),
		store_test(another_secret_is_another_session),
		store_test(the_right_token_validates_and_stays_right),
		store_test(five_wrong_tries_kill_the_token),
		store_test(four_wrong_tries_do_not),
		store_test(a_dead_token_is_replaced_by_a_new_session),
		store_test(a_request_after_validation_gets_a_fresh_session),
		store_test(a_session_ends_a_day_after_its_birth_or_validation),
		store_test(an_expired_session_is_remembered_for_five_days),
		store_test(a_wrong_secret_looks_like_an_unknown_session),
		store_test(a_token_has_at_most_255_code_points),
		store_test(a_client_secret_has_its_alphabet_and_length),
		store_test(a_text_message_has_six_digits),
		store_test(the_newest_next_link_counts),
		store_test(only_what_is_past_its_tombstone_is_reaped),
		store_test(reaping_an_old_session_leaves_its_successor),
	};
	return cmocka_run_group_tests_name("threepid/claim", tests, NULL, NULL);
}
