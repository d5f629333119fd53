#include "homeserver/creation/room_upgrade.h"

#include "homeserver/call.h"
#include "homeserver/creation/old_room.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/member.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define TRIES_MAX 16 /* each lost one means that somebody else changed an alias */

/* ---- the new room */

struct founding {
	const struct hs_call *call;
	const struct room_upgrade *upgrade;
	const struct old_room *old;
	const struct room_version *version;
	struct room_turn *turn;
	const char *room_id; /* the new one's */
	struct mx_error *err;
};

static int check_creators(const json_t *users, struct mx_error *err)
{
	const json_t *user;
	struct mx_id id;
	size_t i;

	json_array_foreach (users, i, user)
		if (!json_is_string(user) ||
		    !mx_user_id_parse(mx_slice(json_string_value(user)), false, &id))
			return mx_fail(err, MX_INVALID_PARAM,
				       "additional_creators must be a list of users");
	return 0;
}

/* Spec: "Creates a replacement room with a m.room.create event containing …". A room that is named
 * by its create event cannot be followed by one that says which event was the last. */
static json_t *create_content(const struct founding *founding)
{
	const struct old_room *old = founding->old;
	const struct room_version *version = founding->version;
	json_t *content = json_pack("{s:s, s:{s:s}, s:s*}", "room_version", version->id,
				    "predecessor", "room_id", founding->upgrade->room_id, "type",
				    old->type);

	if (!version->create_is_room_id && old->last_event)
		json_object_set_new(json_object_get(content, "predecessor"), "event_id",
				    json_string(old->last_event));
	if (old->is_local_only)
		json_object_set_new(content, "m.federate", json_false());
	if (version->creator_in_content)
		json_object_set_new(content, "creator", json_string(founding->upgrade->user_id));
	if (version->creators_rule && json_array_size(founding->upgrade->additional_creators))
		json_object_set(content, "additional_creators",
				(json_t *)founding->upgrade->additional_creators);
	return content;
}

static int begin(struct founding *founding)
{
	json_auto_t *content = create_content(founding);
	const struct room_birth birth = {
		.version = founding->version,
		.create = {
			.type = TYPE_CREATE,
			.sender = founding->upgrade->user_id,
			.state_key = "",
			.content = content,
			.device = founding->upgrade->device,
		},
	};
	int rc = turn_create(founding->call, &birth, &founding->turn, founding->err);

	if (rc == 0)
		founding->room_id =
			mx_arena_slice(founding->call->mem, turn_head(founding->turn)->id).ptr;
	return rc;
}

static int join(struct founding *founding)
{
	const struct member_change change = {
		.room_id = founding->room_id,
		.sender = founding->upgrade->user_id,
		.target = founding->upgrade->user_id,
		.membership = MEMBERSHIP_JOIN,
		.device = founding->upgrade->device,
	};
	const struct event *event;

	return member_change_in(founding->turn, &change, &event, founding->err);
}

static int say(struct founding *founding, const struct old_state *state)
{
	const struct event_wish wish = {
		.type = state->type,
		.sender = founding->upgrade->user_id,
		.state_key = state->state_key,
		.content = state->content,
		.device = founding->upgrade->device,
	};
	const struct event *event;
	int rc = turn_send(founding->turn, &wish, &event, founding->err);

	/* What the new version does not take any more is no reason to stay with the old one. */
	if (rc == -MX_BAD_JSON || rc == -MX_TOO_LARGE) {
		mx_log(MX_LOG_INFO, "state does not fit into the upgraded room", "room",
		       founding->room_id, "type", state->type, NULL);
		return 0;
	}
	return rc;
}

static int say_levels(struct founding *founding)
{
	json_auto_t *content = old_room_levels(founding->old, founding->version, founding->upgrade);
	const struct old_state levels = { TYPE_POWER_LEVELS, "", content };

	return say(founding, &levels);
}

/* As long as no levels are stated their maker may say everything: they come last. */
static int say_all(struct founding *founding)
{
	int rc = join(founding);

	for (size_t i = 0; rc == 0 && i < founding->old->len; i++)
		rc = say(founding, &founding->old->items[i]);
	return rc ? rc : say_levels(founding);
}

