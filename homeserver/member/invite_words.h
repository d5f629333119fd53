/* What an identity server is told of an invite, so that its mail can say who invites where. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct hs_call;
struct threepid_asking;

/* The body of store-invite; the caller's. With a view.
 * Spec: identity service API, "Invitation storage". */
int invite_words_make(const struct hs_call *call, const struct threepid_asking *asking,
		      uint32_t room, json_t **ret_words);
