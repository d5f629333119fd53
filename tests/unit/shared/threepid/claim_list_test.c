#include "shared/threepid/claim.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/outbox/outbox.h"
#include "shared/store/each.h"
#include "tests/support/store_fixture.h"

/* wrap: outbox_withdraw_in */

#define BORN_MS INT64_C(1700000000000)

static const struct store_table *const store_test_tables[] = { &claim_table, &claim_address_table,
							       &claim_end_table, NULL };

static const struct threepid ann = { "email", "ann@example.org" };
static uint64_t withdrawn;

void __wrap_outbox_withdraw_in(struct store_txn *txn, uint64_t id);

void __wrap_outbox_withdraw_in(struct store_txn *txn, uint64_t id)
{
	(void)txn;
	withdrawn = id;
}

static struct claim_call now(void **txn)
{
	return (struct claim_call){ .txn = *txn, .mem = test_mem, .now_ms = BORN_MS + 1 };
}

static struct claim open_session(void **txn, const char *address, const char *secret)
{
	const struct claim_call call = now(txn);
	const struct claim_request request = {
		.threepid = { "email", address },
		.address_as_sent = address,
		.client_secret = secret,
		.send_attempt = 1,
	};
	struct claim session;
	bool must_send;

	assert_int_equal(claim_open(&call, &request, &session, &must_send, NULL), 0);
	claim_sent(&call, &session, 1, 77);
	return session;
}

static size_t count(void **txn, const struct threepid *threepid)
{
	const struct claim_call call = now(txn);
	const struct page all = { .limit = 100 };
	struct claim_list list;

	assert_int_equal(claim_list(&call, threepid, &all, &list), 0);
	return list.len;
}

static void an_address_has_all_its_sessions(void **txn)
{
	const struct claim_call call = now(txn);
	const struct page first = { .limit = 1 };
	struct claim_list list;

	open_session(txn, "ann@example.org", "one");
	open_session(txn, "ann@example.org", "two");
	open_session(txn, "ann@example.com", "one");
	assert_int_equal(count(txn, &ann), 2);
	assert_int_equal(claim_list(&call, &ann, &first, &list), 0);
	assert_int_equal(list.len, 1);
	assert_true(list.next.len > 0);
	assert_string_equal(list.items[0].threepid.address, "ann@example.org");
}

/* One that was validated gives its place to a new one, and is still a proof. */
static void a_session_that_was_followed_is_still_listed(void **txn)
{
	const struct claim_call call = now(txn);
	struct claim session = open_session(txn, "ann@example.org", "one");
	bool right;

	assert_int_equal(claim_submit(&call, &session, session.token, &right, NULL), 0);
	assert_true(right);
	open_session(txn, "ann@example.org", "one");
	assert_int_equal(count(txn, &ann), 2);
}

static void an_ended_session_proves_nothing_and_is_not_sent(void **txn)
{
	const struct claim_call call = now(txn);
	struct claim session = open_session(txn, "ann@example.org", "one"), ended;
	bool right;

	assert_int_equal(claim_submit(&call, &session, session.token, &right, NULL), 0);
	assert_int_equal(claim_proof(&call, session.id, "one", &ended, NULL), 0);
	assert_int_equal(claim_end(&call, session.id, &ended, NULL), 0);
	assert_int_equal(withdrawn, 77);
	assert_int_equal(claim_stage(&ended, BORN_MS + 1), CLAIM_OVER);
	assert_int_equal(claim_proof(&call, session.id, "one", &ended, NULL), -MX_SESSION_EXPIRED);
	assert_int_equal(claim_end(&call, session.id, &ended, NULL), -MX_NOT_FOUND);
	assert_int_equal(claim_end(&call, "nothing", &ended, NULL), -MX_NOT_FOUND);
	assert_string_not_equal(open_session(txn, "ann@example.org", "one").id, session.id);
}

static void count_row(void *ctx, const struct store_row *row)
{
	size_t *rows = ctx;

	(void)row;
	++*rows;
}

static void a_forgotten_session_leaves_no_row(void **txn)
{
	const struct claim_call call = now(txn);
	struct claim session = open_session(txn, "ann@example.org", "one");
	size_t rows = 0;

	claim_forget(&call, &session);
	store_fixture_commit(txn);
	for (const struct store_table *const *table = store_test_tables; *table; table++)
		assert_int_equal(
			store_each(store_fixture_store(txn), *table, count_row, &rows, NULL), 0);
	assert_int_equal(rows, 0);
}

static void a_session_that_is_reaped_is_listed_no_more(void **txn)
{
	open_session(txn, "ann@example.org", "one");
	store_fixture_commit(txn);
	assert_int_equal(claim_reap(store_fixture_store(txn), BORN_MS + 8 * CLAIM_LIFE_MS, 10), 1);
	store_fixture_commit(txn);
	assert_int_equal(count(txn, &ann), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(an_address_has_all_its_sessions),
		store_test(a_session_that_was_followed_is_still_listed),
		store_test(an_ended_session_proves_nothing_and_is_not_sent),
		store_test(a_forgotten_session_leaves_no_row),
		store_test(a_session_that_is_reaped_is_listed_no_more),
	};

	return cmocka_run_group_tests_name("threepid/claim_list", tests, NULL, NULL);
}
