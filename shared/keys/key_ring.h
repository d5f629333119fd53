/* The key to verify somebody's signature with: memory, history, origin, then trusted notaries. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct key_fetcher;
struct key_history;
struct key_ring;
struct mx_error;
struct net;

/* A notary whose answers count; keys may be empty (TLS alone is trusted then). */
struct key_notary {
	const char *server;
	struct {
		const char *id;
		uint8_t public_key[32];
	} keys[8];
	unsigned keys_len;
};

struct key_ring_conf {
	struct key_history *history;
	struct key_fetcher *fetcher;
	struct net *net;
	const struct key_notary *notaries; /* may be none */
	unsigned notaries_len;
};

struct key_ring *key_ring_new(const struct key_ring_conf *conf);
void key_ring_free(struct key_ring *ring);

/*
 * The public key of server's key_id that is valid at `at_ms` (an event's time, or now for a
 * request; old keys serve only times up to their expiry, and `for_request` refuses them).
 * Waits for the network: LANE_NET only. -MX_NOT_FOUND if nobody has such a key,
 * -MX_REMOTE_FAILED if nobody could be asked.
 */
int key_ring_find(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
		  int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
		  struct mx_error *err);

/* The same from memory and store alone: -MX_MOVE_NET if the network would be needed. */
int key_ring_peek(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
		  int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
		  struct mx_error *err);
