/* wrap: message_mail listed_or_bound threepid_parse */
#include "identity/invite/invite.h"

#include "identity/budget_kinds.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

static void an_invite_is_stored_and_mailed(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };
	struct invite invite;

	assert_int_equal(invite_fixture_invite(f, "Alice@Example.com", NULL, &answer), 0);
	assert_int_equal(f->mails, 1);
	assert_string_equal(f->to, "Alice@Example.com");
	assert_string_equal(answer.display_name, "Ali...@Exa...");
	assert_string_equal(answer.long_term_public, "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI");
	assert_string_equal(invite_fixture_value(f, "token"), answer.token);
	assert_int_equal(invite_load(&f->call, answer.token, &invite), 0);
	assert_string_equal(invite.threepid.address, "alice@example.com");
	assert_string_equal(invite.room_id, "!room:example.com");
	assert_string_equal(invite.sender, "@bob:example.com");
	assert_int_equal(invite.created_ms, INVITE_FIXTURE_MS);
	assert_int_equal(invite.state, INVITE_PENDING);
	assert_null(invite.user_id);
}

static void two_invites_have_nothing_in_common(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer first = { 0 }, second = { 0 };

	assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &first), 0);
	assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &second), 0);
	assert_string_not_equal(first.token, second.token);
	assert_string_not_equal(first.ephemeral_public, second.ephemeral_public);
}

static void assert_refused(struct invite_fixture *f, const char *address, const char *more, int rc)
{
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, address, more, &answer), rc);
	assert_int_equal(f->mails, 0);
	invite_fixture_commit(f);
	assert_int_equal(invite_fixture_rows(f), 0);
}

static void a_bound_address_is_told_with_its_user(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	f->bound_user = "@alice:example.org";
	assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &answer),
			 -MX_THREEPID_IN_USE);
	assert_string_equal(answer.bound_user, "@alice:example.org");
	assert_refused(f, "a@example.com", NULL, -MX_THREEPID_IN_USE);
}

static void being_bound_comes_before_the_medium(void **state)
{
	struct invite_fixture *f = *state;

	assert_refused(f, "447700900001", "{\"medium\":\"msisdn\"}", -MX_UNKNOWN_MEDIUM);
	f->bound_user = "@alice:example.org";
	assert_refused(f, "447700900001", "{\"medium\":\"msisdn\"}", -MX_THREEPID_IN_USE);
}

static void media_without_invites_are_not_recognised(void **state)
{
	assert_refused(*state, "a@example.com", "{\"medium\":\"x\"}", -MX_UNKNOWN_MEDIUM);
	assert_refused(*state, "12", "{\"medium\":\"msisdn\"}", -MX_UNKNOWN_MEDIUM);
}

static void what_is_no_address_is_refused(void **state)
{
	assert_refused(*state, "x@y@z.example", NULL, -MX_INVALID_EMAIL);
	assert_refused(*state, "foo", NULL, -MX_INVALID_EMAIL);
	assert_refused(*state, "a@example.com\r\nBcc: b@example.com", NULL, -MX_INVALID_EMAIL);
}

static void anothers_name_is_refused(void **state)
{
	assert_refused(*state, "a@example.com", "{\"sender\":\"@eve:example.com\"}", -MX_NOT_YOURS);
}

static void any_text_is_a_room_but_not_an_endless_one(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };
	char more[400];

	snprintf(more, sizeof(more), "{\"room_id\":\"!%0300d:example.com\"}", 0);
	assert_refused(f, "a@example.com", more, -MX_INVALID_PARAM);
	assert_int_equal(invite_fixture_invite(f, "a@example.com",
					       "{\"room_id\":\"$aroom:fake.test\"}", &answer),
			 0);
}

static void arguments_that_are_no_text_are_ignored(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, "a@example.com",
					       "{\"room_name\":{\"a\":1},\"sender_display_name\":7,"
					       "\"room_type\":null,\"odd\":[\"x\"]}",
					       &answer),
			 0);
	assert_string_equal(invite_fixture_value(f, "room_name"), "");
	assert_null(json_object_get(f->values, "odd"));
}

static void assert_blocked(struct invite_fixture *f, const char *more)
{
	assert_refused(f, "a@example.com", more, -MX_NOT_YOURS);
}

