#include "homeserver/timeline/sync_token.h"

#include "homeserver/timeline/page_token.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_token_says_what_it_was_made_of(void **state)
{
	const struct sync_token token = { .position = INT64_MAX, .tick = 1795296000000 };
	struct sync_token again;
	mx_str_auto text = { 0 };

	(void)state;
	sync_token_add(&text, &token);
	assert_string_equal(text.ptr, "s9223372036854775807_1795296000000");
	assert_int_equal(sync_token_parse(mx_str_slice(&text), &again, NULL), 0);
	assert_int_equal(again.position, token.position);
	assert_int_equal(again.tick, token.tick);
}

static void what_is_no_token_of_sync_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"s",
		"s1",
		"s_",
		"s1_",
		"s_1",
		"1_1",
		"t1_1",
		"S1_1",
		"s01_1",
		"s1_01",
		"s-1_1",
		"s1_-1",
		"s-0_1",
		"s+1_1",
		" s1_1",
		"s1_1 ",
		"s1_1_1",
		"s1.1",
		"s0x1_1",
		"s1e1_1",
		"m1~2_3",
		"s9223372036854775808_1",
		"s1_00000000000000000000000000000000000000000001",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mx_error err = { 0 };
		struct sync_token token;

		assert_int_equal(sync_token_parse(mx_slice(texts[i]), &token, &err),
				 -MX_INVALID_PARAM);
		assert_string_equal(err.text, "That is no token of /sync");
	}
}

static void a_place_in_a_room_has_one_token(void **state)
{
	const struct topo_place place = { .depth = 12, .rseq = INT64_MIN };
	struct topo_place again;
	mx_str_auto text = { 0 };

	(void)state;
	page_token_add(&text, place);
	assert_string_equal(text.ptr, "t12_-9223372036854775808");
	assert_int_equal(page_token_parse(mx_str_slice(&text), &again, NULL), 0);
	assert_int_equal(again.depth, place.depth);
	assert_true(again.rseq == place.rseq);
}

static void what_is_no_place_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"t",
		"t_",
		"t1",
		"t1_",
		"t_1",
		"s1_1",
		"t01_1",
		"t1_-0",
		"t1_-01",
		"t--1_1",
		"t1_1_1",
		"t1_9223372036854775808",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct topo_place place;

		assert_int_equal(page_token_parse(mx_slice(texts[i]), &place, NULL),
				 -MX_INVALID_PARAM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_what_it_was_made_of),
		cmocka_unit_test(what_is_no_token_of_sync_is_refused),
		cmocka_unit_test(a_place_in_a_room_has_one_token),
		cmocka_unit_test(what_is_no_place_is_refused),
	};

	return cmocka_run_group_tests_name("sync/sync_token", tests, NULL, NULL);
}
