/* next_batch of /sync: s<position>_<tick>, the two of stream.h. It says how far a client has seen,
 * never what: a forged one shows nothing that its user may not see. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct mx_error;
struct mx_str;

#define SYNC_TOKEN_MAX 42 /* bytes */

struct sync_token {
	uint64_t position, tick; /* of stream.h */
};

void sync_token_add(struct mx_str *out, const struct sync_token *token);
/* Exactly what sync_token_add() writes; else -MX_INVALID_PARAM. Also one from the future: whoever
 * compares positions has to expect that, as after a backup was brought back. */
int sync_token_parse(struct mx_slice text, struct sync_token *ret_token, struct mx_error *err);
