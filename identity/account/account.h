/* Accounts: Matrix users who proved themselves with an OpenID token of their homeserver. Access
 * tokens are stored as SHA-256 only. Spec: identity service API, "Authentication". */
#pragma once

#include "shared/core/slice.h"
#include "shared/store/page.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity;
struct identity_call;
struct mx_arena;
struct mx_error;
struct store;
struct store_table;
struct store_txn;
struct store_view;

#define ACCOUNT_TOKEN_LEN 43 /* base64url of 256 bits */

#define ACCOUNT_IDLE_MS INT64_C(31536000000) /* a token that nobody used for 365 days is over */
#define ACCOUNT_SEEN_MS INT64_C(86400000) /* its use is noted once a day */

struct account {
	const char *user_id;
	int64_t created_ms, seen_ms; /* of the token; seen: to the day */
};

/* Makes the account if it is new, and a token. */
int account_open(struct store_txn *txn, const char *user_id, int64_t now_ms,
		 char ret_token[ACCOUNT_TOKEN_LEN + 1], struct mx_error *err);

/* Whose token it is. -MX_UNAUTHORIZED if nobody's or idle for too long. Strings in mem. */
int account_by_token(struct store_view *view, const char *token, int64_t now_ms,
		     struct mx_arena *mem, struct account *ret_account, struct mx_error *err);

/* Notes that the token is used; a failure is none of its user's business. */
void account_seen(struct store *store, const char *token, int64_t now_ms);

/* -MX_UNKNOWN_TOKEN if it is nobody's. */
int account_close(struct store_txn *txn, const char *token, struct mx_error *err);
/* All tokens of a user: administration, erasure. The number that there were. */
size_t account_close_all(struct store_txn *txn, const char *user_id);

/* For administration: the account itself. */
struct account_summary {
	const char *user_id;
	int64_t created_ms;
	int64_t seen_ms; /* of all tokens, to the day; 0: there is none */
	size_t tokens;
};

struct account_list {
	struct account_summary *items;
	size_t len;
	struct mx_slice next;
};

/* -MX_NOT_FOUND. In call->mem. */
int account_show(const struct identity_call *call, const char *user_id,
		 struct account_summary *ret_summary, struct mx_error *err);
/* In the order of their names. */
int account_list(const struct identity_call *call, const struct page *page,
		 struct account_list *ret_list);
/* Account, tokens and consents. -MX_NOT_FOUND. */
int account_erase(const struct identity_call *call, const char *user_id, struct mx_error *err);

/* Removes the tokens that were idle for too long; how many. For a chore. */
size_t account_reap(struct store *store, int64_t now_ms);

/* ---- openid.c: LANE_NET. The user of an OpenID token, in mem: -MX_INVALID_PARAM for a server name
 * that is none or that leads to an address that may not be asked, -MX_NOT_YOURS for a homeserver
 * that the operator does not let in, -MX_UNAUTHORIZED if the server does not know the token or
 * answers for somebody else's user, -MX_REMOTE_FAILED, -MX_REMOTE_TIMEOUT. */
int openid_user(struct identity *identity, const char *server_name, const char *openid_token,
		struct mx_arena *mem, const char **ret_user_id, struct mx_error *err);
