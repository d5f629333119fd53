/* wrap: ignored_load ignored_has */
#include "homeserver/timeline/event_view.h"

#include "homeserver/event/event_relation.h"
#include "homeserver/event/event_types.h"
#include "homeserver/timeline/visibility.h"
#include "homeserver/userdata/ignored.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/record_room.h"

#define ANN "@ann:" HS_FIXTURE_SERVER
#define BOB "@bob:" HS_FIXTURE_SERVER
#define EVE "@eve:" HS_FIXTURE_SERVER

int __wrap_ignored_load(const struct hs_call *call, const char *user_id,
			struct ignored *ret_ignored);
bool __wrap_ignored_has(const struct ignored *ignored, struct mx_slice user_id);

/* Bob ignores eve. */
int __wrap_ignored_load(const struct hs_call *call, const char *user_id,
			struct ignored *ret_ignored)
{
	(void)call;
	*ret_ignored = (struct ignored){ .len = streq(user_id, BOB) };
	return 0;
}

bool __wrap_ignored_has(const struct ignored *ignored, struct mx_slice user_id)
{
	return ignored->len && mx_slice_is(user_id, EVE);
}

/* ---- views */

/* As it is now: what happened to it later as well. */
static json_t *view_as(struct record_room *room, const struct event_viewer *viewer,
		       const struct stored_event *event)
{
	struct stored_event now;
	mx_str_auto out = { 0 };
	json_t *json;

	assert_int_equal(event_db_load(&room->f->call, room->room, event->header.number, &now), 0);
	mx_str_add_char(&out, '[');
	event_view(&room->f->call, viewer, &now, &out);
	mx_str_add_char(&out, ']');
	json = json_loads(out.ptr, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(json_array_size(json), 1);
	return json;
}

static void assert_json(const json_t *json, const char *expected)
{
	json_auto_t *other = json_loads(expected, JSON_DECODE_ANY, NULL);

	assert_non_null(other);
	if (!json_equal(json, other)) {
		mx_autofree char *text = json_dumps(json, JSON_SORT_KEYS | JSON_ENCODE_ANY);

		fail_msg("%s", text);
	}
}

static const struct event_viewer bob = { .user_id = BOB, .device = "PHONE" };
static const struct event_viewer bob_reads = {
	.user_id = BOB, .device = "PHONE", .form = EVENT_VIEW_SYNC, .bundles = true
};

static json_t *unsigned_of(json_t *view)
{
	return json_object_get(json_array_get(view, 0), "unsigned");
}

static json_t *said(const char *sender, const char *body)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "sender", sender, "content", "msgtype", "m.text",
			 "body", body);
}

static json_t *related(const char *sender, const char *type, const struct stored_event *parent)
{
	return json_pack("{s:s, s:{s:s, s:{s:s}, s:{s:s, s:s%}}}", "sender", sender, "content",
			 "body", "more", "m.new_content", "body", "new", "m.relates_to", "rel_type",
			 type, "event_id", parent->event.id.ptr, parent->event.id.len);
}

/* Ann made it, bob is in it. */
static void begin(struct record_room *room, struct hs_fixture *f, const char *version)
{
	record_room_begin(room, f, version);
	record_room_member(room, "ann", "join", NULL);
	record_room_member(room, "bob", "join", NULL);
}

/* ---- forms */

static void a_client_gets_members_of_the_stored_bytes(void **state)
{
	struct record_room room;
	struct stored_event event;
	json_auto_t *view = NULL;
	mx_str_auto expected = { 0 };

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "h\u00e9 \"\\"));
	record_room_end(&room);
	hs_fixture_at(room.f, HS_FIXTURE_NOW + 1234);
	view = view_as(&room, &bob, &event);
	mx_str_addf(&expected,
		    "[{\"content\":{\"body\":\"h\u00e9 \\\"\\\\\",\"msgtype\":\"m.text\"},"
		    "\"event_id\":\"%.*s\",\"origin_server_ts\":%lld,\"room_id\":\"" RECORD_ROOM_ID
		    "\",\"sender\":\"" ANN
		    "\",\"type\":\"m.room.message\",\"unsigned\":{\"age\":1234}}]",
		    MX_SLICE_ARG(event.event.id), (long long)HS_FIXTURE_NOW);
	assert_json(view, expected.ptr);
}

