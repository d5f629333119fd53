/* wrap: daemon_ask */
#include "notary/commands.h"

#include "notary/notary_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/command_mock.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <unistd.h>

static int run(const char *line, struct mx_str *said)
{
	static const struct notary_conf conf;

	return command_run(notary_commands, &conf, line, said);
}

static void asks(const char *line, const char *expected)
{
	command_mock_reset(NULL);
	assert_int_equal(run(line, NULL), EXIT_SUCCESS);
	assert_string_equal(played.asked.ptr, expected);
}

static void each_command_asks_for_one_thing(void **state)
{
	(void)state;
	asks("overview", "GET /admin/v1/overview");
	asks("inspect a.example", "GET /admin/v1/servers/a.example");
	asks("conflicts", "GET /admin/v1/conflicts");
	asks("audit", "GET /admin/v1/audit");
	asks("deny a.example spam", "PUT /admin/v1/servers/a.example/deny {\"reason\":\"spam\"}");
	asks("undeny a.example", "DELETE /admin/v1/servers/a.example/deny");
	asks("unpin a.example", "DELETE /admin/v1/servers/a.example/pin");
	asks("purge a.example why 7",
	     "POST /admin/v1/servers/a.example/purge {\"reason\":\"why\",\"number\":7}");
	asks("prefetch a.example b.example", "POST /admin/v1/servers/a.example/prefetch\n"
					     "POST /admin/v1/servers/b.example/prefetch");
	asks("prefetch --stop a.example", "DELETE /admin/v1/servers/a.example/prefetch");
}

static void names_are_encoded_in_paths(void **state)
{
	(void)state;
	asks("inspect [::1]:8448", "GET /admin/v1/servers/%5B%3A%3A1%5D%3A8448");
	asks("undeny a/../b?c", "DELETE /admin/v1/servers/a%2F..%2Fb%3Fc/deny");
}

static void a_wrong_command_line_asks_nobody(void **state)
{
	static const char *const lines[] = {
		"inspect",       "inspect a b",    "deny a",          "pin a b c",
		"purge a why x", "purge a",        "purge a why 0",   "prefetch",
		"conflicts x",   "export x",       "import synapse",  "import x y",
		"key",           "key list x",     "prefetch --file", "prefetch --stop",
		"verify",        "refetch --json",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (run(lines[i], NULL) != 2)
			fail_msg("%s", lines[i]);
	assert_int_equal(played.requests, 0);
}

static void a_refusal_is_said_and_fails(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	played.status = 404;
	played.answer = "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"That server has no pins\"}";
	assert_int_equal(run("unpin a.example", &said), EXIT_FAILURE);
	assert_string_equal(said.ptr, "trinity-notary: That server has no pins\n");
}

static void a_daemon_that_is_gone_is_said_and_fails(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	played.rc = -1;
	assert_int_equal(run("overview", &said), EXIT_FAILURE);
	assert_string_equal(said.ptr, "trinity-notary: no answer at unix:/x\n");
}

static void a_refetch_that_failed_fails(void **state)
{
	(void)state;
	played.answer = "{\"result\":\"REMOTE_FAILED\",\"versions\":[]}";
	assert_int_equal(run("refetch a.example", NULL), EXIT_FAILURE);
	assert_int_equal(run("refetch --json a.example", NULL), EXIT_FAILURE);
	played.answer = "{\"result\":\"OK\",\"versions\":[]}";
	assert_int_equal(run("refetch a.example", NULL), EXIT_SUCCESS);
}

static void what_would_steer_the_terminal_is_not_printed(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	played.answer = "{\"conflicts\":[{\"server\":\"a.example\",\"key_id\":\"x:\\u001b[2J\","
			"\"kept\":\"\\u009b31m\",\"refused\":\"a\\nb\"}]}";
	assert_int_equal(run("conflicts", &said), EXIT_SUCCESS);
	assert_null(strchr(said.ptr, 0x1b));
	assert_null(strstr(said.ptr, "\xc2\x9b"));
	assert_non_null(strstr(said.ptr, "CONFLICT (unprintable) of a.example: kept (unprintable), "
					 "refused (unprintable)"));
}

static void an_export_asks_until_there_is_no_next_page(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	played.answer = "{\"objects\":[{\"server\":\"a\",\"object\":\"\u2028\"}],\"next\":null}";
	assert_int_equal(run("export", &said), EXIT_SUCCESS);
	assert_string_equal(said.ptr, "{\"server\":\"a\",\"object\":\"\\u2028\"}\n");
	assert_string_equal(played.asked.ptr, "GET /admin/v1/export");
}

/* ---- import */

static size_t requests_for(const char *line, size_t lines, struct mx_str *said)
{
	char path[] = "/tmp/trinity-import-XXXXXX";
	mx_autofree char *command = NULL;
	FILE *file = fdopen(mkstemp(path), "w");

	for (size_t i = 0; i < lines; i++)
		fprintf(file, "%s\n", line);
	fclose(file);
	command = mx_strf("import trinity %s", path);
	assert_int_equal(run(command, said), EXIT_SUCCESS);
	unlink(path);
	return played.requests;
}

static void an_import_is_sent_in_batches(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	played.answer = "{\"new\":1,\"rejected\":[{\"server\":\"a\",\"reason\":\"unsigned\","
			"\"detail\":\"No signature\"}]}";
	assert_int_equal(requests_for("{\"server\":\"a.example\",\"object\":\"{}\"}", 401, &said),
			 3);
	assert_non_null(strstr(said.ptr, "rejected a: unsigned: No signature\n"));
	assert_non_null(strstr(said.ptr, "401 read, 3 new, 0 renewed, 0 known, 0 conflicting, "
					 "3 rejected\n"));
}

static void what_cannot_be_sent_does_not_stop_an_import(void **state)
{
	mx_str_auto said = { 0 };

	(void)state;
	assert_int_equal(requests_for("{\"server\":\"no name\",\"object\":\"{}\"}", 2, &said), 0);
	assert_string_equal(said.ptr, "rejected a row: bad_name: No Matrix server name\n"
				      "rejected a row: bad_name: No Matrix server name\n"
				      "2 read, 0 new, 0 renewed, 0 known, 0 conflicting, "
				      "2 rejected\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		command_test(each_command_asks_for_one_thing),
		command_test(names_are_encoded_in_paths),
		command_test(a_wrong_command_line_asks_nobody),
		command_test(a_refusal_is_said_and_fails),
		command_test(a_daemon_that_is_gone_is_said_and_fails),
		command_test(a_refetch_that_failed_fails),
		command_test(what_would_steer_the_terminal_is_not_printed),
		command_test(an_export_asks_until_there_is_no_next_page),
		command_test(an_import_is_sent_in_batches),
		command_test(what_cannot_be_sent_does_not_stop_an_import),
	};

	return cmocka_run_group_tests_name("notary/commands", tests, NULL, NULL);
}
