#include "homeserver/roomstate/state_check.h"

#include "homeserver/call.h"
#include "homeserver/directory/alias.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/acl.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

static int check_create(struct room_turn *turn, const json_t *content, struct mx_error *err)
{
	(void)turn, (void)content;
	return mx_fail(err, MX_FORBIDDEN, "A room has one beginning");
}

static int check_canonical_alias(struct room_turn *turn, const json_t *content,
				 struct mx_error *err)
{
	const struct hs_call *call = turn_call(turn);

	return alias_check_canonical(call, mx_arena_slice(call->mem, turn_head(turn)->id).ptr,
				     content, turn_state(turn, TYPE_CANONICAL_ALIAS, ""), err);
}

static int check_server_acl(struct room_turn *turn, const json_t *content, struct mx_error *err)
{
	return acl_check(content, turn_call(turn)->hs->conf->server_name, err);
}

/* ---- power levels: rooms before version 10 took strings, and no client should write them */

static int check_level(const char *name, const json_t *level, struct mx_error *err)
{
	if (json_is_integer(level))
		return 0;
	return mx_fail(err, MX_BAD_JSON, "The power level of %.100s must be an integer", name);
}

static int check_level_map(const json_t *content, const char *key, struct mx_error *err)
{
	json_t *map = json_object_get(content, key), *level;
	const char *name;
	int rc = 0;

	if (map && !json_is_object(map))
		return mx_fail(err, MX_BAD_JSON, "%s must be an object", key);
	json_object_foreach (map, name, level)
		if (rc == 0)
			rc = check_level(name, level, err);
	return rc;
}

static int check_power_levels(struct room_turn *turn, const json_t *content, struct mx_error *err)
{
	static const char *const levels[] = { "users_default", "events_default", "state_default",
					      "ban",           "kick",           "redact",
					      "invite" };
	static const char *const maps[] = { "users", "events", "notifications" };
	const json_t *level;
	int rc = 0;

	(void)turn;
	for (size_t i = 0; rc == 0 && i < sizeof(levels) / sizeof(levels[0]); i++) {
		level = json_object_get(content, levels[i]);
		if (level)
			rc = check_level(levels[i], level, err);
	}
	for (size_t i = 0; rc == 0 && i < sizeof(maps) / sizeof(maps[0]); i++)
		rc = check_level_map(content, maps[i], err);
	return rc;
}

static const struct {
	const char *type;
	int (*check)(struct room_turn *turn, const json_t *content, struct mx_error *err);
} checks[] = {
	{ TYPE_CANONICAL_ALIAS, check_canonical_alias },
	{ TYPE_CREATE, check_create },
	{ TYPE_POWER_LEVELS, check_power_levels },
	{ TYPE_SERVER_ACL, check_server_acl },
};

int state_check(struct room_turn *turn, const char *type, const json_t *content,
		struct mx_error *err)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (streq(type, checks[i].type))
			return checks[i].check(turn, content, err);
	return 0;
}
