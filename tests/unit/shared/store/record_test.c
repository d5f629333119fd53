#include "shared/store/record.h"

#include "tests/support/store_fixture.h"

static void fields_are_read_back_in_order(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, UINT64_MAX };
	static const int64_t offsets[] = { 0, -1, 1, -64, 64, INT64_MIN, INT64_MAX };
	mx_str_auto out = { 0 };
	struct record_reader reader;

	(void)state;
	record_begin(&out, 3);
	for (size_t i = 0; i < 7; i++) {
		record_put_u64(&out, numbers[i]);
		record_put_i64(&out, offsets[i]);
		record_put_bytes(&out, mx_slice_of("a\0bcdefg", i));
	}
	reader = record_open(mx_str_slice(&out));
	assert_int_equal(reader.version, 3);
	for (size_t i = 0; i < 7; i++) {
		assert_true(record_more(&reader));
		assert_true(record_u64(&reader) == numbers[i]);
		assert_true(record_i64(&reader) == offsets[i]);
		assert_true(mx_slice_eq(record_bytes(&reader), mx_slice_of("a\0bcdefg", i)));
	}
	assert_false(record_more(&reader));
	assert_true(record_ok(&reader));
}

static void stamps_take_eight_bytes_wherever_they_stand(void **state)
{
	mx_str_auto out = { 0 };
	struct record_reader reader;

	(void)state;
	record_begin(&out, 1);
	record_put_u64(&out, 5);
	assert_int_equal(record_put_stamp(&out), 2);
	record_put_known_stamp(&out, UINT64_MAX - 1);
	record_put_u64(&out, 6);
	reader = record_open(mx_str_slice(&out));
	assert_int_equal(record_u64(&reader), 5);
	assert_true(record_stamp(&reader) == 0);
	assert_true(record_stamp(&reader) == UINT64_MAX - 1);
	assert_int_equal(record_u64(&reader), 6);
	assert_true(record_ok(&reader));
	assert_true(record_stamp(&reader) == 0);
	assert_true(record_ok(&reader));
	reader = record_open(MX_SLICE("\1abcdefg"));
	assert_true(record_stamp(&reader) == 0);
	assert_false(record_ok(&reader));
}

static void small_numbers_take_one_byte(void **state)
{
	mx_str_auto out = { 0 };

	(void)state;
	record_put_u64(&out, 127);
	record_put_i64(&out, -64);
	assert_int_equal(out.len, 2);
}

static void fields_that_an_older_writer_lacked_are_zero(void **state)
{
	struct record_reader reader = record_open(MX_SLICE("\1\5"));

	(void)state;
	assert_int_equal(record_u64(&reader), 5);
	assert_int_equal(record_u64(&reader), 0);
	assert_int_equal(record_i64(&reader), 0);
	assert_int_equal(record_bytes(&reader).len, 0);
	assert_true(record_ok(&reader));
}

static void an_empty_value_is_no_record(void **state)
{
	struct record_reader reader = record_open((struct mx_slice){ 0 });

	(void)state;
	assert_int_equal(record_u64(&reader), 0);
	assert_false(record_ok(&reader));
}

static void a_number_cut_short_breaks_the_record(void **state)
{
	struct record_reader reader = record_open(MX_SLICE("\1\x80"));

	(void)state;
	assert_int_equal(record_u64(&reader), 0);
	assert_false(record_ok(&reader));
	assert_int_equal(record_u64(&reader), 0);
}

static void a_number_beyond_64_bits_breaks_the_record(void **state)
{
	struct record_reader reader = record_open(
		MX_SLICE("\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));

	(void)state;
	record_u64(&reader);
	assert_false(record_ok(&reader));
}

static void bytes_longer_than_the_record_break_it(void **state)
{
	struct record_reader reader = record_open(MX_SLICE("\1\5abcd"));

	(void)state;
	assert_int_equal(record_bytes(&reader).len, 0);
	assert_false(record_ok(&reader));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_back_in_order),
		cmocka_unit_test(stamps_take_eight_bytes_wherever_they_stand),
		cmocka_unit_test(small_numbers_take_one_byte),
		cmocka_unit_test(fields_that_an_older_writer_lacked_are_zero),
		cmocka_unit_test(an_empty_value_is_no_record),
		cmocka_unit_test(a_number_cut_short_breaks_the_record),
		cmocka_unit_test(a_number_beyond_64_bits_breaks_the_record),
		cmocka_unit_test(bytes_longer_than_the_record_break_it),
	};
	return cmocka_run_group_tests_name("store/record", tests, NULL, NULL);
}
