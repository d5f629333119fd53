#include "homeserver/media/media_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_part(const char *header, uint64_t size, uint64_t from, uint64_t len)
{
	uint64_t has_from = 77, has_len = 77;

	assert_int_equal(media_range_parse(header, size, &has_from, &has_len), RANGE_PART);
	assert_int_equal(has_from, from);
	assert_int_equal(has_len, len);
}

static void assert_want(const char *header, uint64_t size, enum range_want want)
{
	uint64_t from = 0, len = 0;

	assert_int_equal(media_range_parse(header, size, &from, &len), want);
}

static void one_range_is_a_part(void **state)
{
	(void)state;
	assert_part("bytes=0-9", 100, 0, 10);
	assert_part("bytes=90-", 100, 90, 10);
	assert_part("bytes=-10", 100, 90, 10);
	assert_part("bytes=99-99", 100, 99, 1);
}

static void a_range_ends_where_the_bytes_end(void **state)
{
	(void)state;
	assert_part("bytes=90-9223372036854775807", 100, 90, 10);
	assert_part("bytes=-1000", 100, 0, 100);
}

static void what_is_not_there_is_wrong(void **state)
{
	(void)state;
	assert_want("bytes=100-", 100, RANGE_WRONG);
	assert_want("bytes=-0", 100, RANGE_WRONG);
	assert_want("bytes=0-0", 0, RANGE_WRONG);
	assert_want("bytes=-5", 0, RANGE_WRONG);
}

static void what_is_no_range_is_wrong(void **state)
{
	static const char *const wrong[] = {
		"bytes=9-1", "bytes=",     "bytes=-",
		"bytes=x-1", "bytes=1-x",  "bytes=--1",
		"bytes=5",   "bytes=1--2", "bytes=18446744073709551616-"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_want(wrong[i], 100, RANGE_WRONG);
}

static void several_ranges_and_other_units_are_the_whole(void **state)
{
	(void)state;
	assert_want(NULL, 100, RANGE_WHOLE);
	assert_want("bytes=0-1,5-6", 100, RANGE_WHOLE);
	assert_want("lines=0-1", 100, RANGE_WHOLE);
	assert_want("", 100, RANGE_WHOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_range_is_a_part),
		cmocka_unit_test(a_range_ends_where_the_bytes_end),
		cmocka_unit_test(what_is_not_there_is_wrong),
		cmocka_unit_test(what_is_no_range_is_wrong),
		cmocka_unit_test(several_ranges_and_other_units_are_the_whole),
	};

	return cmocka_run_group_tests_name("media/media_range", tests, NULL, NULL);
}
