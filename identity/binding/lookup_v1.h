/* Look-up by the address itself, as clients did before hashes. Nobody has to log in for it, so the
 * asker's network pays. */
#pragma once

#include "identity/binding/binding.h"

/* The association of an address in any spelling, in mem, with a signature of ours whoever made
 * it; ptr NULL if nobody has it. -MX_LIMIT_EXCEEDED. What another directory says is signed with
 * the time of the answer: nobody has bound it. */
int lookup_v1_one(const struct identity_call *call, const struct threepid *as_sent,
		  const char *asker, struct mx_slice *ret_json, struct mx_error *err);

/* The same for a user whom a directory has just named; by call->view. */
int lookup_v1_associate(const struct identity_call *call, const struct threepid *threepid,
			const char *user_id, struct mx_slice *ret_json, struct mx_error *err);

/* [[medium, address, user id], …] for those of [[medium, address], …] that somebody has, spelled as
 * they were sent; owned by the caller. -MX_INVALID_PARAM, -MX_TOO_MANY, -MX_LIMIT_EXCEEDED. */
int lookup_v1_bulk(const struct identity_call *call, const json_t *threepids, const char *asker,
		   json_t **ret_found, struct mx_error *err);
