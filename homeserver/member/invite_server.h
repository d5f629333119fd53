/* What is asked of identity servers when somebody is invited by an address. All of it waits for
 * the network. Spec: identity service API, "Associations", "Invitation storage". */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct hs;
struct hs_call;
struct id_server_conf;
struct mx_error;

struct invite_server {
	const struct id_server_conf *conf;
	const char *token; /* the client's, there */
};

/* Of an invite: id_server, id_access_token. -MX_INVALID_PARAM, -MX_SERVER_NOT_TRUSTED. */
int invite_server_of(const struct hs *hs, const json_t *invite, struct invite_server *ret_server,
		     struct mx_error *err);

/* Whose the address is; *ret_user is NULL if nobody's, else in call->mem. -MX_REMOTE_FAILED;
 * -MX_FORBIDDEN and -MX_TERMS_NOT_SIGNED for what the server refuses. */
int invite_server_lookup(const struct hs_call *call, const struct invite_server *server,
			 const json_t *invite, const char **ret_user, struct mx_error *err);

/* Has it keep an invite and write to the address. *ret_answer is the caller's: token, public_keys,
 * display_name and so on, checked. As a look-up; -MX_THREEPID_IN_USE if it is somebody's by now. */
int invite_server_store(const struct hs_call *call, const struct invite_server *server,
			const json_t *wanted, json_t **ret_answer, struct mx_error *err);

/* Whether the server at the URL, which a room names, still knows the key. */
bool invite_server_knows_key(const struct hs_call *call, const char *url, const char *key);
