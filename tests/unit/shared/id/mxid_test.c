#include "shared/id/mxid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void user_ids_are_taken_apart(void **state)
{
	struct mx_id id;

	(void)state;
	assert_true(mx_user_id_parse(MX_SLICE("@ann/a=b+c:example.org:8448"), true, &id));
	assert_true(mx_slice_is(id.localpart, "ann/a=b+c"));
	assert_true(mx_slice_is(id.server, "example.org:8448"));
}

static void historical_user_ids_are_accepted_unless_strict(void **state)
{
	const char *const historical[] = { "@Ann:h", "@:h", "@\xC3\xA9:h", "@a b\x01:h" };
	struct mx_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(historical) / sizeof(historical[0]); i++) {
		assert_true(mx_user_id_parse(mx_slice(historical[i]), false, &id));
		assert_false(mx_user_id_parse(mx_slice(historical[i]), true, &id));
	}
	assert_true(mx_user_id_parse(MX_SLICE("@:h"), false, &id));
	assert_int_equal(id.localpart.len, 0);
}

static void no_id_holds_a_nul(void **state)
{
	struct mx_id id;

	(void)state;
	assert_false(mx_user_id_parse(MX_SLICE("@a\0b:h"), false, &id));
	assert_false(mx_user_id_parse(MX_SLICE("@a\0b:h"), true, &id));
	assert_false(mx_room_id_parse(MX_SLICE("!a\0b:h"), &id));
	assert_false(mx_event_id_parse(MX_SLICE("$a\0"), &id));
	assert_false(mx_alias_parse(MX_SLICE("#a:h\0"), &id));
}

static void ids_have_at_most_255_bytes(void **state)
{
	char text[257];
	struct mx_id id;

	(void)state;
	snprintf(text, sizeof(text), "@%0252d:h", 0);
	assert_int_equal(strlen(text), 255);
	assert_true(mx_user_id_parse(mx_slice(text), true, &id));
	snprintf(text, sizeof(text), "@%0253d:h", 0);
	assert_false(mx_user_id_parse(mx_slice(text), true, &id));
	text[0] = '$';
	assert_false(mx_event_id_parse(mx_slice(text), &id));
}

static void rooms_and_events_may_have_no_server(void **state)
{
	struct mx_id id;

	(void)state;
	assert_true(
		mx_room_id_parse(MX_SLICE("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"), &id));
	assert_null(id.server.ptr);
	assert_int_equal(id.localpart.len, 43);
	assert_true(
		mx_event_id_parse(MX_SLICE("$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk"), &id));
	assert_int_equal(id.server.len, 0);
	assert_true(mx_room_id_parse(MX_SLICE("!r:h"), &id));
	assert_true(mx_slice_is(id.server, "h"));
}

static void a_colon_asks_for_a_server(void **state)
{
	struct mx_id id;

	(void)state;
	assert_false(mx_room_id_parse(MX_SLICE("!r:"), &id));
	assert_false(mx_event_id_parse(MX_SLICE("$e:"), &id));
	assert_false(mx_event_id_parse(MX_SLICE("$e:a b"), &id));
}

static void key_ids_are_split_at_the_first_colon(void **state)
{
	struct mx_key_id id;

	(void)state;
	assert_true(mx_key_id_parse(MX_SLICE("ed25519:a_1"), &id));
	assert_true(mx_slice_is(id.algorithm, "ed25519"));
	assert_true(mx_slice_is(id.version, "a_1"));
	assert_true(mx_key_id_is_strict(&id));
	assert_true(mx_key_id_parse(MX_SLICE("ed25519:a:b"), &id));
	assert_true(mx_slice_is(id.version, "a:b"));
	assert_false(mx_key_id_is_strict(&id));
}

static void key_ids_have_two_parts(void **state)
{
	const char *const refused[] = { "", ":", "ed25519", "ed25519:", ":a" };
	struct mx_key_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(mx_key_id_parse(mx_slice(refused[i]), &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_ids_are_taken_apart),
		cmocka_unit_test(historical_user_ids_are_accepted_unless_strict),
		cmocka_unit_test(no_id_holds_a_nul),
		cmocka_unit_test(ids_have_at_most_255_bytes),
		cmocka_unit_test(rooms_and_events_may_have_no_server),
		cmocka_unit_test(a_colon_asks_for_a_server),
		cmocka_unit_test(key_ids_are_split_at_the_first_colon),
		cmocka_unit_test(key_ids_have_two_parts),
	};
	return cmocka_run_group_tests_name("id/mxid", tests, NULL, NULL);
}
