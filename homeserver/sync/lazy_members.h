/*
 * Which member events a device has been sent in which room, so that they are not sent again and
 * again. Spec: client-server API, "Lazy-loading room members". In memory, bounded: what is
 * forgotten is sent once more. Locks: its own, a leaf.
 */
#pragma once

#include "homeserver/timeline/sync_token.h"
#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct lazy_members;
struct mx_arena;

#define LAZY_MEMBERS_ROOM_MAX 500 /* events of one device in one room */

struct lazy_members *lazy_members_new(size_t memory_bytes);
/* NULL does nothing. */
void lazy_members_free(struct lazy_members *lazy);

struct lazy_key {
	const char *user_id, *device;
	uint32_t room;
};

struct lazy_known {
	uint32_t *items; /* state numbers */
	size_t len;
};

/* Those that came with answers up to `acknowledged`: a later one may have been lost on its way. */
void lazy_members_known(struct lazy_members *lazy, const struct lazy_key *key,
			const struct sync_token *acknowledged, struct mx_arena *mem,
			struct lazy_known *ret_known);
/* These go out with the answer that ends at `now`. */
void lazy_members_sent(struct lazy_members *lazy, const struct lazy_key *key,
		       const struct sync_token *now, const struct lazy_known *numbers);
