/* Invites that the operator does not want. */
#pragma once

struct invite_asking;
struct mx_error;
struct names;

/* -MX_NOT_YOURS if the sender's homeserver, the room, its server, or a word anywhere among the
 * arguments is blocked. The text does not say which. */
int block_check(struct names *names, const struct invite_asking *asking, struct mx_error *err);
