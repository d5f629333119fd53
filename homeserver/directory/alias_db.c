#include "homeserver/directory/alias_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* alias → room id, creator */
static const struct store_table alias_table = { .name = "alias" };
/* (room id, alias) → nothing */
static const struct store_table alias_room_table = { .name = "alias_room" };

const struct store_table *const alias_tables[] = { &alias_table, &alias_room_table, NULL };

static struct store_key key_of(const char *name)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(name));
	return key;
}

static struct store_key room_key(const char *room_id, const char *name)
{
	struct store_key key = key_of(room_id);

	store_key_text(&key, mx_slice(name));
	return key;
}

int alias_db_load(const struct hs_call *call, const char *name, struct alias *ret_alias)
{
	const struct store_key key = key_of(name);
	struct alias alias = { .name = name };
	struct record_reader in;
	struct mx_slice value;
	int rc = call_find(call, &alias_table, &key, &value);

	if (rc)
		return rc;
	in = record_open(value);
	alias.room_id = mx_arena_slice(call->mem, record_bytes(&in)).ptr;
	alias.creator = mx_arena_slice(call->mem, record_bytes(&in)).ptr;
	if (!record_ok(&in))
		return -MX_STORE;
	*ret_alias = alias;
	return 0;
}

static int load_row(const struct hs_call *call, struct mx_slice key, struct alias *ret_alias)
{
	mx_str_auto room_id = { 0 }, name = { 0 };

	if (!store_key_read_text(&key, &room_id) || !store_key_read_text(&key, &name))
		return -MX_STORE;
	return alias_db_load(call, mx_arena_slice(call->mem, mx_str_slice(&name)).ptr, ret_alias);
}

int alias_db_list(const struct hs_call *call, const char *room_id, struct alias_list *ret_list)
{
	const struct store_key from = key_of(room_id);
	struct store_key to = { 0 };
	struct store_range range = { .limit = ALIASES_PER_ROOM };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = call_scan(call, &alias_room_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = load_row(call, rows.items[i].key, &ret_list->items[i]);
	return rc;
}

void alias_db_put(const struct hs_call *call, const struct alias *alias)
{
	const struct store_key key = key_of(alias->name);
	const struct store_key by_room = room_key(alias->room_id, alias->name);
	mx_str_auto value = { 0 }, nothing = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(alias->room_id));
	record_put_bytes(&value, mx_slice(alias->creator));
	record_begin(&nothing, 1);
	store_txn_put(call->txn, &alias_table, store_key_slice(&key), mx_str_slice(&value));
	store_txn_put(call->txn, &alias_room_table, store_key_slice(&by_room),
		      mx_str_slice(&nothing));
}

void alias_db_delete(const struct hs_call *call, const struct alias *alias)
{
	const struct store_key key = key_of(alias->name);
	const struct store_key by_room = room_key(alias->room_id, alias->name);

	store_txn_delete(call->txn, &alias_table, store_key_slice(&key));
	store_txn_delete(call->txn, &alias_room_table, store_key_slice(&by_room));
}
