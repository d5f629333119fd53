#include "shared/daemon/console.h"

#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct {
	const char *reason;
	bool as_json;
	int argc;
	char *argv[8];
} line;

/* Words are NULL-ended. */
static bool reads(const char **words)
{
	const struct console_option options[] = {
		{ "--reason", .value = &line.reason },
		{ "--json", .flag = &line.as_json },
		{ 0 },
	};

	line.reason = NULL;
	line.as_json = false;
	for (line.argc = 0; words[line.argc]; line.argc++)
		line.argv[line.argc] = (char *)words[line.argc]; /* stays as it is */
	line.argv[line.argc] = NULL;
	return console_options(&line.argc, line.argv, options);
}

static void options_may_stand_anywhere(void **state)
{
	(void)state;
	assert_true(reads((const char *[]){ "x", "--json", "a", "--reason", "b", "c", NULL }));
	assert_true(line.as_json);
	assert_string_equal(line.reason, "b");
	assert_int_equal(line.argc, 3);
	assert_string_equal(line.argv[1], "a");
	assert_string_equal(line.argv[2], "c");
}

static void words_alone_are_left_as_they_are(void **state)
{
	(void)state;
	assert_true(reads((const char *[]){ "x", "a", NULL }));
	assert_int_equal(line.argc, 2);
	assert_null(line.reason);
	assert_false(line.as_json);
}

static void behind_two_dashes_there_are_only_words(void **state)
{
	(void)state;
	assert_true(reads((const char *[]){ "x", "--", "--json", "--", NULL }));
	assert_false(line.as_json);
	assert_int_equal(line.argc, 3);
	assert_string_equal(line.argv[1], "--json");
	assert_string_equal(line.argv[2], "--");
}

static void what_is_no_option_is_refused(void **state)
{
	(void)state;
	assert_false(reads((const char *[]){ "x", "--jsonx", NULL }));
	assert_false(reads((const char *[]){ "x", "--reason", NULL }));
	assert_false(reads((const char *[]){ "x", "--reason", "a", "--reason", "b", NULL }));
}

static void what_would_steer_the_terminal_is_not_shown(void **state)
{
	json_t *answer = json_pack("{s:s, s:s, s:i}", "good", "Zoë", "bad", "a\033[2J", "n", 1);

	(void)state;
	assert_string_equal(console_word(answer, "good"), "Zoë");
	assert_string_equal(console_word(answer, "bad"), "(unprintable)");
	assert_string_equal(console_word(answer, "n"), "");
	json_decref(answer);
}

static void times_are_for_people(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(console_when(1700000000000, text), "2023-11-14 22:13:20 UTC");
	assert_string_equal(console_when(0, text), "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(words_alone_are_left_as_they_are),
		cmocka_unit_test(behind_two_dashes_there_are_only_words),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(what_would_steer_the_terminal_is_not_shown),
		cmocka_unit_test(times_are_for_people),
	};

	return cmocka_run_group_tests_name("daemon/console", tests, NULL, NULL);
}
