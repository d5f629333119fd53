#include "shared/store/store.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct store_table cats = { .name = "cats" };
static const struct store_table *const tables[] = { &cats, NULL };

static struct mx_error err;

static void put(struct store *store, const char *key, const char *value)
{
	struct store_txn *txn = store_txn_begin(store);

	store_txn_put(txn, &cats, mx_slice(key), mx_slice(value));
	assert_int_equal(store_txn_commit(txn, &err), 0);
}

static bool has(struct store *store, const char *key, const char *value)
{
	struct store_view *view = store_view_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice found;
	int rc = store_get(view, &cats, mx_slice(key), mem, &found);

	store_view_end(view);
	return rc == 0 && mx_slice_is(found, value);
}

static void a_closed_store_opens_with_its_rows(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_fixture_at(directory, tables);

	(void)state;
	put(store, "tom", "grey");
	store_close(store);
	for (int i = 0; i < 3; i++) {
		store = store_fixture_at(directory, tables);
		assert_true(has(store, "tom", "grey"));
		store_close(store);
	}
	store_fixture_directory_remove(directory);
}

static void a_directory_that_is_not_there_is_made_for_the_owner_only(void **state)
{
	char *parent = store_fixture_directory();
	mx_autofree char *directory = mx_strf("%s/new", parent);
	struct stat stat_of;

	(void)state;
	store_close(store_fixture_at(directory, tables));
	assert_int_equal(stat(directory, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0700);
	store_fixture_directory_remove(parent);
}

static void refused(const char *directory, const char *reason)
{
	const struct store_conf conf = { .directory = directory, .tables = tables };
	struct store *store;

	assert_int_equal(store_open(&conf, &store, &err), -MX_STORE);
	if (!strstr(err.text, reason))
		fail_msg("%s", err.text);
}

static void a_store_that_is_open_is_not_opened_again(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_fixture_at(directory, tables);

	(void)state;
	refused(directory, "is in use: another process has this store open");
	put(store, "tom", "grey");
	assert_true(has(store, "tom", "grey"));
	store_close(store);
	store_close(store_fixture_at(directory, tables));
	store_fixture_directory_remove(directory);
}

static void a_directory_with_a_configuration_of_the_library_is_refused(void **state)
{
	char *directory = store_fixture_directory();
	mx_autofree char *path = mx_strf("%s/DB_CONFIG", directory);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	refused(directory, "DB_CONFIG must not be there");
	store_fixture_directory_remove(directory);
}

static void a_directory_that_everybody_may_write_is_refused(void **state)
{
	char *directory = store_fixture_directory();

	(void)state;
	assert_int_equal(chmod(directory, 0777), 0);
	refused(directory, "may be written by everybody");
	store_fixture_directory_remove(directory);
}

static void a_path_that_is_no_directory_is_refused(void **state)
{
	char *parent = store_fixture_directory();
	mx_autofree char *path = mx_strf("%s/file", parent);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	refused(path, "is not a directory");
	store_fixture_directory_remove(parent);
}

/* ---- commits without waiting */

#define MANY 600

struct answers {
	atomic_uint count, ok;
	unsigned order[MANY];
};

struct answer {
	struct answers *answers;
	unsigned number;
};

static void on_done(void *ctx, int rc)
{
	struct answer *answer = ctx;
	unsigned at = answer->answers->count;

	answer->answers->order[at] = answer->number;
	if (rc == 0)
		answer->answers->ok++;
	answer->answers->count++;
}

static void commits_answer_in_the_order_of_their_calls(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct answers answers = { 0 };
	struct answer each[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		struct store_txn *txn = store_txn_begin(store);
		mx_autofree char *value = mx_strf("%u", i);

		each[i] = (struct answer){ &answers, i };
		store_txn_put(txn, &cats, mx_slice("tom"), mx_slice(value));
		store_txn_commit_async(txn, on_done, &each[i]);
	}
	put(store, "kit", "black"); /* comes after all of them */
	assert_int_equal(answers.ok, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(answers.order[i], i);
	assert_true(has(store, "tom", "599"));
	store_close(store);
}

static void closing_waits_for_commits_under_way(void **state)
{
	char *directory = store_fixture_directory();
	struct store *store = store_fixture_at(directory, tables);
	struct answers answers = { 0 };
	struct answer answer = { &answers, 0 };
	struct store_txn *txn = store_txn_begin(store);

	(void)state;
	store_txn_put(txn, &cats, mx_slice("tom"), mx_slice("grey"));
	store_txn_commit_async(txn, on_done, &answer);
	store_close(store);
	assert_int_equal(answers.ok, 1);
	store = store_fixture_at(directory, tables);
	assert_true(has(store, "tom", "grey"));
	store_close(store);
	store_fixture_directory_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_closed_store_opens_with_its_rows),
		cmocka_unit_test(a_directory_that_is_not_there_is_made_for_the_owner_only),
		cmocka_unit_test(a_store_that_is_open_is_not_opened_again),
		cmocka_unit_test(a_directory_with_a_configuration_of_the_library_is_refused),
		cmocka_unit_test(a_directory_that_everybody_may_write_is_refused),
		cmocka_unit_test(a_path_that_is_no_directory_is_refused),
		cmocka_unit_test(commits_answer_in_the_order_of_their_calls),
		cmocka_unit_test(closing_waits_for_commits_under_way),
	};
	return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
