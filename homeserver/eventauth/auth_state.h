/* The state that an event is checked against, wherever it is kept. */
#pragma once

#include "shared/core/slice.h"

struct event;

struct auth_state {
	/* The event of that type and key, or NULL. Borrowed until the check is over. */
	const struct event *(*find)(void *ctx, const char *type, struct mx_slice state_key);
	void *ctx;
};
