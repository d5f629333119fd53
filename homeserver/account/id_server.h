/* Identity servers, which people use through this homeserver: only those that the operator trusts.
 * All of these wait for the network. Spec: identity service API, version 2. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct hs;
struct hs_call;
struct id_server_conf;
struct mx_arena;
struct mx_error;
struct threepid;

/* By the name that clients give. -MX_SERVER_NOT_TRUSTED. */
int id_server_find(const struct hs *hs, const char *name, const struct id_server_conf **ret_server,
		   struct mx_error *err);

struct id_server_ask {
	const struct id_server_conf *server;
	const char *path; /* behind /_matrix/identity/v2 */
	const char *token; /* of its own account there… */
	bool is_signed; /* …or instead of it this homeserver signs */
	const json_t *body; /* NULL: a GET */
};

/*
 * A POST of call->hs, or a GET without a body. The caller owns the answer. What the specification
 * lets the server say is passed on with its errcode; never as 401, and never as if it were about a
 * token of ours. -MX_REMOTE_FAILED and -MX_REMOTE_TIMEOUT for everything else.
 */
int id_server_call(const struct hs_call *call, const struct id_server_ask *ask, json_t **ret_answer,
		   struct mx_error *err);

/* Takes a binding of ours away, signed by this homeserver. */
int id_server_unbind(const struct hs_call *call, const struct id_server_conf *server,
		     const char *user, const struct threepid *threepid, struct mx_error *err);
