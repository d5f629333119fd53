#include "homeserver/account/threepids.h"

#include "homeserver/account/threepids_db.h"
#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

#define store_test_tables threepids_tables
#define ANN               "@ann:here.example"
#define BOB               "@bob:here.example"

static const struct account_threepid mail = { { "email", "ann@example.org" }, 1000, 2000 };
static const struct account_threepid number = { { "msisdn", "447700900001" }, 1000, 2000 };

static struct hs_call now(void **txn)
{
	return (struct hs_call){ .txn = *txn, .mem = test_mem, .now_ms = 3000 };
}

static void add(void **txn, const char *user, const struct account_threepid *threepid)
{
	const struct hs_call call = now(txn);

	assert_int_equal(threepids_add(&call, user, threepid, NULL), 0);
}

static size_t count(void **txn, const char *user)
{
	const struct hs_call call = now(txn);
	struct account_threepids all;

	assert_int_equal(threepids_list(&call, user, &all), 0);
	return all.len;
}

static void an_address_is_found_in_any_spelling(void **txn)
{
	const struct hs_call call = now(txn);
	const char *user;

	add(txn, ANN, &mail);
	add(txn, ANN, &number);
	assert_int_equal(threepid_user(&call, "email", "Ann@Example.ORG", &user, NULL), 0);
	assert_string_equal(user, ANN);
	assert_int_equal(threepid_user(&call, "msisdn", "+44 7700 900001", &user, NULL), 0);
	assert_string_equal(user, ANN);
	assert_int_equal(threepid_user(&call, "email", "bob@example.org", &user, NULL),
			 -MX_NOT_FOUND);
	assert_int_equal(threepid_user(&call, "email", "a@b@c.org", &user, NULL),
			 -MX_INVALID_EMAIL);
	assert_int_equal(threepid_user(&call, "fax", "1", &user, NULL), -MX_INVALID_PARAM);
}

static void an_address_belongs_to_one_account(void **txn)
{
	const struct hs_call call = now(txn);

	add(txn, ANN, &mail);
	assert_int_equal(threepids_add(&call, BOB, &mail, NULL), -MX_THREEPID_IN_USE);
	assert_int_equal(count(txn, BOB), 0);
}

static void validating_again_keeps_the_day_it_was_added(void **txn)
{
	const struct account_threepid again = { mail.threepid, 5000, 6000 };
	const struct hs_call call = now(txn);
	struct account_threepids all;

	add(txn, ANN, &mail);
	add(txn, ANN, &again);
	assert_int_equal(threepids_list(&call, ANN, &all), 0);
	assert_int_equal(all.len, 1);
	assert_int_equal(all.items[0].validated_ms, 5000);
	assert_int_equal(all.items[0].added_ms, 2000);
}

static void only_its_own_account_removes_an_address(void **txn)
{
	const struct hs_call call = now(txn);

	add(txn, ANN, &mail);
	assert_int_equal(threepids_remove(&call, BOB, &mail.threepid, NULL),
			 -MX_THREEPID_NOT_FOUND);
	assert_int_equal(threepids_remove(&call, ANN, &mail.threepid, NULL), 0);
	assert_int_equal(threepids_remove(&call, ANN, &mail.threepid, NULL),
			 -MX_THREEPID_NOT_FOUND);
	add(txn, BOB, &mail);
}

/* No user name is a prefix of another in the keys. */
static void users_with_like_names_have_their_own_addresses(void **txn)
{
	add(txn, "@ann:here", &mail);
	add(txn, "@ann:here.example", &number);
	assert_int_equal(count(txn, "@ann:here"), 1);
	assert_int_equal(count(txn, "@ann:here.example"), 1);
	assert_int_equal(count(txn, "@ann:her"), 0);
}

static void nothing_outlives_an_account(void **txn)
{
	const struct threepid_binding binding = { mail.threepid, "id.example" };
	const struct hs_call call = now(txn);
	struct threepid_bindings bindings;

	add(txn, ANN, &mail);
	add(txn, ANN, &number);
	threepids_bound(&call, ANN, &binding);
	assert_int_equal(threepids_bindings(&call, ANN, &bindings), 0);
	assert_int_equal(bindings.len, 1);
	assert_string_equal(bindings.items[0].id_server, "id.example");
	assert_int_equal(threepids_forget(&call, ANN), 0);
	assert_int_equal(count(txn, ANN), 0);
	assert_int_equal(threepids_bindings(&call, ANN, &bindings), 0);
	assert_int_equal(bindings.len, 0);
	add(txn, BOB, &mail);
}

static void an_account_has_a_most_of_addresses(void **txn)
{
	const struct hs_call call = now(txn);

	for (int i = 0; i < THREEPIDS_MAX; i++) {
		struct account_threepid one = mail;

		one.threepid.address = mx_arena_strf(test_mem, "ann%d@example.org", i);
		add(txn, ANN, &one);
	}
	assert_int_equal(threepids_add(&call, ANN, &number, NULL), -MX_RESOURCE_LIMIT);
	assert_int_equal(count(txn, ANN), THREEPIDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(an_address_is_found_in_any_spelling),
		store_test(an_address_belongs_to_one_account),
		store_test(validating_again_keeps_the_day_it_was_added),
		store_test(only_its_own_account_removes_an_address),
		store_test(users_with_like_names_have_their_own_addresses),
		store_test(nothing_outlives_an_account),
		store_test(an_account_has_a_most_of_addresses),
	};

	return cmocka_run_group_tests_name("account/threepids", tests, NULL, NULL);
}
