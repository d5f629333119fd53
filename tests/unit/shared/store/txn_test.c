#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

static const struct store_table cats = { .name = "cats" };
static const struct store_table dogs = { .name = "dogs" };
static const struct store_table *const store_test_tables[] = { &cats, &dogs, NULL };

static void put(void *txn, const char *key, const char *value)
{
	store_txn_put(txn, &cats, mx_slice(key), mx_slice(value));
}

static const char *get(void *txn, const char *key)
{
	struct mx_slice value;
	int rc = store_txn_get(txn, &cats, mx_slice(key), test_mem, &value);

	if (rc == -MX_NOT_FOUND)
		return "absent";
	assert_int_equal(rc, 0);
	return mx_arena_strndup(test_mem, value.ptr, value.len);
}

/* "a=1 b=2" */
static const char *scan_text(void *txn, const struct store_range *range)
{
	struct store_rows rows;
	char *text = mx_arena_strdup(test_mem, "");

	assert_int_equal(store_txn_scan(txn, &cats, range, test_mem, &rows), 0);
	for (size_t i = 0; i < rows.len; i++)
		text = mx_arena_strf(test_mem, "%s%s%.*s=%.*s", text, i ? " " : "",
				     MX_SLICE_ARG(rows.items[i].key),
				     MX_SLICE_ARG(rows.items[i].value));
	return text;
}

static const char *scan(void *txn, const char *from, const char *to, bool reverse, size_t limit)
{
	return scan_text(txn, &(struct store_range){ .from = mx_slice(from),
						     .to = mx_slice(to),
						     .reverse = reverse,
						     .limit = limit });
}

static void what_was_committed_is_there(void **txn)
{
	put(*txn, "tom", "grey");
	store_fixture_commit(txn);
	assert_string_equal(get(*txn, "tom"), "grey");
	assert_string_equal(get(*txn, "kit"), "absent");
}

static void an_aborted_transaction_leaves_nothing(void **txn)
{
	struct store *store = store_fixture_store(txn);

	put(*txn, "tom", "grey");
	store_txn_abort(*txn);
	*txn = store_txn_begin(store);
	assert_string_equal(get(*txn, "tom"), "absent");
}

static void own_writes_are_seen(void **txn)
{
	put(*txn, "tom", "grey");
	assert_string_equal(get(*txn, "tom"), "grey");
	put(*txn, "tom", "red");
	assert_string_equal(get(*txn, "tom"), "red");
	store_txn_delete(*txn, &cats, mx_slice("tom"));
	assert_string_equal(get(*txn, "tom"), "absent");
}

static void tables_do_not_mix(void **txn)
{
	struct mx_slice value;

	put(*txn, "tom", "grey");
	store_fixture_commit(txn);
	assert_int_equal(store_txn_get(*txn, &dogs, mx_slice("tom"), test_mem, &value),
			 -MX_NOT_FOUND);
}

static void empty_values_and_binary_keys_are_kept(void **txn)
{
	struct mx_slice key = MX_SLICE("\0\xFF\0"), value;

	store_txn_put(*txn, &cats, key, (struct mx_slice){ 0 });
	store_fixture_commit(txn);
	assert_int_equal(store_txn_get(*txn, &cats, key, test_mem, &value), 0);
	assert_non_null(value.ptr);
	assert_int_equal(value.len, 0);
}

static void scans_merge_own_writes_in_order(void **txn)
{
	put(*txn, "b", "1");
	put(*txn, "d", "1");
	put(*txn, "f", "1");
	store_fixture_commit(txn);
	put(*txn, "a", "2");
	put(*txn, "d", "2");
	put(*txn, "e", "2");
	put(*txn, "g", "2");
	store_txn_delete(*txn, &cats, mx_slice("f"));
	assert_string_equal(scan(*txn, "", "", false, 0), "a=2 b=1 d=2 e=2 g=2");
	assert_string_equal(scan(*txn, "", "", true, 0), "g=2 e=2 d=2 b=1 a=2");
	assert_string_equal(scan(*txn, "b", "e", false, 0), "b=1 d=2");
	assert_string_equal(scan(*txn, "b", "e", true, 0), "d=2 b=1");
	assert_string_equal(scan(*txn, "", "", false, 2), "a=2 b=1");
	assert_string_equal(scan(*txn, "", "", true, 2), "g=2 e=2");
	assert_string_equal(scan(*txn, "c", "", false, 1), "d=2");
	assert_string_equal(scan(*txn, "", "d", true, 1), "b=1");
	assert_string_equal(scan(*txn, "x", "", false, 0), "");
	assert_string_equal(scan(*txn, "d", "c", false, 0), "");
}

