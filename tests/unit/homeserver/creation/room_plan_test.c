#include "homeserver/creation/room_plan.h"

#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define ANN "@ann:here"

struct planned {
	json_t *body;
	struct room_plan plan;
	struct mx_error err;
};

static int plan(struct planned *planned, const char *body)
{
	struct room_wish wish = { .creator = ANN, .server_name = "here" };

	planned->body = json_loads(body, 0, NULL);
	assert_non_null(planned->body);
	wish.body = planned->body;
	return room_plan_make(&wish, &planned->plan, &planned->err);
}

static void done(struct planned *planned)
{
	room_plan_done(&planned->plan);
	json_decref(planned->body);
	*planned = (struct planned){ 0 };
}

static void assert_refused(const char *body, int rc)
{
	struct planned planned = { 0 };

	assert_int_equal(plan(&planned, body), rc);
	json_decref(planned.body);
}

/* "m.room.power_levels m.room.join_rules" */
static void assert_types(const struct planned *planned, const char *expected)
{
	mx_str_auto types = { 0 };

	for (size_t i = 0; i < planned->plan.len; i++)
		mx_str_addf(&types, "%s%s", i ? " " : "",
			    planned->plan.items[i].type + strlen("m.room."));
	assert_string_equal(types.ptr, expected);
}

static const json_t *content_of(const struct planned *planned, const char *type)
{
	const json_t *content = NULL;

	for (size_t i = 0; i < planned->plan.len; i++)
		if (streq(planned->plan.items[i].type, type))
			content = planned->plan.items[i].content;
	return content;
}

static void assert_content(const struct planned *planned, const char *type, const char *expected)
{
	json_auto_t *wanted = json_loads(expected, 0, NULL);

	assert_non_null(wanted);
	assert_true(json_equal(content_of(planned, type), wanted));
}

static void a_room_is_private_and_of_the_newest_version(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_int_equal(plan(&planned, "{}"), 0);
	assert_string_equal(planned.plan.version->id, "12");
	assert_types(&planned, "power_levels join_rules history_visibility guest_access");
	assert_content(&planned, "m.room.join_rules", "{\"join_rule\": \"invite\"}");
	assert_content(&planned, "m.room.guest_access", "{\"guest_access\": \"can_join\"}");
	assert_false(planned.plan.is_public);
	assert_string_equal(jstr(planned.plan.create, "room_version"), "12");
	assert_int_equal(json_object_size(planned.plan.create), 1);
	done(&planned);
}

static void events_come_in_the_order_of_the_specification(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_int_equal(plan(&planned,
			      "{\"name\": \"N\", \"topic\": \"T\", \"room_alias_name\": \"a\","
			      "\"initial_state\": [{\"type\": \"m.room.encryption\", "
			      "\"content\": {}}, {\"type\": \"m.room.join_rules\", "
			      "\"content\": {\"join_rule\": \"knock\"}}]}"),
			 0);
	assert_types(&planned, "power_levels canonical_alias history_visibility guest_access "
			       "encryption join_rules name topic");
	assert_content(&planned, "m.room.canonical_alias", "{\"alias\": \"#a:here\"}");
	assert_content(
		&planned, "m.room.topic",
		"{\"topic\": \"T\", \"m.topic\": {\"m.text\": [{\"mimetype\": \"text/plain\", "
		"\"body\": \"T\"}]}}");
	done(&planned);
}

static void who_is_seen_is_told_by_visibility_or_preset(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_int_equal(plan(&planned, "{\"visibility\": \"public\"}"), 0);
	assert_content(&planned, "m.room.join_rules", "{\"join_rule\": \"public\"}");
	assert_true(planned.plan.is_public);
	assert_int_equal(jint(content_of(&planned, "m.room.power_levels"), "invite", -1), 50);
	done(&planned);
	assert_int_equal(
		plan(&planned, "{\"visibility\": \"public\", \"preset\": \"private_chat\"}"), 0);
	assert_content(&planned, "m.room.join_rules", "{\"join_rule\": \"invite\"}");
	done(&planned);
}