static void a_form_has_what_it_should(void **state)
{
	static const char *const members[] = {
		[EVENT_VIEW_FULL] =
			"content event_id origin_server_ts room_id sender state_key type unsigned ",
		[EVENT_VIEW_SYNC] =
			"content event_id origin_server_ts sender state_key type unsigned ",
		[EVENT_VIEW_STRIPPED] = "content sender state_key type ",
		[EVENT_VIEW_FEDERATION] =
			("auth_events content depth hashes origin_server_ts prev_events "
			 "room_id sender signatures state_key type unsigned "),
	};
	struct record_room room;
	struct stored_event event;

	begin(&room, *state, "11");
	event = record_room_add(&room, json_pack("{s:s, s:s}", "type", "m.room.topic", "key", ""));
	record_room_end(&room);
	for (int form = EVENT_VIEW_FULL; form <= EVENT_VIEW_FEDERATION; form++) {
		struct event_viewer viewer = { .user_id = BOB, .form = (enum event_view_form)form };
		json_auto_t *view = view_as(&room, &viewer, &event);
		mx_str_auto keys = { 0 };
		const char *key;
		json_t *value;

		json_object_foreach (json_array_get(view, 0), key, value)
			mx_str_addf(&keys, "%s ", key);
		assert_string_equal(keys.ptr, members[form]);
	}
}

static void a_room_that_is_named_by_its_create_event_has_an_id(void **state)
{
	struct record_room room;
	struct stored_event event;
	json_auto_t *view = NULL;

	record_room_begin(&room, *state, "12");
	event = record_room_add(&room, json_pack("{s:s, s:s}", "type", TYPE_CREATE, "key", ""));
	record_room_end(&room);
	view = view_as(&room, &bob, &event);
	assert_memory_equal(jstr(json_array_get(view, 0), "room_id") + 1,
			    jstr(json_array_get(view, 0), "event_id") + 1, 43);
}

/* ---- unsigned */

static void a_transaction_id_is_for_its_device(void **state)
{
	const struct event_viewer others[] = { { .user_id = BOB, .device = "TABLET" },
					       { .user_id = ANN, .device = "PHONE" },
					       { .user_id = BOB },
					       { 0 } };
	struct record_room room;
	struct stored_event event;
	json_auto_t *view = NULL;

	begin(&room, *state, "11");
	event = record_room_add(&room, json_pack("{s:s, s:s, s:s}", "sender", BOB, "device",
						 "PHONE", "txn_id", "m1"));
	record_room_end(&room);
	view = view_as(&room, &bob, &event);
	assert_json(unsigned_of(view), "{\"age\":0,\"transaction_id\":\"m1\"}");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		json_auto_t *other = view_as(&room, &others[i], &event);

		assert_json(unsigned_of(other), "{\"age\":0}");
	}
}

static void state_says_what_it_replaced(void **state)
{
	struct record_room room;
	struct stored_event first, second;
	json_auto_t *before = NULL, *after = NULL;

	begin(&room, *state, "11");
	first = record_room_add(&room, json_pack("{s:s, s:s, s:{s:s}}", "type", "m.room.topic",
						 "key", "", "content", "topic", "cats"));
	second = record_room_add(&room, json_pack("{s:s, s:s, s:{s:s}}", "type", "m.room.topic",
						  "key", "", "content", "topic", "dogs"));
	record_room_end(&room);
	before = view_as(&room, &bob_reads, &first);
	after = view_as(&room, &bob_reads, &second);
	assert_null(json_object_get(unsigned_of(before), "prev_content"));
	assert_json(json_object_get(unsigned_of(after), "prev_content"), "{\"topic\":\"cats\"}");
	assert_string_equal(jstr(unsigned_of(after), "prev_sender"), ANN);
	assert_true(mx_slice_is(first.event.id, jstr(unsigned_of(after), "replaces_state")));
}

