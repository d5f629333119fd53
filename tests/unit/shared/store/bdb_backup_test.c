#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITERS 3

static const struct store_table cats = { .name = "cats" };
static const struct store_table dogs = { .name = "dogs" };
static const struct store_table logs = { .name = "log" }; /* files of logs begin like its file */
static const struct store_table *const tables[] = { &cats, &dogs, &logs, NULL };

static struct mx_error err;

struct place {
	char *parent;
	char store[300], copy[300], restored[300];
};

static int place_make(void **state)
{
	struct place *place = mx_calloc(1, sizeof(*place));

	place->parent = store_fixture_directory();
	snprintf(place->store, sizeof(place->store), "%s/store", place->parent);
	snprintf(place->copy, sizeof(place->copy), "%s/copy", place->parent);
	snprintf(place->restored, sizeof(place->restored), "%s/restored", place->parent);
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

static int pair_put(struct store *store, unsigned writer, uint64_t number)
{
	struct store_txn *txn = store_txn_begin(store);
	struct store_key key = { 0 };
	char filler[600] = { 0 };

	store_key_u64(&key, writer);
	store_key_u64(&key, number);
	store_txn_put(txn, &cats, store_key_slice(&key), mx_slice_of(filler, sizeof(filler)));
	store_txn_put(txn, &dogs, store_key_slice(&key), mx_slice("same"));
	return store_txn_commit(txn, NULL);
}

static bool row_is(struct store *store, const struct store_table *table, unsigned writer,
		   uint64_t number)
{
	struct store_view *view = store_view_begin(store);
	struct mx_arena *mem = mx_arena_new(0);
	struct store_key key = { 0 };
	struct mx_slice value;
	int rc;

	store_key_u64(&key, writer);
	store_key_u64(&key, number);
	rc = store_get(view, table, store_key_slice(&key), mem, &value);
	store_view_end(view);
	mx_arena_free(mem);
	return rc == 0;
}

static void a_backup_is_restored_where_no_store_is(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_at(place->store, tables);

	pair_put(store, 0, 7);
	assert_int_equal(store_backup(store, place->copy, &err), 0);
	pair_put(store, 0, 8);
	store_close(store);
	assert_int_equal(store_restore(place->copy, place->restored, &err), 0);
	store = store_fixture_at(place->restored, tables);
	assert_true(row_is(store, &cats, 0, 7) && row_is(store, &dogs, 0, 7));
	assert_false(row_is(store, &cats, 0, 8));
	assert_int_equal(pair_put(store, 0, 9), 0);
	store_close(store);
	/* The copy itself was not touched. */
	assert_int_equal(store_restore(place->copy, place->restored, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "is there already"));
}

struct writer {
	struct store *store;
	pthread_t thread;
	unsigned number;
	atomic_uint_fast64_t acknowledged;
	atomic_bool *stop;
	bool failed;
};

static void *write_all_the_time(void *arg)
{
	struct writer *writer = arg;

	for (uint64_t i = 1; !*writer->stop; i++) {
		writer->failed |= pair_put(writer->store, writer->number, i) != 0;
		writer->acknowledged = i;
	}
	return NULL;
}

static void acknowledged_are_there(struct store *store, unsigned writer, uint64_t before)
{
	uint64_t i;

	for (i = 1; i <= before; i++)
		assert_true(row_is(store, &cats, writer, i) && row_is(store, &dogs, writer, i));
	/* What came later is whole or absent, and nothing is missing in between. */
	for (; row_is(store, &cats, writer, i); i++)
		assert_true(row_is(store, &dogs, writer, i));
	assert_false(row_is(store, &dogs, writer, i));
	assert_false(row_is(store, &cats, writer, i + 1));
}

static void backup_under_load(struct place *place, struct writer *writers, uint64_t *before)
{
	atomic_bool stop = false;
	int rc;

	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .store = writers[0].store,
					      .number = i,
					      .stop = &stop };
		assert_int_equal(
			pthread_create(&writers[i].thread, NULL, write_all_the_time, &writers[i]),
			0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		while (writers[i].acknowledged < 200)
			sched_yield();
		before[i] = writers[i].acknowledged;
	}
	rc = store_backup(writers[0].store, place->copy, &err);
	stop = true;
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	if (rc)
		fail_msg("%s", err.text);
}

static void a_backup_under_load_holds_all_that_was_acknowledged_before(void **state)
{
	struct place *place = *state;
	struct writer writers[WRITERS] = { { .store = store_fixture_at(place->store, tables) } };
	struct store *store = writers[0].store;
	uint64_t before[WRITERS];

	backup_under_load(place, writers, before);
	store_close(store);
	assert_int_equal(store_restore(place->copy, place->restored, &err), 0);
	store = store_fixture_at(place->restored, tables);
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_false(writers[i].failed);
		acknowledged_are_there(store, i, before[i]);
	}
	store_close(store);
}

static void a_backup_into_an_empty_directory_is_fine(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_at(place->store, tables);

	assert_int_equal(mkdir(place->copy, 0700), 0);
	assert_int_equal(store_backup(store, place->copy, &err), 0);
	assert_int_equal(store_backup(store, place->copy, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "is there already"));
	store_close(store);
}

static void a_draft_of_a_killed_backup_is_taken_over_but_not_strangers_files(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_at(place->store, tables);
	mx_autofree char *draft = mx_strf("%s.partial", place->copy);
	mx_autofree char *table = mx_strf("%s/cats.db", draft);
	mx_autofree char *letter = mx_strf("%s/letter", draft);

	assert_int_equal(mkdir(draft, 0700), 0);
	close(open(letter, O_CREAT | O_WRONLY, 0600));
	close(open(table, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(store_backup(store, place->copy, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "holds files that are no store's"));
	assert_int_equal(access(letter, F_OK), 0);
	assert_int_equal(unlink(letter), 0);
	close(open(table, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(store_backup(store, place->copy, &err), 0);
	store_close(store);
}

static void a_damaged_backup_is_not_restored(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_at(place->store, tables);
	mx_autofree char *table = mx_strf("%s/cats.db", place->copy);

	pair_put(store, 0, 7);
	assert_int_equal(store_backup(store, place->copy, &err), 0);
	store_close(store);
	store_fixture_flip(table, 4096 + 2000);
	assert_int_equal(store_restore(place->copy, place->restored, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "cats.db is damaged: page 1"));
	assert_int_equal(access(place->restored, F_OK), -1);
}

static void a_store_that_is_open_is_no_backup(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_at(place->store, tables);

	assert_int_equal(store_restore(place->store, place->restored, &err), -MX_STORE);
	assert_non_null(strstr(err.text, "is no backup"));
	store_close(store);
	assert_int_equal(store_restore(place->store, place->restored, &err), 0);
}

static void a_store_in_memory_has_no_backup(void **state)
{
	struct place *place = *state;
	struct store *store = store_fixture_open(tables);

	assert_int_equal(store_backup(store, place->copy, &err), -MX_STORE);
	store_close(store);
}

#define place_test(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		place_test(a_backup_is_restored_where_no_store_is),
		place_test(a_backup_under_load_holds_all_that_was_acknowledged_before),
		place_test(a_backup_into_an_empty_directory_is_fine),
		place_test(a_draft_of_a_killed_backup_is_taken_over_but_not_strangers_files),
		place_test(a_damaged_backup_is_not_restored),
		place_test(a_store_that_is_open_is_no_backup),
		place_test(a_store_in_memory_has_no_backup),
	};
	return cmocka_run_group_tests_name("store/bdb_backup", tests, NULL, NULL);
}
