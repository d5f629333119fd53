/* A disk that fills up: nothing acknowledged is lost, reads go on, room brings writing back. Needs
 * root, for a small file system in memory. */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_BYTES  (40 * 1024 * 1024)
#define COMMITS_MAX 4000
#define VALUE_LEN   8000
#define FREE_MIN    (4 * 1024 * 1024)

static const struct store_table cats = { .name = "cats", .large_values = true };
static const struct store_table *const tables[] = { &cats, NULL };

static struct mx_error err;

struct disk {
	char *directory;
	char store[300], filler[300];
};

static int disk_make(void **state)
{
	struct disk *disk = mx_calloc(1, sizeof(*disk));
	mx_autofree char *options = mx_strf("size=%d,mode=0700", DISK_BYTES);

	*state = disk;
	disk->directory = store_fixture_directory();
	snprintf(disk->store, sizeof(disk->store), "%s/store", disk->directory);
	snprintf(disk->filler, sizeof(disk->filler), "%s/filler", disk->directory);
	if (mount("trinity-test", disk->directory, "tmpfs", 0, options) == 0)
		return 0;
	print_message("no file system of our own (%s): skipped, run as root\n", strerror(errno));
	disk->store[0] = '\0';
	return 0;
}

static int disk_remove(void **state)
{
	struct disk *disk = *state;

	if (disk->store[0])
		assert_int_equal(umount2(disk->directory, MNT_DETACH), 0);
	store_fixture_directory_remove(disk->directory);
	mx_free(disk);
	return 0;
}

static void need_disk(const struct disk *disk)
{
	if (!disk->store[0])
		skip();
}

static struct store *store_at(const struct disk *disk, int64_t free_min)
{
	const struct store_conf conf = {
		.directory = disk->store,
		.tables = tables,
		.free_bytes_min = free_min,
		.cache_bytes = 256 * 1024,
	};
	struct store *store = NULL;

