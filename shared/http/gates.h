/* What a request passes between its last byte and its handler. */
#pragma once

#include "shared/http/route.h"

#include <stdbool.h>

struct exchange;

/* Passes the gates that are left, stopping before those that parse the body if `cheap_only`.
 * 0, -MX_MOVE_… of the authenticator, or why the request is refused. */
int gates_pass(struct exchange *ex, bool cheap_only);

/* A request that was parked: what it came with may have been revoked meanwhile, so the
 * authenticator is asked once more. */
int gates_again(struct exchange *ex);
