#include "homeserver/room/room_db.h"

#include "homeserver/call.h"
#include "homeserver/event/room_version.h"
#include "homeserver/room/room_tables.h"
#include "homeserver/room_key.h"
#include "homeserver/state/state_record.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/page.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

static const struct store_table room_table = { .name = "room" };
static const struct store_table room_id_table = { .name = "room_id" };

const struct store_table *const room_tables[] = {
	&room_table,   &room_id_table,   &timeline_table, &topo_table,      &time_table,
	&member_table, &user_room_table, &relation_table, &redaction_table, NULL,
};

static struct store_key id_key(struct mx_slice room_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, room_id);
	return key;
}

int room_db_find(const struct hs_call *call, struct mx_slice room_id, uint32_t *ret_room)
{
	struct store_key key = id_key(room_id);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_find(call, &room_id_table, &key, &value);

	if (rc)
		return rc;
	reader = record_open(value);
	*ret_room = (uint32_t)record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

/* ---- heads */

static void write_numbers(struct mx_str *out, const struct room_head *head)
{
	record_put_u64(out, head->next_event);
	record_put_u64(out, head->next_state);
	record_put_u64(out, head->next_slot);
	record_put_u64(out, head->next_member_slot);
	record_put_u64(out, head->next_node);
	record_put_i64(out, head->last_rseq);
	record_put_i64(out, head->first_rseq);
	record_put_i64(out, head->depth);
	record_put_u64(out, head->joined);
	record_put_u64(out, head->invited);
	record_put_u64(out, head->knocked);
}

static void read_numbers(struct record_reader *reader, struct room_head *head)
{
	head->next_event = (uint32_t)record_u64(reader);
	head->next_state = (uint32_t)record_u64(reader);
	head->next_slot = (uint32_t)record_u64(reader);
	head->next_member_slot = (uint32_t)record_u64(reader);
	head->next_node = (uint32_t)record_u64(reader);
	head->last_rseq = record_i64(reader);
	head->first_rseq = record_i64(reader);
	head->depth = record_i64(reader);
	head->joined = (uint32_t)record_u64(reader);
	head->invited = (uint32_t)record_u64(reader);
	head->knocked = (uint32_t)record_u64(reader);
}

static void write_extremities(struct mx_str *out, const struct room_head *head)
{
	record_put_u64(out, head->extremities_len);
	for (size_t i = 0; i < head->extremities_len; i++)
		record_put_u64(out, head->extremities[i]);
}

static void read_extremities(struct record_reader *reader, struct room_head *head)
{
	head->extremities_len = record_u64(reader);
	if (head->extremities_len > ROOM_EXTREMITIES_MAX) {
		reader->broken = true;
		return;
	}
	for (size_t i = 0; i < head->extremities_len; i++)
		head->extremities[i] = (uint32_t)record_u64(reader);
}

void room_db_put_head(struct store_txn *txn, uint32_t room, const struct room_head *head)
{
	struct store_key key = room_key(room);
	struct store_stamp_at stamp = { .key_at = STORE_NO_STAMP };
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	stamp.value_at = record_put_stamp(&value);
	record_put_bytes(&value, mx_slice(head->version->id));
	record_put_bytes(&value, head->id);
	record_put_state(&value, &head->state);
	write_numbers(&value, head);
	write_extremities(&value, head);
	record_put_u64(&value, head->is_published);
	store_txn_put_stamped(txn, &room_table, store_key_slice(&key), mx_str_slice(&value),
			      &stamp);
}

int room_db_head(const struct hs_call *call, uint32_t room, struct room_head *ret_head)
{
	struct store_key key = room_key(room);
	struct room_head head = { 0 };
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &room_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	head.position = record_stamp(&reader);
	head.version = room_version_find(record_bytes(&reader));
	head.id = record_bytes(&reader);
	head.state = record_state(&reader);
	read_numbers(&reader, &head);
	read_extremities(&reader, &head);
	head.is_published = record_u64(&reader) != 0;
	if (!record_ok(&reader) || !head.version)
		return -MX_STORE;
	*ret_head = head;
	return 0;
}

int room_db_list(const struct hs_call *call, const struct page *page,
		 struct room_numbers *ret_rooms)
{
	struct store_range range = { 0 };
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = call_scan(call, &room_table, &range, &rows);
	if (rc)
		return rc;
	ret_rooms->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_rooms->items));
	ret_rooms->len = rows.len;
	ret_rooms->next = page_next(page, &rows);
	for (size_t i = 0; i < rows.len; i++) {
		struct mx_slice rest = rows.items[i].key;
		uint64_t room;

		if (!store_key_read_u64(&rest, &room))
			return -MX_STORE;
		ret_rooms->items[i] = (uint32_t)room;
	}
	return 0;
}

void room_db_add(struct store_txn *txn, uint32_t room, const struct room_head *head)
{
	struct store_key key = id_key(head->id);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, room);
	store_txn_expect_absent(txn, &room_id_table, store_key_slice(&key));
	store_txn_put(txn, &room_id_table, store_key_slice(&key), mx_str_slice(&value));
	room_db_put_head(txn, room, head);
}