static void what_was_redacted_is_not_shown_as_what_was_before(void **state)
{
	struct record_room room;
	struct stored_event first, second;
	json_auto_t *after = NULL;

	begin(&room, *state, "11");
	first = record_room_add(&room, json_pack("{s:s, s:s, s:{s:s}}", "type", "m.room.topic",
						 "key", "", "content", "topic", "secret"));
	second = record_room_add(&room, json_pack("{s:s, s:s}", "type", "m.room.topic", "key", ""));
	record_room_add(&room, json_pack("{s:s, s:{s:s%}}", "type", TYPE_REDACTION, "content",
					 "redacts", first.event.id.ptr, first.event.id.len));
	record_room_end(&room);
	after = view_as(&room, &bob_reads, &second);
	assert_json(json_object_get(unsigned_of(after), "prev_content"), "{}");
}

static void assert_membership(struct record_room *room, const struct stored_event *event,
			      const char *expected)
{
	json_auto_t *view = view_as(room, &bob_reads, event);

	assert_string_equal(jstr(unsigned_of(view), "membership"), expected);
}

static void an_event_says_what_the_reader_was_then(void **state)
{
	struct stored_event said_before, invited, joined, left;
	struct record_room room;

	record_room_begin(&room, *state, "11");
	record_room_add(&room,
			json_pack("{s:s, s:s, s:{s:s}}", "type", TYPE_HISTORY_VISIBILITY, "key", "",
				  "content", "history_visibility", "world_readable"));
	said_before = record_room_add(&room, said(ANN, "one"));
	invited = record_room_member(&room, "bob", "invite", "ann");
	joined = record_room_member(&room, "bob", "join", NULL);
	left = record_room_member(&room, "bob", "leave", NULL);
	record_room_end(&room);
	assert_membership(&room, &said_before, "leave");
	assert_membership(&room, &invited, "invite");
	assert_membership(&room, &joined, "join");
	assert_membership(&room, &left, "leave");
}

/* ---- redactions */

static void a_redacted_event_is_what_is_left(void **state)
{
	struct record_room room;
	struct stored_event event, redaction;
	json_auto_t *view = NULL;
	json_t *because;

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "secret"));
	redaction = record_room_add(&room, json_pack("{s:s, s:{s:s%, s:s}}", "type", TYPE_REDACTION,
						     "content", "redacts", event.event.id.ptr,
						     event.event.id.len, "reason", "spam"));
	record_room_end(&room);
	view = view_as(&room, &bob, &event);
	assert_json(json_object_get(json_array_get(view, 0), "content"), "{}");
	because = json_object_get(unsigned_of(view), "redacted_because");
	assert_true(mx_slice_is(redaction.event.id, jstr(because, "event_id")));
	assert_string_equal(jstr(json_object_get(because, "content"), "reason"), "spam");
	assert_true(mx_slice_is(event.event.id, jstr(because, "redacts")));
}

static void clients_find_redacts_in_both_places(void **state)
{
	static const char *const versions[] = { "1", "10", "11" };

	for (size_t i = 0; i < 3; i++) {
		json_auto_t *view = NULL;
		struct stored_event event, redaction;
		struct record_room room;
		const json_t *content;
		json_t *line;

		begin(&room, *state, versions[i]);
		event = record_room_add(&room, said(ANN, "secret"));
		line = json_pack(i == 2 ? "{s:s, s:{s:s%}}" : "{s:s, s:{}, s:s%}", "type",
				 TYPE_REDACTION, "content", "redacts", event.event.id.ptr,
				 event.event.id.len);
		redaction = record_room_add(&room, line);
		record_room_end(&room);
		view = view_as(&room, &bob, &redaction);
		content = json_object_get(json_array_get(view, 0), "content");
		assert_true(mx_slice_is(event.event.id, jstr(content, "redacts")));
		assert_true(mx_slice_is(event.event.id, jstr(json_array_get(view, 0), "redacts")));
		hs_fixture_teardown(state);
		hs_fixture_setup(state);
	}
}

/* ---- what others said of it */

static json_t *relations_of(struct record_room *room, const struct event_viewer *viewer,
			    const struct stored_event *event)
{
	json_auto_t *view = view_as(room, viewer, event);

	return json_incref(json_object_get(unsigned_of(view), "m.relations"));
}

