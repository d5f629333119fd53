#include "homeserver/account/address_claim.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/error.h"

#define REAP_ONCE 1000

struct claim_call address_claim_call(const struct hs_call *call)
{
	return (struct claim_call){
		.outbox = call->hs->outbox,
		.txn = call->txn,
		.view = call->view,
		.mem = call->mem,
		.now_ms = call->now_ms,
	};
}

/* Which of the two it is that is wrong is not said: a session is known to whoever began it. */
int address_proof(const struct hs_call *call, const char *sid, const char *client_secret,
		  struct claim *ret_claim, struct mx_error *err)
{
	const struct claim_call claims = address_claim_call(call);
	int rc = claim_proof(&claims, sid, client_secret, ret_claim, NULL);

	switch (-rc) {
	case MX_NO_VALID_SESSION:
		return mx_fail(err, MX_THREEPID_AUTH_FAILED, "There is no such validation session");
	case MX_SESSION_EXPIRED:
		return mx_fail(err, MX_THREEPID_AUTH_FAILED, "The validation session has expired");
	case MX_SESSION_NOT_VALIDATED:
		return mx_fail(err, MX_THREEPID_AUTH_FAILED,
			       "The address has not been validated yet");
	default: return rc;
	}
}

size_t address_claims_reap(void *ctx, int64_t now_ms)
{
	struct hs *hs = ctx;
	size_t all = 0, reaped;

	do {
		reaped = claim_reap(hs->store, now_ms, REAP_ONCE);
		all += reaped;
	} while (reaped == REAP_ONCE);
	return all;
}
