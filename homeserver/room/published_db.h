/* The directory of rooms in its order: those with the most members first, then by number. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct room_head;
struct store_table;
struct store_txn;

extern const struct store_table *const published_tables[];

struct published_place {
	uint32_t joined, room;
};

struct published_places {
	struct published_place *items;
	size_t len;
};

/* Those behind the place, or before it, the nearest first. */
int published_db_scan(const struct hs_call *call, const struct published_place *from,
		      bool backwards, size_t limit, struct published_places *ret_places);

/* What becomes of a room's place when its head becomes another. */
void published_db_follow(struct store_txn *txn, uint32_t room, const struct room_head *was,
			 const struct room_head *is);
