/* What is asked of a claim to an address: who proved what. */
#pragma once

#include "shared/threepid/claim.h"

struct hs;
struct hs_call;
struct mx_error;

struct claim_call address_claim_call(const struct hs_call *call);

/* What was validated, by the two names that a client knows it by. -MX_THREEPID_AUTH_FAILED,
 * whatever is missing. Strings in call->mem. */
int address_proof(const struct hs_call *call, const char *sid, const char *client_secret,
		  struct claim *ret_claim, struct mx_error *err);

/* Removes claims that are over. For a chore; ctx is the struct hs. */
size_t address_claims_reap(void *hs, int64_t now_ms);
