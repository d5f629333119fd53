#include "identity/homeservers.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

static char good[] = "*.good.example", also[] = "also.example", bad[] = "bad.good.example";
static char *allow[] = { good, also }, *deny[] = { bad };

static bool serves(unsigned allowed, unsigned denied, const char *server_name)
{
	const struct identity_conf conf = {
		.homeservers = { .allow = allow,
				 .deny = deny,
				 .allow_count = allowed,
				 .deny_count = denied },
	};
	const struct identity identity = { .conf = &conf };

	return homeserver_is_served(&identity, mx_slice(server_name));
}

static void without_lists_everybody_is_served(void **state)
{
	(void)state;
	assert_true(serves(0, 0, "any.example"));
}

static void a_list_of_those_who_may_keeps_all_others_out(void **state)
{
	(void)state;
	assert_true(serves(2, 0, "hs.good.example"));
	assert_true(serves(2, 0, "also.example"));
	assert_false(serves(2, 0, "any.example"));
	assert_false(serves(2, 0, "good.example"));
}

static void who_is_denied_is_out_even_if_allowed(void **state)
{
	(void)state;
	assert_false(serves(2, 1, "bad.good.example"));
	assert_false(serves(0, 1, "bad.good.example"));
	assert_true(serves(0, 1, "any.example"));
}

static void a_user_belongs_to_the_server_of_the_id(void **state)
{
	const struct identity_conf conf = { .homeservers = { .deny = deny, .deny_count = 1 } };
	const struct identity_conf newer = { 0 };
	struct identity identity = { .conf = &conf };

	(void)state;
	assert_int_equal(homeserver_check_user(&identity, "@a:bad.good.example", NULL),
			 -MX_NOT_YOURS);
	assert_int_equal(homeserver_check_user(&identity, "@a:fine.example", NULL), 0);
	identity.newest = &newer;
	assert_int_equal(homeserver_check_user(&identity, "@a:bad.good.example", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_lists_everybody_is_served),
		cmocka_unit_test(a_list_of_those_who_may_keeps_all_others_out),
		cmocka_unit_test(who_is_denied_is_out_even_if_allowed),
		cmocka_unit_test(a_user_belongs_to_the_server_of_the_id),
	};

	return cmocka_run_group_tests_name("identity/homeservers", tests, NULL, NULL);
}
