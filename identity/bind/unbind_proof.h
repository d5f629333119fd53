/* Who may unbind: whoever validated the address, or the user's homeserver. Spec: identity service
 * API, "POST /_matrix/identity/v2/3pid/unbind". Homeservers take a 400, 404 or 501 for "cannot be
 * unbound" and forget the binding: a proof that fails is a 401 or 403. */
#pragma once

#include "shared/core/slice.h"
#include "shared/threepid/threepid.h"

struct identity_call;
struct mx_error;

/* The validated session is of this address. -MX_PROOF_UNKNOWN, -MX_PROOF_EXPIRED,
 * -MX_PROOF_NOT_VALIDATED, -MX_FORBIDDEN. */
int unbind_proof_session(const struct identity_call *call, const char *sid,
			 const char *client_secret, const struct threepid *threepid,
			 struct mx_error *err);

/* A request as it was signed. */
struct unbind_request {
	const char *authorization; /* may be NULL */
	const char *target; /* raw path and query */
	const char *client; /* address of who asks */
	struct mx_slice content;
	const char *user_id;
	bool may_wait; /* for the network: only in LANE_NET */
};

/*
 * The request is signed by the user's homeserver, for one of the names that this service goes by.
 * -MX_NO_PROOF, -MX_FORBIDDEN for another server's user, -MX_REMOTE_FAILED if the key could not be
 * asked for; -MX_MOVE_NET if it must be, and may_wait is false; -MX_LIMIT_EXCEEDED if too many
 * wait for keys already.
 */
int unbind_proof_homeserver(const struct identity_call *call, const struct unbind_request *request,
			    struct mx_error *err);
