#include "identity/source/source_kind.h"

#include "shared/core/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define LEN 3

static const struct threepid asked[LEN] = {
	{ "email", "ann@example.org" },
	{ "msisdn", "447700900123" },
	{ "email", "bob@example.org" },
};

static void answer(const char *const users[LEN], const char *medium, const char *address)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct source_question question = {
		.threepids = asked, .len = LEN, .mem = mem, .users = (const char **)users
	};
	const struct threepid as_written = { medium, address };

	source_answer(&question, &as_written, "@new:here");
}

static void an_address_is_known_however_it_is_written(void **state)
{
	const char *users[LEN] = { NULL };

	(void)state;
	answer(users, "email", "Ann@Example.ORG");
	answer(users, "msisdn", "+44 7700 900123");
	assert_string_equal(users[0], "@new:here");
	assert_string_equal(users[1], "@new:here");
	assert_null(users[2]);
}

static void what_was_not_asked_for_is_not_believed(void **state)
{
	const char *users[LEN] = { NULL };

	(void)state;
	answer(users, "email", "eve@example.org");
	answer(users, "msisdn", "ann@example.org");
	answer(users, "email", "");
	for (int i = 0; i < LEN; i++)
		assert_null(users[i]);
}

static void the_first_answer_counts(void **state)
{
	const char *users[LEN] = { "@old:here" };

	(void)state;
	answer(users, "email", "ann@example.org");
	assert_string_equal(users[0], "@old:here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_known_however_it_is_written),
		cmocka_unit_test(what_was_not_asked_for_is_not_believed),
		cmocka_unit_test(the_first_answer_counts),
	};

	return cmocka_run_group_tests_name("identity/source/source_kind", tests, NULL, NULL);
}
