/* wrap: password_verify */
#include "homeserver/account/login.h"

#include "homeserver/account/account.h"
#include "homeserver/account/attempts.h"
#include "homeserver/account/password.h"
#include "homeserver/account/threepids.h"
#include "homeserver/registration/register.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "tests/support/hs_fixture.h"

#define ANN    "@ann:here.example"
#define CLIENT "192.0.2.1"

int __wrap_password_verify(struct req *r, const char *password, const char *hash,
			   struct password_verdict *ret_verdict);

/* The hash of a password is the password, and "old …" is one that is to be replaced. */
static unsigned verified;

int __wrap_password_verify(struct req *r, const char *password, const char *hash,
			   struct password_verdict *ret_verdict)
{
	bool old = hash && mx_starts_with(hash, "old ");

	(void)r;
	verified++;
	*ret_verdict = (struct password_verdict){ .right = streq(old ? hash + 4 : hash, password) };
	if (ret_verdict->right && old)
		ret_verdict->better = hash + 4;
	return 0;
}

static int setup(void **state)
{
	int rc = hs_fixture_setup(state);
	struct hs_fixture *f = *state;
	const struct account ann = { .user = ANN, .password = "right" };
	const struct account gone = { .user = "@gone:here.example", .flags = ACCOUNT_DEACTIVATED };
	const struct account_threepid mail = { { "email", "ann@example.org" }, 1, 1 };
	const struct account_threepid phone = { { "msisdn", "447700900001" }, 1, 1 };

	verified = 0;
	f->conf.login.failures_burst = 2;
	f->conf.login.failures_per_minute = 6;
	f->hs.attempts = attempts_new();
	assert_int_equal(register_account(&f->call, &ann, NULL), 0);
	assert_int_equal(register_account(&f->call, &gone, NULL), 0);
	assert_int_equal(threepids_add(&f->call, ANN, &mail, NULL), 0);
	assert_int_equal(threepids_add(&f->call, ANN, &phone, NULL), 0);
	hs_fixture_write(f);
	return rc;
}

static int teardown(void **state)
{
	struct hs_fixture *f = *state;

	attempts_free(f->hs.attempts);
	return hs_fixture_teardown(state);
}

#define login_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* One attempt; takes the proof. */
static int prove(struct hs_fixture *f, json_t *proof, const char **ret_user)
{
	struct req r = { .mem = f->call.mem, .app = &f->hs, .client = CLIENT };
	int rc = login_by_password(&r, proof, ret_user);

	json_decref(proof);
	return rc;
}

static json_t *by_identifier(json_t *identifier, const char *password)
{
	return json_pack("{s:o, s:s}", "identifier", identifier, "password", password);
}

static int log_in(struct hs_fixture *f, const char *name, const char *password)
{
	const char *user;

	return prove(f, json_pack("{s:s, s:s}", "user", name, "password", password), &user);
}

static void is_ann(struct hs_fixture *f, json_t *proof)
{
	const char *user;

	assert_int_equal(prove(f, proof, &user), 0);
	assert_string_equal(user, ANN);
}

static void a_person_is_named_in_many_ways(void **state)
{
	is_ann(*state, json_pack("{s:s, s:s}", "user", "ann", "password", "right"));
	is_ann(*state, json_pack("{s:s, s:s}", "user", ANN, "password", "right"));
	is_ann(*state, json_pack("{s:s, s:s}", "user", "Ann", "password", "right"));
	is_ann(*state, json_pack("{s:s, s:s, s:s}", "medium", "email", "address", "Ann@example.org",
				 "password", "right"));
	is_ann(*state,
	       by_identifier(json_pack("{s:s, s:s}", "type", "m.id.user", "user", "ann"), "right"));
	is_ann(*state, by_identifier(json_pack("{s:s, s:s, s:s}", "type", "m.id.thirdparty",
					       "medium", "email", "address", "ann@EXAMPLE.org"),
				     "right"));
	is_ann(*state, by_identifier(json_pack("{s:s, s:s, s:s}", "type", "m.id.phone", "country",
					       "GB", "phone", "07700 900001"),
				     "right"));
	/* Spec: the member was once called `number`. */
	is_ann(*state, by_identifier(json_pack("{s:s, s:s, s:s}", "type", "m.id.phone", "country",
					       "GB", "number", "07700 900001"),
				     "right"));
	/* Spec: the example of "Login" has no type. */
	is_ann(*state, by_identifier(json_pack("{s:s, s:s}", "medium", "email", "address",
					       "ann@example.org"),
				     "right"));
}

