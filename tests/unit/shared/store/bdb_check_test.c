/* Damage on the disk is found at start, whatever it is; nothing is wiped, nothing hangs. */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/bdb_files.h"
#include "shared/store/bdb_pages.h"
#include "shared/store/key.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS         300
#define HANG_SECONDS 600 /* whoever opens it right needs a hundredth of that */

static const struct store_table cats = { .name = "cats" };
static const struct store_table dogs = { .name = "dogs", .large_values = true };
static const struct store_table *const tables[] = { &cats, &dogs, NULL };

static struct mx_error err;

static int open_store(const char *directory, bool check_all, struct store **ret_store)
{
	const struct store_conf conf = {
		.directory = directory,
		.tables = tables,
		.check_all = check_all,
	};

	err = (struct mx_error){ 0 };
	alarm(HANG_SECONDS); /* a hang is a failure */
	return store_open(&conf, ret_store, &err);
}

static void rows_put(struct store *store, uint64_t from)
{
	char filler[3000] = { 1 };

	for (uint64_t i = 0; i < ROWS; i += 30) {
		struct store_txn *txn = store_txn_begin(store);

		for (uint64_t j = i; j < i + 30; j++) {
			struct store_key key = { 0 };

			store_key_u64(&key, from + j);
			store_txn_put(txn, &cats, store_key_slice(&key), mx_slice_of(filler, 60));
			store_txn_put(txn, &dogs, store_key_slice(&key),
				      mx_slice_of(filler, j % 10 ? 100 : sizeof(filler)));
		}
		assert_int_equal(store_txn_commit(txn, &err), 0);
	}
}

static size_t rows_count(struct store *store, const struct store_table *table)
{
	struct store_view *view = store_view_begin(store);
	struct mx_arena *mem = mx_arena_new(0);
	struct store_range all = { .limit = 100000 };
	struct store_rows rows = { 0 };

	assert_int_equal(store_scan(view, table, &all, mem, &rows), 0);
	store_view_end(view);
	mx_arena_free(mem);
	return rows.len;
}

static char *closed_store(void)
{
	char *directory = store_fixture_directory();
	struct store *store;

	assert_int_equal(open_store(directory, false, &store), 0);
	rows_put(store, 0);
	store_close(store);
	return directory;
}

/* A process that ends without closing. */
static char *crashed_store(void)
{
	char *directory = closed_store();
	pid_t child = fork();
	struct store *store;
	int status;

	if (child == 0) {
		if (open_store(directory, false, &store))
			_exit(1);
		rows_put(store, ROWS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return directory;
}

static char *path_in(const char *directory, const char *name)
{
	return mx_strf("%s/%s", directory, name);
}

static int64_t length_of(const char *path)
{
	struct stat stat_of;

	assert_int_equal(stat(path, &stat_of), 0);
	return stat_of.st_size;
}

static void refused(const char *directory, const char *name, const char *reason)
{
	struct store *store;

	assert_int_equal(open_store(directory, false, &store), -MX_STORE);
	if (!strstr(err.text, name) || !strstr(err.text, reason))
		fail_msg("%s instead of %s and %s", err.text, name, reason);
}

static void opens_with(const char *directory, size_t rows)
{
	struct store *store;

	if (open_store(directory, true, &store))
		fail_msg("%s", err.text);
	assert_int_equal(rows_count(store, &cats), rows);
	assert_int_equal(rows_count(store, &dogs), rows);
	store_close(store);
}

/* One byte of each page, at a place that wanders through the page. */
static void flip_each_page(const char *directory, const char *name)
{
	mx_autofree char *path = path_in(directory, name);
	mx_autofree char *page = NULL;
	int64_t pages = length_of(path) / STORE_PAGE_SIZE;

	for (int64_t i = 0; i < pages; i++) {
		int64_t at = i * STORE_PAGE_SIZE + (i * 1237 + 11) % STORE_PAGE_SIZE;

		store_fixture_flip(path, at);
		mx_free(page);
		page = mx_strf("page %d fails its check", (int)i);
		refused(directory, name, page);
		store_fixture_flip(path, at);
	}
}

static void a_flipped_byte_in_any_page_is_found(void **state)
{
	char *directory = closed_store();

	(void)state;
	flip_each_page(directory, "cats.db");
	flip_each_page(directory, "dogs.db");
	flip_each_page(directory, "store_own.db");
	opens_with(directory, ROWS);
	store_fixture_directory_remove(directory);
}

static void a_flipped_byte_is_found_after_a_crash_too(void **state)
{
	char *directory = crashed_store();

	(void)state;
	flip_each_page(directory, "dogs.db");
	opens_with(directory, 2 * ROWS);
	store_fixture_directory_remove(directory);
}

static void every_byte_of_the_first_page_counts(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "cats.db");

	(void)state;
	for (int64_t at = 0; at < STORE_PAGE_SIZE; at += 37) {
		store_fixture_flip(path, at);
		refused(directory, "cats.db", "page 0 fails its check");
		store_fixture_flip(path, at);
	}
	opens_with(directory, ROWS);
	store_fixture_directory_remove(directory);
}

static void a_file_cut_short_is_found(void **state)
{
	static const int64_t cuts[] = { STORE_PAGE_SIZE, 1, 20 * STORE_PAGE_SIZE, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cuts) / sizeof(cuts[0]); i++) {
		char *directory = i % 2 ? closed_store() : crashed_store();
		mx_autofree char *path = path_in(directory, "dogs.db");
		int64_t length = length_of(path), cut = cuts[i / 2];

		assert_int_equal(truncate(path, cut > length ? 0 : length - cut), 0);
		/* After a crash recovery has its try first. */
		refused(directory, "dogs.db", i % 2 ? "is cut short" : "");
		refused(directory, "dogs.db", i % 2 ? "is cut short" : "");
		store_fixture_directory_remove(directory);
	}
}

