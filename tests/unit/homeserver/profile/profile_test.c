#include "homeserver/profile/profile.h"

#include "homeserver/account/account.h"
#include "homeserver/profile/profile_db.h"
#include "homeserver/registration/register.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"

static int set(struct hs_fixture *f, const char *key, json_t *value)
{
	int rc = profile_set(&f->call, ANN, key, value, NULL);

	json_decref(value);
	hs_fixture_write(f);
	return rc;
}

static json_t *text_of(char c, size_t len)
{
	mx_autofree char *text = mx_alloc(len + 1);

	memset(text, c, len);
	text[len] = '\0';
	return json_string(text);
}

static void assert_profile(struct hs_fixture *f, const char *expected)
{
	json_auto_t *wanted = json_loads(expected, 0, NULL), *profile = NULL;

	assert_int_equal(profile_load(&f->call, ANN, &profile), 0);
	assert_true(json_equal(profile, wanted));
}

static size_t changes_of(struct hs_fixture *f, struct profile_change_list *list)
{
	assert_int_equal(profile_change_db_list(&f->call, 10, list), 0);
	return list->len;
}

static void fields_are_set_and_removed(void **state)
{
	struct hs_fixture *f = *state;

	assert_int_equal(set(f, "displayname", json_string("Ann")), 0);
	assert_int_equal(set(f, "avatar_url", json_string("mxc://here.example/abc")), 0);
	assert_int_equal(set(f, "m.tz", json_string("Europe/Paris")), 0);
	assert_int_equal(set(f, "org.example.x", json_pack("{s:[i,n]}", "a", 1)), 0);
	assert_profile(f, "{\"displayname\":\"Ann\",\"avatar_url\":\"mxc://here.example/abc\","
			  "\"m.tz\":\"Europe/Paris\",\"org.example.x\":{\"a\":[1,null]}}");
	assert_int_equal(set(f, "org.example.x", json_null()), 0);
	assert_int_equal(set(f, "displayname", json_string("")), 0);
	assert_int_equal(set(f, "avatar_url", NULL), 0);
	assert_int_equal(set(f, "avatar_url", NULL), 0);
	assert_profile(f, "{\"m.tz\":\"Europe/Paris\",\"org.example.x\":null}");
}

static void fields_have_names_of_their_grammar(void **state)
{
	struct hs_fixture *f = *state;
	static const char *const wrong[] = { "",    "custom",  "Org.example", "org.Example",
					     "1.a", "org.é.x", "org.a b",     ".a" };
	mx_autofree char *longest = mx_strf("org.%0251d", 0), *too_long = mx_strf("org.%0252d", 0);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(set(f, wrong[i], json_true()), -MX_INVALID_PARAM);
	assert_int_equal(set(f, longest, json_true()), 0);
	assert_int_equal(set(f, too_long, json_true()), -MX_KEY_TOO_LARGE);
	assert_int_equal(set(f, "org.ex-ample.a_b", json_true()), 0);
}

static void names_and_avatars_have_their_shape(void **state)
{
	struct hs_fixture *f = *state;
	static const char *const wrong[] = {
		"http://here.example/abc",
		"mxc://",
		"mxc://here.example",
		"mxc://here.example/",
		"mxc://he re/abc",
		"mxc://here.example/a/b",
		"mxc:///abc",
		"MXC://here.example/a",
	};

	assert_int_equal(set(f, "displayname", text_of('n', PROFILE_NAME_MAX)), 0);
	assert_int_equal(set(f, "displayname", text_of('n', PROFILE_NAME_MAX + 1)),
			 -MX_INVALID_PARAM);
	assert_int_equal(set(f, "displayname", json_integer(1)), -MX_BAD_JSON);
	assert_int_equal(set(f, "displayname", json_null()), -MX_BAD_JSON);
	assert_int_equal(set(f, "m.tz", json_object()), -MX_BAD_JSON);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(set(f, "avatar_url", json_string(wrong[i])), -MX_INVALID_PARAM);
}

static void characters_are_counted_not_bytes(void **state)
{
	struct hs_fixture *f = *state;
	mx_str_auto name = { 0 };

	for (int i = 0; i < PROFILE_NAME_MAX; i++)
		mx_str_add_text(&name, "\xe7\x8c\xab");
	assert_int_equal(set(f, "displayname", json_string(name.ptr)), 0);
}

