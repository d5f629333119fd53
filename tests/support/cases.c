#include "tests/support/cases.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

/* Bits of the number that a colliding key spells, two letters each. */
#define COLLIDING_BITS 20

struct suite {
	struct mx_vec(struct CMUnitTest) tests;
	struct mx_vec(json_t *) files;
	void (*test)(void **state);
};

static void file_load(struct suite *suite, const char *path, const char *stem)
{
	json_error_t why;
	json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why), *one;
	size_t i;

	if (!file) {
		fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
		exit(1);
	}
	mx_vec_push(&suite->files, file);
	json_array_foreach (json_object_get(file, "cases"), i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));
		const struct CMUnitTest test = {
			.name = mx_strf("%s: %s", stem, name ? name : "(no name)"),
			.test_func = suite->test,
			.initial_state = one,
		};

		mx_vec_push(&suite->tests, test);
	}
}

static int is_scenario(const struct dirent *entry)
{
	return mx_ends_with(entry->d_name, ".json");
}

static void folder_load(struct suite *suite, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_scenario, alphasort);

	for (int i = 0; i < count; i++) {
		mx_autofree char *path = mx_strf("%s/%s", folder, entries[i]->d_name);

		file_load(suite, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void suite_done(struct suite *suite)
{
	for (size_t i = 0; i < suite->tests.len; i++)
		mx_free((char *)(uintptr_t)suite->tests.items[i].name);
	for (size_t i = 0; i < suite->files.len; i++)
		json_decref(suite->files.items[i]);
	mx_vec_done(&suite->tests);
	mx_vec_done(&suite->files);
}

int cases_run(const char *folder, void (*test)(void **state))
{
	const char *kind = strrchr(folder, '/') + 1;
	struct suite suite = { .test = test };
	int failed = 1;

	folder_load(&suite, folder);
	if (suite.tests.len)
		failed = _cmocka_run_group_tests(kind, suite.tests.items, suite.tests.len, NULL,
						 NULL);
	else
		fprintf(stderr, "%s holds no case\n", folder);
	suite_done(&suite);
	return failed;
}

static void hex_add(const char *hex, struct mx_str *out)
{
	for (; *hex; hex += 2) {
		const char digits[3] = { hex[0], hex[1], '\0' };
		char *end;
		unsigned long byte = strtoul(digits, &end, 16);

		assert_ptr_equal(end, digits + 2);
		mx_str_add_char(out, (char)byte);
	}
}

/* 'E' * 33 + 'z' equals 'F' * 33 + 'Y'. */
static void colliding_add(unsigned number, struct mx_str *out)
{
	for (unsigned bit = 0; bit < COLLIDING_BITS; bit++)
		mx_str_add_text(out, number >> bit & 1 ? "Ez" : "FY");
}

static void repetition_add(const char *piece, unsigned number, struct mx_str *out)
{
	for (; *piece; piece++) {
		if (*piece == '#')
			mx_str_addf(out, "%u", number);
		else if (*piece == '@')
			colliding_add(number, out);
		else
			mx_str_add_char(out, *piece);
	}
}

static void object_add(const json_t *input, struct mx_str *out)
{
	const char *hex = json_string_value(json_object_get(input, "hex"));
	const char *piece = json_string_value(json_object_get(input, "repeat"));
	json_int_t count = json_integer_value(json_object_get(input, "count"));

	if (hex) {
		hex_add(hex, out);
		return;
	}
	assert_non_null(piece);
	for (unsigned i = 0; i < count; i++)
		repetition_add(piece, i, out);
}

void case_input(const json_t *input, struct mx_str *out)
{
	if (json_is_string(input)) {
		mx_str_add(out, json_string_value(input), json_string_length(input));
		return;
	}
	if (json_is_object(input)) {
		object_add(input, out);
		return;
	}
	assert_true(json_is_array(input));
	for (size_t i = 0; i < json_array_size(input); i++) {
		const json_t *part = json_array_get(input, i);

		assert_false(json_is_array(part));
		case_input(part, out);
	}
}

int case_code(const char *name)
{
	if (!name || streq(name, "OK"))
		return 0;
	for (int code = 1; code < MX_CODE_COUNT; code++)
		if (streq(mx_errc((enum mx_code)code)->name, name))
			return -code;
	fail_msg("%s is no code", name);
	return 0;
}

const char *case_code_name(int rc)
{
	return rc ? mx_errc((enum mx_code) - rc)->name : "OK";
}