static int dog_change(struct store *store, size_t len)
{
	struct store_txn *txn = store_txn_begin(store);
	mx_autofree char *value = mx_calloc(1, len + 1);

	if (len)
		store_txn_put(txn, &dogs, mx_slice("big"), mx_slice_of(value, len));
	else
		store_txn_delete(txn, &dogs, mx_slice("big"));
	return store_txn_commit(txn, &err);
}

/* Pages of a large value lie at the end of the file, and go with it. */
static void a_table_that_got_shorter_before_a_crash_is_no_damage(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "dogs.db");
	struct store *store;
	int64_t before;
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(open_store(directory, false, &store), 0);
	assert_int_equal(dog_change(store, 100000), 0);
	store_close(store);
	before = length_of(path);
	child = fork();
	if (child == 0)
		_exit(open_store(directory, false, &store) || dog_change(store, 0));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_in_range(length_of(path), 1, before - 1);
	opens_with(directory, ROWS);
	store_fixture_directory_remove(directory);
}

static void a_missing_table_is_not_made_anew(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "cats.db");

	(void)state;
	assert_int_equal(unlink(path), 0);
	refused(directory, "cats.db", "is missing");
	assert_int_equal(access(path, F_OK), -1);
	store_fixture_directory_remove(directory);
}

static void two_pages_that_changed_places_are_found(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "cats.db");
	char first[STORE_PAGE_SIZE], second[STORE_PAGE_SIZE];
	int fd = open(path, O_RDWR);

	(void)state;
	assert_int_equal(pread(fd, first, sizeof(first), STORE_PAGE_SIZE), sizeof(first));
	assert_int_equal(pread(fd, second, sizeof(second), 2 * STORE_PAGE_SIZE), sizeof(second));
	assert_int_equal(pwrite(fd, second, sizeof(second), STORE_PAGE_SIZE), sizeof(second));
	assert_int_equal(pwrite(fd, first, sizeof(first), 2 * STORE_PAGE_SIZE), sizeof(first));
	close(fd);
	refused(directory, "cats.db", "page 1 fails its check");
	store_fixture_directory_remove(directory);
}

static void a_page_of_zeros_is_found(void **state)
{
	static const char zeros[STORE_PAGE_SIZE];
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "cats.db");
	int fd = open(path, O_RDWR);

	(void)state;
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 3 * STORE_PAGE_SIZE), sizeof(zeros));
	close(fd);
	refused(directory, "cats.db", "page 3 fails its check");
	store_fixture_directory_remove(directory);
}

static void a_log_that_is_gone_is_found(void **state)
{
	char *directory = closed_store();
	struct store_catalogue logs;
	mx_autofree char *path = NULL;

	(void)state;
	assert_int_equal(store_files_list(directory, true, &logs, &err), 0);
	assert_int_equal(logs.files.len, 1);
	path = path_in(directory, logs.files.items[0].name);
	assert_int_equal(unlink(path), 0);
	refused(directory, logs.files.items[0].name, "is missing");
	store_catalogue_done(&logs);
	store_fixture_directory_remove(directory);
}

static void a_log_that_is_overwritten_is_refused(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "log.0000000001");
	char zeros[8192] = { 0 };
	struct store *store;
	int fd = open(path, O_RDWR);

	(void)state;
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 4096), sizeof(zeros));
	close(fd);
	assert_int_equal(open_store(directory, false, &store), -MX_STORE);
	assert_non_null(strstr(err.text, directory));
	store_fixture_directory_remove(directory);
}

