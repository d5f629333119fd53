/* wrap: mx_utf8_step */
#include "shared/core/glob.h"

#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* glob.c steps once for each '?' and each time it starts over behind a '*'. */
static size_t steps;

size_t __real_mx_utf8_step(struct mx_slice text);
size_t __wrap_mx_utf8_step(struct mx_slice text);

size_t __wrap_mx_utf8_step(struct mx_slice text)
{
	steps++;
	return __real_mx_utf8_step(text);
}

static bool matches(const char *pattern, const char *subject)
{
	return mx_glob_match(mx_slice(pattern), mx_slice(subject));
}

static void plain_text_matches_itself_only(void **state)
{
	(void)state;
	assert_true(matches("", ""));
	assert_true(matches("a.b", "a.b"));
	assert_false(matches("a.b", "axb"));
	assert_false(matches("a", "ab"));
	assert_false(matches("ab", "a"));
	assert_false(matches("", "a"));
	assert_false(matches("A", "a"));
}

static void a_star_is_any_run(void **state)
{
	(void)state;
	assert_true(matches("*", ""));
	assert_true(matches("*", "anything"));
	assert_true(matches("**", ""));
	assert_true(matches("*.example.org", "a.b.example.org"));
	assert_false(matches("*.example.org", "example.org"));
	assert_true(matches("a*c", "ac"));
	assert_true(matches("a*c", "abcbc"));
	assert_false(matches("a*c", "abcb"));
	assert_true(matches("*a*b*", "xxaxxbxx"));
	assert_true(matches("*ab", "aab"));
	assert_true(matches("*aab*", "aaab"));
}

static void a_question_mark_is_one_character(void **state)
{
	(void)state;
	assert_true(matches("?", "a"));
	assert_true(matches("?", "ä"));
	assert_true(matches("?", "😀"));
	assert_false(matches("?", ""));
	assert_false(matches("?", "ab"));
	assert_true(matches("a?c", "abc"));
	assert_true(matches("*?", "a"));
	assert_false(matches("??", "a"));
	assert_true(matches("*?*?*", "ab"));
}

static void broken_text_counts_byte_by_byte(void **state)
{
	(void)state;
	assert_true(matches("??", "\xff\xfe"));
	assert_true(matches("?", "\xff"));
	assert_true(mx_glob_match(MX_SLICE("a?b"), MX_SLICE("a\0b")));
}

static void brackets_and_backslashes_are_plain(void **state)
{
	(void)state;
	assert_true(matches("[a]", "[a]"));
	assert_false(matches("[a]", "a"));
	assert_true(matches("\\*", "\\x"));
}

/* Tries every way: only for tiny texts. */
static bool slow_match(const char *pattern, const char *subject)
{
	if (*pattern == '\0')
		return *subject == '\0';
	if (*pattern == '*')
		return slow_match(pattern + 1, subject) ||
		       (*subject && slow_match(pattern, subject + 1));
	return *subject && (*pattern == '?' || *pattern == *subject) &&
	       slow_match(pattern + 1, subject + 1);
}

static void random_texts(char *text, size_t max, const char *alphabet)
{
	size_t len = mx_random_below((uint32_t)max + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = alphabet[mx_random_below((uint32_t)strlen(alphabet))];
	text[len] = '\0';
}

static void the_answer_is_that_of_trying_everything(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		char pattern[9], subject[9];

		random_texts(pattern, 8, "ab?**");
		random_texts(subject, 8, "ab");
		if (matches(pattern, subject) != slow_match(pattern, subject))
			fail_msg("pattern %s, subject %s", pattern, subject);
	}
}

static size_t steps_of(const char *pattern, const char *subject, bool expected)
{
	steps = 0;
	assert_int_equal(matches(pattern, subject), expected);
	return steps;
}

static void many_stars_do_not_multiply(void **state)
{
	mx_str_auto pattern = { 0 }, subject = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		mx_str_add_text(&pattern, "*a");
	for (int i = 0; i < 65536; i++)
		mx_str_add_char(&subject, 'a');
	assert_true(steps_of(pattern.ptr, subject.ptr, true) <= 2 * subject.len);
	mx_str_add_char(&pattern, 'b');
	assert_true(steps_of(pattern.ptr, subject.ptr, false) <= 2 * subject.len);
	mx_str_add_text(&pattern, "*?");
	assert_true(steps_of(pattern.ptr, subject.ptr, false) <= 2 * subject.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_matches_itself_only),
		cmocka_unit_test(a_star_is_any_run),
		cmocka_unit_test(a_question_mark_is_one_character),
		cmocka_unit_test(broken_text_counts_byte_by_byte),
		cmocka_unit_test(brackets_and_backslashes_are_plain),
		cmocka_unit_test(the_answer_is_that_of_trying_everything),
		cmocka_unit_test(many_stars_do_not_multiply),
	};
	return cmocka_run_group_tests_name("core/glob", tests, NULL, NULL);
}
