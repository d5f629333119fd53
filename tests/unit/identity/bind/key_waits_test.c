#include "identity/bind/key_waits.h"

#include "shared/core/error.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int enter(struct key_waits *waits, const char *client, unsigned *ret_place)
{
	struct mx_error err = { 0 };
	int rc = key_waits_enter(waits, client, ret_place, &err);

	assert_true(rc == 0 || err.retry_after_ms > 0);
	return rc;
}

static void a_network_has_an_eighth_of_the_threads(void **state)
{
	struct key_waits *waits = key_waits_new(16);
	unsigned first, second, other;

	(void)state;
	assert_int_equal(enter(waits, "192.0.2.1", &first), 0);
	assert_int_equal(enter(waits, "192.0.2.200", &second), 0);
	assert_int_not_equal(first, second);
	assert_int_equal(enter(waits, "192.0.2.3", &other), -MX_LIMIT_EXCEEDED);
	assert_int_equal(enter(waits, "198.51.100.1", &other), 0);
	key_waits_leave(waits, first);
	assert_int_equal(enter(waits, "192.0.2.3", &other), 0);
	assert_int_equal(other, first);
	key_waits_free(waits);
}

static void all_networks_have_half_of_the_threads(void **state)
{
	struct key_waits *waits = key_waits_new(16);
	char client[32];
	unsigned place;

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(client, sizeof(client), "192.0.%d.1", i);
		assert_int_equal(enter(waits, client, &place), 0);
	}
	assert_int_equal(enter(waits, "198.51.100.1", &place), -MX_LIMIT_EXCEEDED);
	key_waits_leave(waits, place);
	assert_int_equal(enter(waits, "198.51.100.1", &place), 0);
	key_waits_free(waits);
}

static void one_thread_is_enough(void **state)
{
	struct key_waits *waits = key_waits_new(1);
	unsigned place;

	(void)state;
	assert_int_equal(enter(waits, "2001:db8::1", &place), 0);
	assert_int_equal(enter(waits, "198.51.100.1", &place), -MX_LIMIT_EXCEEDED);
	key_waits_free(waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_has_an_eighth_of_the_threads),
		cmocka_unit_test(all_networks_have_half_of_the_threads),
		cmocka_unit_test(one_thread_is_enough),
	};
	return cmocka_run_group_tests_name("identity/bind/key_waits", tests, NULL, NULL);
}
