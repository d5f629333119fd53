#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_tables.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table user_room_table = { .name = "user_room" };

#define ROOMS_MAX 1000000 /* of one user */

static struct store_key user_key(struct mx_slice user_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, user_id);
	return key;
}

static struct store_key user_room_key(struct mx_slice user_id, uint32_t room)
{
	struct store_key key = user_key(user_id);

	store_key_u64(&key, room);
	return key;
}

void user_room_db_put(struct store_txn *txn, struct mx_slice user_id, const struct user_room *row)
{
	struct store_key key = user_room_key(user_id, row->room);
	struct store_stamp_at stamp = { .key_at = STORE_NO_STAMP };
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	stamp.value_at = record_put_stamp(&value);
	record_put_u64(&value, row->membership);
	record_put_u64(&value, row->forgotten);
	record_put_u64(&value, row->event);
	record_put_i64(&value, row->rseq);
	store_txn_put_stamped(txn, &user_room_table, store_key_slice(&key), mx_str_slice(&value),
			      &stamp);
}

static int read_value(struct mx_slice value, struct user_room *row)
{
	struct record_reader reader = record_open(value);

	row->position = record_stamp(&reader);
	row->membership = (enum membership)record_u64(&reader);
	row->forgotten = record_u64(&reader) != 0;
	row->event = (uint32_t)record_u64(&reader);
	row->rseq = record_i64(&reader);
	return record_ok(&reader) && row->membership <= MEMBERSHIP_BAN ? 0 : -MX_STORE;
}

int user_room_db_load(const struct hs_call *call, struct mx_slice user_id, uint32_t room,
		      struct user_room *ret_row)
{
	struct store_key key = user_room_key(user_id, room);
	struct user_room row = { .room = room };
	struct mx_slice value;
	int rc = call_find(call, &user_room_table, &key, &value);

	if (rc == 0)
		rc = read_value(value, &row);
	if (rc == 0)
		*ret_row = row;
	return rc;
}

/* prefix_len: of the keys, what stands before the room. */
static int read_row(const struct store_row *row, size_t prefix_len, struct user_room *ret_row)
{
	struct mx_slice rest = mx_slice_of(row->key.ptr + prefix_len, row->key.len - prefix_len);
	uint64_t room;

	if (!store_key_read_u64(&rest, &room))
		return -MX_STORE;
	ret_row->room = (uint32_t)room;
	return read_value(row->value, ret_row);
}

int user_room_db_list(const struct hs_call *call, struct mx_slice user_id,
		      struct user_room_list *ret_list)
{
	struct store_key from = user_key(user_id), to;
	struct store_range range = { .limit = ROOMS_MAX };
	struct user_room_list list = { 0 };
	struct store_rows rows = { 0 };
	int rc;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = from.overflow ? 0 : call_scan(call, &user_room_table, &range, &rows);
	list.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*list.items));
	for (; rc == 0 && list.len < rows.len; list.len++)
		rc = read_row(&rows.items[list.len], from.len, &list.items[list.len]);
	if (rc == 0)
		*ret_list = list;
	return rc;
}
