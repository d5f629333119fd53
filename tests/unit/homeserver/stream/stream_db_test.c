#include "homeserver/stream/stream_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

static const struct store_table plain = { .name = "plain" };
static const struct store_table *const tables[] = { &stream_log_table, &plain, NULL };

static struct store *store_of(void)
{
	const struct store_conf conf = { .tables = tables, .stamp_table = &stream_log_table };
	struct store *store = NULL;

	assert_int_equal(store_open(&conf, &store, NULL), 0);
	return store;
}

static void note_many(struct store *store, int64_t count)
{
	struct store_txn *txn = store_txn_begin(store);

	for (int64_t i = 0; i < count; i++) {
		const struct stream_entry entry = { .kind = STREAM_EVENT, .room = 1, .rseq = i };

		stream_note(txn, &entry);
	}
	assert_int_equal(store_txn_commit(txn, NULL), 0);
}

/* A position that nobody noted anything at. */
static void stamp_only(struct store *store)
{
	const struct store_stamp_at at = { .key_at = STORE_NO_STAMP };
	struct store_txn *txn = store_txn_begin(store);

	store_txn_put_stamped(txn, &plain, MX_SLICE("k"), MX_SLICE("12345678"), &at);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
}

struct look {
	struct hs_call call;
	struct stream_rows rows;
};

static void look_begin(struct look *look, struct store *store, uint64_t after, size_t limit)
{
	*look = (struct look){ .call = { .view = store_view_begin(store),
					 .mem = mx_arena_new(0) } };
	assert_int_equal(stream_db_scan(&look->call, after, limit, &look->rows), 0);
}

static void look_end(struct look *look)
{
	store_view_end((struct store_view *)look->call.view);
	mx_arena_free(look->call.mem);
}

static void an_entry_is_read_as_it_was_noted(void **state)
{
	const struct stream_entry noted = {
		.kind = STREAM_MEMBER,
		.room = 4000000000,
		.rseq = -7,
		.user = MX_SLICE("@ann:here"),
		.membership = MEMBERSHIP_BAN,
		.is_private = true,
	};
	struct store *store = store_of();
	struct store_txn *txn = store_txn_begin(store);
	const struct stream_entry *entry;
	struct look look;

	(void)state;
	stream_note(txn, &noted);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	look_begin(&look, store, 0, 10);
	assert_int_equal(look.rows.len, 1);
	assert_int_equal(look.rows.items[0].position, 1);
	entry = &look.rows.items[0].entry;
	assert_int_equal(entry->kind, STREAM_MEMBER);
	assert_true(entry->room == 4000000000);
	assert_int_equal(entry->rseq, -7);
	assert_true(mx_slice_is(entry->user, "@ann:here"));
	assert_int_equal(entry->membership, MEMBERSHIP_BAN);
	assert_true(entry->is_private);
	look_end(&look);
	store_close(store);
}

static void entries_of_one_transaction_have_one_position_and_their_order(void **state)
{
	struct store *store = store_of();
	struct look look;

	(void)state;
	note_many(store, 1);
	note_many(store, 3);
	look_begin(&look, store, 1, 10);
	assert_int_equal(look.rows.len, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(look.rows.items[i].position, 2);
		assert_int_equal(look.rows.items[i].entry.rseq, i);
	}
	assert_int_equal(look.rows.position, 2);
	look_end(&look);
	store_close(store);
}

static void a_position_is_never_parted_by_the_limit(void **state)
{
	struct store *store = store_of();
	struct look look;

	(void)state;
	note_many(store, 2);
	note_many(store, 250);
	note_many(store, 2);
	look_begin(&look, store, 0, 3);
	assert_int_equal(look.rows.len, 252);
	assert_int_equal(look.rows.items[251].entry.rseq, 249);
	assert_int_equal(look.rows.position, 2);
	look_end(&look);
	store_close(store);
}

static void a_follower_reads_each_entry_once(void **state)
{
	struct store *store = store_of();
	uint64_t position = 0;
	size_t entries = 0;
	struct look look;

	(void)state;
	for (int64_t i = 1; i <= 30; i++) {
		if (i % 4 == 0)
			stamp_only(store);
		else
			note_many(store, i % 4);
	}
	while (position < store_stamp(store)) {
		look_begin(&look, store, position, 2);
		assert_true(look.rows.position > position);
		for (size_t i = 0; i < look.rows.len; i++)
			assert_true(look.rows.items[i].position > position);
		entries += look.rows.len;
		position = look.rows.position;
		look_end(&look);
	}
	assert_int_equal(position, 30);
	assert_int_equal(entries, 7 * (1 + 2 + 3) + 1 + 2);
	store_close(store);
}

static void the_end_of_the_log_is_no_error(void **state)
{
	struct store *store = store_of();
	struct look look;

	(void)state;
	note_many(store, 1);
	look_begin(&look, store, 1, 10);
	assert_int_equal(look.rows.len, 0);
	assert_int_equal(look.rows.position, 1);
	look_end(&look);
	store_close(store);
}

static void what_is_old_is_trimmed_and_the_last_row_stays(void **state)
{
	struct store *store = store_of();
	struct look look;

	(void)state;
	assert_int_equal(stream_db_trim(store, 10), 0);
	for (int i = 0; i < 1200; i++)
		note_many(store, 2);
	assert_int_equal(stream_db_trim(store, 10), 1190);
	assert_int_equal(stream_db_trim(store, 10), 0);
	look_begin(&look, store, 0, 100);
	assert_int_equal(look.rows.len, 20);
	assert_int_equal(look.rows.items[0].position, 1191);
	look_end(&look);
	assert_int_equal(stream_db_trim(store, 0), 9);
	look_begin(&look, store, 0, 100);
	assert_int_equal(look.rows.len, 2);
	look_end(&look);
	store_close(store);
}

static void what_is_no_row_is_refused(void **state)
{
	struct stream_row row;

	(void)state;
	assert_false(stream_db_read(MX_SLICE("12345678\1\1"), MX_SLICE(""), &row));
	assert_false(stream_db_read(MX_SLICE("1234567"), MX_SLICE("\1\1\1\1\0\1\0"), &row));
	assert_false(stream_db_read(MX_SLICE("12345678\1\1"), MX_SLICE("\1\1\1\1\7ab"), &row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_read_as_it_was_noted),
		cmocka_unit_test(entries_of_one_transaction_have_one_position_and_their_order),
		cmocka_unit_test(a_position_is_never_parted_by_the_limit),
		cmocka_unit_test(a_follower_reads_each_entry_once),
		cmocka_unit_test(the_end_of_the_log_is_no_error),
		cmocka_unit_test(what_is_old_is_trimmed_and_the_last_row_stays),
		cmocka_unit_test(what_is_no_row_is_refused),
	};

	return cmocka_run_group_tests_name("stream/stream_db", tests, NULL, NULL);
}
