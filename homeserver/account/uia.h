/*
 * User-interactive authentication: a request is answered 401 until one of its flows, each a row of
 * stages, is complete. Spec: client-server API, "User-Interactive Authentication API".
 *
 * Sessions are in the store: a person who looks for a mail may come back after a restart, or to
 * another process that shares the store. A session belongs to one user, method, path and body.
 * It ends with the request that it allowed, or after a day.
 */
#pragma once

#include "shared/crypto/sha256.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct mx_error;
struct req;

#define UIA_STAGES_MAX         8 /* of a flow */
#define UIA_FLOWS_MAX          8
#define UIA_REGISTRATION_TOKEN "m.login.registration_token" /* result: the token */

#define UIA_LIFE_MS INT64_C(86400000)

struct uia_session {
	const char *id;
	const char *user; /* "" for who is not signed in */
	const char *what; /* method and path */
	uint8_t body[MX_SHA256_LEN]; /* of the request without `auth` */
	int64_t created_ms;
	json_t *completed; /* stage → what it found out, or true; in the order of completion */
	json_t *kept; /* what the purpose remembers of the first request; {} */
};

/* Releases the two trees; twice is once. */
void uia_session_done(struct uia_session *session);
#define uia_session_auto __attribute__((cleanup(uia_session_done))) struct uia_session

/* ---- stages; the table of them is in uia_stages.c */

struct uia_stage {
	const char *type; /* "m.login.dummy" */
	/*
	 * One attempt: 0, and what the handler may want to know in *ret_result (owned; NULL stays
	 * `true`). -MX_PARK: run again when woken. A refusal goes into the 401 with its errcode and
	 * text, but for what is wrong with the request itself (-MX_BAD_JSON, -MX_MISSING_PARAM,
	 * -MX_INVALID_PARAM), -MX_LIMIT_EXCEEDED and failures of ours. May read the store with
	 * a view of its own; it may not write, as the request may be refused yet.
	 */
	int (*attempt)(struct req *r, const struct uia_session *session, const json_t *auth,
		       json_t **ret_result);
	/* What clients have to know, for the 401's `params`; NULL: nothing. May be NULL. */
	json_t *(*params)(const struct hs *hs);
	/* Whether the configuration wants it of everybody who registers. NULL: never. */
	bool (*registers)(const struct hs *hs);
	/* Whether it proves who forgot a password, and is in use: it finds out the `medium` and
	 * `address` of one of the account's. NULL: never. */
	bool (*resets)(const struct hs *hs);
};

/* NULL-ended, in the order in which a registration asks for them. */
extern const struct uia_stage *const uia_stages[];

/* NULL if there is none. */
const struct uia_stage *uia_stage_find(const char *type);

/* ---- purposes */

struct uia_flow {
	const char *stages[UIA_STAGES_MAX];
	size_t len;
};

struct uia_flows {
	struct uia_flow items[UIA_FLOWS_MAX];
	size_t len; /* 0: there is no way */
};

struct uia_purpose {
	void (*flows)(const struct hs *hs, struct uia_flows *ret_flows);
	bool any_body; /* the purpose looks itself whether the request is still the same */
};

extern const struct uia_purpose uia_confirm; /* who is signed in is who they say */
extern const struct uia_purpose uia_register;
extern const struct uia_purpose uia_reset; /* who forgot the password proves an address */

/*
 * 0: the request may go on; the session in *ret_session, for its results (uia_result()).
 * -MX_INTERACTIVE: answered 401 with the flows. -MX_PARK. -MX_FORBIDDEN: the body changed.
 * `kept` is stored with a new session, borrowed. Has transactions of its own: LANE_WORK.
 */
int uia_require(struct req *r, const struct uia_purpose *purpose, json_t *kept,
		struct uia_session *ret_session);
/* The last gate: uia_require() with uia_confirm for rows with ROUTE_UIA. */
int uia_gate(struct req *r);

/* What `kept` was when the request's session began; NULL if it has none that is good. Owned. */
json_t *uia_kept(struct req *r);

/* What a completed stage found out; NULL if it is not completed. Borrowed. */
const json_t *uia_result(const struct uia_session *session, const char *type);

/* By the handler, with what it does: the session of the request is used up. */
void uia_spend(const struct hs_call *call, struct req *r);

/* ---- for stages that are completed elsewhere: fallback pages, links in mails */

/* -MX_NOT_FOUND also for one that is too old. */
int uia_load(const struct hs_call *call, const char *id, struct uia_session *ret_session);
/* result: owned; NULL is `true`. */
void uia_complete(const struct hs_call *call, struct uia_session *session, const char *type,
		  json_t *result);

/* Removes sessions that are too old; how many. For a chore. */
size_t uia_reap(void *hs, int64_t now_ms);
