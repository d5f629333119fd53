#include "homeserver/account/session.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"

static struct session_pair begin(struct hs_fixture *f, bool refreshable)
{
	struct session_pair pair;

	f->conf.sessions.access_minutes = 60;
	session_begin(&f->call, ANN, "PHONE", refreshable, &pair);
	hs_fixture_write(f);
	return pair;
}

static enum session_standing standing(struct hs_fixture *f, const char *token)
{
	enum session_standing found;
	struct session session;

	assert_int_equal(session_by_access(&f->call, mx_slice(token), &session, &found), 0);
	if (found != SESSION_UNKNOWN) {
		assert_string_equal(session.user, ANN);
		assert_string_equal(session.device, "PHONE");
	}
	return found;
}

/* As the authenticator does with the first use of a pair. */
static void use(struct hs_fixture *f, const char *token)
{
	enum session_standing found;
	struct session session;

	assert_int_equal(session_by_access(&f->call, mx_slice(token), &session, &found), 0);
	assert_int_equal(found, SESSION_NEXT);
	session_advance(&f->call, &session);
	hs_fixture_write(f);
}

static struct session_pair refresh(struct hs_fixture *f, const char *token)
{
	struct session_pair pair;
	const char *user;

	assert_int_equal(session_refresh(&f->call, mx_slice(token), &user, &pair), 0);
	assert_string_equal(user, ANN);
	hs_fixture_write(f);
	return pair;
}

static void refuse(struct hs_fixture *f, const char *token)
{
	struct session_pair pair;
	const char *user;

	assert_int_equal(session_refresh(&f->call, mx_slice(token), &user, &pair),
			 -MX_UNKNOWN_TOKEN);
	hs_fixture_write(f);
}

static void a_token_says_whose_it_is(void **state)
{
	struct session_pair pair = begin(*state, false);

	assert_int_equal(strlen(pair.access), SESSION_TOKEN_LEN);
	assert_string_equal(pair.refresh, "");
	assert_int_equal(pair.access_life_ms, 0);
	assert_int_equal(standing(*state, pair.access), SESSION_NOW);
	hs_fixture_at(*state, HS_FIXTURE_NOW + 1000 * MX_DAY_MS);
	assert_int_equal(standing(*state, pair.access), SESSION_NOW);
}

static void another_secret_of_the_same_session_is_over(void **state)
{
	struct session_pair pair = begin(*state, false);

	pair.access[SESSION_TOKEN_LEN - 1] ^= 1;
	assert_int_equal(standing(*state, pair.access), SESSION_OVER);
}

static void what_does_not_look_like_a_token_is_nobodys(void **state)
{
	static const char *const texts[] = {
		"",
		"tra_",
		"tra_0123456789012345678901_01234567890123456789012345678901",
		"trx_0123456789012345678901_01234567890123456789012345678901",
		"tra_0123456789012345678901-01234567890123456789012345678901",
		"tra_012345678901234567890\xff_01234567890123456789012345678901",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(standing(*state, texts[i]), SESSION_UNKNOWN);
}

static void a_refresh_token_is_no_access_token(void **state)
{
	struct session_pair pair = begin(*state, true);

	assert_int_equal(standing(*state, pair.refresh), SESSION_UNKNOWN);
	refuse(*state, pair.access);
	assert_int_equal(standing(*state, pair.access), SESSION_NOW);
}

static void tokens_that_can_be_refreshed_end(void **state)
{
	struct session_pair pair = begin(*state, true);

	assert_int_equal(pair.access_life_ms, MX_HOUR_MS);
	hs_fixture_at(*state, HS_FIXTURE_NOW + MX_HOUR_MS - 1);
	assert_int_equal(standing(*state, pair.access), SESSION_NOW);
	hs_fixture_at(*state, HS_FIXTURE_NOW + MX_HOUR_MS);
	assert_int_equal(standing(*state, pair.access), SESSION_OVER);
	pair = refresh(*state, pair.refresh);
	assert_int_equal(standing(*state, pair.access), SESSION_NEXT);
}

static void a_pair_is_good_until_the_next_is_used(void **state)
{
	struct session_pair one = begin(*state, true), two = refresh(*state, one.refresh);

	assert_int_equal(standing(*state, one.access), SESSION_NOW);
	use(*state, two.access);
	assert_int_equal(standing(*state, one.access), SESSION_OVER);
	assert_int_equal(standing(*state, two.access), SESSION_NOW);
}

static void a_refresh_may_be_repeated_until_its_outcome_is_used(void **state)
{
	struct session_pair one = begin(*state, true), two = refresh(*state, one.refresh);
	struct session_pair again = refresh(*state, one.refresh);

	assert_int_equal(standing(*state, two.access), SESSION_OVER);
	use(*state, again.access);
	refuse(*state, one.refresh);
}

static void a_replaced_refresh_token_ends_the_session(void **state)
{
	struct session_pair one = begin(*state, true), two = refresh(*state, one.refresh);
	struct session_pair three = refresh(*state, two.refresh);

	refuse(*state, one.refresh);
	assert_int_equal(standing(*state, two.access), SESSION_OVER);
	assert_int_equal(standing(*state, three.access), SESSION_OVER);
	refuse(*state, two.refresh);
	refuse(*state, three.refresh);
}

static void an_ended_session_knows_no_token(void **state)
{
	struct hs_fixture *f = *state;
	struct session_pair pair;
	const char *id;

	f->conf.sessions.access_minutes = 60;
	id = session_begin(&f->call, ANN, "PHONE", true, &pair);
	session_end(&f->call, id);
	session_end(&f->call, NULL);
	hs_fixture_write(f);
	assert_int_equal(standing(f, pair.access), SESSION_UNKNOWN);
	refuse(f, pair.refresh);
}

/* All that a token has in common with others is what kind of one it is. */
static void nobody_guesses_a_token_by_others(void **state)
{
	struct session_pair before = begin(*state, true);
	size_t same[SESSION_TOKEN_LEN] = { 0 };
	enum { TIMES = 64 };

	for (int i = 0; i < TIMES; i++) {
		struct session_pair pair = begin(*state, true);

		for (size_t at = 0; at < SESSION_TOKEN_LEN; at++)
			same[at] += pair.access[at] == before.access[at];
		assert_string_not_equal(pair.access + 4, pair.refresh + 4);
		before = pair;
	}
	for (size_t at = strlen("tra_"); at < SESSION_TOKEN_LEN; at++)
		if (at != strlen("tra_") + SESSION_ID_LEN)
			assert_true(same[at] < TIMES / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_token_says_whose_it_is),
		hs_test(nobody_guesses_a_token_by_others),
		hs_test(another_secret_of_the_same_session_is_over),
		hs_test(what_does_not_look_like_a_token_is_nobodys),
		hs_test(a_refresh_token_is_no_access_token),
		hs_test(tokens_that_can_be_refreshed_end),
		hs_test(a_pair_is_good_until_the_next_is_used),
		hs_test(a_refresh_may_be_repeated_until_its_outcome_is_used),
		hs_test(a_replaced_refresh_token_ends_the_session),
		hs_test(an_ended_session_knows_no_token),
	};

	return cmocka_run_group_tests_name("homeserver/account/session", tests, NULL, NULL);
}
