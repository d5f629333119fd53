#include "homeserver/push/default_rules.h"

#include "shared/core/str.h"

#include <stdbool.h>
#include <stddef.h>

/* One condition: `pattern` of an event_match, `is` of a room_member_count; USER stands for the
 * user's id. */
struct condition {
	const char *kind, *key, *value;
};

struct rule {
	const char *id;
	bool off; /* unless the user switches it on */
	struct condition conditions[3];
	bool notifies;
	const char *sound;
	bool highlights;
};

#define USER          "\1"
#define TRUE          "\2"
#define MATCH         "event_match"
#define PROPERTY      "event_property_is"
#define TYPE_IS(type) MATCH, "type", type

static const struct rule override[] = {
	{ ".m.rule.master", .off = true },
	{ ".m.rule.suppress_notices", .conditions = { { MATCH, "content.msgtype", "m.notice" } } },
	{ ".m.rule.invite_for_me",
	  .conditions = { { TYPE_IS("m.room.member") },
			  { MATCH, "content.membership", "invite" },
			  { MATCH, "state_key", USER } },
	  .notifies = true, .sound = "default" },
	{ ".m.rule.member_event", .conditions = { { TYPE_IS("m.room.member") } } },
	{ ".m.rule.is_user_mention",
	  .conditions = { { "event_property_contains", "content.m\\.mentions.user_ids", USER } },
	  .notifies = true, .sound = "default", .highlights = true },
	{ ".m.rule.is_room_mention",
	  .conditions = { { PROPERTY, "content.m\\.mentions.room", TRUE },
			  { "sender_notification_permission", "room", NULL } },
	  .notifies = true, .highlights = true },
	{ ".m.rule.tombstone",
	  .conditions = { { TYPE_IS("m.room.tombstone") }, { MATCH, "state_key", "" } },
	  .notifies = true, .highlights = true },
	{ ".m.rule.reaction", .conditions = { { TYPE_IS("m.reaction") } } },
	{ ".m.rule.room.server_acl",
	  .conditions = { { TYPE_IS("m.room.server_acl") }, { MATCH, "state_key", "" } } },
	{ ".m.rule.suppress_edits",
	  .conditions = { { PROPERTY, "content.m\\.relates_to.rel_type", "m.replace" } } },
	{ 0 },
};

static const struct rule underride[] = {
	{ ".m.rule.call", .conditions = { { TYPE_IS("m.call.invite") } }, .notifies = true,
	  .sound = "ring" },
	{ ".m.rule.encrypted_room_one_to_one",
	  .conditions = { { "room_member_count", NULL, "2" }, { TYPE_IS("m.room.encrypted") } },
	  .notifies = true, .sound = "default" },
	{ ".m.rule.room_one_to_one",
	  .conditions = { { "room_member_count", NULL, "2" }, { TYPE_IS("m.room.message") } },
	  .notifies = true, .sound = "default" },
	{ ".m.rule.message", .conditions = { { TYPE_IS("m.room.message") } }, .notifies = true },
	{ ".m.rule.encrypted", .conditions = { { TYPE_IS("m.room.encrypted") } },
	  .notifies = true },
	{ 0 },
};

static json_t *value_new(const char *value, const char *user_id)
{
	if (value[0] == TRUE[0])
		return json_true();
	return json_string(value[0] == USER[0] ? user_id : value);
}

static const char *value_name(const struct condition *condition)
{
	if (!condition->key)
		return "is";
	return streq(condition->kind, MATCH) ? "pattern" : "value";
}

static json_t *condition_new(const struct condition *condition, const char *user_id)
{
	json_t *json = json_pack("{s:s, s:s*}", "kind", condition->kind, "key", condition->key);

	if (condition->value)
		json_object_set_new(json, value_name(condition),
				    value_new(condition->value, user_id));
	return json;
}

static json_t *actions_new(const struct rule *rule)
{
	json_t *actions = json_array();

	if (rule->notifies)
		json_array_append_new(actions, json_string("notify"));
	if (rule->sound)
		json_array_append_new(actions, json_pack("{s:s, s:s}", "set_tweak", "sound",
							 "value", rule->sound));
	if (rule->highlights)
		json_array_append_new(actions, json_pack("{s:s}", "set_tweak", "highlight"));
	return actions;
}

static json_t *rule_new(const struct rule *rule, const char *user_id)
{
	json_t *conditions = json_array();
	size_t max = sizeof(rule->conditions) / sizeof(rule->conditions[0]);

	for (size_t i = 0; i < max && rule->conditions[i].kind; i++)
		json_array_append_new(conditions, condition_new(&rule->conditions[i], user_id));
	return json_pack("{s:s, s:b, s:b, s:o, s:o}", "rule_id", rule->id, "default", true,
			 "enabled", !rule->off, "conditions", conditions, "actions",
			 actions_new(rule));
}

static json_t *rules_new(const struct rule *rules, const char *user_id)
{
	json_t *list = json_array();

	for (; rules->id; rules++)
		json_array_append_new(list, rule_new(rules, user_id));
	return list;
}

json_t *default_rules_new(const char *user_id)
{
	return json_pack("{s:o, s:[], s:[], s:[], s:o}", "override", rules_new(override, user_id),
			 "content", "room", "sender", "underride", rules_new(underride, user_id));
}
