#include "homeserver/sync/lazy_members.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/lru.h"
#include "shared/store/key.h"

#include <pthread.h>

struct lazy_members {
	pthread_mutex_t lock;
	struct mx_lru *rooms; /* of struct sent_list, by user, device and room */
};

struct sent {
	uint32_t number;
	struct sync_token with; /* the answer's end */
};

struct sent_list {
	size_t len;
	struct sent items[]; /* in the order of sending */
};

struct lazy_members *lazy_members_new(size_t memory_bytes)
{
	struct lazy_members *lazy = mx_calloc(1, sizeof(*lazy));

	pthread_mutex_init(&lazy->lock, NULL);
	lazy->rooms = mx_lru_new(memory_bytes, 0, mx_free);
	return lazy;
}

void lazy_members_free(struct lazy_members *lazy)
{
	if (!lazy)
		return;
	mx_lru_free(lazy->rooms);
	pthread_mutex_destroy(&lazy->lock);
	mx_free(lazy);
}

static struct store_key key_of(const struct lazy_key *key)
{
	struct store_key bytes = { 0 };

	store_key_text(&bytes, mx_slice(key->user_id));
	store_key_text(&bytes, mx_slice(key->device ? key->device : ""));
	store_key_u64(&bytes, key->room);
	return bytes;
}

void lazy_members_known(struct lazy_members *lazy, const struct lazy_key *key,
			const struct sync_token *acknowledged, struct mx_arena *mem,
			struct lazy_known *ret_known)
{
	struct store_key bytes = key_of(key);
	struct lazy_known known = { 0 };
	const struct sent_list *list;

	pthread_mutex_lock(&lazy->lock);
	list = mx_lru_find(lazy->rooms, store_key_slice(&bytes));
	if (list)
		known.items = mx_arena_alloc(mem, list->len * sizeof(*known.items));
	for (size_t i = 0; list && i < list->len; i++) {
		const struct sent *sent = &list->items[i];

		if (sent->with.position <= acknowledged->position &&
		    sent->with.tick <= acknowledged->tick)
			known.items[known.len++] = sent->number;
	}
	pthread_mutex_unlock(&lazy->lock);
	*ret_known = known;
}

/* What is sent again is as good as what was: its earlier answer came, or this one does. */
static void list_add(struct sent_list *list, uint32_t number, const struct sync_token *now)
{
	for (size_t i = 0; i < list->len; i++) {
		if (list->items[i].number != number)
			continue;
		list->items[i].with = *now;
		return;
	}
	list->items[list->len++] = (struct sent){ number, *now };
}

static struct sent_list *list_grown(const struct sent_list *old, size_t more)
{
	size_t keep = old ? old->len : 0, skip = 0;
	struct sent_list *list;

	if (keep + more > LAZY_MEMBERS_ROOM_MAX) {
		skip = more < LAZY_MEMBERS_ROOM_MAX ? keep + more - LAZY_MEMBERS_ROOM_MAX : keep;
		keep -= skip;
	}
	list = mx_alloc(sizeof(*list) + (keep + more) * sizeof(*list->items));
	list->len = keep;
	if (keep)
		memcpy(list->items, old->items + skip, keep * sizeof(*list->items));
	return list;
}

void lazy_members_sent(struct lazy_members *lazy, const struct lazy_key *key,
		       const struct sync_token *now, const struct lazy_known *numbers)
{
	struct store_key bytes = key_of(key);
	struct sent_list *list;
	size_t len = numbers->len < LAZY_MEMBERS_ROOM_MAX ? numbers->len : LAZY_MEMBERS_ROOM_MAX;

	if (len == 0)
		return;
	pthread_mutex_lock(&lazy->lock);
	list = list_grown(mx_lru_find(lazy->rooms, store_key_slice(&bytes)), len);
	for (size_t i = 0; i < len; i++)
		list_add(list, numbers->items[i], now);
	mx_lru_put(lazy->rooms, store_key_slice(&bytes), list,
		   sizeof(*list) + list->len * sizeof(*list->items) + bytes.len + 128);
	pthread_mutex_unlock(&lazy->lock);
}
