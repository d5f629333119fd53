#include "homeserver/userdata/account_data.h"

#include "homeserver/call.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/userdata/account_data_db.h"
#include "homeserver/userdata/ignored.h"
#include "homeserver/userdata/tags.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include "tests/support/store_fixture.h"

#include <stdlib.h>

#define ANN  "@ann:here"
#define BOB  "@bob:here"
#define ROOM 7

static const struct store_table *const store_test_tables[] = {
	&account_data_table,
	&account_data_log_table,
	&stream_log_table,
	NULL,
};

static struct hs_call call;

static void use(void **txn)
{
	call.txn = *txn;
}

static int with_mem(void **state)
{
	call = (struct hs_call){ .mem = mx_arena_new(0) };
	return store_fixture_setup(state);
}

static int without_mem(void **state)
{
	mx_arena_free(call.mem);
	return store_fixture_teardown(state);
}

static int put(void **txn, uint32_t room, const char *type, const char *content)
{
	const struct account_data_key key = { ANN, room, type };

	use(txn);
	return account_data_put(&call, &key, mx_slice(content), NULL);
}

static void put_and_commit(void **txn, uint32_t room, const char *type, const char *content)
{
	assert_int_equal(put(txn, room, type, content), 0);
	store_fixture_commit(txn);
	use(txn);
}

static void assert_content(const char *user_id, uint32_t room, const char *type,
			   const char *expected)
{
	const struct account_data_key key = { user_id, room, type };
	struct mx_slice content;

	if (!expected) {
		assert_int_equal(account_data_load(&call, &key, &content), -MX_NOT_FOUND);
		return;
	}
	assert_int_equal(account_data_load(&call, &key, &content), 0);
	assert_true(mx_slice_is(content, expected));
}

/* "type=content type=content" */
static void assert_list(const struct account_data_list *list, const char *expected)
{
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < list->len; i++)
		mx_str_addf(&text, "%s%u:%.*s=%.*s", i ? " " : "", list->items[i].room,
			    MX_SLICE_ARG(list->items[i].type),
			    MX_SLICE_ARG(list->items[i].content));
	assert_string_equal(text.ptr ? text.ptr : "", expected);
}

static void what_is_put_is_its_users_only(void **txn)
{
	put_and_commit(txn, 0, "org.example", "{\"a\":1}");
	assert_content(ANN, 0, "org.example", "{\"a\":1}");
	assert_content(BOB, 0, "org.example", NULL);
	assert_content(ANN, ROOM, "org.example", NULL);
	assert_content(ANN, 0, "org.exampl", NULL);
}

static void changes_come_in_their_order(void **txn)
{
	struct account_data_list list;
	uint64_t position;

	put_and_commit(txn, 0, "z", "1");
	put_and_commit(txn, ROOM, "a", "2");
	assert_int_equal(account_data_changed(&call, ANN, 0, &list), 0);
	assert_list(&list, "0:z=1 7:a=2");
	position = list.items[1].position;

	put_and_commit(txn, ROOM, "b", "3");
	put_and_commit(txn, 0, "z", "4");
	put_and_commit(txn, ROOM, "b", "5");
	assert_int_equal(account_data_changed(&call, ANN, position, &list), 0);
	assert_list(&list, "0:z=4 7:b=5");
	assert_int_equal(account_data_changed(&call, ANN, 0, &list), 0);
	assert_list(&list, "7:a=2 0:z=4 7:b=5");
}

static void a_room_shows_its_own_only(void **txn)
{
	struct account_data_list list;
	uint64_t position;

	put_and_commit(txn, ROOM, "b", "1");
	put_and_commit(txn, ROOM, "a", "2");
	put_and_commit(txn, ROOM + 1, "c", "3");
	put_and_commit(txn, 0, "d", "4");
	assert_int_equal(account_data_changed_in(&call, ANN, ROOM, 0, &list), 0);
	assert_list(&list, "7:b=1 7:a=2");
	position = list.items[0].position;
	assert_int_equal(account_data_changed_in(&call, ANN, ROOM, position, &list), 0);
	assert_list(&list, "7:a=2");
	assert_int_equal(account_data_changed_in(&call, ANN, 0, position, &list), 0);
	assert_list(&list, "0:d=4");
	assert_int_equal(account_data_changed_in(&call, BOB, ROOM, 0, &list), 0);
	assert_int_equal(list.len, 0);
}

