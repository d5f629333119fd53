/* The mail that invites a person. */
#pragma once

struct identity_call;
struct invite;
struct invite_asking;
struct mx_error;

/*
 * Queues it. Values of the template: every string that the homeserver sent, shortened and cleaned
 * names, "token", "ephemeral_private_key", "signurl", and "link" if there is a web client to lead
 * to. Names of other services' templates are kept.
 */
int invite_mail(const struct identity_call *call, const struct invite_asking *asking,
		const struct invite *invite, const char *private_key, struct mx_error *err);
