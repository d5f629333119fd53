#include "homeserver/state/state_db.h"

#include "homeserver/call.h"
#include "homeserver/room_key.h"
#include "homeserver/state/trie.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/crypto/sha256.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table state_event_table = { .name = "state_event" };
const struct store_table slot_table = { .name = "slot" };
const struct store_table slot_key_table = { .name = "slot_key" };
const struct store_table node_table = { .name = "node" };

const struct store_table *const state_tables[] = {
	&state_event_table, &slot_table, &slot_key_table, &node_table, NULL,
};

#define CITED_MAX UINT16_MAX /* see struct graph_event */

/* ---- state events */

void state_db_add(struct store_txn *txn, uint32_t room, uint32_t number,
		  const struct state_event *event)
{
	struct store_key key = room_number_key(room, number);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, event->event);
	record_put_u64(&value, event->slot);
	record_put_i64(&value, event->origin_server_ts);
	record_put_u64(&value, event->flags);
	record_put_u64(&value, event->cited_len);
	for (size_t i = 0; i < event->cited_len; i++)
		record_put_u64(&value, event->cited[i]);
	store_txn_put(txn, &state_event_table, store_key_slice(&key), mx_str_slice(&value));
}

void state_db_put_flags(struct store_txn *txn, uint32_t room, uint32_t number,
			const struct state_event *event)
{
	state_db_add(txn, room, number, event);
}

static int read_cited(struct record_reader *reader, struct mx_arena *mem, struct state_event *event)
{
	uint32_t *cited;

	event->cited_len = (size_t)record_u64(reader);
	if (event->cited_len > CITED_MAX)
		return -MX_STORE;
	cited = mx_arena_calloc(mem, event->cited_len + 1, sizeof(*cited));
	for (size_t i = 0; i < event->cited_len; i++)
		cited[i] = (uint32_t)record_u64(reader);
	event->cited = cited;
	return record_ok(reader) ? 0 : -MX_STORE;
}

static int read_event(struct mx_slice value, struct mx_arena *mem, struct state_event *event)
{
	struct record_reader reader = record_open(value);

	event->event = (uint32_t)record_u64(&reader);
	event->slot = (uint32_t)record_u64(&reader);
	event->origin_server_ts = record_i64(&reader);
	event->flags = (uint16_t)record_u64(&reader);
	return read_cited(&reader, mem, event);
}

int state_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		  struct state_event *ret_event)
{
	struct store_key key = room_number_key(room, number);
	struct state_event event;
	struct mx_slice value;
	int rc = call_get(call, &state_event_table, store_key_slice(&key), &value);

	if (rc == 0)
		rc = read_event(value, call->mem, &event);
	if (rc == 0)
		*ret_event = event;
	return rc;
}

static int read_next(const struct store_row *row, uint64_t number, struct mx_arena *mem,
		     struct state_event *ret_event)
{
	struct mx_slice rest = row->key;
	uint64_t room, found;

	if (!store_key_read_u64(&rest, &room) || !store_key_read_u64(&rest, &found) ||
	    found != number)
		return -MX_STORE;
	return read_event(row->value, mem, ret_event);
}

int state_db_scan(const struct hs_call *call, uint32_t room, uint32_t from, size_t limit,
		  struct state_event_list *ret_list)
{
	struct store_key begin = room_number_key(room, from), prefix = room_key(room), end;
	struct store_range range = { .limit = limit };
	struct state_event_list list = { 0 };
	struct store_rows rows = { 0 };
	int rc;

	store_key_range_end(&prefix, &end);
	range.from = store_key_slice(&begin);
	range.to = store_key_slice(&end);
	rc = call_scan(call, &state_event_table, &range, &rows);
	list.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*list.items));
	for (; rc == 0 && list.len < rows.len; list.len++)
		rc = read_next(&rows.items[list.len], from + list.len, call->mem,
			       &list.items[list.len]);
	if (rc == 0)
		*ret_list = list;
	return rc;
}

/* ---- slots */

enum slot_form { SLOT_PLAIN, SLOT_HASHED };

/* Longer ones might not fit into a key: before version 11, types and state keys have up to 255
 * code points, of four bytes. */
#define PLAIN_MAX 400

static void add_hash(struct store_key *key, struct mx_slice text)
{
	uint8_t hash[MX_SHA256_LEN];

	mx_sha256(text, hash);
	store_key_text(key, mx_slice_of(hash, sizeof(hash)));
}

static struct store_key slot_key(uint32_t room, struct mx_slice type, struct mx_slice state_key)
{
	struct store_key key = room_key(room);

	if (type.len + state_key.len <= PLAIN_MAX) {
		store_key_u64(&key, SLOT_PLAIN);
		store_key_text(&key, type);
		store_key_text(&key, state_key);
		return key;
	}
	store_key_u64(&key, SLOT_HASHED);
	add_hash(&key, type);
	add_hash(&key, state_key);
	return key;
}

static void add_slot(struct store_txn *txn, const struct store_key *key, uint32_t slot)
{
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, slot);
	store_txn_put(txn, &slot_table, store_key_slice(key), mx_str_slice(&value));
}

void slot_db_add(struct store_txn *txn, uint32_t room, uint32_t slot, struct mx_slice type,
		 struct mx_slice state_key)
{
	struct store_key key = slot_key(room, type, state_key);
	mx_str_auto value = { 0 };

	add_slot(txn, &key, slot);
	record_begin(&value, 1);
	record_put_bytes(&value, type);
	record_put_bytes(&value, state_key);
	key = room_number_key(room, slot);
	store_txn_put(txn, &slot_key_table, store_key_slice(&key), mx_str_slice(&value));
}

int slot_db_find(const struct hs_call *call, uint32_t room, struct mx_slice type,
		 struct mx_slice state_key, uint32_t *ret_slot)
{
	struct store_key key = slot_key(room, type, state_key);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &slot_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	*ret_slot = (uint32_t)record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int slot_db_key(const struct hs_call *call, uint32_t room, uint32_t slot, struct mx_slice *ret_type,
		struct mx_slice *ret_state_key)
{
	struct store_key key = room_number_key(room, slot);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &slot_key_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	*ret_type = record_bytes(&reader);
	*ret_state_key = record_bytes(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

/* ---- nodes of tries */

static size_t count(uint64_t bitmap)
{
	return (size_t)__builtin_popcountll(bitmap);
}

void node_db_add(struct store_txn *txn, uint32_t room, uint32_t number,
		 const struct trie_node *node)
{
	struct store_key key = room_number_key(room, number);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, node->level);
	record_put_u64(&value, node->bitmap);
	for (size_t i = 0; i < count(node->bitmap); i++)
		record_put_u64(&value, node->items[i]);
	store_txn_put(txn, &node_table, store_key_slice(&key), mx_str_slice(&value));
}

int node_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		 const struct trie_node **ret_node)
{
	struct store_key key = room_number_key(room, number);
	struct record_reader reader;
	struct trie_node head, *node;
	struct mx_slice value;
	int rc = call_get(call, &node_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	head.level = (uint8_t)record_u64(&reader);
	head.bitmap = record_u64(&reader);
	node = mx_arena_alloc(call->mem, trie_node_size(&head));
	*node = head;
	for (size_t i = 0; i < count(head.bitmap); i++)
		node->items[i] = (uint32_t)record_u64(&reader);
	if (!record_ok(&reader) || head.level > TRIE_LEVEL_MAX)
		return -MX_STORE;
	*ret_node = node;
	return 0;
}
