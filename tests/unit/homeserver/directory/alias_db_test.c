#include "homeserver/directory/alias_db.h"

#include "homeserver/call.h"
#include "homeserver/room/block_db.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

static const struct store_table *store_test_tables[4];

static const struct alias cats = { "#cats:here", "!r:here", "@ann:here" };
static const struct alias dogs = { "#dogs:here", "!r:here", "@bob:here" };

static struct hs_call call_in(void **txn)
{
	return (struct hs_call){ .txn = *txn, .mem = test_mem };
}

static void an_alias_leads_to_its_room(void **txn)
{
	struct hs_call call = call_in(txn);
	struct alias alias;

	assert_int_equal(alias_db_load(&call, "#cats:here", &alias), -MX_NOT_FOUND);
	alias_db_put(&call, &cats);
	assert_int_equal(alias_db_load(&call, "#cats:here", &alias), 0);
	assert_string_equal(alias.room_id, "!r:here");
	assert_string_equal(alias.creator, "@ann:here");
}

static void a_room_knows_its_aliases(void **txn)
{
	struct hs_call call = call_in(txn);
	struct alias_list list;

	alias_db_put(&call, &dogs);
	alias_db_put(&call, &cats);
	assert_int_equal(alias_db_list(&call, "!r:here", &list), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[0].name, "#cats:here");
	assert_string_equal(list.items[1].creator, "@bob:here");
	alias_db_delete(&call, &cats);
	assert_int_equal(alias_db_list(&call, "!r:here", &list), 0);
	assert_int_equal(list.len, 1);
	assert_int_equal(alias_db_list(&call, "!r:her", &list), 0);
	assert_int_equal(list.len, 0);
}

static void a_blocked_room_is_remembered_with_the_reason(void **txn)
{
	const struct room_block blocks[] = { { "!a:here", "spam", 5 }, { "!b:there", "", 6 } };
	struct hs_call call = call_in(txn);
	struct room_block_list list;
	struct room_block block;

	assert_int_equal(block_db_load(&call, "!a:here", NULL), -MX_NOT_FOUND);
	block_db_put(&call, &blocks[0]);
	block_db_put(&call, &blocks[1]);
	assert_int_equal(block_db_load(&call, "!a:here", &block), 0);
	assert_string_equal(block.reason, "spam");
	assert_int_equal(block_db_list(&call, "!a:here", 10, &list), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.items[0].room_id, "!b:there");
	block_db_delete(&call, "!a:here");
	assert_int_equal(block_db_load(&call, "!a:here", NULL), -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(an_alias_leads_to_its_room),
		store_test(a_room_knows_its_aliases),
		store_test(a_blocked_room_is_remembered_with_the_reason),
	};

	store_test_tables[0] = alias_tables[0];
	store_test_tables[1] = alias_tables[1];
	store_test_tables[2] = block_tables[0];
	return cmocka_run_group_tests_name("room/alias_db", tests, NULL, NULL);
}
