#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_tables.h"
#include "homeserver/room_key.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table member_table = { .name = "member" };

#define PAGE_ROWS 1000

static struct store_key member_key(uint32_t room, struct mx_slice user_id)
{
	struct store_key key = room_key(room);

	store_key_text(&key, user_id);
	return key;
}

void member_db_put(struct store_txn *txn, uint32_t room, const struct member_row *row)
{
	struct store_key key = member_key(room, mx_slice(row->user_id));
	mx_str_auto value = { 0 };

	if (key.overflow)
		return; /* old rooms may name what is no user that way */
	record_begin(&value, 1);
	record_put_u64(&value, row->membership);
	record_put_u64(&value, row->event);
	store_txn_put(txn, &member_table, store_key_slice(&key), mx_str_slice(&value));
}

static int read_value(struct mx_slice value, struct member_row *row)
{
	struct record_reader reader = record_open(value);

	row->membership = (enum membership)record_u64(&reader);
	row->event = (uint32_t)record_u64(&reader);
	return record_ok(&reader) && row->membership <= MEMBERSHIP_BAN ? 0 : -MX_STORE;
}

int member_db_load(const struct hs_call *call, uint32_t room, struct mx_slice user_id,
		   struct member_row *ret_row)
{
	struct store_key key = member_key(room, user_id);
	struct member_row row;
	struct mx_slice value;
	int rc = call_find(call, &member_table, &key, &value);

	if (rc == 0)
		rc = read_value(value, &row);
	if (rc)
		return rc;
	row.user_id = mx_arena_strndup(call->mem, user_id.ptr, user_id.len);
	*ret_row = row;
	return 0;
}

/* ---- lists */

struct listing {
	const struct hs_call *call;
	enum membership membership;
	size_t limit;
	struct mx_vec(struct member_row) found;
};

static int read_user(const struct listing *l, struct mx_slice key, const char **ret_user_id)
{
	mx_str_auto user_id = { 0 };
	uint64_t room;

	if (!store_key_read_u64(&key, &room) || !store_key_read_text(&key, &user_id))
		return -MX_STORE;
	*ret_user_id = mx_arena_strndup(l->call->mem, user_id.ptr, user_id.len);
	return 0;
}

static int take_rows(struct listing *l, const struct store_rows *rows)
{
	for (size_t i = 0; i < rows->len && l->found.len < l->limit; i++) {
		struct member_row row;

		if (read_value(rows->items[i].value, &row))
			return -MX_STORE;
		if (l->membership != MEMBERSHIP_NONE && row.membership != l->membership)
			continue;
		if (read_user(l, rows->items[i].key, &row.user_id))
			return -MX_STORE;
		mx_vec_push(&l->found, row);
	}
	return 0;
}

static struct mx_slice key_behind(struct mx_arena *mem, struct mx_slice key)
{
	char *next = mx_arena_strndup(mem, key.ptr, key.len);

	return mx_slice_of(next, key.len + 1); /* with the NUL */
}

static int list(struct listing *l, struct store_range range)
{
	struct store_rows rows;
	int rc = 0;

	do {
		rc = call_scan(l->call, &member_table, &range, &rows);
		if (rc == 0)
			rc = take_rows(l, &rows);
		if (rc == 0 && rows.len)
			range.from = key_behind(l->call->mem, rows.items[rows.len - 1].key);
	} while (rc == 0 && rows.len == range.limit && l->found.len < l->limit);
	return rc;
}

static struct member_list kept(const struct listing *l)
{
	struct member_list list = {
		mx_arena_calloc(l->call->mem, l->found.len + 1, sizeof(*list.items)), l->found.len
	};

	if (list.len)
		memcpy(list.items, l->found.items, list.len * sizeof(*list.items));
	return list;
}

int member_db_list(const struct hs_call *call, uint32_t room, enum membership membership,
		   struct mx_slice after, size_t limit, struct member_list *ret_list)
{
	struct listing l = { call, membership, limit, { 0 } };
	struct store_key begin = room_key(room), end;
	struct store_key from = after.len ? member_key(room, after) : begin;
	struct store_range range = { .limit = limit < PAGE_ROWS ? limit + 1 : PAGE_ROWS };
	int rc;

	store_key_range_end(&begin, &end);
	range.from = store_key_slice(&from);
	if (after.len)
		range.from = key_behind(call->mem, range.from);
	range.to = store_key_slice(&end);
	rc = from.overflow ? 0 : list(&l, range);
	if (rc == 0)
		*ret_list = kept(&l);
	mx_vec_done(&l.found);
	return rc;
}
