#include "homeserver/creation/room_plan.h"

#include "homeserver/creation/first_levels.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/room/topic.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"

#include <stdlib.h>

struct preset {
	const char *name;
	const char *join_rule, *history_visibility, *guest_access;
	int64_t invite; /* level */
	bool trusts_invited;
};

static const struct preset presets[] = {
	{ "private_chat", "invite", "shared", "can_join", 0, false },
	{ "trusted_private_chat", "invite", "shared", "can_join", 0, true },
	{ "public_chat", "public", "shared", "forbidden", 50, false },
};

static const struct preset *preset_of(const json_t *body)
{
	bool is_public = streq(jstr(body, "visibility"), "public");
	const char *name = jstr_or(body, "preset", is_public ? "public_chat" : "private_chat");
	size_t i = 0;

	/* The schema knows the same names. */
	while (i + 1 < sizeof(presets) / sizeof(presets[0]) && !streq(presets[i].name, name))
		i++;
	return &presets[i];
}

/* Takes the content. */
static void plan_event(struct room_plan *plan, const char *type, const char *state_key,
		       json_t *content)
{
	mx_vec_push(plan, ((struct planned_event){ type, state_key, content }));
}

/* ---- checks */

static int check_invites(const json_t *invites, struct mx_error *err)
{
	const json_t *user;
	struct mx_id id;
	size_t i;

	if (json_array_size(invites) > ROOM_INVITES_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "At most %d users can be invited at once",
			       ROOM_INVITES_MAX);
	json_array_foreach (invites, i, user)
		if (!mx_user_id_parse(mx_slice(json_string_value(user)), false, &id))
			return mx_fail(err, MX_INVALID_PARAM, "%.100s is no user",
				       json_string_value(user));
	return 0;
}

static int check_initial_state(const json_t *list, struct mx_error *err)
{
	const json_t *item;
	const char *type;
	size_t i;

	json_array_foreach (list, i, item) {
		type = jstr(item, "type");
		if (streq(type, TYPE_CREATE) || streq(type, TYPE_MEMBER))
			return mx_fail(err, MX_INVALID_ROOM_STATE,
				       "%s cannot be part of initial_state", type);
	}
	return 0;
}

static int plan_alias(struct room_plan *plan, const struct room_wish *wish, struct mx_error *err)
{
	const char *name = jstr(wish->body, "room_alias_name");
	struct mx_id id;

	if (!name)
		return 0;
	plan->alias = mx_strf("#%s:%s", name, wish->server_name);
	/* A ':' would make it an alias of another server. */
	if (strchr(name, ':') || !*name || !mx_alias_parse(mx_slice(plan->alias), &id))
		return mx_fail(err, MX_INVALID_PARAM, "room_alias_name cannot be part of an alias");
	return 0;
}

static int plan_version(struct room_plan *plan, const struct room_wish *wish, struct mx_error *err)
{
	const char *id = jstr_or(wish->body, "room_version",
				 wish->version ? wish->version : ROOM_VERSION_DEFAULT);

	plan->version = room_version_find(mx_slice(id));
	if (!plan->version)
		return mx_fail(err, MX_UNSUPPORTED_ROOM_VERSION,
			       "This server does not know room version %.100s", id);
	return 0;
}

/* ---- m.room.create */

static bool has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (streq(json_string_value(item), text))
			return true;
	return false;
}

static void add_users(json_t *list, const json_t *users, const char *creator)
{
	json_t *user;
	size_t i;

	json_array_foreach ((json_t *)users, i, user)
		if (!has_text(list, json_string_value(user)) &&
		    !streq(json_string_value(user), creator))
			json_array_append(list, user);
}

/* Spec: "creation_content". What is no list, or has what is no user, the rules refuse. */
static void plan_creators(struct room_plan *plan, const struct room_wish *wish)
{
	json_t *stated = json_object_get(plan->create, "additional_creators"), *all;

	if (!plan->version->creators_rule || (stated && !json_is_array(stated)))
		return;
	all = stated ? json_copy(stated) : json_array();
	if (preset_of(wish->body)->trusts_invited)
		add_users(all, plan->invites, wish->creator);
	if (stated || json_array_size(all))
		json_object_set(plan->create, "additional_creators", all);
	json_decref(all);
}