static void its_users_sync_hears_of_it(void **txn)
{
	struct stream_rows rows;

	put_and_commit(txn, ROOM, "a", "{}");
	assert_int_equal(stream_db_scan(&call, 0, 10, &rows), 0);
	assert_int_equal(rows.len, 1);
	assert_int_equal(rows.items[0].entry.kind, STREAM_ACCOUNT_DATA);
	assert_int_equal(rows.items[0].entry.room, ROOM);
	assert_true(mx_slice_is(rows.items[0].entry.user, ANN));
	assert_true(rows.items[0].entry.is_private);
}

static void more_than_a_page_is_listed(void **txn)
{
	struct account_data_list list;

	for (uint32_t room = 1; room <= 2500; room++)
		assert_int_equal(put(txn, room, "a", "{}"), 0);
	store_fixture_commit(txn);
	use(txn);
	assert_int_equal(account_data_changed(&call, ANN, 0, &list), 0);
	assert_int_equal(list.len, 2500);
}

static void what_is_too_large_or_too_much_is_refused(void **txn)
{
	mx_autofree char *content = mx_calloc(1, ACCOUNT_DATA_BYTES_MAX + 2);
	mx_autofree char *type = mx_calloc(1, ACCOUNT_DATA_TYPE_MAX + 2);

	memset(content, ' ', ACCOUNT_DATA_BYTES_MAX + 1);
	memset(type, 't', ACCOUNT_DATA_TYPE_MAX + 1);
	assert_int_equal(put(txn, 0, "a", content), -MX_TOO_LARGE);
	assert_int_equal(put(txn, 0, type, "{}"), -MX_INVALID_PARAM);
	assert_int_equal(put(txn, 0, "", "{}"), -MX_INVALID_PARAM);
	for (int i = 0; i < ACCOUNT_DATA_TYPES_MAX; i++) {
		mx_autofree char *name = mx_strf("type.%d", i);

		assert_int_equal(put(txn, 0, name, "{}"), 0);
	}
	assert_int_equal(put(txn, 0, "one.more", "{}"), -MX_TOO_MANY);
	assert_int_equal(put(txn, 0, "type.1", "{\"again\":1}"), 0);
	assert_int_equal(put(txn, ROOM, "one.more", "{}"), 0);
}

static void who_is_erased_leaves_nothing(void **txn)
{
	struct account_data_list list;

	put_and_commit(txn, 0, "a", "{}");
	put_and_commit(txn, ROOM, "b", "{}");
	assert_int_equal(account_data_erase(&call, ANN), 0);
	store_fixture_commit(txn);
	use(txn);
	assert_int_equal(account_data_changed(&call, ANN, 0, &list), 0);
	assert_int_equal(list.len, 0);
	assert_int_equal(account_data_changed(&call, ANN, 1, &list), 0);
	assert_int_equal(list.len, 0);
}

/* ---- whom one ignores */

static void nobody_is_ignored_without_a_list(void **txn)
{
	struct ignored ignored;

	use(txn);
	assert_int_equal(ignored_load(&call, ANN, &ignored), 0);
	assert_false(ignored_has(&ignored, mx_slice(BOB)));
}

static void who_is_listed_is_ignored(void **txn)
{
	struct ignored ignored;

	put_and_commit(txn, 0, "m.ignored_user_list",
		       "{\"ignored_users\":{\"@z:here\":{},\"@b\\u006fb:here\":{\"x\":[1,2]},"
		       "\"@m:here\":{}}}");
	assert_int_equal(ignored_load(&call, ANN, &ignored), 0);
	assert_int_equal(ignored.len, 3);
	assert_true(ignored_has(&ignored, mx_slice(BOB)));
	assert_true(ignored_has(&ignored, mx_slice("@m:here")));
	assert_true(ignored_has(&ignored, mx_slice("@z:here")));
	assert_false(ignored_has(&ignored, mx_slice("@bob:her")));
	assert_int_equal(ignored_load(&call, BOB, &ignored), 0);
	assert_int_equal(ignored.len, 0);
}

static void a_list_of_another_shape_ignores_nobody(void **txn)
{
	static const char *const contents[] = {
		"{}",
		"{\"ignored_users\":[\"@bob:here\"]}",
		"{\"ignored_users\":null}",
		"{\"ignored_users\":{}}",
	};

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		struct ignored ignored;

		assert_int_equal(put(txn, 0, "m.ignored_user_list", contents[i]), 0);
		assert_int_equal(ignored_load(&call, ANN, &ignored), 0);
		assert_int_equal(ignored.len, 0);
		assert_false(ignored_has(&ignored, mx_slice(BOB)));
	}
}

/* ---- tags */

