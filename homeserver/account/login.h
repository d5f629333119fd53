/* Proofs of who somebody is, for log-in and for interactive authentication, and what a proof
 * gives: a device that is signed in. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct hs_call;
struct mx_error;
struct req;
struct session_pair;

/*
 * By the `identifier` (or the old members) and `password` of an object: a log-in's body, or `auth`.
 * The user, in r->mem, whose password it is; whether they may log in is another question.
 * -MX_FORBIDDEN for whoever it is not, in the same time; -MX_USER_DEACTIVATED; -MX_PARK;
 * -MX_LIMIT_EXCEEDED after too many failures; -MX_MISSING_PARAM, -MX_INVALID_PARAM, -MX_BAD_JSON.
 * Reads the store by itself.
 */
int login_by_password(struct req *r, const json_t *proof, const char **ret_user);

struct login_wish {
	const char *user;
	const char *device_id, *device_name; /* may be NULL */
	bool refreshable;
};

/* Of a body's device_id, initial_device_display_name, refresh_token. -MX_INVALID_PARAM. */
int login_read_wish(const json_t *body, struct login_wish *ret_wish, struct mx_error *err);

/* Signs a device in, in the call's transaction; *ret_reply is what the client gets. */
int login_sign_in(const struct hs_call *call, const struct login_wish *wish, json_t **ret_reply,
		  struct mx_error *err);
