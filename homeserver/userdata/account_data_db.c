#include "homeserver/userdata/account_data_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define PAGE_ROWS 1000

const struct store_table account_data_table = { .name = "account_data", .large_values = true };
const struct store_table account_data_log_table = { .name = "account_data_log" };

const struct store_table *const account_data_tables[] = {
	&account_data_table,
	&account_data_log_table,
	NULL,
};

static struct store_key user_key(const char *user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user_id));
	return key;
}

static struct store_key room_key(const char *user_id, uint32_t room)
{
	struct store_key key = user_key(user_id);

	store_key_u64(&key, room);
	return key;
}

static struct store_key data_key(const struct account_data_key *data)
{
	struct store_key key = room_key(data->user_id, data->room);

	store_key_text(&key, mx_slice(data->type));
	return key;
}

static void log_key_rest(struct store_key *key, const struct account_data_key *data)
{
	store_key_u64(key, data->room);
	store_key_text(key, mx_slice(data->type));
}

static int read_value(struct mx_slice value, struct account_data *data)
{
	struct record_reader reader = record_open(value);

	data->position = record_stamp(&reader);
	data->content = record_bytes(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int account_data_db_load(const struct hs_call *call, const struct account_data_key *key,
			 struct account_data *ret_data)
{
	struct store_key name = data_key(key);
	struct mx_slice value;
	int rc = call_get(call, &account_data_table, store_key_slice(&name), &value);

	if (rc)
		return rc;
	ret_data->room = key->room;
	ret_data->type = mx_arena_slice(call->mem, mx_slice(key->type));
	return read_value(value, ret_data);
}

static void drop_log(struct store_txn *txn, const struct account_data_key *key, uint64_t position)
{
	struct store_key name = user_key(key->user_id);

	store_key_known_stamp(&name, position);
	log_key_rest(&name, key);
	store_txn_delete(txn, &account_data_log_table, store_key_slice(&name));
}

static void put_log(struct store_txn *txn, const struct account_data_key *key)
{
	struct store_key name = user_key(key->user_id);
	const struct store_stamp_at at = { store_key_stamp(&name), STORE_NO_STAMP };
	mx_str_auto value = { 0 };

	log_key_rest(&name, key);
	record_begin(&value, 1);
	store_txn_put_stamped(txn, &account_data_log_table, store_key_slice(&name),
			      mx_str_slice(&value), &at);
}

void account_data_db_put(struct store_txn *txn, const struct account_data_key *key,
			 struct mx_slice content, uint64_t old_position)
{
	struct store_key name = data_key(key);
	struct store_stamp_at at = { STORE_NO_STAMP, 0 };
	mx_str_auto value = { 0 };

	if (old_position)
		drop_log(txn, key, old_position);
	record_begin(&value, 1);
	at.value_at = record_put_stamp(&value);
	record_put_bytes(&value, content);
	store_txn_put_stamped(txn, &account_data_table, store_key_slice(&name),
			      mx_str_slice(&value), &at);
	put_log(txn, key);
}

void account_data_db_delete(struct store_txn *txn, const struct account_data_key *key,
			    uint64_t position)
{
	struct store_key name = data_key(key);

	store_txn_delete(txn, &account_data_table, store_key_slice(&name));
	drop_log(txn, key, position);
}

/* ---- lists */

struct rows mx_vec(struct account_data);

static int finish(const struct hs_call *call, struct rows *rows, int rc,
		  struct account_data_list *ret_list)
{
	if (rc == 0) {
		ret_list->items = mx_arena_calloc(call->mem, rows->len + 1, sizeof(*rows->items));
		ret_list->len = rows->len;
		if (rows->len)
			memcpy(ret_list->items, rows->items, rows->len * sizeof(*rows->items));
	}
	mx_vec_done(rows);
	return rc;
}

static bool read_room_and_type(struct mx_slice *rest, struct mx_arena *mem,
			       struct account_data *data)
{
	uint64_t room;

	if (!store_key_read_u64(rest, &room) || !store_key_load_text(rest, mem, &data->type))
		return false;
	data->room = (uint32_t)room;
	return true;
}

static int read_row(const struct store_row *row, size_t prefix, struct mx_arena *mem,
		    struct account_data *data)
{
	struct mx_slice rest = { row->key.ptr + prefix, row->key.len - prefix };

	return read_room_and_type(&rest, mem, data) ? read_value(row->value, data) : -MX_STORE;
}

static int read_log_row(const struct store_row *row, size_t prefix, struct mx_arena *mem,
			struct account_data *data)
{
	struct mx_slice rest = { row->key.ptr + prefix, row->key.len - prefix };

	*data = (struct account_data){ 0 };
	return store_key_read_stamp(&rest, &data->position) && read_room_and_type(&rest, mem, data)
		       ? 0
		       : -MX_STORE;
}

struct walk {
	const struct store_table *table;
	struct store_key from, to;
	size_t prefix; /* of each key: the user */
	size_t limit; /* 0: none */
	int (*read)(const struct store_row *row, size_t prefix, struct mx_arena *mem,
		    struct account_data *data);
};

static int take_page(const struct walk *walk, struct mx_arena *mem, const struct store_rows *page,
		     struct rows *rows)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < page->len; i++) {
		struct account_data data;

		rc = walk->read(&page->items[i], walk->prefix, mem, &data);
		if (rc == 0)
			mx_vec_push(rows, data);
	}
	return rc;
}

/* Behind a key comes the same with a zero byte. */
static struct mx_slice behind(struct mx_arena *mem, struct mx_slice key)
{
	return (struct mx_slice){ mx_arena_slice(mem, key).ptr, key.len + 1 };
}

static int walk_all(const struct hs_call *call, const struct walk *walk,
		    struct account_data_list *ret_list)
{
	struct store_range range = { store_key_slice(&walk->from), store_key_slice(&walk->to),
				     walk->limit ? walk->limit : PAGE_ROWS, false };
	struct rows rows = { 0 };
	struct store_rows page = { 0 };
	int rc;

	do {
		rc = call_scan(call, walk->table, &range, &page);
		if (rc == 0)
			rc = take_page(walk, call->mem, &page, &rows);
		if (rc == 0 && page.len)
			range.from = behind(call->mem, page.items[page.len - 1].key);
	} while (rc == 0 && page.len == range.limit && !walk->limit);
	return finish(call, &rows, rc, ret_list);
}

int account_data_db_list(const struct hs_call *call, const char *user_id, uint32_t room,
			 size_t limit, struct account_data_list *ret_list)
{
	struct walk walk = {
		.table = &account_data_table,
		.from = room_key(user_id, room),
		.prefix = user_key(user_id).len,
		.limit = limit,
		.read = read_row,
	};

	store_key_range_end(&walk.from, &walk.to);
	return walk_all(call, &walk, ret_list);
}

int account_data_db_list_all(const struct hs_call *call, const char *user_id,
			     struct account_data_list *ret_list)
{
	struct walk walk = {
		.table = &account_data_table,
		.from = user_key(user_id),
		.prefix = user_key(user_id).len,
		.read = read_row,
	};

	store_key_range_end(&walk.from, &walk.to);
	return walk_all(call, &walk, ret_list);
}

int account_data_db_log(const struct hs_call *call, const char *user_id, uint64_t after,
			struct account_data_list *ret_list)
{
	struct walk walk = {
		.table = &account_data_log_table,
		.from = user_key(user_id),
		.prefix = user_key(user_id).len,
		.read = read_log_row,
	};

	store_key_range_end(&walk.from, &walk.to);
	store_key_known_stamp(&walk.from, after + 1);
	return walk_all(call, &walk, ret_list);
}
