#include "notary/import/import_source.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>

/* What the reading gave: "server=object\n" and "!line 2: why\n". */
struct seen {
	struct mx_str text;
	int rc; /* what visit answers */
};

static int visit(void *ctx, struct mx_slice server, struct mx_slice object, struct mx_error *err)
{
	struct seen *seen = ctx;

	mx_str_addf(&seen->text, "%.*s=%.*s\n", MX_SLICE_ARG(server), MX_SLICE_ARG(object));
	return seen->rc ? mx_fail(err, MX_REMOTE_FAILED, "no daemon") : 0;
}

static void refuse(void *ctx, struct mx_slice what, const char *why)
{
	struct seen *seen = ctx;

	mx_str_addf(&seen->text, "!%.*s: %.8s\n", MX_SLICE_ARG(what), why);
}

static int read_text(const char *text, size_t len, struct seen *seen, struct mx_error *err)
{
	const struct import_visitor visitor = { visit, refuse, seen };
	char path[] = "/tmp/trinity-lines-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	int rc;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	rc = import_lines(path, &visitor, err);
	remove(path);
	return rc;
}

static void check(const char *text, const char *expected)
{
	struct seen seen = { 0 };

	assert_int_equal(read_text(text, strlen(text), &seen, NULL), 0);
	assert_string_equal(seen.text.ptr ? seen.text.ptr : "", expected);
	mx_str_done(&seen.text);
}

static void an_empty_file_holds_nothing(void **state)
{
	(void)state;
	check("", "");
	check("\n \r\n\n", "");
}

static void each_line_is_an_object(void **state)
{
	(void)state;
	check("{\"server\":\"a\",\"object\":\"{\\\"x\\\":1}\",\"number\":3}\n"
	      "{\"object\":\"2\",\"server\":\"b\"}",
	      "a={\"x\":1}\nb=2\n");
}

static void a_bad_line_costs_the_others_nothing(void **state)
{
	(void)state;
	check("{\"server\":\"a\",\"object\":\"1\"}\n{\"server\":\"b\"}\nx\n[]\n"
	      "{\"server\":1,\"object\":\"1\"}\n{\"server\":\"c\",\"object\":\"3\"}\n"
	      "{\"server\":\"cut",
	      "a=1\n!line 2: not_json\n!line 3: not_json\n!line 4: not_json\n"
	      "!line 5: not_json\nc=3\n!line 7: not_json\n");
}

static void a_line_with_nul_is_one_bad_line(void **state)
{
	static const char text[] = "{\"server\":\"a\",\0\n{\"server\":\"b\",\"object\":\"2\"}\n\0";
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(read_text(text, sizeof(text) - 1, &seen, NULL), 0);
	assert_string_equal(seen.text.ptr, "!line 1: not_json\nb=2\n!line 3: not_json\n");
	mx_str_done(&seen.text);
}

static void a_line_that_no_export_writes_is_refused_by_its_length(void **state)
{
	struct mx_str text = { 0 };
	struct seen seen = { 0 };

	(void)state;
	for (size_t i = 0; i < 2000 * 1024; i += 16)
		mx_str_add_text(&text, "                ");
	mx_str_add_text(&text, "{}\n{\"server\":\"a\",\"object\":\"1\"}\n");
	assert_int_equal(read_text(text.ptr, text.len, &seen, NULL), 0);
	assert_string_equal(seen.text.ptr, "!line 1: too_larg\na=1\n");
	mx_str_done(&text);
	mx_str_done(&seen.text);
}

static void a_visitor_that_fails_ends_the_reading(void **state)
{
	static const char text[] = "{\"server\":\"a\",\"object\":\"1\"}\n"
				   "{\"server\":\"b\",\"object\":\"2\"}\n";
	struct seen seen = { .rc = -1 };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(read_text(text, sizeof(text) - 1, &seen, &err), -MX_REMOTE_FAILED);
	assert_string_equal(seen.text.ptr, "a=1\n");
	assert_string_equal(err.text, "no daemon");
	mx_str_done(&seen.text);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	const struct import_visitor visitor = { visit, refuse, NULL };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(import_lines("/nonexistent/file", &visitor, &err), -MX_INVALID_PARAM);
	assert_non_null(strstr(err.text, "/nonexistent/file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_holds_nothing),
		cmocka_unit_test(each_line_is_an_object),
		cmocka_unit_test(a_bad_line_costs_the_others_nothing),
		cmocka_unit_test(a_line_with_nul_is_one_bad_line),
		cmocka_unit_test(a_line_that_no_export_writes_is_refused_by_its_length),
		cmocka_unit_test(a_visitor_that_fails_ends_the_reading),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests_name("notary/import/lines", tests, NULL, NULL);
}
