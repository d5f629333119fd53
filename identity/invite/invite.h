/*
 * Invites of people who have no account yet: stored until their address is bound, then told to
 * their homeserver. Spec: identity service API, "Invitation storage", "Ephemeral invitation
 * signing".
 */
#pragma once

#include "identity/threepid.h"
#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity;
struct identity_call;
struct mx_arena;
struct mx_error;
struct outbox_kind;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table invite_table, invite_address_table, ephemeral_key_table;

enum invite_state { INVITE_PENDING, INVITE_BOUND, INVITE_DELIVERED, INVITE_WITHDRAWN };

struct invite {
	const char *token, *room_id, *sender;
	struct threepid threepid;
	uint8_t ephemeral_public[32];
	int64_t created_ms, ended_ms; /* 0 = pending */
	enum invite_state state;
	const char *user_id; /* once bound; else NULL */
};

/* Everything pending for the address is now the user's: marks it and queues one notice per invite
 * to the user's homeserver. Part of a bind's transaction. */
int invite_bind(const struct identity_call *call, const struct threepid *threepid,
		const char *user_id, struct mx_slice signed_association, struct mx_error *err);

/* -MX_NOT_FOUND. In mem. */
int invite_load(const struct identity_call *call, const char *token, struct invite *ret_invite);
int invite_withdraw(const struct identity_call *call, const char *token, struct mx_error *err);

/* Whether a key was given out for an invite that still counts. text as long_term_is_valid(). */
bool ephemeral_is_valid(const struct identity_call *call, const char *text);

/* The outbox kind "onbind": POST, then PUT where POST is unknown. */
struct outbox_kind onbind_kind(struct identity *identity);

/* For the import: an invite of another service, pending or ended. */
int invite_import(struct store_txn *txn, const struct invite *invite, struct mx_error *err);
