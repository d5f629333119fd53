#include "shared/threepid/next_link.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *const hosts[] = { "ok.example", "*.fine.example" };
static const struct next_link_rules rules = { hosts, 2, false };

static void an_allowed_host_over_https_is_taken(void **state)
{
	static const char *const good[] = {
		"https://ok.example",
		"https://ok.example/x?a=1",
		"HTTPS://OK.Example:8443/#/x",
		"https://app.fine.example?x",
		"https://ok.example#//evil.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(next_link_check(&rules, good[i], NULL), 0);
}

static void everything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"javascript:alert(1)",
		"file:///etc/passwd",
		"//evil.example",
		"/x",
		"",
		"http://ok.example/",
		"https://evil.example/",
		"https://ok.example.evil.example/",
		"https://fine.example/",
		"https://ok.example@evil.example/",
		"https://evil.example\\@ok.example/",
		"https://evil.example/\\ok.example",
		"https://ok.example:evil/",
		"https://ok.example:1:2/",
		"https:///ok.example",
		"https://:443/",
		"https://ok.example/\r\nSet-Cookie: a=b",
		"https://ok.example/ x",
		"https://ok%2eexample/",
		"https://ok.ex\u00e4mple/",
		" https://ok.example/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(next_link_check(&rules, bad[i], NULL), -MX_INVALID_PARAM);
}

static void without_hosts_nothing_is_allowed(void **state)
{
	const struct next_link_rules none = { .http = true };

	(void)state;
	assert_int_equal(next_link_check(&none, "https://ok.example/", NULL), -MX_INVALID_PARAM);
}

static void http_is_for_those_who_ask_for_it(void **state)
{
	const struct next_link_rules plain = { hosts, 2, true };

	(void)state;
	assert_int_equal(next_link_check(&plain, "http://ok.example/", NULL), 0);
}

static void a_link_has_a_longest_length(void **state)
{
	char link[NEXT_LINK_MAX + 2];

	(void)state;
	memset(link, 'x', sizeof(link));
	memcpy(link, "https://ok.example/", 19);
	link[NEXT_LINK_MAX + 1] = '\0';
	assert_int_equal(next_link_check(&rules, link, NULL), -MX_INVALID_PARAM);
	link[NEXT_LINK_MAX] = '\0';
	assert_int_equal(next_link_check(&rules, link, NULL), 0);
}

static void the_sid_is_appended_once(void **state)
{
	static const char *const cases[][2] = {
		{ "https://ok.example/x?a=1", "https://ok.example/x?a=1&sid=S" },
		{ "https://ok.example/x", "https://ok.example/x?sid=S" },
		{ "https://ok.example/?", "https://ok.example/?sid=S" },
		{ "https://ok.example/#/a?b", "https://ok.example/?sid=S#/a?b" },
		{ "https://ok.example/?sid=S", "https://ok.example/?sid=S" },
		{ "https://ok.example/?nosid=1", "https://ok.example/?nosid=1&sid=S" },
	};
	mx_arena_auto *mem = mx_arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(next_link_with_sid(cases[i][0], "S", mem), cases[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allowed_host_over_https_is_taken),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(without_hosts_nothing_is_allowed),
		cmocka_unit_test(http_is_for_those_who_ask_for_it),
		cmocka_unit_test(a_link_has_a_longest_length),
		cmocka_unit_test(the_sid_is_appended_once),
	};
	return cmocka_run_group_tests_name("shared/threepid/next_link", tests, NULL, NULL);
}
