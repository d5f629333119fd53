#include "homeserver/room/published_db.h"

#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* (all members that there could be − members, room) → nothing */
static const struct store_table listed_table = { .name = "listed" };

const struct store_table *const published_tables[] = { &listed_table, NULL };

static struct store_key key_of(const struct published_place *place)
{
	struct store_key key = { 0 };

	store_key_u64(&key, UINT32_MAX - place->joined);
	store_key_u64(&key, place->room);
	return key;
}

static bool read_key(struct mx_slice key, struct published_place *ret_place)
{
	uint64_t missing, room;

	if (!store_key_read_u64(&key, &missing) || !store_key_read_u64(&key, &room))
		return false;
	*ret_place = (struct published_place){ UINT32_MAX - (uint32_t)missing, (uint32_t)room };
	return true;
}

int published_db_scan(const struct hs_call *call, const struct published_place *from,
		      bool backwards, size_t limit, struct published_places *ret_places)
{
	struct store_range range = { .limit = limit, .reverse = backwards };
	struct store_key key = key_of(from), behind;
	struct store_rows rows;
	int rc;

	store_key_range_end(&key, &behind);
	if (backwards)
		range.to = store_key_slice(&key);
	else
		range.from = store_key_slice(&behind);
	rc = call_scan(call, &listed_table, &range, &rows);
	if (rc)
		return rc;
	ret_places->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_places->items));
	ret_places->len = rows.len;
	for (size_t i = 0; i < rows.len; i++)
		if (!read_key(rows.items[i].key, &ret_places->items[i]))
			return -MX_STORE;
	return 0;
}

void published_db_follow(struct store_txn *txn, uint32_t room, const struct room_head *was,
			 const struct room_head *is)
{
	const struct store_key before = key_of(&(struct published_place){ was->joined, room });
	const struct store_key now = key_of(&(struct published_place){ is->joined, room });
	mx_str_auto nothing = { 0 };

	if (was->is_published == is->is_published && was->joined == is->joined)
		return;
	record_begin(&nothing, 1);
	if (was->is_published)
		store_txn_delete(txn, &listed_table, store_key_slice(&before));
	if (is->is_published)
		store_txn_put(txn, &listed_table, store_key_slice(&now), mx_str_slice(&nothing));
}
