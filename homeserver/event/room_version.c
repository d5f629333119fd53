#include "homeserver/event/room_version.h"

/* ---- what a redaction leaves. Spec: room versions, "Redactions" */

#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define OLD_MEMBERS                                                                              \
	KEYS("auth_events", "content", "depth", "event_id", "hashes", "membership", "origin",    \
	     "origin_server_ts", "prev_events", "prev_state", "room_id", "sender", "signatures", \
	     "state_key", "type")
#define NEW_MEMBERS                                                                       \
	KEYS("auth_events", "content", "depth", "event_id", "hashes", "origin_server_ts", \
	     "prev_events", "room_id", "sender", "signatures", "state_key", "type")

#define MEMBER_1                                                \
	{                                                       \
		"m.room.member", KEYS("membership"), NULL, NULL \
	}
#define MEMBER_9                                                                               \
	{                                                                                      \
		"m.room.member", KEYS("join_authorised_via_users_server", "membership"), NULL, \
			NULL                                                                   \
	}
#define MEMBER_11                                                                        \
	{                                                                                \
		"m.room.member", KEYS("join_authorised_via_users_server", "membership"), \
			"third_party_invite", "signed"                                   \
	}
#define CREATE_1                                             \
	{                                                    \
		"m.room.create", KEYS("creator"), NULL, NULL \
	}
#define CREATE_11                                 \
	{                                         \
		"m.room.create", NULL, NULL, NULL \
	}
#define RULES_1                                                    \
	{                                                          \
		"m.room.join_rules", KEYS("join_rule"), NULL, NULL \
	}
#define RULES_8                                                             \
	{                                                                   \
		"m.room.join_rules", KEYS("allow", "join_rule"), NULL, NULL \
	}
#define LEVELS_1                                                                                   \
	{                                                                                          \
		"m.room.power_levels",                                                             \
			KEYS("ban", "events", "events_default", "kick", "redact", "state_default", \
			     "users", "users_default"),                                            \
			NULL, NULL                                                                 \
	}
#define LEVELS_11                                                                           \
	{                                                                                   \
		"m.room.power_levels",                                                      \
			KEYS("ban", "events", "events_default", "invite", "kick", "redact", \
			     "state_default", "users", "users_default"),                    \
			NULL, NULL                                                          \
	}
#define ALIASES                                               \
	{                                                     \
		"m.room.aliases", KEYS("aliases"), NULL, NULL \
	}
#define VISIBILITY                                                                  \
	{                                                                           \
		"m.room.history_visibility", KEYS("history_visibility"), NULL, NULL \
	}
#define REDACTION                                               \
	{                                                       \
		"m.room.redaction", KEYS("redacts"), NULL, NULL \
	}

#define CONTENT(...) ((const struct redaction_keep[]){ __VA_ARGS__, { 0 } })

static const struct redaction_rules redaction_v1 = {
	OLD_MEMBERS, CONTENT(MEMBER_1, CREATE_1, RULES_1, LEVELS_1, VISIBILITY, ALIASES)
};
static const struct redaction_rules redaction_v6 = {
	OLD_MEMBERS, CONTENT(MEMBER_1, CREATE_1, RULES_1, LEVELS_1, VISIBILITY)
};
static const struct redaction_rules redaction_v8 = {
	OLD_MEMBERS, CONTENT(MEMBER_1, CREATE_1, RULES_8, LEVELS_1, VISIBILITY)
};
static const struct redaction_rules redaction_v9 = {
	OLD_MEMBERS, CONTENT(MEMBER_9, CREATE_1, RULES_8, LEVELS_1, VISIBILITY)
};
static const struct redaction_rules redaction_v11 = {
	NEW_MEMBERS, CONTENT(MEMBER_11, CREATE_11, RULES_8, LEVELS_11, VISIBILITY, REDACTION)
};

/* ---- the versions; each group of lines is what one version brought */

#define SINCE_1  .creator_in_content = true
#define UNTIL_2  .event_ids = EVENT_ID_MEMBER, .hashed_references = true, .redaction_rule = true
#define UNTIL_5  .aliases_rule = true, .real_levels = true
#define SINCE_5  .timed_keys = true
#define SINCE_6  SINCE_5, .strict_json = true, .notification_levels = true
#define SINCE_7  SINCE_6, .knocking = true
#define SINCE_8  SINCE_7, .restricted_joins = true
#define SINCE_10 SINCE_8, .knock_restricted = true, .integer_levels = true
#define SINCE_11 SINCE_10, .redacts_in_content = true, .byte_lengths = true
#define SINCE_12 SINCE_11, .create_is_room_id = true, .creators_rule = true

static const struct room_version versions[] = {
	{ "1", .resolution = RESOLUTION_V1, .redaction = &redaction_v1, SINCE_1, UNTIL_2, UNTIL_5 },
	{ "2", .resolution = RESOLUTION_V2, .redaction = &redaction_v1, SINCE_1, UNTIL_2, UNTIL_5 },
	{ "3", EVENT_ID_HASH, RESOLUTION_V2, &redaction_v1, SINCE_1, UNTIL_5 },
	{ "4", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v1, SINCE_1, UNTIL_5 },
	{ "5", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v1, SINCE_1, UNTIL_5, SINCE_5 },
	{ "6", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v6, SINCE_1, SINCE_6 },
	{ "7", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v6, SINCE_1, SINCE_7 },
	{ "8", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v8, SINCE_1, SINCE_8 },
	{ "9", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v9, SINCE_1, SINCE_8 },
	{ "10", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v9, SINCE_1, SINCE_10 },
	{ "11", EVENT_ID_URL_HASH, RESOLUTION_V2, &redaction_v11, SINCE_11 },
	{ "12", EVENT_ID_URL_HASH, RESOLUTION_V2_1, &redaction_v11, SINCE_12 },
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

const struct room_version *room_version_find(struct mx_slice id)
{
	for (size_t i = 0; i < VERSIONS; i++)
		if (mx_slice_is(id, versions[i].id))
			return &versions[i];
	return NULL;
}

const struct room_version *room_version_at(size_t index)
{
	return index < VERSIONS ? &versions[index] : NULL;
}
