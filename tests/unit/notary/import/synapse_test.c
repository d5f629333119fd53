#include "notary/import/import_source.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <sqlite3.h>
#include <unistd.h>

#define TABLE "CREATE TABLE server_keys_json (server_name, ts_added_ms, key_json);"

static int visit(void *ctx, struct mx_slice server, struct mx_slice object, struct mx_error *err)
{
	struct mx_str *seen = ctx;

	(void)err;
	mx_str_addf(seen, "%.*s %zu ", MX_SLICE_ARG(server), object.len);
	mx_str_add_slice(seen, object);
	mx_str_add_char(seen, '\n');
	return 0;
}

static int visit_none(void *ctx, struct mx_slice server, struct mx_slice object,
		      struct mx_error *err)
{
	unsigned *visits = ctx;

	(void)server;
	(void)object;
	(*visits)++;
	return mx_fail(err, MX_REMOTE_FAILED, "no daemon");
}

static void refuse(void *ctx, struct mx_slice what, const char *why)
{
	(void)ctx;
	fail_msg("%.*s: %s", MX_SLICE_ARG(what), why);
}

/* A database made by these statements, read. */
static int read_database(const char *sql, const struct import_visitor *visitor,
			 struct mx_error *err)
{
	char path[] = "/tmp/trinity-sqlite-XXXXXX";
	sqlite3 *database;
	int rc;

	close(mkstemp(path));
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
	rc = import_synapse(path, visitor, err);
	unlink(path);
	return rc;
}

static void rows_come_oldest_first_as_they_are(void **state)
{
	mx_str_auto seen = { 0 };
	const struct import_visitor visitor = { visit, refuse, &seen };

	(void)state;
	assert_int_equal(read_database(TABLE "INSERT INTO server_keys_json VALUES"
					     "('late.example', 9, x'7b7d'),"
					     "('text.example', 2, '{\"ü\":1}'),"
					     "('first.example', 1, x'00ff');",
				       &visitor, NULL),
			 0);
	assert_int_equal(seen.len, strlen("first.example 2 xx\ntext.example 8 {\"ü\":1}\n"
					  "late.example 2 {}\n"));
	assert_memory_equal(seen.ptr, "first.example 2 \0\xff\n", 19);
	assert_string_equal(seen.ptr + 19, "text.example 8 {\"ü\":1}\nlate.example 2 {}\n");
}

static void what_is_null_is_empty(void **state)
{
	mx_str_auto seen = { 0 };
	const struct import_visitor visitor = { visit, refuse, &seen };

	(void)state;
	assert_int_equal(read_database(TABLE "INSERT INTO server_keys_json VALUES (NULL, 1, NULL);",
				       &visitor, NULL),
			 0);
	assert_string_equal(seen.ptr, " 0 \n");
}

static void a_visitor_that_fails_ends_the_reading(void **state)
{
	unsigned visits = 0;
	const struct import_visitor visitor = { visit_none, refuse, &visits };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(read_database(TABLE "INSERT INTO server_keys_json VALUES"
					     "('a', 1, '1'), ('b', 2, '2');",
				       &visitor, &err),
			 -MX_REMOTE_FAILED);
	assert_int_equal(visits, 1);
	assert_string_equal(err.text, "no daemon");
}

static void a_database_without_the_table_is_none_of_synapses(void **state)
{
	const struct import_visitor visitor = { visit, refuse, NULL };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(read_database("CREATE TABLE other (a);", &visitor, &err),
			 -MX_INVALID_PARAM);
	assert_string_equal(err.text, "No Synapse database: no such table: server_keys_json");
}

/* Opened for reading only: a name that is wrong makes no file. */
static void a_file_that_is_not_there_is_not_made(void **state)
{
	const struct import_visitor visitor = { visit, refuse, NULL };
	char path[] = "/tmp/trinity-sqlite-XXXXXX";
	struct mx_error err = { 0 };

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(import_synapse(path, &visitor, &err), -MX_INVALID_PARAM);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_oldest_first_as_they_are),
		cmocka_unit_test(what_is_null_is_empty),
		cmocka_unit_test(a_visitor_that_fails_ends_the_reading),
		cmocka_unit_test(a_database_without_the_table_is_none_of_synapses),
		cmocka_unit_test(a_file_that_is_not_there_is_not_made),
	};

	return cmocka_run_group_tests_name("notary/import/synapse", tests, NULL, NULL);
}
