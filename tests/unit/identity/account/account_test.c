#include "identity/account/account.h"

#include "identity/account/account_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/store/each.h"
#include "tests/support/store_fixture.h"

#define NOW INT64_C(1700000000000)
#define ANN "@ann:hs.test"
#define BOB "@bob:hs.test"

static const struct store_table *const store_test_tables[] = { &account_table, &account_token_table,
							       &account_user_token_table, NULL };

struct token {
	char text[ACCOUNT_TOKEN_LEN + 1];
};

static struct token open_account(void **txn, const char *user_id)
{
	struct token token;

	assert_int_equal(account_open(*txn, user_id, NOW, token.text, NULL), 0);
	store_fixture_commit(txn);
	return token;
}

static int find(void **txn, const char *token, int64_t now_ms)
{
	struct store_view *view = store_view_begin(store_fixture_store(txn));
	struct account account;
	int rc = account_by_token(view, token, now_ms, test_mem, &account, NULL);

	if (rc == 0)
		assert_string_equal(account.user_id, ANN);
	store_view_end(view);
	return rc;
}

static void a_token_names_its_user(void **txn)
{
	struct token token = open_account(txn, ANN);

	assert_int_equal(strlen(token.text), ACCOUNT_TOKEN_LEN);
	assert_int_equal(find(txn, token.text, NOW), 0);
	token.text[0] ^= 1;
	assert_int_equal(find(txn, token.text, NOW), -MX_UNAUTHORIZED);
	assert_int_equal(find(txn, "", NOW), -MX_UNAUTHORIZED);
}

static void a_user_may_have_many_tokens(void **txn)
{
	struct token one = open_account(txn, ANN), two = open_account(txn, ANN);

	assert_string_not_equal(one.text, two.text);
	assert_int_equal(find(txn, one.text, NOW), 0);
	assert_int_equal(find(txn, two.text, NOW), 0);
}

struct search {
	const char *text;
	unsigned rows;
};

static void search_row(void *ctx, const struct store_row *row)
{
	struct search *search = ctx;
	size_t len = strlen(search->text);

	search->rows++;
	assert_null(memmem(row->key.ptr, row->key.len, search->text, len));
	assert_null(memmem(row->value.ptr, row->value.len, search->text, len));
}

static void no_token_is_in_the_store(void **txn)
{
	struct token token = open_account(txn, ANN);
	struct search search = { .text = token.text };

	for (size_t i = 0; store_test_tables[i]; i++)
		assert_int_equal(store_each(store_fixture_store(txn), store_test_tables[i],
					    search_row, &search, NULL),
				 0);
	assert_int_equal(search.rows, 3);
}

static void a_closed_token_is_nobodys(void **txn)
{
	struct token one = open_account(txn, ANN), two = open_account(txn, ANN);

	assert_int_equal(account_close(*txn, one.text, NULL), 0);
	store_fixture_commit(txn);
	assert_int_equal(account_close(*txn, one.text, NULL), -MX_UNKNOWN_TOKEN);
	assert_int_equal(find(txn, one.text, NOW), -MX_UNAUTHORIZED);
	assert_int_equal(find(txn, two.text, NOW), 0);
}

static void all_tokens_of_a_user_are_closed_at_once(void **txn)
{
	struct token one = open_account(txn, BOB), two = open_account(txn, BOB);
	struct token of_ann = open_account(txn, ANN);

	assert_int_equal(account_close_all(*txn, BOB), 2);
	store_fixture_commit(txn);
	assert_int_equal(account_close(*txn, one.text, NULL), -MX_UNKNOWN_TOKEN);
	assert_int_equal(account_close(*txn, two.text, NULL), -MX_UNKNOWN_TOKEN);
	assert_int_equal(find(txn, of_ann.text, NOW), 0);
	assert_int_equal(account_close_all(*txn, BOB), 0);
}

static void an_idle_token_ends_and_a_used_one_does_not(void **txn)
{
	struct token token = open_account(txn, ANN);

	assert_int_equal(find(txn, token.text, NOW + ACCOUNT_IDLE_MS), 0);
	assert_int_equal(find(txn, token.text, NOW + ACCOUNT_IDLE_MS + 1), -MX_UNAUTHORIZED);
	account_seen(store_fixture_store(txn), token.text, NOW + ACCOUNT_IDLE_MS);
	assert_int_equal(find(txn, token.text, NOW + 2 * ACCOUNT_IDLE_MS), 0);
}

static void idle_tokens_are_removed_and_no_others(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct token used = open_account(txn, ANN);
	struct search search = { .text = "none" };

	for (unsigned i = 0; i < 1200; i++)
		assert_int_equal(account_open(*txn, BOB, NOW, (struct token){ 0 }.text, NULL), 0);
	store_fixture_commit(txn);
	account_seen(store, used.text, NOW + 1);
	assert_int_equal(account_reap(store, NOW + ACCOUNT_IDLE_MS), 0);
	assert_int_equal(account_reap(store, NOW + ACCOUNT_IDLE_MS + 1), 1200);
	assert_int_equal(account_reap(store, NOW + ACCOUNT_IDLE_MS + 1), 0);
	assert_int_equal(find(txn, used.text, NOW + 2), 0);
	assert_int_equal(store_each(store, &account_user_token_table, search_row, &search, NULL),
			 0);
	assert_int_equal(search.rows, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_token_names_its_user),
		store_test(a_user_may_have_many_tokens),
		store_test(no_token_is_in_the_store),
		store_test(a_closed_token_is_nobodys),
		store_test(all_tokens_of_a_user_are_closed_at_once),
		store_test(an_idle_token_ends_and_a_used_one_does_not),
		store_test(idle_tokens_are_removed_and_no_others),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("identity/account", tests, NULL, NULL);
}
