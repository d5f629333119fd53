/*
 * Claims to addresses, which the specification calls validation sessions: somebody shows that an
 * address is theirs by repeating a token that was sent there. Spec: identity service API,
 * "Association validation".
 *
 * A claim ends 24 hours after its birth, or after its validation if it came so far. For five more
 * days it is remembered as expired. Its secret is compared in constant time, and a wrong secret
 * looks like an unknown session.
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/store/page.h"
#include "shared/threepid/threepid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct outbox;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table claim_table, claim_address_table, claim_end_table;
extern const struct store_table *const claim_tables[]; /* these */

/* What one piece of work reads and writes with. */
struct claim_call {
	struct outbox *outbox; /* where messages are; NULL where none is asked for */
	struct store_txn *txn; /* for all that changes something… */
	struct store_view *view; /* …or only reads */
	struct mx_arena *mem;
	int64_t now_ms;
};

#define CLAIM_LIFE_MS        INT64_C(86400000)
#define CLAIM_TOMBSTONE_MS   (5 * CLAIM_LIFE_MS)
#define CLAIM_TRIES          5
#define CLAIM_ID_LEN         32
#define CLIENT_SECRET_MAX    255
#define VALIDATION_TOKEN_MAX 255 /* code points */

struct claim {
	const char *id, *client_secret, *token, *next_link; /* next_link may be NULL; the secret is
							       the caller's own, only its hash
							       is stored */
	struct threepid threepid;
	const char *address_as_sent; /* for the envelope; "" for phone numbers */
	int64_t created_ms, sent_ms, validated_ms; /* 0 = not yet */
	int64_t send_attempt; /* the greatest that was queued; -1 = none */
	uint64_t message; /* of the outbox; 0 = none */
	unsigned tries_left;
	const char *remote; /* where its token is known, in the daemon's own words; NULL: here */
	bool ended; /* by the operator: as if its time were over */
};

struct claim_request {
	struct threepid threepid;
	const char *address_as_sent, *client_secret, *next_link;
	const char *remote; /* see struct claim; the newest counts */
	int64_t send_attempt; /* -1 = not given (v1): send once */
	bool short_token; /* six digits instead of 32 letters */
};

/*
 * The session of this address and secret, made if there is none that lives unvalidated.
 * *ret_must_send: the attempt is greater than any before, or the last message failed for good.
 * Strings in mem.
 */
int claim_open(const struct claim_call *call, const struct claim_request *request,
	       struct claim *ret_session, bool *ret_must_send, struct mx_error *err);
/* Notes that a message of this attempt was queued. */
void claim_sent(const struct claim_call *call, const struct claim *session, int64_t attempt,
		uint64_t message);
/* Notes that this message was given up: its attempt counts as not made. */
void claim_not_sent(const struct claim_call *call, const char *id, uint64_t message);

/* By id and secret. -MX_NO_VALID_SESSION (unknown, or wrong secret), -MX_SESSION_EXPIRED. */
int claim_load(const struct claim_call *call, const char *id, const char *client_secret,
	       struct claim *ret_session, struct mx_error *err);
/* Only a validated one: also -MX_SESSION_NOT_VALIDATED. */
int claim_proof(const struct claim_call *call, const char *id, const char *client_secret,
		struct claim *ret_session, struct mx_error *err);

/* Whether the token is right. *ret_right false: a try is gone, and the caller commits that before
 * answering -MX_TOKEN_INCORRECT. Right again after validation stays right. */
int claim_submit(const struct claim_call *call, const struct claim *session, const char *token,
		 bool *ret_right, struct mx_error *err);

/* ---- for the operator; without secrets and tokens */

enum claim_stage { CLAIM_OPEN, CLAIM_VALIDATED, CLAIM_OVER };

enum claim_stage claim_stage(const struct claim *session, int64_t now_ms);

struct claim_list {
	struct claim *items;
	size_t len;
	struct mx_slice next;
};

/* All of an address that are not forgotten yet, in the order of their ids. */
int claim_list(const struct claim_call *call, const struct threepid *threepid,
	       const struct page *page, struct claim_list *ret_list);
/* It proves nothing any more, and is not sent. -MX_NOT_FOUND, also if it is over. The session that
 * it was, in mem. */
int claim_end(const struct claim_call *call, const char *id, struct claim *ret_session,
	      struct mx_error *err);
/* Removes it without a trace. */
void claim_forget(const struct claim_call *call, const struct claim *session);

/* Removes what is past its tombstone; at most `limit` rows a call. For a timer. */
size_t claim_reap(struct store *store, int64_t now_ms, size_t limit);

/* [0-9a-zA-Z.=_-]{1,255}. -MX_INVALID_PARAM. */
int client_secret_check(const char *secret, struct mx_error *err);
