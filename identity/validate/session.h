/*
 * Validation sessions: somebody shows that an address is theirs by repeating a token that was
 * sent there. Spec: identity service API, "Association validation".
 *
 * A session ends 24 hours after its birth, or after its validation if it came so far. For five
 * more days it is remembered as expired. Its secret is compared in constant time, and a wrong
 * secret looks like an unknown session.
 */
#pragma once

#include "shared/store/page.h"
#include "shared/threepid/threepid.h"
#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity_call;
struct mx_arena;
struct mx_error;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table session_table, session_address_table, session_end_table;

#define SESSION_LIFE_MS      INT64_C(86400000)
#define SESSION_TOMBSTONE_MS (5 * SESSION_LIFE_MS)
#define SESSION_TRIES        5
#define SESSION_ID_LEN       32
#define CLIENT_SECRET_MAX    255
#define VALIDATION_TOKEN_MAX 255 /* code points */

struct session {
	const char *id, *client_secret, *token, *next_link; /* next_link may be NULL; the secret is
							       the caller's own, only its hash
							       is stored */
	struct threepid threepid;
	const char *address_as_sent; /* for the envelope; "" for phone numbers */
	int64_t created_ms, sent_ms, validated_ms; /* 0 = not yet */
	int64_t send_attempt; /* the greatest that was queued; -1 = none */
	uint64_t message; /* of the outbox; 0 = none */
	unsigned tries_left;
	bool ended; /* by the operator: as if its time were over */
};

struct session_request {
	struct threepid threepid;
	const char *address_as_sent, *client_secret, *next_link;
	int64_t send_attempt; /* -1 = not given (v1): send once */
	bool short_token; /* six digits instead of 32 letters */
};

/*
 * The session of this address and secret, made if there is none that lives unvalidated.
 * *ret_must_send: the attempt is greater than any before, or the last message failed for good.
 * Strings in mem.
 */
int session_open(const struct identity_call *call, const struct session_request *request,
		 struct session *ret_session, bool *ret_must_send, struct mx_error *err);
/* Notes that a message of this attempt was queued. */
void session_sent(const struct identity_call *call, const struct session *session, int64_t attempt,
		  uint64_t message);
/* Notes that this message was given up: its attempt counts as not made. */
void session_not_sent(const struct identity_call *call, const char *id, uint64_t message);

/* By id and secret. -MX_NO_VALID_SESSION (unknown, or wrong secret), -MX_SESSION_EXPIRED. */
int session_load(const struct identity_call *call, const char *id, const char *client_secret,
		 struct session *ret_session, struct mx_error *err);
/* Only a validated one: also -MX_SESSION_NOT_VALIDATED. */
int session_proof(const struct identity_call *call, const char *id, const char *client_secret,
		  struct session *ret_session, struct mx_error *err);

/* Whether the token is right. *ret_right false: a try is gone, and the caller commits that before
 * answering -MX_TOKEN_INCORRECT. Right again after validation stays right. */
int session_submit(const struct identity_call *call, const struct session *session,
		   const char *token, bool *ret_right, struct mx_error *err);

/* ---- for the operator; without secrets and tokens */

enum session_stage { SESSION_OPEN, SESSION_VALIDATED, SESSION_OVER };

enum session_stage session_stage(const struct session *session, int64_t now_ms);

struct session_list {
	struct session *items;
	size_t len;
	struct mx_slice next;
};

/* All of an address that are not forgotten yet, in the order of their ids. */
int session_list(const struct identity_call *call, const struct threepid *threepid,
		 const struct page *page, struct session_list *ret_list);
/* It proves nothing any more, and is not sent. -MX_NOT_FOUND, also if it is over. The session that
 * it was, in mem. */
int session_end(const struct identity_call *call, const char *id, struct session *ret_session,
		struct mx_error *err);
/* Removes it without a trace. */
void session_forget(const struct identity_call *call, const struct session *session);

/* Removes what is past its tombstone; at most `limit` rows a call. For a timer. */
size_t session_reap(struct store *store, int64_t now_ms, size_t limit);

/* [0-9a-zA-Z.=_-]{1,255}. -MX_INVALID_PARAM. */
int client_secret_check(const char *secret, struct mx_error *err);
