/* wrap: message_mail listed_or_bound threepid_parse */
#include "identity/invite/invite_mail.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

#include <string.h>

static char web_client[] = "https://chat.example.com";

static const char *value_of(struct invite_fixture *f, const char *more, const char *name)
{
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, "a+b@example.com", more, &answer), 0);
	return invite_fixture_value(f, name);
}

static void everything_that_was_sent_is_there(void **state)
{
	struct invite_fixture *f = *state;

	assert_string_equal(value_of(f, "{\"room_avatar_url\":\"mxc://a/b\",\"own\":\"x\"}", "own"),
			    "x");
	assert_string_equal(invite_fixture_value(f, "room_avatar_url"), "mxc://a/b");
}

static void what_we_say_is_not_overruled(void **state)
{
	struct invite_fixture *f = *state;
	const char *more =
		"{\"sender_display_name\":\"Bob\",\"token\":\"theirs\",\"link\":\"https://evil.example\",\"signurl\":"
		"\"https://evil.example\",\"bracketed_verified_sender\":\"(@root:x)\"}";

	assert_int_equal(strlen(value_of(f, more, "token")), 64);
	assert_string_equal(invite_fixture_value(f, "link"), "");
	assert_string_equal(invite_fixture_value(f, "bracketed_verified_sender"),
			    "(@bob:example.com) ");
	assert_true(mx_starts_with(invite_fixture_value(f, "signurl"), "https://id.example.org/"));
}

static void headers_are_not_the_homeservers(void **state)
{
	struct invite_fixture *f = *state;

	value_of(f, "{\"list_unsubscribe\":\"https://evil.example\",\"subject\":\"x\"}", "token");
	assert_null(json_object_get(f->values, "list_unsubscribe"));
	assert_null(json_object_get(f->values, "subject"));
}

static void long_names_are_cut(void **state)
{
	struct invite_fixture *f = *state;

	assert_string_equal(value_of(f,
				     "{\"room_name\":\"123456789012345678901234567890\","
				     "\"sender_display_name\":\"12345678901234567890\"}",
				     "room_name"),
			    "123456789012345678901234567890");
	assert_string_equal(invite_fixture_value(f, "sender_display_name"), "12345678901234567890");
	assert_string_equal(value_of(f,
				     "{\"room_name\":\"äbcdefghijklmnopqrstuvwxyz12345\","
				     "\"sender_display_name\":\"ö23456789012345678901\"}",
				     "room_name"),
			    "äbcdefghijklmnopqrstuvwxy…");
	assert_string_equal(invite_fixture_value(f, "sender_display_name"), "ö234567890123456789…");
	assert_string_equal(invite_fixture_value(f, "bracketed_room_name"),
			    "(äbcdefghijklmnopqrstuvwxy…) ");
}

static void names_are_one_line_in_one_direction(void **state)
{
	struct invite_fixture *f = *state;

	assert_string_equal(
		value_of(f, "{\"room_name\":\"a\\r\\nBcc: x\\u202e\\u0085y\"}", "room_name"),
		"a  Bcc: x y");
	assert_string_equal(value_of(f, "{\"room_name\":\"%(token)s{{7*7}}<b>\"}", "room_name"),
			    "%(token)s{{7*7}}<b>");
}

static void a_room_without_a_name_has_no_brackets(void **state)
{
	assert_string_equal(value_of(*state, NULL, "bracketed_room_name"), "");
	assert_string_equal(value_of(*state, "{\"room_type\":\"m.space\"}", "is_space"), "1");
}

static void without_a_web_client_there_is_no_link(void **state)
{
	assert_string_equal(value_of(*state, NULL, "link"), "");
	assert_string_equal(
		value_of(*state, "{\"org.matrix.web_client_location\":\"javascript:x\"}", "link"),
		"");
}

static void the_link_survives_what_is_in_it(void **state)
{
	struct invite_fixture *f = *state;
	mx_autofree char *expected = NULL;

	f->conf.invites.web_client = web_client;
	value_of(f, "{\"room_id\":\"!a#&+%:b.example\",\"sender_display_name\":\"B & C\"}", "link");
	expected = mx_strf("https://chat.example.com/#/room/%%21a%%23%%26%%2B%%25%%3Ab.example"
			   "?email=a%%2Bb%%40example.com&signurl=https%%3A%%2F%%2Fid.example.org"
			   "%%2F_matrix%%2Fidentity%%2Fapi%%2Fv1%%2Fsign-ed25519%%3Ftoken%%3D%s"
			   "%%26private_key%%3D%s&inviter_name=B%%20%%26%%20C&room_name="
			   "&room_avatar_url=&guest_access_token=&guest_user_id=&room_type=",
			   invite_fixture_value(f, "token"),
			   invite_fixture_value(f, "ephemeral_private_key"));
	assert_string_equal(invite_fixture_value(f, "link"), expected);
}

static void a_homeserver_has_its_own_web_client(void **state)
{
	struct invite_fixture *f = *state;
	const char *more = "{\"org.matrix.web_client_location\":\"https://theirs.example\"}";

	f->conf.invites.web_client = web_client;
	assert_true(mx_starts_with(value_of(f, more, "link"), "https://theirs.example/#/room/"));
	assert_string_equal(invite_fixture_value(f, "web_client_location"),
			    "https://theirs.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(everything_that_was_sent_is_there),
		invite_test(what_we_say_is_not_overruled),
		invite_test(headers_are_not_the_homeservers),
		invite_test(long_names_are_cut),
		invite_test(names_are_one_line_in_one_direction),
		invite_test(a_room_without_a_name_has_no_brackets),
		invite_test(without_a_web_client_there_is_no_link),
		invite_test(the_link_survives_what_is_in_it),
		invite_test(a_homeserver_has_its_own_web_client),
	};
	return cmocka_run_group_tests_name("invite/invite_mail", tests, NULL, NULL);
}
