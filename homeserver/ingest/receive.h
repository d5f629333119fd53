/*
 * What another server sent, until its turn: an event is checked by itself, and what it cites and is
 * not here is fetched; each of those goes the same way. No lock is held meanwhile; ingest_apply()
 * has the last word. Spec: server-server API, "Checks performed on receipt of a PDU", 1 to 3.
 */
#pragma once

#include "shared/core/slice.h"

struct event;
struct event_signers;
struct hs_call;
struct mx_arena;
struct mx_error;

#define RECEIVE_FETCHED_MAX 100 /* for one event that was sent */

/* Other servers, as far as an event needs them. Both may wait. */
struct ingest_network {
	void *ctx;
	/* 0: each of the signers has signed it with a key that was good at its time. What it
	 * returns instead is what ingest_receive() returns, -MX_FORBIDDEN for instance. */
	int (*check_signatures)(void *ctx, const struct event *event,
				const struct event_signers *signers, struct mx_error *err);
	/* The event's JSON, in mem. -MX_NOT_FOUND: nobody who was asked has it. */
	int (*fetch)(void *ctx, const char *room_id, struct mx_slice event_id, struct mx_arena *mem,
		     struct mx_slice *ret_json, struct mx_error *err);
};

/*
 * Takes an event into its room, what it cites first; durable when it returns. The call has neither
 * txn nor view. What does not become part of the room is stored and hidden, which is no error.
 * -MX_NOT_FOUND: the room is not here, or something cited is not to be had; -MX_BAD_JSON,
 * -MX_TOO_LARGE: no event of the room's version; -MX_FORBIDDEN: another room's, not what was asked
 * for, or in a circle; -MX_CONFLICT: it is here already. What was fetched until then stays.
 */
int ingest_receive(const struct hs_call *call, const char *room_id, struct mx_slice json,
		   const struct ingest_network *network, struct mx_error *err);
