/* Addresses of accounts at identity servers: found there by others. These wait for the network and
 * commit by themselves: call has neither txn nor view. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct hs_call;
struct mx_error;
struct threepid;
struct threepid_bindings;

/* creds: sid, client_secret, id_server, id_access_token. Failures of id_server.h. */
int threepid_server_bind(const struct hs_call *call, const char *user, const json_t *creds,
			 struct mx_error *err);

/* id_server NULL: where it was bound through us. False: that is not known, or the server refuses
 * or is not to be reached. */
bool threepid_server_unbind(const struct hs_call *call, const char *user,
			    const struct threepid *threepid, const char *id_server);
/* All of these. */
bool threepid_server_unbind_all(const struct hs_call *call, const char *user,
				const struct threepid_bindings *bindings);

/* Takes the address from the account. -MX_THREEPID_NOT_FOUND. */
int threepid_server_forget(const struct hs_call *call, const char *user,
			   const struct threepid *threepid, struct mx_error *err);