static int tag(void **txn, const char *name, const char *content)
{
	const struct tag_key key = { ANN, ROOM, name };
	json_auto_t *json = json_loads(content, 0, NULL);
	int rc;

	use(txn);
	rc = tags_put(&call, &key, json, NULL);
	store_fixture_commit(txn);
	use(txn);
	return rc;
}

static void assert_tags(const char *expected)
{
	json_auto_t *wanted = json_loads(expected, 0, NULL), *tags = NULL;

	assert_int_equal(tags_load(&call, ANN, ROOM, &tags), 0);
	assert_true(json_equal(tags, wanted));
}

static void tags_are_put_and_removed(void **txn)
{
	use(txn);
	assert_tags("{\"tags\":{}}");
	assert_int_equal(tag(txn, "u.work", "{\"order\":0.5}"), 0);
	assert_int_equal(tag(txn, "m.favourite", "{}"), 0);
	assert_tags("{\"tags\":{\"u.work\":{\"order\":0.5},\"m.favourite\":{}}}");
	assert_int_equal(tag(txn, "u.work", "{\"order\":1,\"own\":[]}"), 0);
	assert_int_equal(tags_remove(&call, &(struct tag_key){ ANN, ROOM, "m.favourite" }, NULL),
			 0);
	assert_int_equal(tags_remove(&call, &(struct tag_key){ ANN, ROOM, "other" }, NULL), 0);
	assert_tags("{\"tags\":{\"u.work\":{\"order\":1,\"own\":[]}}}");
}

static void a_tag_that_may_not_be_is_refused(void **txn)
{
	char name[TAG_NAME_MAX + 2];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tag(txn, name, "{}"), -MX_INVALID_PARAM);
	assert_int_equal(tag(txn, name + 1, "{}"), 0);
	assert_int_equal(tag(txn, "", "{}"), -MX_INVALID_PARAM);
	assert_int_equal(tag(txn, "a", "{\"order\":\"0.5\"}"), -MX_INVALID_PARAM);
	assert_int_equal(tag(txn, "a", "{\"order\":1.01}"), -MX_INVALID_PARAM);
	assert_int_equal(tag(txn, "a", "{\"order\":-1}"), -MX_INVALID_PARAM);
	assert_int_equal(tag(txn, "a", "{\"order\":null}"), -MX_INVALID_PARAM);
	for (int i = 1; i < TAGS_MAX; i++) {
		mx_autofree char *more = mx_strf("u.%d", i);

		assert_int_equal(tag(txn, more, "{}"), 0);
	}
	assert_int_equal(tag(txn, "u.more", "{}"), -MX_TOO_MANY);
	assert_int_equal(tag(txn, "u.1", "{\"order\":0}"), 0);
}

static void tags_follow_into_a_successor_of_the_room(void **txn)
{
	assert_int_equal(tag(txn, "m.favourite", "{}"), 0);
	put_and_commit(txn, ROOM, "org.example", "{\"a\":1}");
	put_and_commit(txn, ROOM, "m.fully_read", "{\"event_id\":\"$x\"}");
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(account_data_copy_room(&call, ANN, ROOM, ROOM + 1), 0);
		store_fixture_commit(txn);
		use(txn);
	}
	assert_content(ANN, ROOM + 1, "m.tag", "{\"tags\":{\"m.favourite\":{}}}");
	assert_content(ANN, ROOM + 1, "org.example", "{\"a\":1}");
	assert_content(ANN, ROOM + 1, "m.fully_read", NULL);
	assert_int_equal(account_data_copy_room(&call, BOB, ROOM, ROOM + 1), 0);
}

#define data_test(function)                                                       \
	cmocka_unit_test_prestate_setup_teardown(function, with_mem, without_mem, \
						 (void *)(uintptr_t)store_test_tables)

int main(void)
{
	const struct CMUnitTest tests[] = {
		data_test(what_is_put_is_its_users_only),
		data_test(changes_come_in_their_order),
		data_test(a_room_shows_its_own_only),
		data_test(its_users_sync_hears_of_it),
		data_test(more_than_a_page_is_listed),
		data_test(what_is_too_large_or_too_much_is_refused),
		data_test(who_is_erased_leaves_nothing),
		data_test(nobody_is_ignored_without_a_list),
		data_test(who_is_listed_is_ignored),
		data_test(a_list_of_another_shape_ignores_nobody),
		data_test(tags_are_put_and_removed),
		data_test(a_tag_that_may_not_be_is_refused),
		data_test(tags_follow_into_a_successor_of_the_room),
	};

	mx_alloc_hook_jansson();
	return cmocka_run_group_tests_name("userdata/account_data", tests, NULL, NULL);
}
