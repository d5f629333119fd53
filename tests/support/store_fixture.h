/*
 * An in-memory store for tests, with cmocka.
 *
 *	static const struct store_table *const store_test_tables[] = { &alias_table, NULL };
 *	static void a_taken_alias_is_refused(void **txn) { … alias_claim(*txn, …) … }
 *	const struct CMUnitTest tests[] = { store_test(a_taken_alias_is_refused) };
 */
#pragma once

#include "shared/store/store.h"
#include "tests/support/arena_fixture.h"

/* A new empty store in memory. It must open. Close it with store_close(). */
struct store *store_fixture_open(const struct store_table *const *tables);

/* The store in a directory, by name; NULL: in memory. It must open. */
struct store *store_fixture_at(const char *directory, const struct store_table *const *tables);

/* A test whose state is a transaction of a new store with the file's store_test_tables, and that
 * has a test_mem. The transaction is aborted and the store closed when the test ends. */
#define store_test(function)                                                    \
	cmocka_unit_test_prestate_setup_teardown(function, store_fixture_setup, \
						 store_fixture_teardown,        \
						 (void *)(uintptr_t)store_test_tables)

int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

/* The store of such a test. */
struct store *store_fixture_store(void **txn);

/* Commits the test's transaction, which must succeed, and begins another one. */
void store_fixture_commit(void **txn);

/* Of what a call has, a transaction or a view: ends it, a transaction by a commit that must
 * succeed. Both are NULL then. */
void store_fixture_keep(struct store_txn **txn, struct store_view **view);

/* A new empty directory under $TMPDIR or /tmp; removed with all that it holds. */
char *store_fixture_directory(void);
void store_fixture_directory_remove(char *directory);

/* A file that only its owner reads, in a folder that is there. */
void store_fixture_file(const char *path, const char *text);

/* One bit of a file that is there is another. */
void store_fixture_flip(const char *path, int64_t at);
