#include "identity/binding/listed.h"

#include "identity/binding/lookup_db.h"
#include "identity/binding/lookup_hash.h"
#include "identity/binding/pepper.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "tests/support/binding_fixture.h"

static const struct threepid ann = { "email", "ann@example.com" };

static void list(struct binding_fixture *f, const char *address, const char *user_id)
{
	const struct listed listed = { { "email", address }, user_id, "staff" };

	binding_fixture_write(f);
	listed_put(f->call.txn, &listed, f->call.mem);
	binding_fixture_write(f);
}

static void strike(struct binding_fixture *f, const char *address)
{
	const struct threepid threepid = { "email", address };

	binding_fixture_write(f);
	listed_delete(f->call.txn, &threepid, f->call.mem);
	binding_fixture_write(f);
}

/* Who is found by the hash with the current pepper; NULL if nobody. */
static const char *by_hash(struct binding_fixture *f)
{
	struct lookup_hashes hashes = { .len = 1 };
	uint8_t hash[1][LOOKUP_HASH_LEN];
	struct lookup_entry entry = { 0 };
	char pepper[PEPPER_MAX + 1];

	binding_fixture_read(f);
	pepper_current(f->identity.pepper, pepper);
	assert_true(pepper_find(f->identity.pepper, pepper, &hashes.generation));
	lookup_hash(&ann, pepper, hash[0]);
	hashes.items = (const uint8_t(*)[LOOKUP_HASH_LEN])hash;
	assert_int_equal(lookup_db_get_many(f->call.view, &hashes, f->call.mem, &entry), 0);
	return entry.user_id;
}

static const char *by_address(struct binding_fixture *f)
{
	const char *user_id = NULL;

	binding_fixture_read(f);
	listed_or_bound(&f->call, &ann, &user_id);
	return user_id;
}

static void assert_found(struct binding_fixture *f, const char *user_id)
{
	if (!user_id) {
		assert_null(by_hash(f));
		assert_null(by_address(f));
		return;
	}
	assert_string_equal(by_hash(f), user_id);
	assert_string_equal(by_address(f), user_id);
}

static void rotate(struct binding_fixture *f)
{
	bool more = true;

	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	while (more)
		assert_int_equal(pepper_step(f->identity.pepper, f->call.now_ms, &more), 0);
}

static void who_is_listed_is_found(void **state)
{
	struct binding_fixture *f = *state;

	list(f, "ann@example.com", "@ann:staff");
	assert_found(f, "@ann:staff");
	list(f, "ann@example.com", "@ann2:staff");
	assert_found(f, "@ann2:staff");
	strike(f, "ann@example.com");
	assert_found(f, NULL);
}

static void our_own_binding_wins(void **state)
{
	struct binding_fixture *f = *state;

	list(f, "ann@example.com", "@ann:staff");
	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	assert_found(f, "@ann:own");
	list(f, "ann@example.com", "@ann2:staff");
	assert_found(f, "@ann:own");
	strike(f, "ann@example.com");
	assert_found(f, "@ann:own");
}

static void after_an_unbind_the_list_counts_again(void **state)
{
	struct binding_fixture *f = *state;

	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	list(f, "ann@example.com", "@ann:staff");
	binding_fixture_bind(f, "ann@example.com", NULL);
	assert_found(f, "@ann:staff");
	list(f, "ann@example.com", "@ann2:staff");
	assert_found(f, "@ann2:staff");
}

static void the_next_pepper_finds_who_is_listed(void **state)
{
	struct binding_fixture *f = *state;

	list(f, "ann@example.com", "@ann:staff");
	rotate(f);
	assert_found(f, "@ann:staff");
}

static void the_next_pepper_prefers_our_own(void **state)
{
	struct binding_fixture *f = *state;

	list(f, "ann@example.com", "@ann:staff");
	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	rotate(f);
	assert_found(f, "@ann:own");
}

static void the_next_pepper_knows_that_ours_is_no_more(void **state)
{
	struct binding_fixture *f = *state;

	list(f, "ann@example.com", "@ann:staff");
	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	binding_fixture_bind(f, "ann@example.com", NULL);
	rotate(f);
	assert_found(f, "@ann:staff");
}

static void many_pages_are_built_to_their_end(void **state)
{
	struct binding_fixture *f = *state;
	char address[64];

	binding_fixture_write(f);
	for (int i = 0; i < PEPPER_PAGE_ROWS * 2; i++) {
		const struct listed listed = { { "email", address }, "@many:staff", "staff" };

		snprintf(address, sizeof(address), "%04d@example.com", i);
		listed_put(f->call.txn, &listed, f->call.mem);
	}
	binding_fixture_bind(f, "zoe@example.com", "@zoe:own");
	list(f, "ann@example.com", "@ann:staff");
	rotate(f);
	assert_found(f, "@ann:staff");
}

static void a_bind_meanwhile_is_a_conflict_for_the_list(void **state)
{
	struct binding_fixture *f = *state;
	const struct listed listed = { ann, "@ann:staff", "staff" };
	struct store_txn *txn = store_txn_begin(f->identity.store);

	listed_put(txn, &listed, f->call.mem);
	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	assert_int_equal(store_txn_commit(txn, NULL), -MX_CONFLICT);
	assert_found(f, "@ann:own");
}

static void an_unbind_that_missed_the_list_is_a_conflict(void **state)
{
	struct binding_fixture *f = *state;
	const struct listed listed = { ann, "@ann:staff", "staff" };
	struct store_txn *txn;
	struct binding binding;

	binding_fixture_bind(f, "ann@example.com", "@ann:own");
	assert_int_equal(binding_make(&f->call, &ann, NULL, &binding, NULL), 0);
	assert_true(binding_put(&f->call, &binding));
	txn = store_txn_begin(f->identity.store);
	listed_put(txn, &listed, f->call.mem);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(who_is_listed_is_found),
		binding_test(our_own_binding_wins),
		binding_test(after_an_unbind_the_list_counts_again),
		binding_test(the_next_pepper_finds_who_is_listed),
		binding_test(the_next_pepper_prefers_our_own),
		binding_test(the_next_pepper_knows_that_ours_is_no_more),
		binding_test(many_pages_are_built_to_their_end),
		binding_test(a_bind_meanwhile_is_a_conflict_for_the_list),
		binding_test(an_unbind_that_missed_the_list_is_a_conflict),
	};

	return cmocka_run_group_tests_name("listed", tests, NULL, NULL);
}
