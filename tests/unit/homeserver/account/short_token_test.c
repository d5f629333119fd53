#include "homeserver/account/short_token.h"

#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"

struct token {
	char text[SHORT_TOKEN_LEN + 1];
};

static struct token make(struct hs_fixture *f, enum short_token_kind kind)
{
	struct token token;

	short_token_make(&f->call, kind, ANN, 1000, token.text);
	hs_fixture_write(f);
	return token;
}

static int find(struct hs_fixture *f, enum short_token_kind kind, const char *token)
{
	const char *user;
	int rc = short_token_user(&f->call, kind, mx_slice(token), &user);

	if (rc == 0)
		assert_string_equal(user, ANN);
	return rc;
}

static void a_token_is_for_one_purpose(void **state)
{
	struct token token = make(*state, SHORT_TOKEN_LOGIN);

	assert_int_equal(find(*state, SHORT_TOKEN_LOGIN, token.text), 0);
	assert_int_equal(find(*state, SHORT_TOKEN_OPENID, token.text), -MX_NOT_FOUND);
	assert_int_equal(find(*state, SHORT_TOKEN_LOGIN, ""), -MX_NOT_FOUND);
}

static void a_token_ends(void **state)
{
	struct token token = make(*state, SHORT_TOKEN_OPENID);
	struct hs_fixture *f = *state;

	hs_fixture_at(f, HS_FIXTURE_NOW + 999);
	assert_int_equal(find(f, SHORT_TOKEN_OPENID, token.text), 0);
	assert_int_equal(short_token_reap(f->hs.store, HS_FIXTURE_NOW + 999), 0);
	hs_fixture_at(f, HS_FIXTURE_NOW + 1000);
	assert_int_equal(find(f, SHORT_TOKEN_OPENID, token.text), -MX_NOT_FOUND);
	assert_int_equal(short_token_reap(f->hs.store, HS_FIXTURE_NOW + 1000), 1);
}

static void a_spent_token_is_gone(void **state)
{
	struct token token = make(*state, SHORT_TOKEN_LOGIN);
	struct hs_fixture *f = *state;

	short_token_spend(&f->call, SHORT_TOKEN_LOGIN, mx_slice(token.text));
	hs_fixture_write(f);
	assert_int_equal(find(f, SHORT_TOKEN_LOGIN, token.text), -MX_NOT_FOUND);
}

static void many_are_reaped_page_by_page(void **state)
{
	struct hs_fixture *f = *state;

	for (unsigned i = 0; i < 1203; i++) {
		struct token token;

		short_token_make(&f->call, SHORT_TOKEN_LOGIN, ANN, i % 2 ? 1000 : 5000, token.text);
	}
	hs_fixture_write(f);
	assert_int_equal(short_token_reap(f->hs.store, HS_FIXTURE_NOW + 1000), 601);
	assert_int_equal(short_token_reap(f->hs.store, HS_FIXTURE_NOW + 5000), 602);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_token_is_for_one_purpose),
		hs_test(a_token_ends),
		hs_test(a_spent_token_is_gone),
		hs_test(many_are_reaped_page_by_page),
	};

	return cmocka_run_group_tests_name("homeserver/account/short_token", tests, NULL, NULL);
}
