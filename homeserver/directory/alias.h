/* Aliases that this server hosts. Spec: client-server API, "Room aliases". */
#pragma once

#include "homeserver/directory/alias_db.h"

#include <jansson.h>

struct event;
struct hs_call;
struct mx_error;

/* An alias, and one of ours: -MX_INVALID_PARAM. */
int alias_check_own(const struct hs_call *call, const char *name, struct mx_error *err);

/* Where it leads, in call->mem; in a view of its own if the call has none. -MX_NOT_FOUND,
 * -MX_REMOTE_FAILED for those of other servers, -MX_INVALID_PARAM. */
int alias_resolve(const struct hs_call *call, const char *name, const char **ret_room_id,
		  struct mx_error *err);

/* With a txn. -MX_ALIAS_TAKEN if it leads anywhere. */
int alias_claim(const struct hs_call *call, const struct alias *alias, struct mx_error *err);
/* For its creator, for who may say what the room's canonical alias is, and for administrators;
 * others get -MX_FORBIDDEN. -MX_NOT_FOUND. */
int alias_release(const struct hs_call *call, const char *name, const char *user_id,
		  struct mx_error *err);

/* Whether the content of m.room.canonical_alias may be said in the room: aliases that `now` (may
 * be NULL) has not yet are -MX_INVALID_PARAM if they are none, and -MX_BAD_ALIAS if they lead
 * elsewhere. */
int alias_check_canonical(const struct hs_call *call, const char *room_id, const json_t *content,
			  const struct event *now, struct mx_error *err);
