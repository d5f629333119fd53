/*
 * store_writer write DIRECTORY SEED: writes from several threads until it is killed. After each
 * commit returns, a line "WRITER NUMBER" goes to standard output.
 *
 * store_writer verify DIRECTORY < ACKNOWLEDGED: opens the store, reads such lines and checks that
 * each transaction is there as a whole, and that the others are whole or absent. Prints how many
 * it found.
 *
 * Transaction NUMBER of a writer puts four rows, in two tables; their values tell which rows
 * belong together. Every tenth deletes the four rows of the one before it, every third adds to a
 * counter that all writers share.
 */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WRITERS       6
#define ROWS          4
#define VALUE_MAX     2600
#define FILLER        "0123456789abcdef"
#define LINE_MAX_LEN  64
#define DELETES_EVERY 10
#define COUNTS_EVERY  3
#define CACHE_BYTES   (512u * 1024) /* small: pages are written out all the time */

static const struct store_table small_rows = { .name = "small_rows" };
static const struct store_table large_rows = { .name = "large_rows", .large_values = true };
static const struct store_table counters = { .name = "counters" };
static const struct store_table *const tables[] = { &small_rows, &large_rows, &counters, NULL };

struct writer {
	struct store *store;
	pthread_t thread;
	unsigned number;
	uint64_t next; /* transaction */
};

static const struct store_table *table_of(unsigned row)
{
	return row % 2 ? &large_rows : &small_rows;
}

/* Rows of one transaction lie far apart. */
static struct store_key key_of(unsigned writer, uint64_t number, unsigned row)
{
	struct store_key key = { 0 };

	store_key_u64(&key, row);
	store_key_u64(&key, (number * 2654435761u) % 1000003);
	store_key_u64(&key, writer);
	store_key_u64(&key, number);
	return key;
}

static size_t length_of(uint64_t number, unsigned row)
{
	return (size_t)(number * 7919 + row * 104729) % (row % 2 ? VALUE_MAX : 120);
}

static void value_format(struct mx_str *out, uint64_t number, unsigned row)
{
	record_begin(out, 1);
	record_put_u64(out, number);
	for (size_t left = length_of(number, row); left > 0;) {
		size_t part = left < sizeof(FILLER) - 1 ? left : sizeof(FILLER) - 1;

		mx_str_add(out, FILLER, part);
		left -= part;
	}
}

static void rows_put(struct store_txn *txn, const struct writer *writer, uint64_t number)
{
	for (unsigned row = 0; row < ROWS; row++) {
		struct store_key key = key_of(writer->number, number, row);
		mx_str_auto value = { 0 };

		value_format(&value, number, row);
		store_txn_put(txn, table_of(row), store_key_slice(&key), mx_str_slice(&value));
	}
}

static void rows_delete(struct store_txn *txn, const struct writer *writer, uint64_t number)
{
	for (unsigned row = 0; row < ROWS; row++) {
		struct store_key key = key_of(writer->number, number, row);

		store_txn_delete(txn, table_of(row), store_key_slice(&key));
	}
}

static uint64_t count_load(struct store_txn *txn)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct record_reader reader = { 0 };
	struct mx_slice value;

	if (store_txn_get(txn, &counters, MX_SLICE("all"), mem, &value) == 0)
		reader = record_open(value);
	return record_u64(&reader);
}

static void count_add(struct store_txn *txn)
{
	uint64_t count = count_load(txn) + 1;
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, count);
	store_txn_put(txn, &counters, MX_SLICE("all"), mx_str_slice(&value));
}

static int write_one(struct writer *writer, uint64_t number)
{
	struct store_txn *txn = store_txn_begin(writer->store);

	rows_put(txn, writer, number);
	if (number % DELETES_EVERY == 0 && number > 1)
		rows_delete(txn, writer, number - 1);
	if (number % COUNTS_EVERY == 0)
		count_add(txn);
	return store_txn_commit(txn, NULL);
}

static void *writer_main(void *arg)
{
	struct writer *writer = arg;
	char line[LINE_MAX_LEN];

	for (uint64_t number = writer->next;; number++) {
		int rc, len;

		do
			rc = write_one(writer, number);
		while (rc == -MX_CONFLICT);
		if (rc)
			abort();
		len = snprintf(line, sizeof(line), "%u %" PRIu64 "\n", writer->number, number);
		if (write(STDOUT_FILENO, line, (size_t)len) != len)
			_exit(0); /* nobody listens any more */
	}
	return NULL;
}

static struct store *store_at(const char *directory)
{
	const struct store_conf conf = {
		.directory = directory,
		.cache_bytes = CACHE_BYTES,
		.tables = tables,
	};
	struct mx_error err = { 0 };
	struct store *store = NULL;

