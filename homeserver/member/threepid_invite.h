/* Inviting who has no account yet, by an address: an identity server keeps the invite, the room
 * has an offer for whoever proves to own the address, and the offer becomes an invite when that is
 * proven. Spec: client-server API, "Third-party invites". All of it waits for the network:
 * LANE_NET.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct hs_call;
struct mx_error;

struct threepid_asking {
	const char *room_id, *sender;
	const json_t *invite; /* id_server, id_access_token, medium, address */
	bool is_direct;
};

/*
 * Invites whoever has the address, or offers to. -MX_FORBIDDEN if the sender may not invite here;
 * -MX_SERVER_NOT_TRUSTED;
 * -MX_REMOTE_FAILED and what the identity server refuses with; -MX_INVALID_PARAM.
 */
int threepid_invite(const struct hs_call *call, const struct threepid_asking *asking,
		    struct mx_error *err);
/* Before anything is made of it: its shape, and whether the identity server answers. */
int threepid_invite_check(const struct hs_call *call, const json_t *invite, struct mx_error *err);

/* What an identity server tells when an address is bound (3pid/onbind), and what a client has that
 * signed its token itself: the user is whom `sender` meant with a token of the room. */
struct threepid_proof {
	const char *user_id, *room_id, *sender;
	const json_t *signed_token; /* mxid, token, signatures */
};

/* Makes the offer an invite of the user. -MX_FORBIDDEN if the room has no such offer, its keys did
 * not sign, or the identity server knows them no more; -MX_REMOTE_FAILED if the sender's server
 * has to be asked. Nothing happens if the user is in the room, or invited. */
int threepid_invite_exchange(const struct hs_call *call, const struct threepid_proof *proof,
			     struct mx_error *err);
