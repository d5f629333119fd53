#include "identity/binding/binding.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/binding_fixture.h"

static const struct threepid alice = { "email", "alice@example.com" };

static void a_binding_is_found_at_once(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_bind(f, alice.address, "@alice:example.org");
	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &binding), 0);
	assert_string_equal(binding.user_id, "@alice:example.org");
	assert_string_equal(binding.threepid.address, "alice@example.com");
	assert_true(binding.ours);
	assert_int_equal(binding.ts_ms, BINDING_FIXTURE_NOW);
	assert_int_equal(binding.not_before_ms, BINDING_FIXTURE_NOW);
	assert_int_equal(binding.not_after_ms - binding.not_before_ms, BINDING_VALID_MS);
}

static void nobody_has_an_address_that_was_never_bound(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &binding), -MX_NOT_FOUND);
	assert_int_equal(binding_load(&f->call, &alice, &binding), -MX_NOT_FOUND);
}

static void a_tombstone_is_stored_and_is_nobody(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_bind(f, alice.address, "@alice:example.org");
	binding_fixture_bind(f, alice.address, NULL);
	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &binding), -MX_NOT_FOUND);
	assert_int_equal(binding_load(&f->call, &alice, &binding), 0);
	assert_null(binding.user_id);
}

static void the_newest_wins_whatever_the_order(void **state)
{
	struct binding_fixture *f = *state;
	struct binding older, found;

	assert_int_equal(binding_make(&f->call, &alice, "@old:example.org", &older, NULL), 0);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + 1000);
	binding_fixture_bind(f, alice.address, "@new:example.org");
	assert_false(binding_put(&f->call, &older));
	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &found), 0);
	assert_string_equal(found.user_id, "@new:example.org");
}

static void a_clock_that_went_back_does_not_lose_a_binding(void **state)
{
	struct binding_fixture *f = *state;
	struct binding found;

	binding_fixture_bind(f, alice.address, "@old:example.org");
	binding_fixture_at(f, BINDING_FIXTURE_NOW - 5);
	binding_fixture_bind(f, alice.address, "@new:example.org");
	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &found), 0);
	assert_string_equal(found.user_id, "@new:example.org");
	assert_int_equal(found.ts_ms, BINDING_FIXTURE_NOW + 1);
	assert_int_equal(found.not_before_ms, BINDING_FIXTURE_NOW - 5);
}

static void a_binding_counts_only_in_its_time(void **state)
{
	struct binding_fixture *f = *state;
	struct binding peers = {
		.threepid = alice,
		.user_id = "@alice:example.org",
		.ts_ms = BINDING_FIXTURE_NOW,
		.not_before_ms = BINDING_FIXTURE_NOW + 10,
		.not_after_ms = BINDING_FIXTURE_NOW + 20,
		.origin = "peer.example.org",
		.number = 7,
		.signed_json = MX_SLICE("{}"),
	};
	struct binding found;

	assert_true(binding_put(&f->call, &peers));
	binding_fixture_read(f);
	assert_int_equal(binding_find(&f->call, &alice, &found), -MX_NOT_FOUND);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + 10);
	assert_int_equal(binding_find(&f->call, &alice, &found), 0);
	assert_false(found.ours);
	assert_int_equal(found.number, 7);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + 20);
	assert_int_equal(binding_find(&f->call, &alice, &found), -MX_NOT_FOUND);
}

static void a_users_addresses_are_listed_until_they_are_somebody_elses(void **state)
{
	struct binding_fixture *f = *state;
	struct binding_list list;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_bind(f, "alice@work.example", "@alice:example.org");
	binding_fixture_bind(f, "bob@example.com", "@alice:example.or");
	assert_int_equal(binding_of_user(&f->call, "@alice:example.org",
					 &(struct page){ .limit = 10 }, &list),
			 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[1].address, "alice@work.example");
	binding_fixture_bind(f, "alice@example.com", "@bob:example.org");
	binding_fixture_bind(f, "alice@work.example", NULL);
	assert_int_equal(binding_of_user(&f->call, "@alice:example.org",
					 &(struct page){ .limit = 10 }, &list),
			 0);
	assert_int_equal(list.len, 0);
}

static void the_log_has_the_last_word_on_each_address(void **state)
{
	struct binding_fixture *f = *state;
	struct binding *items;
	size_t len;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	binding_fixture_bind(f, "alice@example.com", NULL);
	assert_int_equal(binding_log(&f->call, 0, 100, &items, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(items[0].number, 2);
	assert_string_equal(items[0].user_id, "@bob:example.org");
	assert_int_equal(items[1].number, 3);
	assert_null(items[1].user_id);
	assert_int_equal(binding_log(&f->call, 2, 100, &items, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(binding_log(&f->call, 0, 1, &items, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(binding_log(&f->call, 3, 100, &items, &len), 0);
	assert_int_equal(len, 0);
}

static void a_peers_binding_takes_ours_out_of_our_log(void **state)
{
	struct binding_fixture *f = *state;
	struct binding peers = {
		.threepid = alice,
		.user_id = "@peer:example.org",
		.ts_ms = BINDING_FIXTURE_NOW + 1,
		.origin = "peer.example.org",
		.number = 1,
		.signed_json = MX_SLICE("{}"),
	};
	struct binding *items;
	size_t len;

	binding_fixture_bind(f, alice.address, "@alice:example.org");
	assert_true(binding_put(&f->call, &peers));
	assert_int_equal(binding_log(&f->call, 0, 100, &items, &len), 0);
	assert_int_equal(len, 0);
}

static void two_binds_at_once_have_one_winner(void **state)
{
	struct binding_fixture *f = *state;
	struct identity_call other = f->call;
	struct binding mine, yours, found;

	other.txn = store_txn_begin(f->identity.store);
	assert_int_equal(binding_make(&f->call, &alice, "@a:example.org", &mine, NULL), 0);
	assert_int_equal(binding_make(&other, &alice, "@b:example.org", &yours, NULL), 0);
	assert_true(binding_put(&f->call, &mine));
	assert_true(binding_put(&other, &yours));
	binding_fixture_read(f);
	assert_int_equal(store_txn_commit(other.txn, NULL), -MX_CONFLICT);
	assert_int_equal(binding_find(&f->call, &alice, &found), 0);
	assert_string_equal(found.user_id, "@a:example.org");
}

static void count_users(void *ctx, const struct binding *binding)
{
	*(int *)ctx += binding->user_id ? 1 : 100;
}

static void every_binding_is_visited(void **state)
{
	struct binding_fixture *f = *state;
	int count = 0;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	binding_fixture_bind(f, "eve@example.com", NULL);
	assert_int_equal(binding_each(f->identity.store, count_users, &count, NULL), 0);
	assert_int_equal(count, 102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(a_binding_is_found_at_once),
		binding_test(nobody_has_an_address_that_was_never_bound),
		binding_test(a_tombstone_is_stored_and_is_nobody),
		binding_test(the_newest_wins_whatever_the_order),
		binding_test(a_clock_that_went_back_does_not_lose_a_binding),
		binding_test(a_binding_counts_only_in_its_time),
		binding_test(a_users_addresses_are_listed_until_they_are_somebody_elses),
		binding_test(the_log_has_the_last_word_on_each_address),
		binding_test(a_peers_binding_takes_ours_out_of_our_log),
		binding_test(two_binds_at_once_have_one_winner),
		binding_test(every_binding_is_visited),
	};

	return cmocka_run_group_tests_name("binding", tests, NULL, NULL);
}
