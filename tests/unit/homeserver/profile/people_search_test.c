#include "homeserver/profile/people_search.h"

#include "homeserver/profile/profile.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"

static void add(struct hs_fixture *f, const char *name, const char *displayname)
{
	const char *user_id = mx_arena_strf(f->call.mem, "@%s:here.example", name);
	json_auto_t *value = json_string(displayname);

	assert_int_equal(profile_new(&f->call, user_id), 0);
	if (displayname)
		assert_int_equal(profile_set(&f->call, user_id, "displayname", value, NULL), 0);
	hs_fixture_write(f);
}

static void assert_finds_some(struct hs_fixture *f, const char *term, size_t limit,
			      const char *expected)
{
	const struct people_search search = { ANN, mx_slice(term), limit };
	struct people_found found;
	mx_str_auto text = { 0 };

	assert_int_equal(people_search(&f->call, &search, &found), 0);
	for (size_t i = 0; i < found.len; i++)
		mx_str_addf(&text, "%s%.*s", i ? " " : "",
			    (int)(strchr(found.items[i].user_id.ptr, ':') -
				  found.items[i].user_id.ptr - 1),
			    found.items[i].user_id.ptr + 1);
	mx_str_add_text(&text, found.limited ? " …" : "");
	assert_string_equal(text.ptr, expected);
}

static void assert_finds(struct hs_fixture *f, const char *term, const char *expected)
{
	assert_finds_some(f, term, PEOPLE_SEARCH_MAX, expected);
}

static bool everybody = true;

static int setup(void **state)
{
	struct hs_fixture *f;

	hs_fixture_setup(state);
	f = *state;
	f->conf.user_directory.all_users = &everybody;
	return 0;
}

static void names_are_compared_without_case_and_spelling(void **state)
{
	struct hs_fixture *f = *state;

	add(f, "bob",
	    "Stra\xc3\x9f"
	    "e \xc3\x9c");
	assert_finds(f, "bob", "bob");
	assert_finds(f, "BOB", "bob");
	assert_finds(f, "STRASSE", "bob");
	assert_finds(f, "u\xcc\x88", "bob");
	assert_finds(f, "@bob:here.example", "bob");
	assert_finds(f,
		     "b\xc3\xb6"
		     "b",
		     "");
}

static void every_word_has_to_be_there(void **state)
{
	struct hs_fixture *f = *state;

	add(f, "bob", "Robert Smith");
	add(f, "eve", "Eve Smith");
	assert_finds(f, "smith", "bob eve");
	assert_finds(f, "  smith   robert ", "bob");
	assert_finds(f, "smith john", "");
	assert_finds(f, "", "");
	assert_finds(f, "   ", "");
}

static void the_best_come_first(void **state)
{
	struct hs_fixture *f = *state;

	add(f, "xmax", "Cam Axe");
	add(f, "aaa", "Old Max");
	add(f, "maximilian", NULL);
	add(f, "maxi", "Someone");
	add(f, "max", NULL);
	assert_finds(f, "max", "max maxi maximilian aaa xmax");
	assert_finds_some(f, "max", 2, "max maxi …");
}

static void who_searches_is_not_found(void **state)
{
	struct hs_fixture *f = *state;

	add(f, "ann", "Ann");
	add(f, "annette", "Annette");
	assert_finds(f, "ann", "annette");
}

static void a_name_that_changes_is_found_anew(void **state)
{
	struct hs_fixture *f = *state;

	add(f, "bob", "Robert");
	add(f, "bob", "William");
	assert_finds(f, "robert", "");
	assert_finds(f, "william", "bob");
	assert_int_equal(profile_erase(&f->call, "@bob:here.example"), 0);
	assert_finds(f, "bob", "");
}

static void all_pages_are_looked_through(void **state)
{
	struct hs_fixture *f = *state;

	for (int i = 0; i < 2500; i++)
		assert_int_equal(
			profile_new(&f->call, mx_arena_strf(f->call.mem, "@u%d:here.example", i)),
			0);
	add(f, "zoe", "Zoe");
	assert_finds(f, "zoe", "zoe");
	assert_finds(f, "u2499", "u2499");
}

static void is_in(struct hs_fixture *f, const char *user_id, enum membership membership)
{
	const struct user_room row = { .room = 7, .membership = membership };

	user_room_db_put(f->call.txn, mx_slice(user_id), &row);
}

static void only_who_can_be_seen_is_found(void **state)
{
	struct hs_fixture *f = *state;

	f->conf.user_directory.all_users = NULL;
	add(f, "bob", "Bob");
	add(f, "bobby", "Bobby");
	assert_finds(f, "bob", "");
	is_in(f, ANN, MEMBERSHIP_JOIN);
	is_in(f, "@bob:here.example", MEMBERSHIP_JOIN);
	is_in(f, "@bobby:here.example", MEMBERSHIP_INVITE);
	hs_fixture_write(f);
	assert_finds(f, "bob", "bob");
}

#define search_test(function) cmocka_unit_test_setup_teardown(function, setup, hs_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		search_test(names_are_compared_without_case_and_spelling),
		search_test(every_word_has_to_be_there),
		search_test(the_best_come_first),
		search_test(who_searches_is_not_found),
		search_test(a_name_that_changes_is_found_anew),
		search_test(all_pages_are_looked_through),
		search_test(only_who_can_be_seen_is_found),
	};

	return cmocka_run_group_tests_name("profile/people_search", tests, NULL, NULL);
}
