/* Taking versions out of the store by an operator's order. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct store;

/* All versions and conflicts of a server, or one version. */
struct key_purge {
	struct store *store;
	struct mx_slice server, reason;
	uint64_t number; /* 0 = all */
	struct mx_arena *mem; /* reset */
	struct mx_error *err;

	size_t versions, conflicts; /* what went */
	bool last_version; /* the server has none any more */
};
int key_purge_commit(struct key_purge *purge);
