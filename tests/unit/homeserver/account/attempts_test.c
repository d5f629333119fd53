#include "homeserver/account/attempts.h"

#include "homeserver/account/account_conf.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct login_conf conf = { .failures_burst = 3, .failures_per_minute = 6 };

static int64_t wait(struct attempts *attempts, const char *who)
{
	return attempts_wait_ms(attempts, &conf, mx_slice(who));
}

static void fail_at(struct attempts *attempts, const char *who, unsigned times)
{
	while (times-- > 0)
		attempts_failed(attempts, &conf, mx_slice(who));
}

static int make(void **state)
{
	mx_time_fake(0, 1000000);
	*state = attempts_new();
	return 0;
}

static int unmake(void **state)
{
	attempts_free(*state);
	mx_time_fake(-1, -1);
	return 0;
}

static void a_few_failures_are_nothing(void **state)
{
	assert_int_equal(wait(*state, "@ann:here"), 0);
	fail_at(*state, "@ann:here", 2);
	assert_int_equal(wait(*state, "@ann:here"), 0);
}

static void one_too_many_has_to_wait(void **state)
{
	fail_at(*state, "@ann:here", 3);
	assert_int_equal(wait(*state, "@ann:here"), 10000);
	mx_time_fake(0, 1000000 + 9999);
	assert_int_equal(wait(*state, "@ann:here"), 1);
	mx_time_fake(0, 1000000 + 10000);
	assert_int_equal(wait(*state, "@ann:here"), 0);
}

static void failures_are_ones_own(void **state)
{
	fail_at(*state, "@ann:here", 5);
	assert_int_equal(wait(*state, "@bob:here"), 0);
	assert_int_equal(wait(*state, "192.0.2.1"), 0);
}

static void all_is_forgiven_in_time(void **state)
{
	fail_at(*state, "@ann:here", 5);
	mx_time_fake(0, 1000000 + 60 * MX_MINUTE_MS);
	fail_at(*state, "@ann:here", 2);
	assert_int_equal(wait(*state, "@ann:here"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_few_failures_are_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(one_too_many_has_to_wait, make, unmake),
		cmocka_unit_test_setup_teardown(failures_are_ones_own, make, unmake),
		cmocka_unit_test_setup_teardown(all_is_forgiven_in_time, make, unmake),
	};

	return cmocka_run_group_tests_name("homeserver/account/attempts", tests, NULL, NULL);
}