static void scans_go_on_past_rows_deleted_here(void **txn)
{
	char key[2] = { 0 };

	for (key[0] = 'a'; key[0] <= 'z'; key[0]++)
		put(*txn, key, "1");
	store_fixture_commit(txn);
	for (key[0] = 'b'; key[0] <= 'y'; key[0]++)
		store_txn_delete(*txn, &cats, mx_slice(key));
	assert_string_equal(scan(*txn, "", "", false, 2), "a=1 z=1");
	assert_string_equal(scan(*txn, "", "", true, 2), "z=1 a=1");
}

static void a_deleted_range_is_gone_but_for_later_writes(void **txn)
{
	put(*txn, "a", "1");
	put(*txn, "b", "1");
	put(*txn, "c", "1");
	put(*txn, "d", "1");
	store_fixture_commit(txn);
	put(*txn, "bb", "2");
	store_txn_delete_range(*txn, &cats, mx_slice("b"), mx_slice("d"));
	put(*txn, "c", "3");
	assert_string_equal(get(*txn, "b"), "absent");
	assert_string_equal(get(*txn, "bb"), "absent");
	assert_string_equal(scan(*txn, "", "", false, 0), "a=1 c=3 d=1");
	assert_string_equal(scan(*txn, "", "", true, 2), "d=1 c=3");
	store_fixture_commit(txn);
	assert_string_equal(scan(*txn, "", "", false, 0), "a=1 c=3 d=1");
	store_txn_delete_range(*txn, &cats, mx_slice("c"), (struct mx_slice){ 0 });
	store_fixture_commit(txn);
	assert_string_equal(scan(*txn, "", "", false, 0), "a=1");
}

/* Two transactions from one state; the first commits, the second's answer is returned. */
static int second_commit(void **txn, void (*first)(void *), void (*second)(void *))
{
	struct store_txn *other = store_txn_begin(store_fixture_store(txn));
	struct store_txn *loser = store_txn_begin(store_fixture_store(txn));

	second(loser);
	first(other);
	assert_int_equal(store_txn_commit(other, NULL), 0);
	return store_txn_commit(loser, NULL);
}

static void write_tom(void *txn)
{
	put(txn, "tom", "red");
}

static void write_same_tom(void *txn)
{
	put(txn, "tom", "grey");
}

static void write_zoe(void *txn)
{
	put(txn, "zoe", "white");
}

static void delete_tom(void *txn)
{
	store_txn_delete(txn, &cats, mx_slice("tom"));
}

static void read_tom_write_kit(void *txn)
{
	get(txn, "tom");
	put(txn, "kit", "black");
}

static void scan_write_kit(void *txn)
{
	scan(txn, "s", "u", false, 0);
	put(txn, "kit", "black");
}

static void scan_one_write_kit(void *txn)
{
	scan(txn, "s", "", false, 1);
	put(txn, "kit", "black");
}

static void scan_backward_one_write_kit(void *txn)
{
	scan(txn, "", "", true, 1);
	put(txn, "kit", "black");
}

static void only_read_tom(void *txn)
{
	get(txn, "tom");
}

static void expect_no_tom(void *txn)
{
	store_txn_expect_absent(txn, &cats, mx_slice("tom"));
}

static void a_row_changed_since_it_was_read_is_a_conflict(void **txn)
{
	put(*txn, "tom", "grey");
	store_fixture_commit(txn);
	assert_int_equal(second_commit(txn, write_tom, read_tom_write_kit), -MX_CONFLICT);
	store_fixture_commit(txn);
	assert_string_equal(get(*txn, "kit"), "absent");
	assert_int_equal(second_commit(txn, delete_tom, read_tom_write_kit), -MX_CONFLICT);
}

static void a_row_that_appeared_since_is_a_conflict(void **txn)
{
	assert_int_equal(second_commit(txn, write_tom, read_tom_write_kit), -MX_CONFLICT);
}