static void who_is_not_there_is_refused_like_a_wrong_password(void **state)
{
	static const char *const names[] = { "ann", "nobody", "@ann:elsewhere.example", "@", "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hs_fixture *f = *state;

		f->conf.login.failures_burst = 100;
		assert_int_equal(log_in(f, names[i], "wrong"), -MX_FORBIDDEN);
		assert_int_equal(verified, i + 1);
	}
}

static void addresses_of_nobody_cost_a_password_too(void **state)
{
	const char *user;

	assert_int_equal(prove(*state,
			       by_identifier(json_pack("{s:s, s:s, s:s}", "type", "m.id.phone",
						       "country", "XX", "phone", "1"),
					     "right"),
			       &user),
			 -MX_FORBIDDEN);
	assert_int_equal(prove(*state,
			       by_identifier(json_pack("{s:s, s:s, s:s}", "type", "m.id.thirdparty",
						       "medium", "pigeon", "address", "x"),
					     "right"),
			       &user),
			 -MX_FORBIDDEN);
	assert_int_equal(verified, 2);
}

static void a_proof_names_somebody_and_has_a_password(void **state)
{
	char password[PASSWORD_MAX + 2] = { 0 };
	const char *user;

	assert_int_equal(prove(*state, json_pack("{s:s}", "password", "x"), &user),
			 -MX_INVALID_PARAM);
	assert_int_equal(
		prove(*state,
		      by_identifier(json_pack("{s:s, s:s}", "type", "m.id.other", "user", "ann"),
				    "right"),
		      &user),
		-MX_INVALID_PARAM);
	assert_int_equal(prove(*state, json_pack("{s:s}", "user", "ann"), &user),
			 -MX_MISSING_PARAM);
	memset(password, 'x', PASSWORD_MAX + 1);
	assert_int_equal(log_in(*state, "ann", password), -MX_INVALID_PARAM);
	assert_int_equal(verified, 0);
}

static void too_many_failures_of_an_account_are_stopped(void **state)
{
	assert_int_equal(log_in(*state, "ann", "wrong"), -MX_FORBIDDEN);
	assert_int_equal(log_in(*state, "ann", "right"), 0);
	assert_int_equal(log_in(*state, "ann", "wrong"), -MX_FORBIDDEN);
	assert_int_equal(log_in(*state, "ann", "right"), -MX_LIMIT_EXCEEDED);
	assert_int_equal(verified, 3);
	hs_fixture_at(*state, HS_FIXTURE_NOW + 10000);
	assert_int_equal(log_in(*state, "ann", "right"), 0);
}

static void too_many_failures_of_an_address_are_stopped(void **state)
{
	assert_int_equal(log_in(*state, "one", "wrong"), -MX_FORBIDDEN);
	assert_int_equal(log_in(*state, "two", "wrong"), -MX_FORBIDDEN);
	assert_int_equal(log_in(*state, "ann", "right"), -MX_LIMIT_EXCEEDED);
}

static void who_is_gone_is_told_so(void **state)
{
	assert_int_equal(log_in(*state, "gone", "anything"), -MX_USER_DEACTIVATED);
	assert_int_equal(verified, 1);
}

static void a_hash_of_another_price_is_replaced(void **state)
{
	struct hs_fixture *f = *state;
	struct account account;

	assert_int_equal(account_set_password(&f->call, ANN, "old right"), 0);
	hs_fixture_write(f);
	assert_int_equal(log_in(f, "ann", "wrong"), -MX_FORBIDDEN);
	hs_fixture_write(f);
	assert_int_equal(account_load(&f->call, mx_slice(ANN), &account), 0);
	assert_string_equal(account.password, "old right");
	assert_int_equal(log_in(f, "ann", "right"), 0);
	store_txn_abort(f->call.txn);
	f->call.txn = store_txn_begin(f->hs.store);
	assert_int_equal(account_load(&f->call, mx_slice(ANN), &account), 0);
	assert_string_equal(account.password, "right");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		login_test(a_person_is_named_in_many_ways),
		login_test(who_is_not_there_is_refused_like_a_wrong_password),
		login_test(addresses_of_nobody_cost_a_password_too),
		login_test(a_proof_names_somebody_and_has_a_password),
		login_test(too_many_failures_of_an_account_are_stopped),
		login_test(too_many_failures_of_an_address_are_stopped),
		login_test(who_is_gone_is_told_so),
		login_test(a_hash_of_another_price_is_replaced),
	};

	return cmocka_run_group_tests_name("homeserver/account/login", tests, NULL, NULL);
}
