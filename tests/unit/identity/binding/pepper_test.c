#include "identity/binding/pepper.h"

#include "identity/binding/lookup_db.h"
#include "identity/binding/lookup_hash.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/binding_fixture.h"

#define WEEK_MS (7 * MX_DAY_MS)

/* Everything that is due at this moment. */
static void run_steps(struct binding_fixture *f)
{
	bool more = true;

	while (more)
		assert_int_equal(pepper_step(f->identity.pepper, f->call.now_ms, &more), 0);
}

static void one_step(struct binding_fixture *f)
{
	bool more;

	assert_int_equal(pepper_step(f->identity.pepper, f->call.now_ms, &more), 0);
}

static void get_pepper(struct binding_fixture *f, char text[PEPPER_MAX + 1])
{
	pepper_current(f->identity.pepper, text);
}

/* Who is found by the address's hash with a pepper; NULL if nobody. */
static const char *find(struct binding_fixture *f, const char *pepper, const char *address)
{
	const struct threepid threepid = { "email", address };
	struct lookup_hashes hashes = { .len = 1 };
	uint8_t hash[1][LOOKUP_HASH_LEN];
	struct lookup_entry entry = { 0 };

	binding_fixture_read(f);
	if (!pepper_find(f->identity.pepper, pepper, &hashes.generation))
		return "no such pepper";
	lookup_hash(&threepid, pepper, hash[0]);
	hashes.items = (const uint8_t(*)[LOOKUP_HASH_LEN])hash;
	assert_int_equal(lookup_db_get_many(f->call.view, &hashes, f->call.mem, &entry), 0);
	return entry.user_id;
}

static void the_first_pepper_is_long_and_stays(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], again[PEPPER_MAX + 1];
	const struct pepper_conf conf = { .store = f->identity.store };

	get_pepper(f, first);
	assert_int_equal(strlen(first), 32);
	pepper_free(f->identity.pepper);
	assert_int_equal(pepper_new(&conf, &f->identity.pepper, NULL), 0);
	get_pepper(f, again);
	assert_string_equal(first, again);
}

static void nothing_changes_within_a_week(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], later[PEPPER_MAX + 1];

	get_pepper(f, first);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + WEEK_MS - 1);
	run_steps(f);
	get_pepper(f, later);
	assert_string_equal(first, later);
}

static void after_a_week_both_peppers_count_for_a_day(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], second[PEPPER_MAX + 1];

	get_pepper(f, first);
	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_at(f, BINDING_FIXTURE_NOW + WEEK_MS);
	run_steps(f);
	get_pepper(f, second);
	assert_string_not_equal(first, second);
	assert_string_equal(find(f, first, "alice@example.com"), "@alice:example.org");
	assert_string_equal(find(f, second, "alice@example.com"), "@alice:example.org");
	binding_fixture_at(f, f->call.now_ms + MX_DAY_MS);
	assert_string_equal(find(f, first, "alice@example.com"), "no such pepper");
	assert_string_equal(find(f, second, "alice@example.com"), "@alice:example.org");
}

static size_t count_hashes(struct binding_fixture *f)
{
	const struct store_range range = { .limit = 10000 };
	struct store_rows rows;

	binding_fixture_read(f);
	assert_int_equal(store_scan(f->call.view, &lookup_table, &range, f->call.mem, &rows), 0);
	return rows.len;
}

static void hashes_of_a_retired_pepper_are_deleted(void **state)
{
	struct binding_fixture *f = *state;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	binding_fixture_at(f, BINDING_FIXTURE_NOW + WEEK_MS);
	run_steps(f);
	assert_int_equal(count_hashes(f), 4);
	binding_fixture_at(f, f->call.now_ms + MX_DAY_MS);
	run_steps(f);
	assert_int_equal(count_hashes(f), 2);
	assert_int_equal(f->identity.pepper->rows.len, 1);
}

static void a_binding_made_while_hashes_are_built_is_found_by_both(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], second[PEPPER_MAX + 1];

	get_pepper(f, first);
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	run_steps(f);
	get_pepper(f, second);
	assert_string_equal(find(f, first, "alice@example.com"), "@alice:example.org");
	assert_string_equal(find(f, second, "alice@example.com"), "@alice:example.org");
}

static void what_is_unbound_while_hashes_are_built_is_found_by_none(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], second[PEPPER_MAX + 1];

	get_pepper(f, first);
	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	one_step(f);
	binding_fixture_bind(f, "alice@example.com", NULL);
	run_steps(f);
	get_pepper(f, second);
	assert_null(find(f, first, "alice@example.com"));
	assert_null(find(f, second, "alice@example.com"));
}

