#include "shared/core/lru.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void put(struct mx_lru *lru, const char *key, size_t cost)
{
	mx_lru_put(lru, mx_slice(key), mx_strdup(key), cost);
}

static void the_least_recently_used_goes_first(void **state)
{
	struct mx_lru *lru = mx_lru_new(3, 0, mx_free);

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 1);
	put(lru, "c", 1);
	assert_non_null(mx_lru_find(lru, MX_SLICE("a")));
	put(lru, "d", 1);
	assert_null(mx_lru_find(lru, MX_SLICE("b")));
	assert_string_equal(mx_lru_find(lru, MX_SLICE("a")), "a");
	assert_int_equal(mx_lru_len(lru), 3);
	mx_lru_free(lru);
}

static void a_value_past_its_age_is_gone(void **state)
{
	struct mx_lru *lru = mx_lru_new(3, 1000, mx_free);

	(void)state;
	mx_time_fake(0, 5000);
	put(lru, "a", 1);
	mx_time_fake(0, 6000);
	assert_non_null(mx_lru_find(lru, MX_SLICE("a")));
	mx_time_fake(0, 6001);
	assert_null(mx_lru_find(lru, MX_SLICE("a")));
	assert_int_equal(mx_lru_cost(lru), 0);
	mx_time_fake(-1, -1);
	mx_lru_free(lru);
}

static void append_key(void *ctx, struct mx_slice key, void *value)
{
	assert_true(mx_slice_is(key, value));
	mx_str_add_slice(ctx, key);
}

static void a_visit_goes_from_the_newest_to_the_oldest(void **state)
{
	struct mx_lru *lru = mx_lru_new(9, 0, mx_free);
	mx_str_auto seen = { 0 };

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 1);
	put(lru, "c", 1);
	mx_lru_find(lru, MX_SLICE("a"));
	mx_lru_each(lru, append_key, &seen);
	assert_true(mx_slice_is(mx_str_slice(&seen), "acb"));
	mx_lru_free(lru);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(a_value_past_its_age_is_gone),
		cmocka_unit_test(a_visit_goes_from_the_newest_to_the_oldest),
	};
	return cmocka_run_group_tests_name("core/lru", tests, NULL, NULL);
}
