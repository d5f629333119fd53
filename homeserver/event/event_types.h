/* Names of the protocol that the rules ask for. */
#pragma once

#define TYPE_ALIASES            "m.room.aliases"
#define TYPE_CANONICAL_ALIAS    "m.room.canonical_alias"
#define TYPE_CREATE             "m.room.create"
#define TYPE_GUEST_ACCESS       "m.room.guest_access"
#define TYPE_HISTORY_VISIBILITY "m.room.history_visibility"
#define TYPE_JOIN_RULES         "m.room.join_rules"
#define TYPE_MEMBER             "m.room.member"
#define TYPE_NAME               "m.room.name"
#define TYPE_POWER_LEVELS       "m.room.power_levels"
#define TYPE_REDACTION          "m.room.redaction"
#define TYPE_SERVER_ACL         "m.room.server_acl"
#define TYPE_THIRD_PARTY_INVITE "m.room.third_party_invite"
#define TYPE_TOMBSTONE          "m.room.tombstone"
#define TYPE_TOPIC              "m.room.topic"
