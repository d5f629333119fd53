/* Notices to homeservers: an address that was invited is bound to one of their users.
 * Spec: server-server API, "Third-party invites". The kind itself is in invite.h. */
#pragma once

#include "shared/core/str.h"

#include <jansson.h>

struct identity_call;
struct invite;
struct mx_error;

#define ONBIND_KIND "onbind"

/* The invite that a notice tells of, by the payload of its item; borrowed. Empty if it is none. */
struct mx_slice onbind_token(struct mx_slice payload);

/* Appends what the outbox keeps of the notice about a bound invite: its body, signed now. */
int onbind_payload(const struct identity_call *call, const json_t *association,
		   const struct invite *invite, struct mx_str *out, struct mx_error *err);
