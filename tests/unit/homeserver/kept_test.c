#include "homeserver/kept.h"

#include "shared/core/alloc.h"
#include "shared/http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int freed[2];

static void free_one(void *thing)
{
	freed[0]++;
	mx_free(thing);
}

static void free_other(void *thing)
{
	freed[1]++;
	mx_free(thing);
}

static int begin(void **state)
{
	(void)state;
	freed[0] = freed[1] = 0;
	return 0;
}

static void end(struct req *r)
{
	if (r->kept_free)
		r->kept_free(r->kept);
}

static void things_are_told_apart_by_what_frees_them(void **state)
{
	struct req r = { 0 };
	void *one = mx_alloc(1), *other = mx_alloc(1);

	(void)state;
	assert_null(kept_find(&r, free_one));
	kept_add(&r, one, free_one);
	kept_add(&r, other, free_other);
	assert_ptr_equal(kept_find(&r, free_one), one);
	assert_ptr_equal(kept_find(&r, free_other), other);
	end(&r);
	assert_int_equal(freed[0], 1);
	assert_int_equal(freed[1], 1);
}

static void what_is_dropped_is_freed_once_and_gone(void **state)
{
	struct req r = { 0 };

	(void)state;
	kept_add(&r, mx_alloc(1), free_one);
	kept_add(&r, mx_alloc(1), free_other);
	kept_drop(&r, free_one);
	assert_int_equal(freed[0], 1);
	assert_null(kept_find(&r, free_one));
	kept_drop(&r, free_one);
	kept_add(&r, mx_alloc(1), free_one);
	assert_non_null(kept_find(&r, free_one));
	end(&r);
	assert_int_equal(freed[0], 2);
	assert_int_equal(freed[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(things_are_told_apart_by_what_frees_them, begin),
		cmocka_unit_test_setup(what_is_dropped_is_freed_once_and_gone, begin),
	};

	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
