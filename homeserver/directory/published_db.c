#include "homeserver/directory/published_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* room → nothing */
static const struct store_table published_table = { .name = "published" };

const struct store_table *const published_tables[] = { &published_table, NULL };

static struct store_key key_of(uint32_t room)
{
	struct store_key key = { 0 };

	store_key_u64(&key, room);
	return key;
}

bool published_db_has(const struct hs_call *call, uint32_t room)
{
	const struct store_key key = key_of(room);
	struct mx_slice value;

	return call_get(call, &published_table, store_key_slice(&key), &value) == 0;
}

int published_db_list(const struct hs_call *call, struct published_rooms *ret_rooms)
{
	const struct store_range all = { .limit = PUBLISHED_MAX };
	struct store_rows rows;
	int rc = call_scan(call, &published_table, &all, &rows);

	if (rc)
		return rc;
	ret_rooms->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_rooms->items));
	ret_rooms->len = rows.len;
	for (size_t i = 0; i < rows.len; i++) {
		uint64_t room;

		if (!store_key_read_u64(&rows.items[i].key, &room))
			return -MX_STORE;
		ret_rooms->items[i] = (uint32_t)room;
	}
	return 0;
}

void published_db_put(const struct hs_call *call, uint32_t room)
{
	const struct store_key key = key_of(room);
	mx_str_auto nothing = { 0 };

	record_begin(&nothing, 1);
	store_txn_put(call->txn, &published_table, store_key_slice(&key), mx_str_slice(&nothing));
}

void published_db_delete(const struct hs_call *call, uint32_t room)
{
	const struct store_key key = key_of(room);

	store_txn_delete(call->txn, &published_table, store_key_slice(&key));
}
