#include "homeserver/ending/ending_db.h"

#include "homeserver/call.h"
#include "homeserver/ending/ending.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

#define store_test_tables ending_tables
#define ANN               "@ann:here.example"

static void what_is_to_be_done_is_read_back(void **txn)
{
	const struct hs_call call = { .txn = *txn, .mem = test_mem };
	struct threepid_binding bindings[] = {
		{ { "email", "ann@example.org" }, "id.example" },
		{ { "msisdn", "447700900001" }, "id.example:8090" },
	};
	const struct ending_row row = { .begun_ms = 77, .bindings = { bindings, 2 } };
	struct ending_row read;

	ending_db_put(&call, ANN, &row);
	assert_int_equal(ending_db_get(&call, ANN, &read), 0);
	assert_int_equal(read.begun_ms, 77);
	assert_int_equal(read.bindings.len, 2);
	assert_string_equal(read.bindings.items[0].threepid.address, "ann@example.org");
	assert_string_equal(read.bindings.items[1].threepid.medium, "msisdn");
	assert_string_equal(read.bindings.items[1].id_server, "id.example:8090");
}

static void what_is_done_is_listed_no_more(void **txn)
{
	const struct hs_call call = { .txn = *txn, .mem = test_mem };
	const struct ending_row row = { .begun_ms = 77 };
	struct ending_users users;
	struct ending_row read;

	ending_db_put(&call, ANN, &row);
	ending_db_put(&call, "@bob:here.example", &row);
	assert_int_equal(ending_db_list(&call, 10, &users), 0);
	assert_int_equal(users.len, 2);
	assert_string_equal(users.items[0], ANN);
	ending_db_delete(&call, ANN);
	assert_int_equal(ending_db_get(&call, ANN, &read), -MX_NOT_FOUND);
	assert_int_equal(ending_db_list(&call, 10, &users), 0);
	assert_int_equal(users.len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_is_to_be_done_is_read_back),
		store_test(what_is_done_is_listed_no_more),
	};

	return cmocka_run_group_tests_name("account/ending_db", tests, NULL, NULL);
}