static void a_list_of_tables_that_is_damaged_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"trinity-store 1 1 28",
		"trinity-store 1 1 28\ncats.db",
		"xyz 1 1 28\n",
		"trinity-store 1 1 28\ncats.db -4\n",
		"trinity-store 1 1 28\n\ncats.db 4096\n",
		"trinity-store 1 1 28\ncats.db 4096 7\n",
	};
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "tables");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = open(path, O_WRONLY | O_TRUNC);

		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		close(fd);
		refused(directory, "tables", "is damaged");
	}
	store_fixture_directory_remove(directory);
}

static void a_directory_of_a_newer_kind_is_refused(void **state)
{
	static const char text[] = "trinity-store 2 1 28 and more\n";
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "tables");
	int fd = open(path, O_WRONLY | O_TRUNC);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	refused(directory, "tables", "was written by a newer version");
	store_fixture_directory_remove(directory);
}

static void what_was_committed_before_a_crash_is_recovered(void **state)
{
	char *directory = crashed_store();

	(void)state;
	assert_false(store_is_marked_closed(directory));
	opens_with(directory, 2 * ROWS);
	assert_true(store_is_marked_closed(directory));
	store_fixture_directory_remove(directory);
}

static void a_refused_log_stays_as_it_is(void **state)
{
	char *directory = crashed_store();
	mx_autofree char *log = path_in(directory, "log.0000000001");
	struct store *store;

	(void)state;
	store_fixture_flip(log, 5000);
	assert_int_equal(open_store(directory, false, &store), -MX_STORE);
	assert_non_null(strstr(err.text, "the log is damaged"));
	store_fixture_flip(log, 5000);
	opens_with(directory, 2 * ROWS);
	store_fixture_directory_remove(directory);
}

static void a_large_file_is_looked_at_in_part_after_a_clean_exit(void **state)
{
	char *directory = closed_store();
	mx_autofree char *path = path_in(directory, "big.db");
	mx_autofree char *cats_path = path_in(directory, "cats.db");
	struct store_pages pages = { .path = path, .bytes_max = 4 * 1024 * 1024 };
	int fd = open(path, O_RDWR | O_CREAT, 0600), cats_fd = open(cats_path, O_RDONLY);
	char page[STORE_PAGE_SIZE];
	unsigned found = 0;
	uint64_t empty;

	(void)state;
	/* Page 0 of a table, then 64 MiB of holes with one bad page. */
	assert_int_equal(pread(cats_fd, page, sizeof(page), 0), sizeof(page));
	assert_int_equal(pwrite(fd, page, sizeof(page), 0), sizeof(page));
	assert_int_equal(ftruncate(fd, 64 * 1024 * 1024), 0);
	assert_int_equal(pwrite(fd, "x", 1, 40 * 1024 * 1024), 1);
	for (int i = 0; i < 400; i++)
		found += store_pages_check(&pages, &empty, &err) != 0;
	assert_in_range(found, 1, 100); /* one start in sixteen or so */
	pages.bytes_max = 0;
	assert_int_equal(store_pages_check(&pages, &empty, &err), -MX_STORE);
	close(fd);
	close(cats_fd);
	store_fixture_directory_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flipped_byte_in_any_page_is_found),
		cmocka_unit_test(a_flipped_byte_is_found_after_a_crash_too),
		cmocka_unit_test(every_byte_of_the_first_page_counts),
		cmocka_unit_test(a_file_cut_short_is_found),
		cmocka_unit_test(a_table_that_got_shorter_before_a_crash_is_no_damage),
		cmocka_unit_test(a_missing_table_is_not_made_anew),
		cmocka_unit_test(two_pages_that_changed_places_are_found),
		cmocka_unit_test(a_page_of_zeros_is_found),
		cmocka_unit_test(a_log_that_is_gone_is_found),
		cmocka_unit_test(a_log_that_is_overwritten_is_refused),
		cmocka_unit_test(a_list_of_tables_that_is_damaged_is_refused),
		cmocka_unit_test(a_directory_of_a_newer_kind_is_refused),
		cmocka_unit_test(what_was_committed_before_a_crash_is_recovered),
		cmocka_unit_test(a_refused_log_stays_as_it_is),
		cmocka_unit_test(a_large_file_is_looked_at_in_part_after_a_clean_exit),
	};
	return cmocka_run_group_tests_name("store/bdb_check", tests, NULL, NULL);
}
