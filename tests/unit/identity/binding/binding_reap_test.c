#include "identity/binding/binding.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/binding_fixture.h"

#include <stdio.h>

#define ALICE "@alice:example.org"

static int stored(struct binding_fixture *f, const char *address, struct binding *ret_binding)
{
	const struct threepid threepid = { "email", address };

	binding_fixture_write(f);
	return binding_load(&f->call, &threepid, ret_binding);
}

static size_t logged(struct binding_fixture *f)
{
	struct binding *items;
	size_t len;

	assert_int_equal(binding_log(&f->call, 0, 2000, &items, &len), 0);
	return len;
}

static size_t reap_told(struct binding_fixture *f, int64_t before_ms, uint64_t told)
{
	size_t count;

	binding_fixture_write(f);
	count = binding_reap(f->identity.store, before_ms, told);
	binding_fixture_write(f);
	return count;
}

static size_t reap(struct binding_fixture *f, int64_t before_ms)
{
	return reap_told(f, before_ms, UINT64_MAX);
}

static void an_unbound_address_is_forgotten_in_time(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_bind(f, "a@example.org", ALICE);
	binding_fixture_bind(f, "b@example.org", ALICE);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + MX_DAY_MS);
	binding_fixture_bind(f, "a@example.org", NULL);
	assert_int_equal(reap(f, BINDING_FIXTURE_NOW + MX_DAY_MS), 0);
	assert_int_equal(stored(f, "a@example.org", &binding), 0);
	assert_int_equal(logged(f), 2);
	assert_int_equal(reap(f, BINDING_FIXTURE_NOW + MX_DAY_MS + 1), 1);
	assert_int_equal(stored(f, "a@example.org", &binding), -MX_NOT_FOUND);
	assert_int_equal(logged(f), 1);
	assert_int_equal(stored(f, "b@example.org", &binding), 0);
	assert_string_equal(binding.user_id, ALICE);
}

static void a_bound_address_is_never_forgotten(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_bind(f, "a@example.org", ALICE);
	binding_fixture_bind(f, "a@example.org", NULL);
	binding_fixture_bind(f, "a@example.org", ALICE);
	assert_int_equal(reap(f, INT64_MAX), 0);
	assert_int_equal(stored(f, "a@example.org", &binding), 0);
}

/* More than a page of them, among others. */
static void all_of_many_are_forgotten(void **state)
{
	struct binding_fixture *f = *state;
	char address[64];

	for (int i = 0; i < 1200; i++) {
		struct binding binding;

		snprintf(address, sizeof(address), "a%d@example.org", i);
		assert_int_equal(binding_make(&f->call, &(struct threepid){ "email", address },
					      i % 3 ? NULL : ALICE, &binding, NULL),
				 0);
		assert_true(binding_put(&f->call, &binding));
	}
	assert_int_equal(reap(f, INT64_MAX), 800);
	assert_int_equal(logged(f), 400);
}

static void what_a_peer_has_not_heard_stays(void **state)
{
	struct binding_fixture *f = *state;

	binding_fixture_bind(f, "a@example.org", NULL);
	binding_fixture_bind(f, "b@example.org", NULL);
	assert_int_equal(reap_told(f, INT64_MAX, 0), 0);
	assert_int_equal(reap_told(f, INT64_MAX, 1), 1);
	assert_int_equal(logged(f), 1);
	assert_int_equal(reap_told(f, INT64_MAX, 2), 1);
}

/* Numbers of the log go on, so that peers miss nothing. */
static void the_log_goes_on_behind_what_is_forgotten(void **state)
{
	struct binding_fixture *f = *state;
	struct binding binding;

	binding_fixture_bind(f, "a@example.org", ALICE);
	binding_fixture_bind(f, "a@example.org", NULL);
	assert_int_equal(reap(f, INT64_MAX), 1);
	binding_fixture_bind(f, "b@example.org", ALICE);
	assert_int_equal(stored(f, "b@example.org", &binding), 0);
	assert_int_equal(binding.number, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(an_unbound_address_is_forgotten_in_time),
		binding_test(a_bound_address_is_never_forgotten),
		binding_test(all_of_many_are_forgotten),
		binding_test(what_a_peer_has_not_heard_stays),
		binding_test(the_log_goes_on_behind_what_is_forgotten),
	};

	return cmocka_run_group_tests_name("binding/binding_reap", tests, NULL, NULL);
}