static void add_wrong_edits(struct record_room *room, const struct stored_event *event)
{
	json_t *lines[4] = { related(BOB, REL_REPLACE, event), related(ANN, REL_REPLACE, event),
			     related(ANN, REL_REPLACE, event), related(ANN, REL_REPLACE, event) };

	json_object_del(json_object_get(lines[1], "content"), "m.new_content");
	json_object_set_new(lines[2], "type", json_string("m.sticker"));
	json_object_set_new(lines[3], "flags", json_integer(EVENT_SOFT_FAILED));
	for (size_t i = 0; i < 4; i++) {
		json_object_set_new(lines[i], "ts", json_integer(HS_FIXTURE_NOW + 2));
		record_room_add(room, lines[i]);
	}
}

static void the_newest_valid_edit_is_bundled_whole(void **state)
{
	struct stored_event event, edit;
	json_auto_t *relations = NULL;
	struct record_room room;
	json_t *wrong, *bundled;

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "one"));
	record_room_add(&room, related(ANN, REL_REPLACE, &event));
	wrong = related(ANN, REL_REPLACE, &event);
	json_object_set_new(wrong, "ts", json_integer(HS_FIXTURE_NOW + 1));
	edit = record_room_add(&room, wrong);
	record_room_add(&room, related(ANN, REL_REPLACE, &event)); /* arrives later, but is older */
	add_wrong_edits(&room, &event);
	record_room_end(&room);
	relations = relations_of(&room, &bob_reads, &event);
	assert_int_equal(json_object_size(relations), 1);
	bundled = json_object_get(relations, REL_REPLACE);
	assert_true(mx_slice_is(edit.event.id, jstr(bundled, "event_id")));
	assert_string_equal(jstr(json_object_get(bundled, "content"), "body"), "more");
	assert_non_null(json_object_get(bundled, "unsigned"));
}

static void an_edit_is_not_edited_nor_what_is_redacted(void **state)
{
	json_auto_t *of_edit = NULL, *of_redacted = NULL;
	struct stored_event event, edit;
	struct record_room room;

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "one"));
	edit = record_room_add(&room, related(ANN, REL_REPLACE, &event));
	record_room_add(&room, related(ANN, REL_REPLACE, &edit));
	record_room_add(&room, json_pack("{s:s, s:{s:s%}}", "type", TYPE_REDACTION, "content",
					 "redacts", event.event.id.ptr, event.event.id.len));
	record_room_end(&room);
	of_edit = relations_of(&room, &bob_reads, &edit);
	of_redacted = relations_of(&room, &bob_reads, &event);
	assert_null(of_edit);
	assert_null(of_redacted);
}

static void references_are_listed(void **state)
{
	struct stored_event event, first, second;
	json_auto_t *relations = NULL;
	mx_str_auto expected = { 0 };
	struct record_room room;

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "one"));
	first = record_room_add(&room, related(ANN, REL_REFERENCE, &event));
	record_room_add(&room, related(EVE, REL_REFERENCE, &event));
	second = record_room_add(&room, related(BOB, REL_REFERENCE, &event));
	record_room_add(&room, related(BOB, REL_ANNOTATION, &event));
	record_room_end(&room);
	relations = relations_of(&room, &bob_reads, &event);
	mx_str_addf(
		&expected,
		"{\"m.reference\":{\"chunk\":[{\"event_id\":\"%.*s\"},{\"event_id\":\"%.*s\"}]}}",
		MX_SLICE_ARG(first.event.id), MX_SLICE_ARG(second.event.id));
	assert_json(relations, expected.ptr);
}

