/*
 * What a device's access and refresh tokens are of. A token is "KIND_SESSION_SECRET": the session
 * says whose it is, and only SHA-256 of whole tokens is stored.
 *
 * Refreshing makes the next pair; the pair before it stays good until one of the next is used.
 * A refresh token that was replaced is in somebody else's hands: it ends all tokens of its session,
 * and the device has to log in again. Spec: client-server API, "Refreshing access tokens".
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/crypto/sha256.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

#define SESSION_ID_LEN    22
#define SESSION_TOKEN_LEN 59 /* "tra_", id, "_", 32 letters and digits */

/* A pair of tokens as it is stored; zero bytes: there is none. */
struct session_tokens {
	uint8_t access[MX_SHA256_LEN], refresh[MX_SHA256_LEN];
	int64_t access_until_ms; /* 0: for ever */
};

struct session {
	const char *id;
	const char *user, *device;
	int64_t created_ms;
	struct session_tokens now, next; /* next: made by a refresh, not used yet */
};

/* A pair of tokens as its client gets it. */
struct session_pair {
	char access[SESSION_TOKEN_LEN + 1], refresh[SESSION_TOKEN_LEN + 1]; /* refresh: "" none */
	int64_t access_life_ms; /* 0: for ever */
};

enum session_standing {
	SESSION_UNKNOWN, /* nobody's token */
	SESSION_OVER, /* its session is there, but the token is too old, or was replaced */
	SESSION_NOW,
	SESSION_NEXT, /* the first use of a new pair, see session_advance() */
};

/* A session of this device, which has none; its id in call->mem. */
const char *session_begin(const struct hs_call *call, const char *user, const char *device,
			  bool refreshable, struct session_pair *ret_pair);
/* NULL and ids that are not there are no error. */
void session_end(const struct hs_call *call, const char *id);

/* The session's id in a token of either kind; empty if it does not look like one. */
struct mx_slice session_id_of(struct mx_slice token);

/* Strings in call->mem. 0, or -MX_STORE; *ret_session is set unless the token is unknown. */
int session_by_access(const struct hs_call *call, struct mx_slice token,
		      struct session *ret_session, enum session_standing *ret_standing);
/* The next pair has been used: it is the one of now, and what was before it is over. */
void session_advance(const struct hs_call *call, struct session *session);

/* By a refresh token. -MX_UNKNOWN_TOKEN; if it had been replaced, that ends the session's tokens,
 * so the transaction is to be committed whatever this returns. */
int session_refresh(const struct hs_call *call, struct mx_slice token, const char **ret_user,
		    struct session_pair *ret_pair);
