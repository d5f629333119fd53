#include "identity/routes.h"

#include "identity/identity_conf.h"
#include "shared/core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has(const struct route **tables, const struct route *table)
{
	for (; *tables; tables++)
		if (*tables == table)
			return true;
	return false;
}

static void everything_but_internal_binds_is_on_by_default(void **state)
{
	const struct identity_conf conf = { 0 };
	const struct route **tables = identity_routes_of(&conf);

	(void)state;
	for (size_t i = 0; identity_routes[i]; i++)
		assert_int_equal(has(tables, identity_routes[i]),
				 identity_routes[i] != internal_routes);
	mx_free(tables);
}

static void internal_binds_need_a_token(void **state)
{
	char file[] = "/etc/trinity/token";
	const struct identity_conf conf = { .internal = { file } };
	const struct route **tables = identity_routes_of(&conf);

	(void)state;
	assert_true(has(tables, internal_routes));
	mx_free(tables);
}

static void a_group_is_off_as_a_whole(void **state)
{
	char accounts[] = "accounts";
	char *off[] = { accounts };
	const struct identity_conf conf = { .endpoints = { off, 1 } };
	const struct route **tables = identity_routes_of(&conf);

	(void)state;
	assert_false(has(tables, account_routes));
	assert_false(has(tables, terms_routes));
	assert_true(has(tables, meta_routes));
	assert_true(has(tables, pubkey_routes));
	mx_free(tables);
}

static void groups_are_known_by_their_whole_names(void **state)
{
	(void)state;
	assert_true(identity_has_group("accounts"));
	assert_true(identity_has_group("v1_invites"));
	assert_false(identity_has_group("invite"));
	assert_false(identity_has_group("accounts, lookup"));
	assert_false(identity_has_group(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_but_internal_binds_is_on_by_default),
		cmocka_unit_test(internal_binds_need_a_token),
		cmocka_unit_test(a_group_is_off_as_a_whole),
		cmocka_unit_test(groups_are_known_by_their_whole_names),
	};

	return cmocka_run_group_tests_name("identity/routes", tests, NULL, NULL);
}