static int found(struct founding *founding, char **ret_new_id)
{
	int rc = begin(founding);

	if (rc)
		return rc;
	rc = say_all(founding);
	if (rc == 0)
		rc = old_room_move_names(founding->old, turn_call(founding->turn),
					 founding->room_id);
	if (rc) {
		turn_abort(founding->turn);
		return rc;
	}
	turn_publish(founding->turn, founding->old->is_published);
	rc = turn_commit(founding->turn, founding->err);
	if (rc == 0)
		*ret_new_id = mx_strdup(founding->room_id);
	return rc;
}

int room_upgrade_make(const struct hs_call *call, const struct room_upgrade *upgrade,
		      char **ret_new_id, struct mx_error *err)
{
	struct hs_call looking = *call;
	struct old_room old = { 0 };
	struct founding founding = {
		.call = call,
		.upgrade = upgrade,
		.old = &old,
		.version = room_version_find(mx_slice(upgrade->version)),
		.err = err,
	};
	int rc;

	if (!founding.version)
		return mx_fail(err, MX_UNSUPPORTED_ROOM_VERSION,
			       "This server does not know room version %.100s", upgrade->version);
	/* Spec: "ignored" by versions without them. */
	rc = founding.version->creators_rule ? check_creators(upgrade->additional_creators, err)
					     : 0;
	if (rc)
		return rc;
	looking.view = store_view_begin(call->hs->store);
	rc = old_room_load(&looking, upgrade, &old, err);
	store_view_end(looking.view);
	if (rc == 0)
		rc = -MX_CONFLICT;
	for (unsigned i = 0; i < TRIES_MAX && rc == -MX_CONFLICT; i++)
		rc = found(&founding, ret_new_id);
	old_room_done(&old);
	return rc;
}

/* ---- the old room */

static int say_in_old(struct room_turn *turn, const struct room_upgrade *upgrade,
		      const struct old_state *state, struct mx_error *err)
{
	const struct event_wish wish = {
		.type = state->type,
		.sender = upgrade->user_id,
		.state_key = "",
		.content = state->content,
		.device = upgrade->device,
	};
	const struct event *event;

	return turn_send(turn, &wish, &event, err);
}

static int say_tombstone(struct room_turn *turn, const struct room_upgrade *upgrade,
			 const char *new_id, struct mx_error *err)
{
	json_auto_t *content = json_pack("{s:s, s:s}", "body", "This room has been replaced",
					 "replacement_room", new_id);
	const struct old_state tombstone = { TYPE_TOMBSTONE, "", content };

	return say_in_old(turn, upgrade, &tombstone, err);
}

/* Spec: "If possible, the power levels in the old room should also be modified". */
static void close_levels(struct room_turn *turn, const struct room_upgrade *upgrade)
{
	const struct event *levels = turn_state(turn, TYPE_POWER_LEVELS, "");
	json_auto_t *content = levels ? old_room_closed_levels(levels) : NULL;
	const struct old_state closed = { TYPE_POWER_LEVELS, "", content };
	struct mx_error err = { 0 };

	if (content && say_in_old(turn, upgrade, &closed, &err))
		mx_log(MX_LOG_DEBUG, "levels of an upgraded room stay", "room", upgrade->room_id,
		       "why", err.text, NULL);
}

/* The aliases lead to the new room now. */
static void take_alias(struct room_turn *turn, const struct room_upgrade *upgrade)
{
	json_auto_t *content = json_object();
	const struct old_state none = { TYPE_CANONICAL_ALIAS, "", content };
	struct mx_error err = { 0 };

	if (turn_state(turn, TYPE_CANONICAL_ALIAS, "") && say_in_old(turn, upgrade, &none, &err))
		mx_log(MX_LOG_DEBUG, "the alias of an upgraded room stays", "room",
		       upgrade->room_id, "why", err.text, NULL);
}

int room_upgrade_close(const struct hs_call *call, const struct room_upgrade *upgrade,
		       const char *new_id, struct room_turn **ret_turn, struct mx_error *err)
{
	int rc;

	*ret_turn = NULL;
	rc = turn_begin(call, upgrade->room_id, ret_turn, err);
	if (rc == 0)
		rc = say_tombstone(*ret_turn, upgrade, new_id, err);
	if (rc)
		return rc;
	turn_publish(*ret_turn, false);
	take_alias(*ret_turn, upgrade);
	close_levels(*ret_turn, upgrade);
	return 0;
}
