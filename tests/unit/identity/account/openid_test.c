/* wrap: net_start net_fetch */
#include "identity/account/account.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "tests/support/net_mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct homeserver {
	struct identity_conf conf;
	struct identity identity;
	struct mx_arena *mem;
	struct net_mock_answer answer;
	struct net_mock_request asked;
};

static struct net_mock_answer respond(void *ctx, const struct net_mock_request *request)
{
	struct homeserver *hs = ctx;

	hs->asked = *request;
	return hs->answer;
}

static int setup(void **state)
{
	struct homeserver *hs = test_calloc(1, sizeof(*hs));

	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT);
	hs->identity.conf = &hs->conf;
	hs->mem = mx_arena_new(0);
	net_mock_reset();
	net_mock_handle(respond, hs);
	*state = hs;
	return 0;
}

static int teardown(void **state)
{
	struct homeserver *hs = *state;

	mx_arena_free(hs->mem);
	test_free(hs);
	return 0;
}

static int ask(struct homeserver *hs, const char *server, const char **ret_user_id)
{
	return openid_user(&hs->identity, server, "t/o k", hs->mem, ret_user_id, NULL);
}

static void says(struct homeserver *hs, int status, const char *body)
{
	hs->answer = (struct net_mock_answer){ .status = status, .body = mx_slice(body) };
}

static void the_homeserver_names_its_user(void **state)
{
	struct homeserver *hs = *state;
	const char *user_id;

	says(hs, 200, "{\"sub\":\"@Ann:HS.test\"}");
	assert_int_equal(ask(hs, "HS.test", &user_id), 0);
	assert_string_equal(user_id, "@Ann:HS.test");
	assert_string_equal(hs->asked.server, "HS.test");
	assert_string_equal(hs->asked.target,
			    "/_matrix/federation/v1/openid/userinfo?access_token=t%2Fo%20k");
}

static void a_homeserver_speaks_for_its_own_users_only(void **state)
{
	static const char *const bodies[] = {
		"{\"sub\":\"@a:other.test\"}",
		"{\"sub\":\"@a:hs.TEST\"}",
		"{\"sub\":\"@a\"}",
		"{\"sub\":\"a:hs.test\"}",
		"{\"sub\":17}",
		"{}",
		"{\"sub\":\"@a:hs.test:1\"}",
		"[]",
		"nothing",
		"{\"sub\":\"@a\\u0000:hs.test\"}",
	};
	struct homeserver *hs = *state;
	const char *user_id = NULL;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		says(hs, 200, bodies[i]);
		if (ask(hs, "hs.test", &user_id) != -MX_UNAUTHORIZED)
			fail_msg("%s was believed", bodies[i]);
	}
	assert_null(user_id);
}

static void its_failures_are_told_apart(void **state)
{
	static const struct {
		int rc, status, wanted;
	} rows[] = {
		{ 0, 401, -MX_UNAUTHORIZED },
		{ 0, 403, -MX_UNAUTHORIZED },
		{ 0, 404, -MX_REMOTE_FAILED },
		{ 0, 302, -MX_REMOTE_FAILED },
		{ 0, 500, -MX_REMOTE_FAILED },
		{ -MX_REMOTE_FAILED, 0, -MX_REMOTE_FAILED },
		{ -MX_REMOTE_TIMEOUT, 0, -MX_REMOTE_TIMEOUT },
		{ -MX_ADDRESS_REFUSED, 0, -MX_INVALID_PARAM },
		{ -MX_TOO_LARGE, 0, -MX_UNAUTHORIZED },
		{ -MX_BUSY, 0, -MX_REMOTE_FAILED },
	};
	struct homeserver *hs = *state;
	const char *user_id;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hs->answer = (struct net_mock_answer){ .rc = rows[i].rc, .status = rows[i].status };
		assert_int_equal(ask(hs, "hs.test", &user_id), rows[i].wanted);
	}
}

static void what_is_no_server_name_is_not_asked(void **state)
{
	static const char *const names[] = { "", "a/b", "x:99999", "a@b", "a b", "hs.test\n" };
	struct homeserver *hs = *state;
	const char *user_id;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(ask(hs, names[i], &user_id), -MX_INVALID_PARAM);
	assert_int_equal(net_mock_asked(), 0);
}

static void the_operator_says_whose_users_are_welcome(void **state)
{
	char tests[] = "*.test", bad[] = "bad.test";
	char *allowed[] = { tests }, *denied[] = { bad };
	struct homeserver *hs = *state;
	const char *user_id;

	hs->conf.homeservers.allow = allowed;
	hs->conf.homeservers.allow_count = 1;
	hs->conf.homeservers.deny = denied;
	hs->conf.homeservers.deny_count = 1;
	assert_int_equal(ask(hs, "hs.example", &user_id), -MX_NOT_YOURS);
	assert_int_equal(ask(hs, "bad.test", &user_id), -MX_NOT_YOURS);
	assert_int_equal(net_mock_asked(), 0);
	says(hs, 200, "{\"sub\":\"@a:good.test\"}");
	assert_int_equal(ask(hs, "good.test", &user_id), 0);
}

#define with_homeserver(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_homeserver(the_homeserver_names_its_user),
		with_homeserver(a_homeserver_speaks_for_its_own_users_only),
		with_homeserver(its_failures_are_told_apart),
		with_homeserver(what_is_no_server_name_is_not_asked),
		with_homeserver(the_operator_says_whose_users_are_welcome),
	};

	return cmocka_run_group_tests_name("identity/openid", tests, NULL, NULL);
}
