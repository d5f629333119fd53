#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static const struct store_table cats = { .name = "cats" };
static const struct store_table *const tables[] = { &cats, NULL };

static struct mx_error err;
static unsigned runs[3];
static bool die_in_second;

static int row_add(struct store *store, const char *key, const char *value)
{
	struct store_txn *txn = store_txn_begin(store);

	store_txn_put(txn, &cats, mx_slice(key), mx_slice(value));
	return store_txn_commit(txn, NULL);
}

static int step_one(struct store *store, struct mx_error *step_err)
{
	(void)step_err;
	runs[0]++;
	return row_add(store, "one", "done");
}

/* Works in two transactions; killed between them it starts again. */
static int step_two(struct store *store, struct mx_error *step_err)
{
	(void)step_err;
	runs[1]++;
	if (row_add(store, "two", "half"))
		return -MX_STORE;
	if (die_in_second)
		_exit(0);
	return row_add(store, "two", "done");
}

static int step_that_fails(struct store *store, struct mx_error *step_err)
{
	(void)store;
	runs[2]++;
	return mx_fail(step_err, MX_STORE, "the third step cannot be done");
}

static const struct store_migration steps[] = {
	{ "first", step_one },
	{ "second", step_two },
	{ "third", step_that_fails },
};

static int open_at(const char *directory, size_t steps_len, struct store **ret_store)
{
	const struct store_conf conf = {
		.directory = directory,
		.tables = tables,
		.migrations = steps,
		.migrations_len = steps_len,
	};

	err = (struct mx_error){ 0 };
	return store_open(&conf, ret_store, &err);
}

static struct store *opened(const char *directory, size_t steps_len)
{
	struct store *store = NULL;

	if (open_at(directory, steps_len, &store))
		fail_msg("%s", err.text);
	return store;
}

static bool has(struct store *store, const char *key, const char *value)
{
	struct store_view *view = store_view_begin(store);
	struct mx_arena *mem = mx_arena_new(0);
	struct mx_slice found;
	int rc = store_get(view, &cats, mx_slice(key), mem, &found);
	bool same = rc == 0 && mx_slice_is(found, value);

	store_view_end(view);
	mx_arena_free(mem);
	return same;
}

struct place {
	char *parent;
	char store[300], before[320];
};

static int place_make(void **state)
{
	struct place *place = mx_calloc(1, sizeof(*place));

	place->parent = store_fixture_directory();
	snprintf(place->store, sizeof(place->store), "%s/store", place->parent);
	snprintf(place->before, sizeof(place->before), "%s.before-v3", place->store);
	memset(runs, 0, sizeof(runs));
	die_in_second = false;
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	struct place *place = *state;

	store_fixture_directory_remove(place->parent);
	mx_free(place);
	return 0;
}

static void a_new_store_starts_at_the_newest_version(void **state)
{
	struct place *place = *state;

	store_close(opened(place->store, 2));
	store_close(opened(place->store, 2));
	assert_int_equal(runs[0] + runs[1], 0);
	assert_int_equal(access(place->before, F_OK), -1);
}

static void steps_run_once_and_in_order_after_a_backup(void **state)
{
	struct place *place = *state;
	struct store *store = opened(place->store, 0);

	row_add(store, "zero", "done");
	store_close(store);
	store = opened(place->store, 2);
	assert_true(has(store, "zero", "done") && has(store, "one", "done") &&
		    has(store, "two", "done"));
	store_close(store);
	store_close(opened(place->store, 2));
	assert_int_equal(runs[0], 1);
	assert_int_equal(runs[1], 1);
	store = opened(place->before, 0);
	assert_true(has(store, "zero", "done"));
	assert_false(has(store, "one", "done"));
	store_close(store);
}

static void a_store_of_a_newer_version_is_refused(void **state)
{
	struct place *place = *state;
	struct store *store;

	store_close(opened(place->store, 2));
	assert_int_equal(open_at(place->store, 1, &store), -MX_STORE);
	assert_non_null(strstr(err.text, "it was written by a newer one"));
	store_close(opened(place->store, 2));
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
	struct place *place = *state;
	struct store *store;

	store_close(opened(place->store, 0));
	assert_int_equal(open_at(place->store, 3, &store), -MX_STORE);
	assert_string_equal(err.text, "the third step cannot be done");
	assert_int_equal(open_at(place->store, 3, &store), -MX_STORE);
	assert_int_equal(runs[0], 1);
	assert_int_equal(runs[1], 1);
	assert_int_equal(runs[2], 2);
	store_close(opened(place->store, 2));
}

static void a_step_killed_in_the_middle_runs_again(void **state)
{
	struct place *place = *state;
	struct store *store;
	pid_t child;
	int status;

	store_close(opened(place->store, 0));
	child = fork();
	if (child == 0) {
		die_in_second = true;
		open_at(place->store, 2, &store);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	store = opened(place->store, 2);
	assert_int_equal(runs[0], 0);
	assert_int_equal(runs[1], 1);
	assert_true(has(store, "one", "done") && has(store, "two", "done"));
	store_close(store);
	/* The backup is still the one from before the first step. */
	store = opened(place->before, 0);
	assert_false(has(store, "one", "done"));
	store_close(store);
}

static void a_store_in_memory_migrates_nothing(void **state)
{
	(void)state;
	store_close(opened(NULL, 2));
	assert_int_equal(runs[0], 0);
}

#define place_test(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		place_test(a_new_store_starts_at_the_newest_version),
		place_test(steps_run_once_and_in_order_after_a_backup),
		place_test(a_store_of_a_newer_version_is_refused),
		place_test(a_step_that_fails_leaves_the_version_before_it),
		place_test(a_step_killed_in_the_middle_runs_again),
		place_test(a_store_in_memory_migrates_nothing),
	};
	return cmocka_run_group_tests_name("store/migrate", tests, NULL, NULL);
}
