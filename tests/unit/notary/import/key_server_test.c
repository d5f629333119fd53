/* wrap: postgres_each */
#include "notary/import/import_source.h"
#include "notary/import/postgres.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#define ADDRESS "postgresql://db.example/keys"
#define COLUMNS 7

/* server, valid_until_ts, the rest of its object, 'k' or 's', key id, value, expired_ts */
static const char *const (*rows)[COLUMNS];
static size_t rows_len;
static int rows_rc;

int __wrap_postgres_each(const char *address, const char *select,
			 int (*visit)(void *ctx, const struct mx_slice *columns,
				      struct mx_error *err),
			 void *ctx, struct mx_error *err);

int __wrap_postgres_each(const char *address, const char *select,
			 int (*visit)(void *ctx, const struct mx_slice *columns,
				      struct mx_error *err),
			 void *ctx, struct mx_error *err)
{
	int rc = rows_rc ? mx_fail(err, MX_INVALID_PARAM, "gone") : 0;

	assert_string_equal(address, ADDRESS);
	assert_non_null(strstr(select, "ORDER BY s.server_name"));
	for (size_t i = 0; rc == 0 && i < rows_len; i++) {
		struct mx_slice columns[POSTGRES_COLUMNS_MAX] = { 0 };

		for (size_t k = 0; k < COLUMNS; k++)
			columns[k] = mx_slice(rows[i][k]);
		rc = visit(ctx, columns, err);
	}
	return rc;
}

static int visit(void *ctx, struct mx_slice server, struct mx_slice object, struct mx_error *err)
{
	struct mx_str *seen = ctx;

	(void)err;
	mx_str_addf(seen, "%.*s %.*s\n", MX_SLICE_ARG(server), MX_SLICE_ARG(object));
	return 0;
}

static void refuse(void *ctx, struct mx_slice what, const char *why)
{
	(void)ctx;
	fail_msg("%.*s: %s", MX_SLICE_ARG(what), why);
}

static void check(const char *const given[][COLUMNS], size_t len, const char *expected)
{
	mx_str_auto seen = { 0 };
	const struct import_visitor visitor = { visit, refuse, &seen };

	rows = given;
	rows_len = len;
	rows_rc = 0;
	assert_int_equal(import_key_server(ADDRESS, &visitor, NULL), 0);
	assert_string_equal(seen.ptr ? seen.ptr : "", expected);
}

static void no_row_gives_no_object(void **state)
{
	(void)state;
	check(NULL, 0, "");
}

static void an_object_is_put_together_from_its_parts(void **state)
{
	static const char *const given[][COLUMNS] = {
		{ "a.example", "17", "{\"z\":[9007199254740991]}", "k", "ed25519:1", "KEY", "0" },
		{ "a.example", "17", "{\"z\":[9007199254740991]}", "k", "ed25519:0", "OLD", "5" },
		{ "a.example", "17", "{\"z\":[9007199254740991]}", "s", "ed25519:1", "SIG", "0" },
	};

	(void)state;
	check(given, 3,
	      "a.example {\"old_verify_keys\":{\"ed25519:0\":{\"expired_ts\":5,\"key\":\"OLD\"}},"
	      "\"server_name\":\"a.example\",\"signatures\":{\"a.example\":{\"ed25519:1\":\"SIG\"}},"
	      "\"valid_until_ts\":17,\"verify_keys\":{\"ed25519:1\":{\"key\":\"KEY\"}},"
	      "\"z\":[9007199254740991]}\n");
}

static void each_server_has_an_object_of_its_own(void **state)
{
	static const char *const given[][COLUMNS] = {
		{ "a.example", "1", "{}", "k", "ed25519:1", "A", "0" },
		{ "b.example", "2", "{}", "k", "ed25519:1", "B", "0" },
	};

	(void)state;
	check(given, 2,
	      "a.example {\"old_verify_keys\":{},\"server_name\":\"a.example\",\"valid_until_ts\":1,"
	      "\"verify_keys\":{\"ed25519:1\":{\"key\":\"A\"}}}\n"
	      "b.example {\"old_verify_keys\":{},\"server_name\":\"b.example\",\"valid_until_ts\":2,"
	      "\"verify_keys\":{\"ed25519:1\":{\"key\":\"B\"}}}\n");
}

/* The columns win: that is what was verified before it was taken apart. */
static void the_rest_of_an_object_cannot_replace_its_parts(void **state)
{
	static const char *const given[][COLUMNS] = {
		{ "a.example", "1", "{\"server_name\":\"b.example\",\"verify_keys\":[]}", "k",
		  "ed25519:1", "A", "0" },
		{ "c.example", "1", "no JSON", "k", "ed25519:1", "C", "0" },
	};

	(void)state;
	check(given, 2,
	      "a.example {\"old_verify_keys\":{},\"server_name\":\"a.example\",\"valid_until_ts\":1,"
	      "\"verify_keys\":{\"ed25519:1\":{\"key\":\"A\"}}}\n"
	      "c.example {\"old_verify_keys\":{},\"server_name\":\"c.example\",\"valid_until_ts\":1,"
	      "\"verify_keys\":{\"ed25519:1\":{\"key\":\"C\"}}}\n");
}

static void only_postgresql_is_read(void **state)
{
	const struct import_visitor visitor = { visit, refuse, NULL };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(import_key_server("/some/file", &visitor, &err), -MX_INVALID_PARAM);
	assert_string_equal(err.text, "/some/file is no postgresql:// address");
}

static void a_database_that_fails_gives_its_reason(void **state)
{
	const struct import_visitor visitor = { visit, refuse, NULL };
	struct mx_error err = { 0 };

	(void)state;
	rows_rc = -1;
	assert_int_equal(import_key_server(ADDRESS, &visitor, &err), -MX_INVALID_PARAM);
	assert_string_equal(err.text, "gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_row_gives_no_object),
		cmocka_unit_test(an_object_is_put_together_from_its_parts),
		cmocka_unit_test(each_server_has_an_object_of_its_own),
		cmocka_unit_test(the_rest_of_an_object_cannot_replace_its_parts),
		cmocka_unit_test(only_postgresql_is_read),
		cmocka_unit_test(a_database_that_fails_gives_its_reason),
	};

	return cmocka_run_group_tests_name("notary/import/key_server", tests, NULL, NULL);
}