	if (store_open(&conf, &store, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return store;
}

static int write_until_killed(const char *directory, unsigned first)
{
	struct writer writers[WRITERS];
	struct store *store = store_at(directory);

	/* Says that the store is open: from now on the kill may come. */
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return 1;
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .store = store, .number = i };
		writers[i].next = (uint64_t)first * 1000000 + 1;
		if (pthread_create(&writers[i].thread, NULL, writer_main, &writers[i]))
			return 1;
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	return 0;
}

/* ---- verifying */

/* How many of the transaction's rows are there with exactly their bytes. */
static unsigned rows_found(struct store_view *view, unsigned writer, uint64_t number)
{
	mx_arena_auto *mem = mx_arena_new(0);
	unsigned found = 0;

	for (unsigned row = 0; row < ROWS; row++) {
		struct store_key key = key_of(writer, number, row);
		mx_str_auto expected = { 0 };
		struct mx_slice value;

		value_format(&expected, number, row);
		if (store_get(view, table_of(row), store_key_slice(&key), mem, &value) == 0 &&
		    mx_slice_eq(value, mx_str_slice(&expected)))
			found++;
	}
	return found;
}

static void complain(const char *what, unsigned writer, uint64_t number, unsigned found)
{
	fprintf(stderr, "%s: writer %u, transaction %" PRIu64 ", %u of %d rows\n", what, writer,
		number, found, ROWS);
	exit(1);
}

/* The one after the last acknowledged may have been committed: then whole, deletion included. */
static void verify_next(struct store_view *view, unsigned writer, uint64_t last)
{
	unsigned found = rows_found(view, writer, last + 1);
	unsigned before = rows_found(view, writer, last);
	bool deletes = (last + 1) % DELETES_EVERY == 0;

	if (found != 0 && found != ROWS)
		complain("half a transaction", writer, last + 1, found);
	if (before != (deletes && found == ROWS ? 0 : ROWS))
		complain("a deletion without its transaction", writer, last, before);
	found = rows_found(view, writer, last + 2);
	if (found)
		complain("never committed", writer, last + 2, found);
}

static bool line_parse(char *line, unsigned *ret_writer, uint64_t *ret_number)
{
	struct mx_slice rest = mx_slice(line), word;
	int64_t writer, number;

	if (rest.len && rest.ptr[rest.len - 1] == '\n')
		rest.len--;
	if (!mx_split_next(&rest, ' ', &word) || !mx_parse_i64(word, &writer) ||
	    !mx_parse_i64(rest, &number) || writer < 0 || writer >= WRITERS)
		return false;
	*ret_writer = (unsigned)writer;
	*ret_number = (uint64_t)number;
	return true;
}

/* A writer goes on with the next number until it is killed; the next one starts far ahead. */
static void verify_line(struct store_view *view, unsigned writer, uint64_t before, uint64_t number)
{
	unsigned found;

	if (before && number != before + 1) {
		verify_next(view, writer, before);
	} else if (before && number % DELETES_EVERY != 0) {
		found = rows_found(view, writer, before);
		if (found != ROWS)
			complain("lost", writer, before, found);
	} else if (before && rows_found(view, writer, before)) {
		complain("not deleted", writer, before, ROWS);
	}
}

static uint64_t verify_lines(struct store_view *view)
{
	uint64_t last[WRITERS] = { 0 }, number, count = 0;
	char line[LINE_MAX_LEN];
	unsigned writer;

	while (fgets(line, sizeof(line), stdin)) {
		if (!line_parse(line, &writer, &number))
			continue;
		verify_line(view, writer, last[writer], number);
		last[writer] = number;
		count++;
	}
	for (writer = 0; writer < WRITERS; writer++) {
		if (last[writer])
			verify_next(view, writer, last[writer]);
	}
	return count;
}

static uint64_t counter_of(struct store *store)
{
	struct store_txn *txn = store_txn_begin(store);
	uint64_t count = count_load(txn);

	store_txn_abort(txn);
	return count;
}

static int verify(const char *directory)
{
	struct store *store = store_at(directory);
	struct store_view *view = store_view_begin(store);
	uint64_t count = verify_lines(view);

	printf("%" PRIu64 " %" PRIu64 "\n", count, counter_of(store));
	store_view_end(view);
	store_close(store);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t first = 0;

	if (argc == 4 && streq(argv[1], "write") && mx_parse_i64(mx_slice(argv[3]), &first))
		return write_until_killed(argv[2], (unsigned)first);
	if (argc == 3 && streq(argv[1], "verify"))
		return verify(argv[2]);
	fprintf(stderr, "store_writer write DIRECTORY SEED | store_writer verify DIRECTORY\n");
	return 2;
}