static void creators_are_named_as_the_version_wants(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_int_equal(plan(&planned, "{\"room_version\": \"10\", \"creation_content\": "
					"{\"creator\": \"@eve:here\", \"m.federate\": false}}"),
			 0);
	assert_string_equal(jstr(planned.plan.create, "creator"), ANN);
	assert_string_equal(jstr(planned.plan.create, "room_version"), "10");
	assert_true(json_is_false(json_object_get(planned.plan.create, "m.federate")));
	assert_int_equal(jint(jobj(content_of(&planned, "m.room.power_levels"), "users"), ANN, 0),
			 100);
	done(&planned);
	assert_int_equal(plan(&planned, "{\"room_version\": \"11\"}"), 0);
	assert_null(json_object_get(planned.plan.create, "creator"));
	done(&planned);
	assert_int_equal(plan(&planned, "{}"), 0);
	assert_int_equal(
		json_object_size(jobj(content_of(&planned, "m.room.power_levels"), "users")), 0);
	assert_int_equal(jint(jobj(content_of(&planned, "m.room.power_levels"), "events"),
			      "m.room.tombstone", 0),
			 150);
	done(&planned);
}

#define TRUSTED(version)                                                             \
	"{\"preset\": \"trusted_private_chat\", \"room_version\": \"" version "\", " \
	"\"invite\": [\"@bob:here\", \"@cat:here\"], "                               \
	"\"creation_content\": {\"additional_creators\": [\"@bob:here\", \"@dan:here\"]}}"

static void trusted_users_are_as_strong_as_the_creator(void **state)
{
	struct planned planned = { 0 };
	json_auto_t *creators = json_pack("[s,s,s]", "@bob:here", "@dan:here", "@cat:here");

	(void)state;
	assert_int_equal(plan(&planned, TRUSTED("12")), 0);
	assert_true(json_equal(jarr(planned.plan.create, "additional_creators"), creators));
	done(&planned);
	assert_int_equal(plan(&planned, TRUSTED("11")), 0);
	assert_int_equal(
		jint(jobj(content_of(&planned, "m.room.power_levels"), "users"), "@cat:here", 0),
		100);
	done(&planned);
}

static void levels_are_overridden_member_by_member(void **state)
{
	struct planned planned = { 0 };
	const json_t *levels;

	(void)state;
	assert_int_equal(plan(&planned, "{\"room_version\": \"11\", "
					"\"power_level_content_override\": {\"invite\": 75, "
					"\"events\": {\"m.x\": 1}}}"),
			 0);
	levels = content_of(&planned, "m.room.power_levels");
	assert_int_equal(jint(levels, "invite", 0), 75);
	assert_int_equal(json_object_size(jobj(levels, "events")), 1);
	assert_int_equal(jint(levels, "ban", 0), 50);
	done(&planned);
}

static void what_no_room_can_begin_with_is_refused(void **state)
{
	mx_str_auto many = { 0 };

	(void)state;
	assert_refused("{\"room_version\": \"99\"}", -MX_UNSUPPORTED_ROOM_VERSION);
	assert_refused("{\"room_alias_name\": \"a:b\"}", -MX_INVALID_PARAM);
	assert_refused("{\"room_alias_name\": \"\"}", -MX_INVALID_PARAM);
	assert_refused("{\"invite\": [\"bob\"]}", -MX_INVALID_PARAM);
	assert_refused("{\"initial_state\": [{\"type\": \"m.room.create\", \"content\": {}}]}",
		       -MX_INVALID_ROOM_STATE);
	assert_refused("{\"room_version\": \"11\", \"power_level_content_override\": "
		       "{\"users\": {\"@bob:here\": 100}}}",
		       -MX_BAD_JSON);
	mx_str_add_text(&many, "{\"invite\": [\"@u:here\"");
	for (unsigned i = 0; i < ROOM_INVITES_MAX; i++)
		mx_str_addf(&many, ", \"@u%u:here\"", i);
	mx_str_add_text(&many, "]}");
	assert_refused(many.ptr, -MX_INVALID_PARAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_is_private_and_of_the_newest_version),
		cmocka_unit_test(events_come_in_the_order_of_the_specification),
		cmocka_unit_test(who_is_seen_is_told_by_visibility_or_preset),
		cmocka_unit_test(creators_are_named_as_the_version_wants),
		cmocka_unit_test(trusted_users_are_as_strong_as_the_creator),
		cmocka_unit_test(levels_are_overridden_member_by_member),
		cmocka_unit_test(what_no_room_can_begin_with_is_refused),
	};

	return cmocka_run_group_tests_name("room/room_plan", tests, NULL, NULL);
}
