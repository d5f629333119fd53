#include "identity/names.h"

#include "identity/identity_conf.h"
#include "shared/core/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ROUNDS 2000

static char subdomains[] = "*.good.test", one_server[] = "one.test", other[] = "not.good.test";
static char nothing[] = "", word[] = "CaSiNo", street[] = "STRASSE";
static char *good[] = { subdomains, one_server };
static char *bad[] = { other };
static char *words[] = { nothing, word, street };

static void without_a_list_everybody_may_come(void **state)
{
	const struct identity_conf conf = { 0 };
	struct names *names = names_new(&conf);

	(void)state;
	assert_true(names_may_come(names, "anybody.test"));
	assert_false(names_has(names, NAMES_BLOCKED_ROOMS, MX_SLICE("!room:x.test")));
	assert_false(names_has_word_in(names, "a casino"));
	names_free(names);
}

static void who_is_denied_may_not_come_though_allowed(void **state)
{
	const struct identity_conf conf = {
		.homeservers = { .allow = good, .allow_count = 2, .deny = bad, .deny_count = 1 },
	};
	struct names *names = names_new(&conf);

	(void)state;
	assert_true(names_may_come(names, "hs.good.test"));
	assert_true(names_may_come(names, "one.test"));
	assert_false(names_may_come(names, "two.test"));
	assert_false(names_may_come(names, "not.good.test"));
	names_free(names);
}

static void words_are_found_in_any_case(void **state)
{
	const struct identity_conf conf = {
		.invites = { .block_keywords = words, .block_keywords_count = 3 },
	};
	struct names *names = names_new(&conf);

	(void)state;
	assert_true(names_has_word_in(names, "the CASINO of"));
	assert_true(names_has_word_in(names, "Lange Straße"));
	assert_false(names_has_word_in(names, "cas ino"));
	assert_false(names_has_word_in(names, "")); /* an empty word is in no text */
	names_free(names);
}

static void *read_them(void *ctx)
{
	struct names *names = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		names_may_come(names, "not.good.test");
		names_has_word_in(names, "casino");
		names_has(names, NAMES_DENIED_HOMESERVERS, MX_SLICE("not.good.test"));
	}
	return NULL;
}

static void lists_change_while_they_are_read(void **state)
{
	const struct identity_conf none = { 0 };
	const struct identity_conf some = {
		.homeservers = { .deny = bad, .deny_count = 1 },
		.invites = { .block_keywords = words, .block_keywords_count = 3 },
	};
	struct names *names = names_new(&none);
	pthread_t reader = mx_thread_start("reader", read_them, names);

	(void)state;
	for (int i = 0; i < ROUNDS / 20; i++)
		names_set(names, i % 2 ? &none : &some);
	names_set(names, &some);
	pthread_join(reader, NULL);
	assert_false(names_may_come(names, "not.good.test"));
	assert_true(names_may_come(names, "other.test"));
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_list_everybody_may_come),
		cmocka_unit_test(who_is_denied_may_not_come_though_allowed),
		cmocka_unit_test(words_are_found_in_any_case),
		cmocka_unit_test(lists_change_while_they_are_read),
	};
	return cmocka_run_group_tests_name("identity/names", tests, NULL, NULL);
}
