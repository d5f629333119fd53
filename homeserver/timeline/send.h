/* What local users say in a room: messages and redactions.
 * Spec: client-server API, "Sending events to a room", "Redactions". */
#pragma once

#include "homeserver/timeline/client_txn_db.h"

#include <jansson.h>

struct hs_call;
struct mx_error;
struct room_turn;

struct message {
	struct client_txn request; /* its device is of the client, too */
	const char *type;
	const json_t *content;
	const char *redacts; /* of a redaction, else NULL */
};

/*
 * *ret_turn has the event, or is NULL if the same request made one before; in both cases
 * *ret_event_id is its id, in call->mem. -MX_FORBIDDEN, also for a room that is not here;
 * -MX_NOT_FOUND for a redaction of what is not in the room; -MX_DUPLICATE_ANNOTATION,
 * -MX_BAD_RELATION, -MX_BAD_JSON, -MX_TOO_LARGE. On failure the turn may be there, to be aborted.
 */
int send_message(const struct hs_call *call, const struct message *message,
		 struct room_turn **ret_turn, const char **ret_event_id, struct mx_error *err);
