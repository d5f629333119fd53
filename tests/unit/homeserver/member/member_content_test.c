/* wrap: profile_fill account_data_load */
#include "homeserver/member/member_content.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/member/member.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define ANN "@ann:here"
#define BOB "@bob:here"

static struct hs_conf conf = { .server_name = (char *)"here" };
static struct hs hs = { .conf = &conf };
static const struct hs_call call = { .hs = &hs };
static const char *config; /* of invite permissions; NULL: none */

int __wrap_profile_fill(const struct hs_call *of, const char *user_id, json_t *content);
int __wrap_account_data_load(const struct hs_call *of, const struct account_data_key *key,
			     struct mx_slice *ret_content);

int __wrap_profile_fill(const struct hs_call *of, const char *user_id, json_t *content)
{
	(void)of;
	if (!json_object_get(content, "displayname"))
		json_object_set_new(content, "displayname", json_string(user_id + 1));
	return 0;
}

int __wrap_account_data_load(const struct hs_call *of, const struct account_data_key *key,
			     struct mx_slice *ret_content)
{
	(void)of;
	assert_string_equal(key->type, "m.invite_permission_config");
	if (!config)
		return -MX_NOT_FOUND;
	*ret_content = mx_slice(config);
	return 0;
}

static void assert_made(const struct member_change *change, const char *host, const char *expected)
{
	json_auto_t *content = json_object(), *wanted = json_loads(expected, 0, NULL);

	assert_non_null(wanted);
	assert_int_equal(member_content_make(&call, change, host, content), 0);
	assert_true(json_equal(content, wanted));
}

static void who_comes_is_shown_by_name(void **state)
{
	struct member_change change = {
		.sender = ANN,
		.target = BOB,
		.membership = MEMBERSHIP_INVITE,
		.is_direct = true,
	};

	(void)state;
	assert_made(&change, NULL,
		    "{\"membership\": \"invite\", \"displayname\": \"bob:here\", "
		    "\"is_direct\": true}");
	change.target = "@far:away";
	change.is_direct = false;
	assert_made(&change, NULL, "{\"membership\": \"invite\"}");
}

static void who_goes_is_not(void **state)
{
	const struct member_change change = {
		.sender = ANN,
		.target = BOB,
		.membership = MEMBERSHIP_BAN,
		.reason = "rude",
	};

	(void)state;
	assert_made(&change, NULL, "{\"membership\": \"ban\", \"reason\": \"rude\"}");
}

static void only_the_server_says_who_let_somebody_in(void **state)
{
	json_auto_t *said = json_pack("{s:s, s:s, s:{}, s:s}", "membership", "leave",
				      "join_authorised_via_users_server", "@eve:here",
				      "third_party_invite", "displayname", "Annie");
	const struct member_change change = {
		.sender = ANN,
		.target = ANN,
		.membership = MEMBERSHIP_JOIN,
		.content = said,
	};

	(void)state;
	assert_made(&change, NULL, "{\"membership\": \"join\", \"displayname\": \"Annie\"}");
	assert_made(&change, BOB,
		    "{\"membership\": \"join\", \"displayname\": \"Annie\", "
		    "\"join_authorised_via_users_server\": \"" BOB "\"}");
}

static int check(const char *text)
{
	json_auto_t *content = json_loads(text, 0, NULL);

	return member_content_check(content, NULL);
}

static void a_membership_has_its_shape(void **state)
{
	mx_str_auto name = { 0 };

	(void)state;
	assert_int_equal(check("{\"membership\": \"join\", \"displayname\": null}"), 0);
	assert_int_equal(check("{}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"membership\": \"gone\"}"), -MX_BAD_JSON);
	assert_int_equal(check("{\"membership\": \"join\", \"reason\": 1}"), -MX_BAD_JSON);
	mx_str_add_text(&name, "{\"membership\": \"join\", \"displayname\": \"");
	for (unsigned i = 0; i < 257; i++)
		mx_str_add_text(&name, "ü");
	mx_str_add_text(&name, "\"}");
	assert_int_equal(check(name.ptr), -MX_INVALID_PARAM);
}

static void invites_may_be_unwanted(void **state)
{
	const struct member_change change = { .sender = ANN, .target = BOB };

	(void)state;
	config = NULL;
	assert_int_equal(invite_permission_check(&call, &change, NULL), 0);
	config = "{\"default_action\": \"block\"}";
	assert_int_equal(invite_permission_check(&call, &change, NULL), -MX_INVITE_BLOCKED);
	config = "{\"default_action\": 3}";
	assert_int_equal(invite_permission_check(&call, &change, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_is_shown_by_name),
		cmocka_unit_test(who_goes_is_not),
		cmocka_unit_test(only_the_server_says_who_let_somebody_in),
		cmocka_unit_test(a_membership_has_its_shape),
		cmocka_unit_test(invites_may_be_unwanted),
	};

	return cmocka_run_group_tests_name("member/member_content", tests, NULL, NULL);
}
