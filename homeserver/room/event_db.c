#include "homeserver/room/event_db.h"

#include "homeserver/call.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/room_version.h"
#include "homeserver/room_key.h"
#include "homeserver/state/state_record.h"
#include "shared/core/error.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table event_table = { .name = "event", .large_values = true };
const struct store_table event_id_table = { .name = "event_id" };

const struct store_table *const event_tables[] = { &event_table, &event_id_table, NULL };

static struct store_key id_key(struct mx_slice event_id)
{
	struct store_key key = { 0 };

	store_key_text(&key, event_id);
	return key;
}

/* ---- writing */

static size_t index_of(const struct room_version *version)
{
	size_t i = 0;

	while (room_version_at(i) != version)
		i++;
	return i;
}

static void write_header(struct mx_str *out, const struct event_header *header)
{
	record_put_u64(out, header->state_number);
	record_put_u64(out, header->slot);
	record_put_u64(out, header->flags);
	record_put_i64(out, header->rseq);
	record_put_i64(out, header->received_ms);
	record_put_state(out, &header->before);
	record_put_state(out, &header->after);
	record_put_u64(out, header->redacted_by);
	record_put_bytes(out, header->device);
	record_put_bytes(out, header->txn_id);
}

void event_db_put(struct store_txn *txn, const struct stored_event *event)
{
	struct store_key key = room_number_key(event->room, event->header.number);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, index_of(event->event.version));
	write_header(&value, &event->header);
	record_put_bytes(&value, event->event.id);
	record_put_bytes(&value, event->event.json);
	store_txn_put(txn, &event_table, store_key_slice(&key), mx_str_slice(&value));
}

void event_db_add(struct store_txn *txn, const struct stored_event *event)
{
	struct store_key key = id_key(event->event.id);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, event->room);
	record_put_u64(&value, event->header.number);
	store_txn_expect_absent(txn, &event_id_table, store_key_slice(&key));
	store_txn_put(txn, &event_id_table, store_key_slice(&key), mx_str_slice(&value));
	event_db_put(txn, event);
}

/* ---- reading */

static void read_header(struct record_reader *reader, struct event_header *header)
{
	header->state_number = (uint32_t)record_u64(reader);
	header->slot = (uint32_t)record_u64(reader);
	header->flags = (unsigned)record_u64(reader);
	header->rseq = record_i64(reader);
	header->received_ms = record_i64(reader);
	header->before = record_state(reader);
	header->after = record_state(reader);
	header->redacted_by = (uint32_t)record_u64(reader);
	header->device = record_bytes(reader);
	header->txn_id = record_bytes(reader);
}

static int read_event(struct mx_slice value, struct mx_arena *mem, struct stored_event *event)
{
	struct record_reader reader = record_open(value);
	const struct room_version *version = room_version_at((size_t)record_u64(&reader));
	struct mx_slice id, json;

	read_header(&reader, &event->header);
	id = record_bytes(&reader);
	json = record_bytes(&reader);
	if (!record_ok(&reader) || !version || event_read(version, json, id, mem, &event->event))
		return -MX_STORE;
	if (event->header.redacted_by && event_left(&event->event, mem, &event->event))
		return -MX_STORE;
	return 0;
}

int event_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		  struct stored_event *ret_event)
{
	struct store_key key = room_number_key(room, number);
	struct stored_event event = { .room = room };
	struct mx_slice value;
	int rc = call_get(call, &event_table, store_key_slice(&key), &value);

	if (rc == 0)
		rc = read_event(value, call->mem, &event);
	if (rc)
		return rc;
	event.header.number = number;
	*ret_event = event;
	return 0;
}

int event_db_find(const struct hs_call *call, struct mx_slice event_id, uint32_t *ret_room,
		  uint32_t *ret_number)
{
	struct store_key key = id_key(event_id);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_find(call, &event_id_table, &key, &value);

	if (rc)
		return rc;
	reader = record_open(value);
	*ret_room = (uint32_t)record_u64(&reader);
	*ret_number = (uint32_t)record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int event_db_load_id(const struct hs_call *call, uint32_t room, struct mx_slice event_id,
		     struct stored_event *ret_event)
{
	uint32_t its_room, number;
	int rc = event_db_find(call, event_id, &its_room, &number);

	if (rc)
		return rc;
	return its_room == room ? event_db_load(call, room, number, ret_event) : -MX_NOT_FOUND;
}
