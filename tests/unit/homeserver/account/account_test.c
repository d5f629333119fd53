#include "homeserver/account/account.h"

#include "homeserver/registration/register.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"

static void add(struct hs_fixture *f, const struct account *account)
{
	assert_int_equal(register_account(&f->call, account, NULL), 0);
	hs_fixture_write(f);
}

static const struct account ann = {
	.user = ANN,
	.flags = ACCOUNT_ADMIN,
	.created_ms = HS_FIXTURE_NOW,
	.password = "a hash",
};

static struct account load(struct hs_fixture *f)
{
	struct account account;

	assert_int_equal(account_load(&f->call, mx_slice(ANN), &account), 0);
	return account;
}

static void what_is_stored_is_read(void **state)
{
	struct account account;

	add(*state, &ann);
	account = load(*state);
	assert_string_equal(account.user, ANN);
	assert_int_equal(account.flags, ACCOUNT_ADMIN);
	assert_int_equal(account.created_ms, HS_FIXTURE_NOW);
	assert_string_equal(account.password, "a hash");
	assert_null(account.appservice);
}

static void nobody_is_not_there(void **state)
{
	struct hs_fixture *f = *state;
	struct account account;
	char name[3000];

	memset(name, 'x', sizeof(name));
	assert_int_equal(account_load(&f->call, mx_slice(ANN), &account), -MX_NOT_FOUND);
	assert_int_equal(account_load(&f->call, mx_slice_of(name, sizeof(name)), &account),
			 -MX_NOT_FOUND);
	assert_false(account_exists(&f->call, mx_slice(ANN)));
	assert_int_equal(account_flags(&f->call, mx_slice(ANN)), 0);
	assert_int_equal(account_set_flags(&f->call, ANN, 1, 0), -MX_NOT_FOUND);
	assert_int_equal(account_set_password(&f->call, ANN, "x"), -MX_NOT_FOUND);
}

static void a_name_is_given_once(void **state)
{
	struct hs_fixture *f = *state;
	struct mx_error err;

	add(f, &ann);
	assert_int_equal(register_account(&f->call, &ann, &err), -MX_USER_IN_USE);
}

static void two_who_take_a_name_at_once_do_not_both_get_it(void **state)
{
	struct hs_fixture *f = *state;
	struct store_txn *first = f->call.txn;

	assert_int_equal(register_account(&f->call, &ann, NULL), 0);
	f->call.txn = store_txn_begin(f->hs.store);
	assert_int_equal(register_account(&f->call, &ann, NULL), 0);
	assert_int_equal(store_txn_commit(first, NULL), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = store_txn_begin(f->hs.store);
}

static void flags_are_set_and_cleared(void **state)
{
	struct hs_fixture *f = *state;

	add(f, &ann);
	assert_int_equal(account_set_flags(&f->call, ANN, ACCOUNT_LOCKED, ACCOUNT_ADMIN), 0);
	hs_fixture_write(f);
	assert_int_equal(load(f).flags, ACCOUNT_LOCKED);
	assert_string_equal(load(f).password, "a hash");
	assert_int_equal(account_set_password(&f->call, ANN, NULL), 0);
	assert_null(load(f).password);
}

static void who_is_locked_or_gone_does_not_log_in(void **state)
{
	struct account account = ann;

	(void)state;
	assert_int_equal(account_check_login(&account, NULL), 0);
	account.flags = ACCOUNT_SUSPENDED;
	assert_int_equal(account_check_login(&account, NULL), 0);
	account.flags = ACCOUNT_LOCKED;
	assert_int_equal(account_check_login(&account, NULL), -MX_USER_LOCKED);
	account.flags = ACCOUNT_LOCKED | ACCOUNT_DEACTIVATED;
	assert_int_equal(account_check_login(&account, NULL), -MX_USER_DEACTIVATED);
}

static void only_an_administrator_is_one(void **state)
{
	struct hs_fixture *f = *state;

	add(f, &ann);
	assert_int_equal(account_check_admin(&f->call, ANN, NULL), 0);
	assert_int_equal(account_check_admin(&f->call, "@bob:here.example", NULL), -MX_FORBIDDEN);
	add(f, &(struct account){ .user = "@bob:here.example" });
	assert_int_equal(account_check_admin(&f->call, "@bob:here.example", NULL), -MX_FORBIDDEN);
}

/* ---- names */

static int name(struct hs_fixture *f, const char *wished)
{
	const char *user;

	return register_name(&f->call, wished, &user, NULL);
}

static void a_good_name_makes_a_user_id(void **state)
{
	struct hs_fixture *f = *state;
	const char *user;

	assert_int_equal(register_name(&f->call, "ann", &user, NULL), 0);
	assert_string_equal(user, ANN);
	assert_int_equal(name(f, "a.b_c=d-e/f+1"), 0);
	assert_int_equal(register_name(&f->call, "Ann", &user, NULL), 0);
	assert_string_equal(user, ANN);
}

static void a_name_that_is_none_is_refused(void **state)
{
	static const char *const names[] = { "", "_x", "a b", "a:b", "@a", "\xc3\xbc", "a\x7f" };
	char longest[256] = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(name(*state, names[i]), -MX_INVALID_USERNAME);
	memset(longest, 'x', 255 - strlen("@:here.example"));
	assert_int_equal(name(*state, longest), 0);
	longest[strlen(longest)] = 'x';
	assert_int_equal(name(*state, longest), -MX_INVALID_USERNAME);
}

static void a_taken_name_is_refused(void **state)
{
	add(*state, &ann);
	assert_int_equal(name(*state, "ann"), -MX_USER_IN_USE);
}

static void a_free_name_is_a_good_one(void **state)
{
	struct hs_fixture *f = *state;
	const char *user = register_free_name(&f->call);

	assert_false(account_exists(&f->call, mx_slice(user)));
	assert_string_not_equal(user, register_free_name(&f->call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(what_is_stored_is_read),
		hs_test(nobody_is_not_there),
		hs_test(a_name_is_given_once),
		hs_test(two_who_take_a_name_at_once_do_not_both_get_it),
		hs_test(flags_are_set_and_cleared),
		hs_test(who_is_locked_or_gone_does_not_log_in),
		hs_test(only_an_administrator_is_one),
		hs_test(a_good_name_makes_a_user_id),
		hs_test(a_name_that_is_none_is_refused),
		hs_test(a_taken_name_is_refused),
		hs_test(a_free_name_is_a_good_one),
	};

	return cmocka_run_group_tests_name("homeserver/account/account", tests, NULL, NULL);
}
