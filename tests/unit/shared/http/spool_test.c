#include "shared/http/spool.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

struct fixture {
	char *directory, *kept;
	struct spool_conf conf;
	_Atomic uint64_t shared;
};

static int setup(void **state)
{
	struct fixture *f = mx_calloc(1, sizeof(*f));

	f->directory = store_fixture_directory();
	f->kept = mx_strf("%s/kept", f->directory);
	f->conf.directory = f->directory;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_fixture_directory_remove(f->directory);
	mx_free(f->kept);
	mx_free(f);
	return 0;
}

static struct spool *begin(struct fixture *f, const char *text)
{
	struct spool *spool;

	assert_int_equal(spool_new(&f->conf, &spool, NULL), 0);
	assert_int_equal(spool_add(spool, text, strlen(text), NULL), 0);
	return spool;
}

static unsigned files_in(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void assert_file_is(const char *path, const char *text)
{
	char bytes[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), (ssize_t)strlen(text));
	assert_string_equal(bytes, text);
	close(fd);
}

static void what_was_added_can_be_read(void **state)
{
	struct spool *spool = begin(*state, "hello ");
	char bytes[16] = "";

	assert_int_equal(spool_add(spool, "you", 3, NULL), 0);
	assert_int_equal(spool_len(spool), 9);
	assert_int_equal(pread(spool_fd(spool), bytes, sizeof(bytes), 0), 9);
	assert_string_equal(bytes, "hello you");
	spool_free(spool);
}

static void a_body_that_nobody_kept_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	spool_free(begin(f, "hello"));
	assert_int_equal(files_in(f->directory), 0);
}

static void a_body_that_was_kept_stays(void **state)
{
	struct fixture *f = *state;
	struct spool *spool = begin(f, "hello");

	assert_int_equal(spool_keep(spool, f->kept, NULL), 0);
	assert_int_equal(spool_keep(spool, f->kept, NULL), 0);
	spool_free(spool);
	assert_file_is(f->kept, "hello");
	assert_int_equal(files_in(f->directory), 1);
}

static void a_body_takes_the_place_of_the_same_file(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct spool *spool = begin(f, "hello");

		assert_int_equal(spool_keep(spool, f->kept, NULL), 0);
		spool_free(spool);
	}
	assert_int_equal(files_in(f->directory), 1);
}

static void a_place_that_cannot_be_is_told(void **state)
{
	struct fixture *f = *state;
	mx_autofree char *nowhere = mx_strf("%s/none/kept", f->directory);
	struct spool *spool = begin(f, "hello");

	assert_int_equal(spool_keep(spool, nowhere, NULL), -MX_STORE);
	spool_free(spool);
	assert_int_equal(files_in(f->directory), 0);
}

static void what_a_crash_left_is_removed(void **state)
{
	struct fixture *f = *state;
	struct spool *left = begin(f, "half of it"), *kept = begin(f, "whole");

	assert_int_equal(spool_keep(kept, f->kept, NULL), 0);
	assert_int_equal(spool_prepare(f->directory, NULL), 0);
	assert_int_equal(files_in(f->directory), 1);
	spool_free(left);
	spool_free(kept);
}

static void a_directory_is_made(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(spool_prepare(f->kept, NULL), 0);
	assert_int_equal(files_in(f->kept), 0);
}

static void bodies_that_share_room_have_no_more(void **state)
{
	struct fixture *f = *state;
	struct spool *first, *second;

	f->conf.shared = &f->shared;
	f->conf.shared_max = 10;
	first = begin(f, "12345678");
	second = begin(f, "12");
	assert_int_equal(spool_add(second, "3", 1, NULL), -MX_BUSY);
	spool_free(second);
	spool_free(first);
	assert_int_equal(f->shared, 0);
}

#define spool_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(what_was_added_can_be_read),
		spool_test(a_body_that_nobody_kept_leaves_nothing),
		spool_test(a_body_that_was_kept_stays),
		spool_test(a_body_takes_the_place_of_the_same_file),
		spool_test(a_place_that_cannot_be_is_told),
		spool_test(what_a_crash_left_is_removed),
		spool_test(a_directory_is_made),
		spool_test(bodies_that_share_room_have_no_more),
	};

	return cmocka_run_group_tests_name("http/spool", tests, NULL, NULL);
}
