#include "shared/net/slots.h"

#include "shared/core/alloc.h"

struct net_peer {
	struct net_address address;
	unsigned held;
	struct net_link waiting;
};

void net_slots_init(struct net_slots *slots, unsigned total_max, unsigned per_address_max)
{
	*slots = (struct net_slots){ .total_max = total_max, .per_address_max = per_address_max };
	net_list_init(&slots->ready);
}

void net_slots_done(struct net_slots *slots)
{
	mx_map_done(&slots->peers, mx_free);
}

static struct net_peer *peer_of(struct net_slots *slots, const struct net_address *address)
{
	struct mx_slice key = net_address_key(address);
	struct net_peer *peer = mx_map_find(&slots->peers, key);

	if (peer)
		return peer;
	peer = mx_calloc(1, sizeof(*peer));
	peer->address = *address;
	net_list_init(&peer->waiting);
	mx_map_put(&slots->peers, key, peer);
	return peer;
}

static void peer_forget_unused(struct net_slots *slots, struct net_peer *peer)
{
	if (peer->held > 0 || !net_list_empty(&peer->waiting))
		return;
	mx_map_remove(&slots->peers, net_address_key(&peer->address));
	mx_free(peer);
}

static void hold(struct net_slot *slot, struct net_peer *peer)
{
	slot->held[slot->held_len++] = peer;
	peer->held++;
}

static void start_ready(struct net_slots *slots)
{
	struct net_link *link;

	while (slots->total < slots->total_max && (link = net_list_pop(&slots->ready))) {
		struct net_slot *slot = net_entry(link, struct net_slot, link);

		slots->waiting--;
		slots->total++;
		slot->running = true;
		slot->start(slot);
	}
}

void net_slots_ask(struct net_slots *slots, struct net_slot *slot,
		   const struct net_address *address)
{
	struct net_peer *peer = peer_of(slots, address);

	slots->waiting++;
	if (peer->held >= slots->per_address_max) {
		slot->waits_for = peer;
		net_list_push(&peer->waiting, &slot->link);
		return;
	}
	hold(slot, peer);
	net_list_push(&slots->ready, &slot->link);
	start_ready(slots);
}

bool net_slots_extend(struct net_slots *slots, struct net_slot *slot,
		      const struct net_address *address)
{
	struct net_peer *peer = peer_of(slots, address);

	for (size_t i = 0; i < slot->held_len; i++)
		if (slot->held[i] == peer)
			return true;
	if (peer->held >= slots->per_address_max || slot->held_len == NET_SLOT_ADDRESSES_MAX) {
		peer_forget_unused(slots, peer);
		return false;
	}
	hold(slot, peer);
	return true;
}

static void peer_release(struct net_slots *slots, struct net_peer *peer)
{
	struct net_link *link;

	peer->held--;
	link = net_list_pop(&peer->waiting);
	if (link) {
		struct net_slot *next = net_entry(link, struct net_slot, link);

		next->waits_for = NULL;
		hold(next, peer);
		net_list_push(&slots->ready, &next->link);
	}
	peer_forget_unused(slots, peer);
}

void net_slots_release(struct net_slots *slots, struct net_slot *slot)
{
	if (slot->link.next) {
		net_list_remove(&slot->link);
		slots->waiting--;
	}
	if (slot->waits_for) {
		peer_forget_unused(slots, slot->waits_for);
		slot->waits_for = NULL;
	}
	for (size_t i = 0; i < slot->held_len; i++)
		peer_release(slots, slot->held[i]);
	slot->held_len = 0;
	if (slot->running) {
		slot->running = false;
		slots->total--;
	}
	start_ready(slots);
}