/* A bind that began before there was a next pepper would leave a gap in its table. */
static void a_bind_that_missed_the_birth_of_a_pepper_is_a_conflict(void **state)
{
	struct binding_fixture *f = *state;
	const struct threepid alice = { "email", "alice@example.com" };
	struct binding binding;

	assert_int_equal(binding_make(&f->call, &alice, "@alice:example.org", &binding, NULL), 0);
	assert_true(binding_put(&f->call, &binding));
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = NULL;
}

static void bind_many(struct binding_fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char address[64], user[64];
		const struct threepid threepid = { "email", address };
		struct binding binding;

		snprintf(address, sizeof(address), "person%u@example.com", i);
		snprintf(user, sizeof(user), "@person%u:example.org", i);
		assert_int_equal(binding_make(&f->call, &threepid, user, &binding, NULL), 0);
		assert_true(binding_put(&f->call, &binding));
	}
	binding_fixture_write(f);
}

static void building_goes_on_where_it_was_killed(void **state)
{
	struct binding_fixture *f = *state;
	const struct pepper_conf conf = { .store = f->identity.store };
	char first[PEPPER_MAX + 1], second[PEPPER_MAX + 1];
	size_t before;

	get_pepper(f, first);
	bind_many(f, PEPPER_PAGE_ROWS * 2 + 50);
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	one_step(f);
	one_step(f);
	before = count_hashes(f);
	assert_int_equal(before, PEPPER_PAGE_ROWS * 4 + 50);
	pepper_free(f->identity.pepper);
	assert_int_equal(pepper_new(&conf, &f->identity.pepper, NULL), 0);
	get_pepper(f, second);
	assert_string_equal(first, second);
	one_step(f);
	get_pepper(f, second);
	assert_string_not_equal(first, second);
	assert_int_equal(count_hashes(f), before + 50);
	assert_string_equal(find(f, second, "person99@example.com"), "@person99:example.org");
}

static void one_rotation_at_a_time(void **state)
{
	struct binding_fixture *f = *state;
	struct mx_error err = { 0 };

	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	assert_int_equal(pepper_rotate(f->identity.pepper, &err), -MX_CONFLICT);
	assert_string_equal(err.text, "A change of the pepper is under way");
	run_steps(f);
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
}

static void a_pepper_that_lives_for_ever_stays(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], later[PEPPER_MAX + 1];

	f->identity.pepper->times.life_ms = -1;
	get_pepper(f, first);
	binding_fixture_at(f, BINDING_FIXTURE_NOW + 1000 * WEEK_MS);
	run_steps(f);
	get_pepper(f, later);
	assert_string_equal(first, later);
}

static void another_services_pepper_is_taken_over_only_by_an_empty_store(void **state)
{
	struct binding_fixture *f = *state;
	char text[PEPPER_MAX + 1];

	assert_int_equal(pepper_import(f->identity.pepper, "", NULL), -MX_INVALID_PARAM);
	assert_int_equal(pepper_import(f->identity.pepper, "Bsyd1", NULL), 0);
	get_pepper(f, text);
	assert_string_equal(text, "Bsyd1");
	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	assert_string_equal(find(f, "Bsyd1", "alice@example.com"), "@alice:example.org");
	assert_int_equal(pepper_import(f->identity.pepper, "other", NULL), -MX_CONFLICT);
}

static void the_background_finishes_a_rotation(void **state)
{
	struct binding_fixture *f = *state;
	char first[PEPPER_MAX + 1], text[PEPPER_MAX + 1];

	mx_time_fake(-1, -1);
	f->identity.pepper->times.life_ms = -1;
	get_pepper(f, first);
	bind_many(f, 450);
	pepper_start(f->identity.pepper);
	assert_int_equal(pepper_rotate(f->identity.pepper, NULL), 0);
	do {
		get_pepper(f, text);
		sched_yield();
	} while (streq(first, text));
	pepper_stop(f->identity.pepper);
	assert_string_equal(find(f, text, "person0@example.com"), "@person0:example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(the_first_pepper_is_long_and_stays),
		binding_test(nothing_changes_within_a_week),
		binding_test(after_a_week_both_peppers_count_for_a_day),
		binding_test(hashes_of_a_retired_pepper_are_deleted),
		binding_test(a_binding_made_while_hashes_are_built_is_found_by_both),
		binding_test(what_is_unbound_while_hashes_are_built_is_found_by_none),
		binding_test(a_bind_that_missed_the_birth_of_a_pepper_is_a_conflict),
		binding_test(building_goes_on_where_it_was_killed),
		binding_test(one_rotation_at_a_time),
		binding_test(a_pepper_that_lives_for_ever_stays),
		binding_test(another_services_pepper_is_taken_over_only_by_an_empty_store),
		binding_test(the_background_finishes_a_rotation),
	};

	return cmocka_run_group_tests_name("pepper", tests, NULL, NULL);
}