static void a_profile_stays_below_its_size(void **state)
{
	struct hs_fixture *f = *state;

	assert_int_equal(set(f, "org.a", text_of('x', PROFILE_BYTES_MAX)), -MX_PROFILE_TOO_LARGE);
	assert_int_equal(set(f, "org.a", text_of('x', PROFILE_BYTES_MAX / 2)), 0);
	assert_int_equal(set(f, "org.b", text_of('x', PROFILE_BYTES_MAX / 2)),
			 -MX_PROFILE_TOO_LARGE);
	assert_int_equal(set(f, "org.a", text_of('y', PROFILE_BYTES_MAX / 2 + 100)), 0);
	assert_int_equal(set(f, "org.b", text_of('x', PROFILE_BYTES_MAX / 2 - 200)), 0);
}

static void changes_that_rooms_show_are_noted(void **state)
{
	struct hs_fixture *f = *state;
	struct profile_change_list first, second;

	assert_int_equal(set(f, "m.tz", json_string("UTC")), 0);
	assert_int_equal(changes_of(f, &first), 0);
	assert_int_equal(set(f, "displayname", json_string("Ann")), 0);
	assert_int_equal(changes_of(f, &first), 1);
	assert_string_equal(first.items[0].user_id, ANN);
	assert_int_equal(set(f, "displayname", json_string("Ann")), 0);
	assert_int_equal(changes_of(f, &second), 1);
	assert_int_equal(second.items[0].version, first.items[0].version);
	assert_int_equal(set(f, "avatar_url", json_string("mxc://here.example/abc")), 0);

	assert_int_equal(profile_change_db_done(&f->call, &first.items[0]), 0);
	hs_fixture_write(f);
	assert_int_equal(changes_of(f, &second), 1);
	assert_int_equal(profile_change_db_done(&f->call, &second.items[0]), 0);
	hs_fixture_write(f);
	assert_int_equal(changes_of(f, &second), 0);
}

static void members_get_what_they_do_not_say_themselves(void **state)
{
	struct hs_fixture *f = *state;
	json_auto_t *content = json_pack("{s:s}", "displayname", "Annie");

	set(f, "displayname", json_string("Ann"));
	set(f, "avatar_url", json_string("mxc://here.example/abc"));
	assert_int_equal(profile_fill(&f->call, ANN, content), 0);
	assert_string_equal(json_string_value(json_object_get(content, "displayname")), "Annie");
	assert_string_equal(json_string_value(json_object_get(content, "avatar_url")),
			    "mxc://here.example/abc");
	json_object_clear(content);
	assert_int_equal(profile_fill(&f->call, "@bob:here.example", content), 0);
	assert_int_equal(json_object_size(content), 0);
}

static void a_new_account_has_a_name_by_configuration_only(void **state)
{
	struct hs_fixture *f = *state;
	const char *name;

	assert_int_equal(profile_new(&f->call, ANN), 0);
	assert_int_equal(profile_text(&f->call, ANN, "displayname", &name), 0);
	assert_null(name);
	f->conf.profiles.new_displayname = CONF_NEW_DISPLAYNAME_LOCALPART;
	assert_int_equal(profile_new(&f->call, ANN), 0);
	hs_fixture_write(f);
	assert_profile(f, "{\"displayname\":\"ann\"}");
}

static void only_users_of_this_server_have_one(void **state)
{
	struct hs_fixture *f = *state;
	const struct account account = { .user = ANN };
	json_t *profile;

	assert_int_equal(profile_load(&f->call, ANN, &profile), -MX_NOT_FOUND);
	assert_int_equal(register_account(&f->call, &account, NULL), 0);
	hs_fixture_write(f);
	assert_profile(f, "{}");
}

static void who_is_erased_has_none(void **state)
{
	struct hs_fixture *f = *state;
	struct profile_fields fields;

	set(f, "displayname", json_string("Ann"));
	set(f, "org.example.x", json_true());
	assert_int_equal(profile_erase(&f->call, ANN), 0);
	hs_fixture_write(f);
	assert_int_equal(profile_db_list(&f->call, ANN, &fields), 0);
	assert_int_equal(fields.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(fields_are_set_and_removed),
		hs_test(fields_have_names_of_their_grammar),
		hs_test(names_and_avatars_have_their_shape),
		hs_test(characters_are_counted_not_bytes),
		hs_test(a_profile_stays_below_its_size),
		hs_test(changes_that_rooms_show_are_noted),
		hs_test(members_get_what_they_do_not_say_themselves),
		hs_test(a_new_account_has_a_name_by_configuration_only),
		hs_test(only_users_of_this_server_have_one),
		hs_test(who_is_erased_has_none),
	};

	return cmocka_run_group_tests_name("profile/profile", tests, NULL, NULL);
}