static void the_same_bytes_written_again_are_no_conflict(void **txn)
{
	put(*txn, "tom", "grey");
	store_fixture_commit(txn);
	assert_int_equal(second_commit(txn, write_same_tom, read_tom_write_kit), 0);
}

static void writes_without_reads_never_conflict(void **txn)
{
	assert_int_equal(second_commit(txn, write_tom, write_same_tom), 0);
	store_fixture_commit(txn);
	assert_string_equal(get(*txn, "tom"), "grey");
}

static void a_phantom_in_a_scanned_range_is_a_conflict(void **txn)
{
	assert_int_equal(second_commit(txn, write_tom, scan_write_kit), -MX_CONFLICT);
}

static void rows_outside_a_scanned_range_are_no_conflict(void **txn)
{
	assert_int_equal(second_commit(txn, write_zoe, scan_write_kit), 0);
}

static void rows_beyond_the_limit_of_a_scan_are_no_conflict(void **txn)
{
	put(*txn, "tom", "grey");
	put(*txn, "zac", "grey");
	store_fixture_commit(txn);
	assert_int_equal(second_commit(txn, write_zoe, scan_one_write_kit), 0);
	assert_int_equal(second_commit(txn, write_tom, scan_one_write_kit), -MX_CONFLICT);
	assert_int_equal(second_commit(txn, write_same_tom, scan_backward_one_write_kit), 0);
	assert_int_equal(second_commit(txn, write_zoe, scan_backward_one_write_kit), 0);
}

static void a_row_deleted_from_a_scanned_range_is_a_conflict(void **txn)
{
	put(*txn, "tom", "grey");
	store_fixture_commit(txn);
	assert_int_equal(second_commit(txn, delete_tom, scan_write_kit), -MX_CONFLICT);
}

static void a_transaction_that_only_reads_never_conflicts(void **txn)
{
	assert_int_equal(second_commit(txn, write_tom, only_read_tom), 0);
}

static void an_expected_absence_is_checked_without_a_read(void **txn)
{
	assert_int_equal(second_commit(txn, write_zoe, expect_no_tom), 0);
	assert_int_equal(second_commit(txn, write_tom, expect_no_tom), -MX_CONFLICT);
}

static void a_view_stays_as_it_was(void **txn)
{
	struct store *store = store_fixture_store(txn);
	struct store_view *view;
	struct store_range all = { 0 };
	struct store_rows rows;
	struct mx_slice value;

	put(*txn, "a", "1");
	put(*txn, "b", "1");
	put(*txn, "c", "1");
	store_fixture_commit(txn);
	view = store_view_begin(store);
	for (int i = 0; i < 3; i++) {
		put(*txn, "a", "2");
		put(*txn, "aa", "2");
		store_txn_delete(*txn, &cats, mx_slice("b"));
		put(*txn, "d", "2");
		store_fixture_commit(txn);
	}
	assert_int_equal(store_get(view, &cats, mx_slice("a"), test_mem, &value), 0);
	assert_true(mx_slice_is(value, "1"));
	assert_int_equal(store_get(view, &cats, mx_slice("b"), test_mem, &value), 0);
	assert_int_equal(store_get(view, &cats, mx_slice("d"), test_mem, &value), -MX_NOT_FOUND);
	assert_int_equal(store_scan(view, &cats, &all, test_mem, &rows), 0);
	assert_int_equal(rows.len, 3);
	assert_true(mx_slice_is(rows.items[1].key, "b"));
	all.reverse = true;
	all.limit = 2;
	assert_int_equal(store_scan(view, &cats, &all, test_mem, &rows), 0);
	assert_int_equal(rows.len, 2);
	assert_true(mx_slice_is(rows.items[0].key, "c"));
	assert_true(mx_slice_is(rows.items[1].key, "b"));
	store_view_end(view);
	assert_string_equal(scan(*txn, "", "", false, 0), "a=2 aa=2 c=1 d=2");
}