static void a_thread_is_counted_without_who_is_ignored(void **state)
{
	struct stored_event root, latest;
	json_auto_t *of_bob = NULL, *of_ann = NULL;
	struct event_viewer ann = bob_reads;
	struct record_room room;
	json_t *thread;

	ann.user_id = ANN;
	begin(&room, *state, "11");
	root = record_room_add(&room, said(ANN, "one"));
	record_room_add(&room, related(ANN, REL_THREAD, &root));
	record_room_add(&room, related(EVE, REL_THREAD, &root));
	latest = record_room_add(&room, related(ANN, REL_THREAD, &root));
	record_room_add(&room, related(ANN, REL_REPLACE, &latest));
	record_room_add(&room, related(EVE, REL_THREAD, &root));
	record_room_end(&room);
	of_bob = relations_of(&room, &bob_reads, &root);
	thread = json_object_get(of_bob, REL_THREAD);
	assert_int_equal(jint(thread, "count", 0), 2);
	assert_false(jbool(thread, "current_user_participated", true));
	thread = json_object_get(thread, "latest_event");
	assert_true(mx_slice_is(latest.event.id, jstr(thread, "event_id")));
	thread = json_object_get(json_object_get(thread, "unsigned"), "m.relations");
	assert_non_null(json_object_get(thread, REL_REPLACE));
	of_ann = relations_of(&room, &ann, &root);
	thread = json_object_get(of_ann, REL_THREAD);
	assert_int_equal(jint(thread, "count", 0), 4);
	assert_true(jbool(thread, "current_user_participated", false));
}

static void a_long_thread_is_counted_to_its_end(void **state)
{
	json_auto_t *relations = NULL;
	struct stored_event root;
	struct record_room room;

	begin(&room, *state, "11");
	root = record_room_add(&room, said(BOB, "one"));
	record_room_add(&room, related(BOB, REL_THREAD, &root));
	for (int i = 0; i < 1200; i++) {
		const struct relation_row row = { .type = MX_SLICE(REL_THREAD),
						  .rseq = room.head.last_rseq + 10 + i,
						  .event = room.head.next_event - 1,
						  .sender = MX_SLICE(ANN) };

		relation_db_add(room.f->call.txn, room.room, root.event.id, &row);
	}
	record_room_end(&room);
	relations = relations_of(&room, &bob_reads, &root);
	assert_int_equal(jint(json_object_get(relations, REL_THREAD), "count", 0), 1201);
}

static void who_left_is_not_shown_what_came_later(void **state)
{
	json_auto_t *relations = NULL;
	struct stored_event event;
	struct record_room room;

	begin(&room, *state, "11");
	event = record_room_add(&room, said(ANN, "one"));
	record_room_add(&room, related(ANN, REL_THREAD, &event));
	record_room_member(&room, "bob", "leave", NULL);
	record_room_add(&room, related(ANN, REL_THREAD, &event));
	record_room_add(&room, related(ANN, REL_REPLACE, &event));
	record_room_add(&room, related(ANN, REL_REFERENCE, &event));
	record_room_end(&room);
	relations = relations_of(&room, &bob_reads, &event);
	assert_int_equal(json_object_size(relations), 1);
	assert_int_equal(jint(json_object_get(relations, REL_THREAD), "count", 0), 1);
}

static void state_has_no_bundles(void **state)
{
	json_auto_t *relations = NULL;
	struct stored_event event;
	struct record_room room;

	begin(&room, *state, "11");
	event = record_room_add(&room, json_pack("{s:s, s:s}", "type", "m.room.topic", "key", ""));
	record_room_add(&room, related(ANN, REL_REFERENCE, &event));
	record_room_end(&room);
	relations = relations_of(&room, &bob_reads, &event);
	assert_null(relations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_client_gets_members_of_the_stored_bytes),
		hs_test(a_form_has_what_it_should),
		hs_test(a_room_that_is_named_by_its_create_event_has_an_id),
		hs_test(a_transaction_id_is_for_its_device),
		hs_test(state_says_what_it_replaced),
		hs_test(what_was_redacted_is_not_shown_as_what_was_before),
		hs_test(an_event_says_what_the_reader_was_then),
		hs_test(a_redacted_event_is_what_is_left),
		hs_test(clients_find_redacts_in_both_places),
		hs_test(the_newest_valid_edit_is_bundled_whole),
		hs_test(an_edit_is_not_edited_nor_what_is_redacted),
		hs_test(references_are_listed),
		hs_test(a_thread_is_counted_without_who_is_ignored),
		hs_test(a_long_thread_is_counted_to_its_end),
		hs_test(who_left_is_not_shown_what_came_later),
		hs_test(state_has_no_bundles),
	};
	return cmocka_run_group_tests_name("event/event_view", tests, NULL, NULL);
}