static void plan_create(struct room_plan *plan, const struct room_wish *wish)
{
	const json_t *given = jobj(wish->body, "creation_content");

	plan->create = given ? json_deep_copy(given) : json_object();
	json_object_del(plan->create, "creator");
	json_object_set_new(plan->create, "room_version", json_string(plan->version->id));
	if (plan->version->creator_in_content)
		json_object_set_new(plan->create, "creator", json_string(wish->creator));
	plan_creators(plan, wish);
}

/* ---- the others */

static int plan_levels(struct room_plan *plan, const struct room_wish *wish, struct mx_error *err)
{
	const struct preset *preset = preset_of(wish->body);
	const struct first_levels levels = {
		.version = plan->version,
		.creator = wish->creator,
		.equals = preset->trusts_invited ? plan->invites : NULL,
		.invite = preset->invite,
		.override = jobj(wish->body, "power_level_content_override"),
	};
	json_t *content;
	int rc = first_levels_make(&levels, &content, err);

	if (rc == 0)
		plan_event(plan, TYPE_POWER_LEVELS, "", content);
	return rc;
}

static bool states(const json_t *initial_state, const char *type)
{
	const json_t *item;
	size_t i;

	json_array_foreach (initial_state, i, item)
		if (streq(jstr(item, "type"), type) && !*jstr_or(item, "state_key", ""))
			return true;
	return false;
}

static void plan_preset(struct room_plan *plan, const struct room_wish *wish)
{
	const json_t *initial_state = jarr(wish->body, "initial_state");
	const struct preset *preset = preset_of(wish->body);
	const struct {
		const char *type, *key, *value;
	} events[] = {
		{ TYPE_JOIN_RULES, "join_rule", preset->join_rule },
		{ TYPE_HISTORY_VISIBILITY, "history_visibility", preset->history_visibility },
		{ TYPE_GUEST_ACCESS, "guest_access", preset->guest_access },
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (!states(initial_state, events[i].type))
			plan_event(plan, events[i].type, "",
				   json_pack("{s:s}", events[i].key, events[i].value));
}

static void plan_initial_state(struct room_plan *plan, const struct room_wish *wish)
{
	const json_t *item;
	size_t i;

	json_array_foreach (jarr(wish->body, "initial_state"), i, item)
		plan_event(plan, jstr(item, "type"), jstr_or(item, "state_key", ""),
			   json_incref(jobj(item, "content")));
}

static void plan_names(struct room_plan *plan, const struct room_wish *wish)
{
	const char *name = jstr(wish->body, "name"), *topic = jstr(wish->body, "topic");

	if (name)
		plan_event(plan, TYPE_NAME, "", json_pack("{s:s}", "name", name));
	if (topic)
		plan_event(plan, TYPE_TOPIC, "", topic_content(topic));
}

static int plan_events(struct room_plan *plan, const struct room_wish *wish, struct mx_error *err)
{
	int rc = plan_levels(plan, wish, err);

	if (rc)
		return rc;
	if (plan->alias)
		plan_event(plan, TYPE_CANONICAL_ALIAS, "",
			   json_pack("{s:s}", "alias", plan->alias));
	plan_preset(plan, wish);
	plan_initial_state(plan, wish);
	plan_names(plan, wish);
	return 0;
}

static int plan_all(struct room_plan *plan, const struct room_wish *wish, struct mx_error *err)
{
	int rc = plan_version(plan, wish, err);

	if (rc == 0)
		rc = plan_alias(plan, wish, err);
	if (rc == 0)
		rc = check_invites(plan->invites, err);
	if (rc == 0)
		rc = check_initial_state(jarr(wish->body, "initial_state"), err);
	if (rc)
		return rc;
	plan_create(plan, wish);
	return plan_events(plan, wish, err);
}

int room_plan_make(const struct room_wish *wish, struct room_plan *ret_plan, struct mx_error *err)
{
	int rc;

	*ret_plan = (struct room_plan){
		.invites = jarr(wish->body, "invite"),
		.addresses = jarr(wish->body, "invite_3pid"),
		.is_public = streq(jstr(wish->body, "visibility"), "public"),
		.is_direct = jbool(wish->body, "is_direct", false),
	};
	rc = plan_all(ret_plan, wish, err);
	if (rc)
		room_plan_done(ret_plan);
	return rc;
}

void room_plan_done(struct room_plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		json_decref(plan->items[i].content);
	json_decref(plan->create);
	mx_free(plan->alias);
	mx_vec_done(plan);
	*plan = (struct room_plan){ 0 };
}