static void a_blocked_word_is_found_in_any_argument(void **state)
{
	static char street[] = "Straße", casino[] = "casino";
	char *words[] = { street, casino };
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	f->conf.invites.block_keywords = words;
	f->conf.invites.block_keywords_count = 2;
	assert_blocked(f, "{\"room_name\":\"the best CaSiNo of all\"}");
	assert_blocked(f, "{\"anything\":\"in der STRASSE\"}");
	assert_int_equal(
		invite_fixture_invite(f, "a@example.com", "{\"room_name\":\"cats\"}", &answer), 0);
}

static void a_blocked_scheme_does_not_block_the_web_client(void **state)
{
	static char http[] = "http";
	char *words[] = { http };
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	f->conf.invites.block_keywords = words;
	f->conf.invites.block_keywords_count = 1;
	assert_blocked(f, "{\"room_name\":\"http://evil.example\"}");
	assert_int_equal(
		invite_fixture_invite(
			f, "a@example.com",
			"{\"org.matrix.web_client_location\":\"https://chat.example.com\"}",
			&answer),
		0);
}

static void rooms_and_servers_are_blocked_by_pattern(void **state)
{
	static char room[] = "!bad*", server[] = "*.spam.example", home[] = "example.?om";
	char *rooms[] = { room }, *servers[] = { server }, *homes[] = { home };
	struct invite_fixture *f = *state;

	f->conf.invites.block_rooms = rooms;
	f->conf.invites.block_rooms_count = 1;
	assert_blocked(f, "{\"room_id\":\"!badroom:example.org\"}");
	f->conf.invites.block_servers = servers;
	f->conf.invites.block_servers_count = 1;
	assert_blocked(f, "{\"room_id\":\"!room:a.spam.example\"}");
	f->conf.invites.block_homeservers = homes;
	f->conf.invites.block_homeservers_count = 1;
	assert_blocked(f, NULL);
}

static void a_sender_has_a_budget(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	for (unsigned i = 0; i < INVITE_FIXTURE_BUDGET; i++)
		assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &answer), 0);
	assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &answer),
			 -MX_LIMIT_EXCEEDED);
	assert_true(f->err.retry_after_ms > 0);
	assert_int_equal(f->mails, INVITE_FIXTURE_BUDGET);
}

static void an_address_has_a_budget_whoever_invites_it(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };
	int64_t retry_ms;

	assert_int_equal(budgets_take(f->identity.budgets, BUDGET_INVITE_ADDRESS, "a@example.com",
				      INVITE_FIXTURE_BUDGET, &retry_ms, NULL),
			 0);
	assert_refused(f, "A@example.com", NULL, -MX_LIMIT_EXCEEDED);
	assert_true(f->err.retry_after_ms > 0);
	assert_int_equal(invite_fixture_invite(f, "b@example.com", NULL, &answer), 0);
}

/* It tells whose an address is. */
static void asking_for_bound_addresses_uses_the_budget_up(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	f->bound_user = "@alice:example.org";
	for (unsigned i = 0; i < INVITE_FIXTURE_BUDGET; i++)
		assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &answer),
				 -MX_THREEPID_IN_USE);
	assert_refused(f, "a@example.com", NULL, -MX_LIMIT_EXCEEDED);
}

static void what_is_not_committed_leaves_nothing(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, "a@example.com", NULL, &answer), 0);
	invite_fixture_abort(f);
	assert_int_equal(invite_fixture_rows(f), 0);
	assert_false(ephemeral_is_valid(&f->call, answer.ephemeral_public));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(an_invite_is_stored_and_mailed),
		invite_test(two_invites_have_nothing_in_common),
		invite_test(a_bound_address_is_told_with_its_user),
		invite_test(being_bound_comes_before_the_medium),
		invite_test(media_without_invites_are_not_recognised),
		invite_test(what_is_no_address_is_refused),
		invite_test(anothers_name_is_refused),
		invite_test(any_text_is_a_room_but_not_an_endless_one),
		invite_test(arguments_that_are_no_text_are_ignored),
		invite_test(a_blocked_word_is_found_in_any_argument),
		invite_test(a_blocked_scheme_does_not_block_the_web_client),
		invite_test(rooms_and_servers_are_blocked_by_pattern),
		invite_test(a_sender_has_a_budget),
		invite_test(an_address_has_a_budget_whoever_invites_it),
		invite_test(asking_for_bound_addresses_uses_the_budget_up),
		invite_test(what_is_not_committed_leaves_nothing),
	};
	return cmocka_run_group_tests_name("invite/invite_store", tests, NULL, NULL);
}
