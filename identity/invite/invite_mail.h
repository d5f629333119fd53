/* The mail that invites a person. */
#pragma once

#include "shared/core/slice.h"

struct identity_call;
struct invite;
struct invite_asking;
struct mx_arena;
struct mx_error;

/*
 * Queues it. Values of the template: every string that the homeserver sent, shortened and cleaned
 * names, "token", "ephemeral_private_key", "signurl", and "link" if there is a web client to lead
 * to. Names of other services' templates are kept.
 */
int invite_mail(const struct identity_call *call, const struct invite_asking *asking,
		const struct invite *invite, const char *private_key, struct mx_error *err);

/* What is kept of a request for invite_mail_again(): names and style, no secrets. In mem. */
struct mx_slice invite_mail_keep(const struct invite_asking *asking, struct mx_arena *mem);
/* Queues the mail of a stored invite once more, without the key that it had. */
int invite_mail_again(const struct identity_call *call, const struct invite *invite,
		      struct mx_error *err);