	if (store_open(&conf, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

static int put(struct store *store, uint64_t number)
{
	struct store_txn *txn = store_txn_begin(store);
	struct store_key key = { 0 };
	char value[VALUE_LEN];

	memset(value, (int)(number & 0xFF), sizeof(value));
	store_key_u64(&key, number);
	store_txn_put(txn, &cats, store_key_slice(&key), mx_slice_of(value, sizeof(value)));
	return store_txn_commit(txn, NULL);
}

static bool has(struct store *store, uint64_t number)
{
	struct store_view *view = store_view_begin(store);
	struct mx_arena *mem = mx_arena_new(0);
	struct store_key key = { 0 };
	struct mx_slice value;
	bool found;

	store_key_u64(&key, number);
	found = store_get(view, &cats, store_key_slice(&key), mem, &value) == 0 &&
		value.len == VALUE_LEN && value.ptr[VALUE_LEN - 1] == (char)(number & 0xFF);
	store_view_end(view);
	mx_arena_free(mem);
	return found;
}

static uint64_t put_until_full(struct store *store, uint64_t from)
{
	uint64_t number = from;
	int rc = 0;

	while (number < from + COMMITS_MAX && (rc = put(store, number)) == 0)
		number++;
	assert_int_equal(rc, -MX_STORE_FULL);
	return number;
}

static void all_there(struct store *store, uint64_t end)
{
	for (uint64_t number = 0; number < end; number++)
		assert_true(has(store, number));
	assert_false(has(store, end));
}

static uint64_t disk_free(const struct disk *disk)
{
	struct statvfs stat;

	assert_int_equal(statvfs(disk->directory, &stat), 0);
	return stat.f_bavail * stat.f_frsize;
}

/* Somebody else takes disk, but for `leave` bytes. */
static void disk_fill(const struct disk *disk, uint64_t leave)
{
	int fd = open(disk->filler, O_CREAT | O_WRONLY, 0600);
	uint64_t now = disk_free(disk);

	assert_true(fd >= 0);
	if (now > leave)
		assert_int_equal(posix_fallocate(fd, 0, (off_t)(now - leave)), 0);
	close(fd);
}

static void commits_are_refused_before_the_disk_is_full_and_taken_when_it_is_not(void **state)
{
	struct disk *disk = *state;
	struct store *store;
	uint64_t end;

	need_disk(disk);
	store = store_at(disk, FREE_MIN);
	assert_int_equal(put(store, 0), 0);
	disk_fill(disk, FREE_MIN - 4096);
	assert_int_equal(put(store, 1), -MX_STORE_FULL);
	assert_true(store_is_full(store));
	all_there(store, 1);
	assert_int_equal(unlink(disk->filler), 0);
	assert_int_equal(put(store, 1), 0);
	assert_false(store_is_full(store));
	end = put_until_full(store, 2);
	assert_true(disk_free(disk) > FREE_MIN / 2);
	all_there(store, end);
	store_close(store);
	store = store_at(disk, FREE_MIN);
	all_there(store, end);
	store_close(store);
}

/* Without the check ENOSPC comes in the middle of commits: the reserve is there for it. */
static void a_disk_that_fills_in_the_middle_of_commits_loses_nothing(void **state)
{
	struct disk *disk = *state;
	struct store *store;
	uint64_t end;

	need_disk(disk);
	store = store_at(disk, -1);
	assert_int_equal(put(store, 0), 0);
	disk_fill(disk, 300 * 1024);
	end = put_until_full(store, 1);
	assert_true(end > 1);
	assert_true(store_is_full(store));
	all_there(store, end);
	assert_int_equal(unlink(disk->filler), 0);
	assert_int_equal(put(store, end), 0);
	all_there(store, end + 1);
	store_close(store);
	store = store_at(disk, -1);
	all_there(store, end + 1);
	store_close(store);
}

/* The disk is filled up after each of many numbers of commits. */
static void no_moment_of_filling_loses_a_commit(void **state)
{
	struct disk *disk = *state;
	uint64_t end = 0;

	need_disk(disk);
	for (int round = 0; round < 25; round++) {
		struct store *store = store_at(disk, -1);

		all_there(store, end);
		for (int i = 0; i < round; i++)
			assert_int_equal(put(store, end++), 0);
		disk_fill(disk, (uint64_t)(round * 17 % 40) * 4096);
		end = put_until_full(store, end);
		if (round % 2)
			assert_int_equal(unlink(disk->filler), 0);
		store_close(store);
		unlink(disk->filler);
		/* Start over when it is really full of cats. */
		if (disk_free(disk) < 6 * 1024 * 1024)
			break;
	}
}

static void a_store_opens_on_a_full_disk_to_be_read(void **state)
{
	struct disk *disk = *state;
	struct store *store;

	need_disk(disk);
	store = store_at(disk, FREE_MIN);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(put(store, i), 0);
	store_close(store);
	disk_fill(disk, 512 * 1024);
	store = store_at(disk, FREE_MIN);
	assert_true(store_is_full(store));
	all_there(store, 20);
	assert_int_equal(put(store, 20), -MX_STORE_FULL);
	assert_int_equal(unlink(disk->filler), 0);
	while (store_is_full(store)) /* within a second, by itself */
		sched_yield();
	assert_int_equal(put(store, 20), 0);
	store_close(store);
}

/* In a process of its own: the library loses some memory when recovery fails. */
static void opening_asks_for_room(const struct disk *disk)
{
	const struct store_conf conf = { .directory = disk->store, .tables = tables };
	struct store *store = NULL;
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(store_open(&conf, &store, &err) == -MX_STORE && strstr(err.text, "free disk")
			      ? 0
			      : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_disk_without_room_for_recovery_is_the_reason_that_is_given(void **state)
{
	struct disk *disk = *state;
	struct store *store;
	char reserve[320];

	need_disk(disk);
	store = store_at(disk, FREE_MIN);
	assert_int_equal(put(store, 0), 0);
	store_close(store);
	snprintf(reserve, sizeof(reserve), "%s/reserve", disk->store);
	assert_int_equal(truncate(reserve, 0), 0);
	disk_fill(disk, 4096);
	opening_asks_for_room(disk);
	assert_int_equal(unlink(disk->filler), 0);
	store = store_at(disk, FREE_MIN);
	all_there(store, 1);
	store_close(store);
}

static void reads_and_checks_without_writes_pass_on_a_full_disk(void **state)
{
	struct disk *disk = *state;
	struct store_txn *txn;
	struct store *store;

	need_disk(disk);
	store = store_at(disk, FREE_MIN);
	disk_fill(disk, 512 * 1024);
	assert_int_equal(put(store, 0), -MX_STORE_FULL);
	txn = store_txn_begin(store);
	store_txn_expect_absent(txn, &cats, mx_slice("x"));
	assert_int_equal(store_txn_commit(txn, &err), 0);
	store_close(store);
}

#define disk_test(function) cmocka_unit_test_setup_teardown(function, disk_make, disk_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(commits_are_refused_before_the_disk_is_full_and_taken_when_it_is_not),
		disk_test(a_disk_that_fills_in_the_middle_of_commits_loses_nothing),
		disk_test(no_moment_of_filling_loses_a_commit),
		disk_test(a_store_opens_on_a_full_disk_to_be_read),
		disk_test(a_disk_without_room_for_recovery_is_the_reason_that_is_given),
		disk_test(reads_and_checks_without_writes_pass_on_a_full_disk),
	};
	return cmocka_run_group_tests_name("store/bdb_space", tests, NULL, NULL);
}
