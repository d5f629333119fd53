/* Invites that the operator does not want. */
#pragma once

struct invite_asking;
struct invite_rules;
struct mx_error;

/* -MX_NOT_YOURS if the sender's homeserver, the room, its server, or a word anywhere among the
 * arguments is blocked. The text does not say which. */
int block_check(const struct invite_rules *rules, const struct invite_asking *asking,
		struct mx_error *err);
