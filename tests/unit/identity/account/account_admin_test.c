#include "identity/account/account.h"
#include "identity/account/account_db.h"
#include "identity/account/terms.h"
#include "identity/account/terms_db.h"
#include "identity/identity.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"
#include "tests/support/store_fixture.h"

#define NOW INT64_C(1700000000000)
#define ANN "@ann:hs.test"
#define BOB "@bob:hs.test"

static const struct store_table *const store_test_tables[] = { &account_table, &account_token_table,
							       &account_user_token_table,
							       &terms_table, NULL };

static struct identity_call call_of_test(void **txn)
{
	return (struct identity_call){ .txn = *txn, .mem = test_mem, .now_ms = NOW };
}

static void sign_in(void **txn, const char *user_id, int64_t now_ms)
{
	char token[ACCOUNT_TOKEN_LEN + 1];

	assert_int_equal(account_open(*txn, user_id, now_ms, token, NULL), 0);
}

static void accept_terms(void **txn, const char *user_id)
{
	const struct terms_consent consent = {
		user_id, "privacy", "1", "https://x.test", "::1", NOW
	};
	bool added;

	assert_int_equal(terms_db_add(*txn, &consent, &added), 0);
}

static void an_account_is_shown_with_its_tokens(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct account_summary account;

	sign_in(txn, ANN, NOW);
	sign_in(txn, ANN, NOW + 5);
	sign_in(txn, BOB, NOW + 9);
	assert_int_equal(account_show(&call, ANN, &account, NULL), 0);
	assert_string_equal(account.user_id, ANN);
	assert_int_equal(account.created_ms, NOW);
	assert_int_equal(account.seen_ms, NOW + 5);
	assert_int_equal(account.tokens, 2);
	assert_int_equal(account_show(&call, "@eve:hs.test", &account, NULL), -MX_NOT_FOUND);
}

static void an_account_without_tokens_is_still_one(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct account_summary account;

	sign_in(txn, ANN, NOW);
	assert_int_equal(account_close_all(*txn, ANN), 1);
	assert_int_equal(account_show(&call, ANN, &account, NULL), 0);
	assert_int_equal(account.tokens, 0);
	assert_int_equal(account.seen_ms, 0);
}

static void accounts_are_listed_page_by_page(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct page page = { .limit = 1 };
	struct account_list list;

	sign_in(txn, BOB, NOW);
	sign_in(txn, ANN, NOW);
	assert_int_equal(account_list(&call, &page, &list), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.items[0].user_id, ANN);
	assert_int_equal(list.items[0].tokens, 1);
	page.after = list.next;
	assert_int_equal(account_list(&call, &page, &list), 0);
	assert_string_equal(list.items[0].user_id, BOB);
	page.after = list.next;
	assert_int_equal(account_list(&call, &page, &list), 0);
	assert_int_equal(list.len, 0);
}

static void what_was_accepted_is_shown_with_its_proof(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	json_t *list, *consent;

	accept_terms(txn, ANN);
	assert_int_equal(terms_accepted(&call, ANN, &list), 0);
	assert_int_equal(json_array_size(list), 1);
	consent = json_array_get(list, 0);
	assert_string_equal(jstr(consent, "document"), "privacy");
	assert_string_equal(jstr(consent, "client"), "::1");
	assert_int_equal(jint(consent, "accepted_ts", 0), NOW);
	json_decref(list);
}

static void an_erased_account_leaves_nothing_of_its_own(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct account_summary account;
	json_t *list;

	sign_in(txn, ANN, NOW);
	sign_in(txn, BOB, NOW);
	accept_terms(txn, ANN);
	accept_terms(txn, BOB);
	assert_int_equal(account_erase(&call, ANN, NULL), 0);
	assert_int_equal(account_show(&call, ANN, &account, NULL), -MX_NOT_FOUND);
	assert_int_equal(account_close_all(*txn, ANN), 0);
	assert_int_equal(terms_accepted(&call, ANN, &list), 0);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(account_erase(&call, ANN, NULL), -MX_NOT_FOUND);
	assert_int_equal(account_show(&call, BOB, &account, NULL), 0);
	assert_int_equal(account.tokens, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(an_account_is_shown_with_its_tokens),
		store_test(an_account_without_tokens_is_still_one),
		store_test(accounts_are_listed_page_by_page),
		store_test(what_was_accepted_is_shown_with_its_proof),
		store_test(an_erased_account_leaves_nothing_of_its_own),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("account/admin", tests, NULL, NULL);
}
