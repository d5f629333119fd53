/* How many transfers run at once: in all, and to one IP address. The others wait in the order
 * in which they came, an address's crowd apart from the rest, so that one slow peer holds up
 * nobody else. */
#pragma once

#include "shared/core/map.h"
#include "shared/net/address.h"
#include "shared/net/list.h"

#include <stdbool.h>

#define NET_SLOT_ADDRESSES_MAX 8

struct net_slots {
	unsigned total_max, per_address_max;
	unsigned total; /* running */
	unsigned waiting;
	struct mx_map peers;
	struct net_link ready; /* have their address, wait for one of total_max */
};

/* One transfer's claim. */
struct net_slot {
	struct net_link link;
	bool running;
	struct net_peer *waits_for;
	struct net_peer *held[NET_SLOT_ADDRESSES_MAX];
	size_t held_len;
	void (*start)(struct net_slot *slot);
};

void net_slots_init(struct net_slots *slots, unsigned total_max, unsigned per_address_max);

/* Only when nothing is running or waiting. */
void net_slots_done(struct net_slots *slots);

/* Calls slot->start, at once or later. */
void net_slots_ask(struct net_slots *slots, struct net_slot *slot,
		   const struct net_address *address);

/* A running transfer goes to one more address of its name; false if that one is full. */
bool net_slots_extend(struct net_slots *slots, struct net_slot *slot,
		      const struct net_address *address);

/* In any state, also before net_slots_ask(). */
void net_slots_release(struct net_slots *slots, struct net_slot *slot);
