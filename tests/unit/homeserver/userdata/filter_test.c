#include "homeserver/userdata/filter.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"
#include "homeserver/userdata/filter_fields.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct filter *compiled(const char *text)
{
	struct mx_error err = { 0 };
	struct filter *filter = NULL;

	if (filter_parse(mx_slice(text), &filter, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return filter;
}

static void refused(const char *text, int rc, const char *sentence)
{
	struct mx_error err = { 0 };
	struct filter *filter = NULL;

	assert_int_equal(filter_parse(mx_slice(text), &filter, &err), rc);
	assert_null(filter);
	if (sentence)
		assert_string_equal(err.text, sentence);
}

static bool timeline_allows(const char *timeline, const char *type, const char *sender)
{
	mx_autofree char *text = mx_strf("{\"room\":{\"timeline\":%s}}", timeline);
	struct filter *filter = compiled(text);
	bool allowed = event_filter_allows_type(&filter->timeline, mx_slice(type),
						mx_slice(sender));

	filter_unref(filter);
	return allowed;
}

static void an_empty_filter_lets_everything_through(void **state)
{
	struct filter *filter = compiled("{}");

	(void)state;
	assert_true(event_filter_allows_type(&filter->timeline, MX_SLICE("m.room.message"),
					     MX_SLICE("@a:b")));
	assert_true(event_filter_allows_room(&filter->rooms, MX_SLICE("!r:b")));
	assert_int_equal(filter->timeline.limit, 0);
	assert_false(filter->include_leave);
	assert_false(filter->federation_format);
	assert_null(filter->fields);
	filter_unref(filter);
}

static void types_are_listed_or_globs(void **state)
{
	const char *types = "{\"types\":[\"m.room.message\",\"m.call.*\",\"*.x.*.y\"]}";

	(void)state;
	assert_true(timeline_allows(types, "m.room.message", "@a:b"));
	assert_true(timeline_allows(types, "m.call.", "@a:b"));
	assert_true(timeline_allows(types, "m.call.invite", "@a:b"));
	assert_true(timeline_allows(types, "org.x.z.z.y", "@a:b"));
	assert_true(timeline_allows(types, ".x..y", "@a:b"));
	assert_false(timeline_allows(types, ".x.y", "@a:b"));
	assert_false(timeline_allows(types, "m.room.messages", "@a:b"));
	assert_false(timeline_allows(types, "m.call", "@a:b"));
	assert_false(timeline_allows(types, "", "@a:b"));
}

static void a_glob_needs_its_beginning_and_its_end_apart(void **state)
{
	(void)state;
	assert_false(timeline_allows("{\"types\":[\"ab*ba\"]}", "aba", "@a:b"));
	assert_true(timeline_allows("{\"types\":[\"ab*ba\"]}", "abba", "@a:b"));
	assert_true(timeline_allows("{\"types\":[\"*\"]}", "", "@a:b"));
	assert_true(timeline_allows("{\"types\":[\"**a**\"]}", "xax", "@a:b"));
}

static void only_the_star_is_special(void **state)
{
	(void)state;
	assert_true(timeline_allows("{\"types\":[\"a?*\"]}", "a?c", "@a:b"));
	assert_false(timeline_allows("{\"types\":[\"a?*\"]}", "abc", "@a:b"));
	assert_false(timeline_allows("{\"senders\":[\"@*:b\"]}", "t", "@a:b"));
}

static void what_is_unwanted_wins_over_what_is_wanted(void **state)
{
	const char *both = "{\"types\":[\"m.*\"],\"not_types\":[\"m.room.*\"],"
			   "\"senders\":[\"@a:b\",\"@c:d\"],\"not_senders\":[\"@c:d\"]}";

	(void)state;
	assert_true(timeline_allows(both, "m.sticker", "@a:b"));
	assert_false(timeline_allows(both, "m.room.name", "@a:b"));
	assert_false(timeline_allows(both, "m.sticker", "@c:d"));
	assert_false(timeline_allows(both, "m.sticker", "@e:f"));
}

static void an_empty_list_lets_nothing_through(void **state)
{
	(void)state;
	assert_false(timeline_allows("{\"types\":[]}", "m.room.message", "@a:b"));
	assert_false(timeline_allows("{\"senders\":[]}", "m.room.message", "@a:b"));
	assert_true(timeline_allows("{\"not_types\":[]}", "m.room.message", "@a:b"));
}

static void rooms_are_in_or_out(void **state)
{
	struct filter *filter = compiled("{\"room\":{\"rooms\":[\"!a:x\",\"!b:x\"],"
					 "\"not_rooms\":[\"!b:x\"],\"include_leave\":true}}");

	(void)state;
	assert_true(event_filter_allows_room(&filter->rooms, MX_SLICE("!a:x")));
	assert_false(event_filter_allows_room(&filter->rooms, MX_SLICE("!b:x")));
	assert_false(event_filter_allows_room(&filter->rooms, MX_SLICE("!c:x")));
	assert_true(filter->include_leave);
	filter_unref(filter);
}

static void each_part_is_its_own(void **state)
{
	struct filter *filter = compiled(
		"{\"presence\":{\"not_types\":[\"*\"]},\"account_data\":{\"types\":[\"a\"]},"
		"\"event_format\":\"federation\",\"room\":{\"state\":{\"lazy_load_members\":true,"
		"\"include_redundant_members\":true},\"timeline\":{\"limit\":7,"
		"\"unread_thread_notifications\":true},\"ephemeral\":{\"types\":[\"m.typing\"]},"
		"\"account_data\":{\"types\":[\"m.tag\"]}}}");

	(void)state;
	assert_true(filter->federation_format);
	assert_false(
		event_filter_allows_type(&filter->presence, MX_SLICE("m.presence"), MX_SLICE("")));
	assert_true(event_filter_allows_type(&filter->account_data, MX_SLICE("a"), MX_SLICE("")));
	assert_false(
		event_filter_allows_type(&filter->account_data, MX_SLICE("m.tag"), MX_SLICE("")));
	assert_true(event_filter_allows_type(&filter->room_account_data, MX_SLICE("m.tag"),
					     MX_SLICE("")));
	assert_true(filter->state.lazy_load_members);
	assert_true(filter->state.include_redundant_members);
	assert_true(filter->timeline.unread_thread_notifications);
	assert_int_equal(filter->timeline.limit, 7);
	assert_false(
		event_filter_allows_type(&filter->ephemeral, MX_SLICE("m.receipt"), MX_SLICE("")));
	filter_unref(filter);
}

static void events_may_have_to_have_a_url(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	static const char *const contents[] = { "{\"url\":\"mxc://a/b\"}", "{\"uri\":1}" };
	struct event_filter with, without;

	(void)state;
	assert_int_equal(event_filter_parse(MX_SLICE("{\"contains_url\":true}"), mem, &with, NULL),
			 0);
	assert_int_equal(
		event_filter_parse(MX_SLICE("{\"contains_url\":false}"), mem, &without, NULL), 0);
	for (int i = 0; i < 2; i++) {
		mx_autofree char *text = mx_strf(
			"{\"auth_events\":[],\"content\":%s,\"depth\":1,\"hashes\":{\"sha256\":"
			"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},\"origin_server_ts\":1,"
			"\"prev_events\":[],\"room_id\":\"!r:x\",\"sender\":\"@a:x\","
			"\"signatures\":{},\"type\":\"m.room.message\"}",
			contents[i]);
		struct event event;

		assert_int_equal(event_parse(room_version_find(MX_SLICE("10")), mx_slice(text), mem,
					     &event, NULL),
				 0);
		assert_int_equal(event_filter_allows(&with, &event), i == 0);
		assert_int_equal(event_filter_allows(&without, &event), i == 1);
	}
}

static void large_limits_are_cut(void **state)
{
	struct filter *filter = compiled("{\"room\":{\"timeline\":{\"limit\":1000000000}}}");

	(void)state;
	assert_int_equal(filter->timeline.limit, FILTER_LIMIT_MAX);
	filter_unref(filter);
}

static void what_is_no_filter_is_refused_with_its_place(void **state)
{
	(void)state;
	refused("{", -MX_NOT_JSON, NULL);
	refused("[]", -MX_BAD_JSON, "A filter must be an object");
	refused("{\"room\":[]}", -MX_BAD_JSON, "room must be an object");
	refused("{\"presence\":3}", -MX_BAD_JSON, "presence must be an object");
	refused("{\"room\":{\"timeline\":\"x\"}}", -MX_BAD_JSON, "room.timeline must be an object");
	refused("{\"room\":{\"timeline\":{\"types\":3}}}", -MX_BAD_JSON,
		"room.timeline.types must be a list of event types");
	refused("{\"room\":{\"state\":{\"types\":[3]}}}", -MX_BAD_JSON,
		"room.state.types must be a list of event types");
	refused("{\"account_data\":{\"senders\":[\"a\"]}}", -MX_BAD_JSON,
		"account_data.senders must be a list of user ids");
	refused("{\"room\":{\"rooms\":[\"\"]}}", -MX_BAD_JSON,
		"room.rooms must be a list of room ids");
	refused("{\"room\":{\"timeline\":{\"limit\":0}}}", -MX_BAD_JSON,
		"room.timeline.limit must be an integer greater than 0");
	refused("{\"room\":{\"timeline\":{\"limit\":\"5\"}}}", -MX_BAD_JSON, NULL);
	refused("{\"room\":{\"include_leave\":1}}", -MX_BAD_JSON,
		"room.include_leave must be true or false");
	refused("{\"event_format\":\"x\"}", -MX_BAD_JSON,
		"event_format must be \"client\" or \"federation\"");
	refused("{\"event_fields\":[1]}", -MX_BAD_JSON, "event_fields must be a list of paths");
}

static void filters_have_bounds(void **state)
{
	mx_str_auto text = { 0 };

	(void)state;
	mx_str_add_text(&text, "{\"presence\":{\"types\":[\"*\"");
	for (int i = 1; i < FILTER_GLOBS_MAX; i++)
		mx_str_addf(&text, ",\"a%d*\"", i);
	mx_str_add_text(&text, "]}}");
	filter_unref(compiled(text.ptr));
	text.len -= strlen("]}}");
	mx_str_add_text(&text, ",\"b*\"]}}");
	refused(text.ptr, -MX_BAD_JSON, NULL);
	mx_str_clear(&text);
	for (int i = 0; i < 50; i++)
		mx_str_add_text(&text, "{\"room\":");
	refused(text.ptr, -MX_BAD_JSON, NULL);
	mx_str_clear(&text);
	mx_str_add_text(&text, "{\"x\":\"");
	while (text.len < FILTER_BYTES_MAX)
		mx_str_add_char(&text, 'x');
	mx_str_add_text(&text, "\"}");
	refused(text.ptr, -MX_TOO_LARGE, NULL);
}

static void a_hundred_thousand_rooms_are_looked_up_at_once(void **state)
{
	mx_str_auto text = { 0 };
	struct filter *filter;
	size_t unwanted = 0;

	(void)state;
	mx_str_add_text(&text, "{\"room\":{\"not_rooms\":[\"!0\"");
	for (int i = 1; i < 100000; i++)
		mx_str_addf(&text, ",\"!%d\"", i);
	mx_str_add_text(&text, "]}}");
	filter = compiled(text.ptr);
	for (int i = 0; i < 200000; i++) {
		mx_autofree char *room = mx_strf("!%d", i);

		unwanted += !event_filter_allows_room(&filter->rooms, mx_slice(room));
	}
	assert_int_equal(unwanted, 100000);
	filter_unref(filter);
}

static void projects(const char *fields, const char *event, const char *wanted)
{
	mx_autofree char *text = mx_strf("{\"event_fields\":%s}", fields);
	struct filter *filter = compiled(text);
	mx_str_auto out = { 0 };

	filter_fields_project(filter->fields, mx_slice(event), &out);
	assert_string_equal(out.ptr, wanted);
	filter_unref(filter);
}

static void only_the_fields_of_interest_are_left(void **state)
{
	const char *event = "{\"content\":{\"body\":\"b\",\"m.relates_to\":{\"event_id\":\"$e\","
			    "\"rel_type\":\"x\"}},\"sender\":\"@a:b\",\"type\":\"t\"}";

	(void)state;
	projects("[\"type\",\"content\"]", event,
		 "{\"content\":{\"body\":\"b\",\"m.relates_to\":{\"event_id\":\"$e\","
		 "\"rel_type\":\"x\"}},\"type\":\"t\"}");
	projects("[\"content.body\"]", event, "{\"content\":{\"body\":\"b\"}}");
	projects("[\"content.m\\\\.relates_to.event_id\",\"sender\"]", event,
		 "{\"content\":{\"m.relates_to\":{\"event_id\":\"$e\"}},\"sender\":\"@a:b\"}");
	projects("[\"content.m.relates_to\",\"type.x\"]", event, "{\"content\":{}}");
	projects("[\"content.body\",\"content\"]", event,
		 "{\"content\":{\"body\":\"b\",\"m.relates_to\":{\"event_id\":\"$e\","
		 "\"rel_type\":\"x\"}}}");
	projects("[]", event, "{}");
}

static void below_some_depth_everything_is_of_interest(void **state)
{
	(void)state;
	projects("[\"a.a.a.a.a.a.a.a.b.c\"]",
		 "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"x\":1}}}}}}}}}",
		 "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"x\":1}}}}}}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_filter_lets_everything_through),
		cmocka_unit_test(types_are_listed_or_globs),
		cmocka_unit_test(a_glob_needs_its_beginning_and_its_end_apart),
		cmocka_unit_test(only_the_star_is_special),
		cmocka_unit_test(what_is_unwanted_wins_over_what_is_wanted),
		cmocka_unit_test(an_empty_list_lets_nothing_through),
		cmocka_unit_test(rooms_are_in_or_out),
		cmocka_unit_test(each_part_is_its_own),
		cmocka_unit_test(events_may_have_to_have_a_url),
		cmocka_unit_test(large_limits_are_cut),
		cmocka_unit_test(what_is_no_filter_is_refused_with_its_place),
		cmocka_unit_test(filters_have_bounds),
		cmocka_unit_test(a_hundred_thousand_rooms_are_looked_up_at_once),
		cmocka_unit_test(only_the_fields_of_interest_are_left),
		cmocka_unit_test(below_some_depth_everything_is_of_interest),
	};

	return cmocka_run_group_tests_name("userdata/filter", tests, NULL, NULL);
}