static void many_rows_are_asked_for_at_once(void **txn)
{
	const struct mx_slice keys[] = { MX_SLICE("b"), MX_SLICE("x"), MX_SLICE("a") };
	struct mx_slice values[3];
	struct store_view *view;

	put(*txn, "a", "1");
	put(*txn, "b", "2");
	store_fixture_commit(txn);
	view = store_view_begin(store_fixture_store(txn));
	assert_int_equal(
		store_get_many(view, &cats, &(struct store_keys){ keys, 3 }, test_mem, values), 0);
	store_view_end(view);
	assert_true(mx_slice_is(values[0], "2"));
	assert_null(values[1].ptr);
	assert_true(mx_slice_is(values[2], "1"));
}

static void the_first_error_sticks(void **txn)
{
	struct store *store = store_fixture_store(txn);
	mx_autofree char *long_key = mx_calloc(1, STORE_KEY_MAX + 1);
	struct mx_slice value;

	put(*txn, "tom", "grey");
	store_txn_put(*txn, &cats, mx_slice_of(long_key, STORE_KEY_MAX + 1), mx_slice("x"));
	assert_int_equal(store_txn_get(*txn, &cats, mx_slice("tom"), test_mem, &value),
			 -MX_TOO_LARGE);
	assert_int_equal(store_txn_commit(*txn, NULL), -MX_TOO_LARGE);
	*txn = store_txn_begin(store);
	assert_string_equal(get(*txn, "tom"), "absent");
}

static void values_have_a_limit(void **txn)
{
	struct store *store = store_fixture_store(txn);
	mx_autofree char *value = mx_calloc(1, STORE_VALUE_MAX + 1);
	struct mx_slice got;

	store_txn_put(*txn, &cats, mx_slice("tom"), mx_slice_of(value, STORE_VALUE_MAX));
	store_fixture_commit(txn);
	assert_int_equal(store_txn_get(*txn, &cats, mx_slice("tom"), test_mem, &got), 0);
	assert_int_equal(got.len, STORE_VALUE_MAX);
	store_txn_put(*txn, &cats, mx_slice("kit"), mx_slice_of(value, STORE_VALUE_MAX + 1));
	assert_int_equal(store_txn_commit(*txn, NULL), -MX_TOO_LARGE);
	*txn = store_txn_begin(store);
}

static void the_longest_key_can_be_stored_and_scanned(void **txn)
{
	mx_autofree char *key = mx_calloc(1, STORE_KEY_MAX);
	struct store_range all = { .limit = 1 };
	struct store_rows rows;

	memset(key, 0xFF, STORE_KEY_MAX);
	store_txn_put(*txn, &cats, mx_slice_of(key, STORE_KEY_MAX), mx_slice("x"));
	store_fixture_commit(txn);
	assert_int_equal(store_txn_scan(*txn, &cats, &all, test_mem, &rows), 0);
	assert_int_equal(rows.len, 1);
	all.reverse = true;
	assert_int_equal(store_txn_scan(*txn, &cats, &all, test_mem, &rows), 0);
	assert_int_equal(rows.items[0].key.len, STORE_KEY_MAX);
	store_fixture_commit(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_was_committed_is_there),
		store_test(an_aborted_transaction_leaves_nothing),
		store_test(own_writes_are_seen),
		store_test(tables_do_not_mix),
		store_test(empty_values_and_binary_keys_are_kept),
		store_test(scans_merge_own_writes_in_order),
		store_test(scans_go_on_past_rows_deleted_here),
		store_test(a_deleted_range_is_gone_but_for_later_writes),
		store_test(a_row_changed_since_it_was_read_is_a_conflict),
		store_test(a_row_that_appeared_since_is_a_conflict),
		store_test(the_same_bytes_written_again_are_no_conflict),
		store_test(writes_without_reads_never_conflict),
		store_test(a_phantom_in_a_scanned_range_is_a_conflict),
		store_test(rows_outside_a_scanned_range_are_no_conflict),
		store_test(rows_beyond_the_limit_of_a_scan_are_no_conflict),
		store_test(a_row_deleted_from_a_scanned_range_is_a_conflict),
		store_test(a_transaction_that_only_reads_never_conflicts),
		store_test(an_expected_absence_is_checked_without_a_read),
		store_test(a_view_stays_as_it_was),
		store_test(many_rows_are_asked_for_at_once),
		store_test(the_first_error_sticks),
		store_test(values_have_a_limit),
		store_test(the_longest_key_can_be_stored_and_scanned),
	};
	return cmocka_run_group_tests_name("store/txn", tests, NULL, NULL);
}
