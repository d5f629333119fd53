/*
 * The second half of a look-up that did not find everybody in the store: other directories are
 * asked about the rest, in LANE_NET. Only addresses can be asked for; of a hash nobody but us
 * knows whose it is.
 */
#pragma once

#include "identity/binding/lookup.h"

struct req;

/* Keeps what was found for the run in LANE_NET (takes the reference), and is -MX_MOVE_NET; or 0 if
 * there is no directory to ask, and `found` stays the caller's. */
int lookup_ask(struct req *r, json_t *found);

/* In LANE_NET: what lookup_ask() kept, borrowed. */
json_t *lookup_found(struct req *r);

/* Adds to the mappings of `none` what directories know of the other addresses. */
void lookup_ask_words(const struct identity_call *call, const struct lookup_request *request,
		      json_t *mappings);

/* Adds [medium, address, user id] for those of [[medium, address], …] that are not in the list. */
void lookup_ask_pairs(const struct identity_call *call, const json_t *threepids, const char *asker,
		      json_t *found);
