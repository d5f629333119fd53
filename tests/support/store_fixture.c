#include "tests/support/store_fixture.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/txn.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct store *store_fixture_open(const struct store_table *const *tables)
{
	return store_fixture_at(NULL, tables);
}

struct store *store_fixture_at(const char *directory, const struct store_table *const *tables)
{
	const struct store_conf conf = { .directory = directory, .tables = tables };
	struct mx_error err = { 0 };
	struct store *store = NULL;

	if (store_open(&conf, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

int store_fixture_setup(void **state)
{
	struct store *store = store_fixture_open(*state);

	arena_fixture_setup(state);
	*state = store_txn_begin(store);
	return 0;
}

struct store *store_fixture_store(void **txn)
{
	return ((struct store_txn *)*txn)->store;
}

int store_fixture_teardown(void **state)
{
	struct store *store = store_fixture_store(state);

	store_txn_abort(*state);
	store_close(store);
	return arena_fixture_teardown(state);
}

void store_fixture_commit(void **txn)
{
	struct store *store = store_fixture_store(txn);

	assert_int_equal(store_txn_commit(*txn, NULL), 0);
	*txn = store_txn_begin(store);
}

void store_fixture_keep(struct store_txn **txn, struct store_view **view)
{
	if (*txn)
		assert_int_equal(store_txn_commit(*txn, NULL), 0);
	store_view_end(*view);
	*txn = NULL;
	*view = NULL;
}

char *store_fixture_directory(void)
{
	const char *parent = getenv("TMPDIR");
	char *directory = mx_strf("%s/trinity-store-XXXXXX", parent ? parent : "/tmp");

	assert_non_null(mkdtemp(directory));
	return directory;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

void store_fixture_directory_remove(char *directory)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	mx_free(directory);
}

void store_fixture_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

void store_fixture_flip(const char *path, int64_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}
