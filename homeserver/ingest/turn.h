/*
 * A turn in a room: from taking its lock to handing the batch to the committer. Within one, the
 * state does not change under one's feet; nothing may wait for the network. The next turn goes on
 * with what this one made before it is durable; if the commit fails, so do all that built on it.
 *
 *	rc = turn_begin(&call, room_id, &turn, &r->err);
 *	if (rc == 0)
 *		rc = turn_send(turn, &wish, &event, &r->err);
 *	return turn_answer(turn, r, rc);
 */
#pragma once

#include "homeserver/event/event.h"
#include "homeserver/room/membership.h"
#include "homeserver/room/room_db.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct mx_error;
struct req;
struct room_turn;
struct store_txn;

/* What a local user wants to say. */
struct event_wish {
	const char *type, *sender;
	const char *state_key; /* NULL: a message */
	const json_t *content; /* an object */
	const char *redacts; /* of a redaction */
	const char *device, *txn_id; /* of a client's request; may be NULL */
	int64_t origin_server_ts; /* 0: now */
};

/* Takes the turn; call->hs and call->mem are used, its txn and view are not. -MX_NOT_FOUND for a
 * room that is not here. A thread has one turn at a time. */
int turn_begin(const struct hs_call *call, const char *room_id, struct room_turn **ret_turn,
	       struct mx_error *err);

/* The same for who has to be in the room: -MX_FORBIDDEN for one that is not here. */
int turn_begin_inside(const struct hs_call *call, const char *room_id, struct room_turn **ret_turn,
		      struct mx_error *err);

struct room_birth {
	const struct room_version *version;
	struct event_wish create; /* its content is completed: room_version, creator */
};

/* A turn in a room that is made with it. */
int turn_create(const struct hs_call *call, const struct room_birth *birth,
		struct room_turn **ret_turn, struct mx_error *err);

/* Builds, signs, authorises and applies; the event is part of the room from now on, and durable
 * with the turn. -MX_FORBIDDEN with the rule's reason, -MX_BAD_JSON, -MX_TOO_LARGE: then nothing
 * of it is there, and the turn goes on. The event is in call->mem. */
int turn_send(struct room_turn *turn, const struct event_wish *wish, const struct event **ret_event,
	      struct mx_error *err);

/* Puts the room into the directory, or takes it out. */
void turn_publish(struct room_turn *turn, bool is_published);

/* ---- looking, at what the turn's own events made */

const struct room_head *turn_head(const struct room_turn *turn);
uint32_t turn_room(const struct room_turn *turn);
/* NULL: there is none. Good until the turn ends. */
const struct event *turn_state(struct room_turn *turn, const char *type, const char *state_key);
enum membership turn_membership(struct room_turn *turn, const char *user_id);
/* For rows that belong to what is sent: they are committed with it. Its view is of the turn's
 * beginning. */
struct store_txn *turn_txn(struct room_turn *turn);
/* The same as a call, for _db.c functions. */
const struct hs_call *turn_call(const struct room_turn *turn);

/* ---- the end; each of these ends the turn, and frees it */

/* rc 0: hands it to the committer, and the request is answered when all is durable; otherwise as
 * turn_abort(). Returns what the handler returns; NULL turns are taken. Work lane only. */
int turn_answer(struct room_turn *turn, struct req *r, int rc);
/* Waits for it. For what is not a request. -MX_CONFLICT: nothing happened, try again. */
int turn_commit(struct room_turn *turn, struct mx_error *err);
/* Nothing of it happened. */
void turn_abort(struct room_turn *turn);
