#include "homeserver/call.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_tables.h"
#include "homeserver/room_key.h"
#include "homeserver/state/state_record.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table timeline_table = { .name = "timeline" };
const struct store_table topo_table = { .name = "topo" };
const struct store_table time_table = { .name = "time" };

static struct store_key timeline_key(uint32_t room, int64_t rseq)
{
	struct store_key key = room_key(room);

	store_key_i64(&key, rseq);
	return key;
}

static struct store_key topo_key(uint32_t room, struct topo_place place)
{
	struct store_key key = room_key(room);

	store_key_i64(&key, place.depth);
	store_key_i64(&key, place.rseq);
	return key;
}

static struct store_key time_key(uint32_t room, int64_t ts)
{
	struct store_key key = room_key(room);

	store_key_i64(&key, ts);
	return key;
}

/* ---- writing */

static void add_number(struct store_txn *txn, const struct store_table *table,
		       const struct store_key *key, uint32_t number)
{
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, number);
	store_txn_put(txn, table, store_key_slice(key), mx_str_slice(&value));
}

static void add_orders(struct store_txn *txn, uint32_t room, const struct timeline_entry *entry)
{
	struct store_key key = topo_key(room, (struct topo_place){ entry->depth, entry->rseq });

	add_number(txn, &topo_table, &key, entry->event);
	key = time_key(room, entry->origin_server_ts);
	store_key_i64(&key, entry->rseq);
	add_number(txn, &time_table, &key, entry->event);
}

void timeline_db_add(struct store_txn *txn, uint32_t room, const struct timeline_entry *entry)
{
	struct store_key key = timeline_key(room, entry->rseq);
	struct store_stamp_at stamp = { .key_at = STORE_NO_STAMP };
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	stamp.value_at = record_put_stamp(&value);
	record_put_u64(&value, entry->event);
	record_put_i64(&value, entry->depth);
	record_put_state(&value, &entry->after);
	store_txn_put_stamped(txn, &timeline_table, store_key_slice(&key), mx_str_slice(&value),
			      &stamp);
	if (entry->event)
		add_orders(txn, room, entry);
}

/* ---- reading */

static int read_entry(const struct store_row *row, struct timeline_entry *entry)
{
	struct record_reader reader = record_open(row->value);
	struct mx_slice rest = row->key;
	uint64_t room;

	entry->position = record_stamp(&reader);
	entry->event = (uint32_t)record_u64(&reader);
	entry->depth = record_i64(&reader);
	entry->after = record_state(&reader);
	if (!store_key_read_u64(&rest, &room) || !store_key_read_i64(&rest, &entry->rseq))
		return -MX_STORE;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

static int read_entries(const struct store_rows *rows, struct mx_arena *mem,
			struct timeline *ret_timeline)
{
	struct timeline timeline = { mx_arena_calloc(mem, rows->len + 1, sizeof(*timeline.items)),
				     rows->len };

	for (size_t i = 0; i < rows->len; i++)
		if (read_entry(&rows->items[i], &timeline.items[i]))
			return -MX_STORE;
	*ret_timeline = timeline;
	return 0;
}

int timeline_db_scan(const struct hs_call *call, uint32_t room, const struct timeline_range *range,
		     struct timeline *ret_timeline)
{
	struct store_key from, to = timeline_key(room, range->before);
	struct store_rows rows = { 0 };
	struct store_range keys;
	int rc;

	if (range->after >= range->before) {
		*ret_timeline = (struct timeline){ 0 };
		return 0;
	}
	from = timeline_key(room, range->after + 1);
	keys = (struct store_range){ .from = store_key_slice(&from),
				     .to = store_key_slice(&to),
				     .limit = range->limit,
				     .reverse = range->reverse };
	rc = call_scan(call, &timeline_table, &keys, &rows);
	return rc ? rc : read_entries(&rows, call->mem, ret_timeline);
}

/* ---- the entry of a moment */

static int first_of(const struct hs_call *call, uint32_t room, const struct timeline_range *range,
		    struct timeline_entry *ret_entry)
{
	struct timeline found;
	int rc = timeline_db_scan(call, room, range, &found);

	if (rc == 0)
		*ret_entry = found.len ? found.items[0] : (struct timeline_entry){ 0 };
	return rc;
}

/* The last live one before rseq; its rseq is 0 if there is none. */
static int entry_before(const struct hs_call *call, uint32_t room, int64_t rseq,
			struct timeline_entry *ret_entry)
{
	const struct timeline_range range = { .before = rseq, .limit = 1, .reverse = true };

	return first_of(call, room, &range, ret_entry);
}

/* The first one from rseq on, before another. */
static int entry_between(const struct hs_call *call, uint32_t room, int64_t rseq, int64_t before,
			 struct timeline_entry *ret_entry)
{
	const struct timeline_range range = { .after = rseq - 1, .before = before, .limit = 1 };

	return first_of(call, room, &range, ret_entry);
}

/* What this transaction wrote is stamped when it is applied: later than all. */
static bool is_later(const struct timeline_entry *entry, uint64_t position)
{
	return entry->position == 0 || entry->position > position;
}

/* Positions grow with rseq where entries are live: the one in *entry (or none) is not later, that
 * of `late` is; halves what lies between. */
static int bisect(const struct hs_call *call, uint32_t room, uint64_t position, int64_t late,
		  struct timeline_entry *entry)
{
	while (entry->rseq + 1 < late) {
		int64_t middle = entry->rseq + (late - entry->rseq) / 2;
		struct timeline_entry found;
		int rc = entry_between(call, room, middle, late, &found);

		if (rc)
			return rc;
		if (found.rseq == 0 || is_later(&found, position))
			late = middle;
		else
			*entry = found;
	}
	return 0;
}

int timeline_db_at(const struct hs_call *call, uint32_t room, uint64_t position,
		   struct timeline_entry *ret_entry)
{
	struct timeline_entry entry;
	int64_t late = INT64_MAX;
	int rc = entry_before(call, room, late, &entry);

	/* Most ask for a moment that is not long ago: in steps that double, backwards. */
	for (int64_t step = 1; rc == 0 && entry.rseq && is_later(&entry, position); step *= 2) {
		late = entry.rseq;
		rc = entry_before(call, room, late > step ? late - step + 1 : 1, &entry);
	}
	if (rc == 0 && late != INT64_MAX)
		rc = bisect(call, room, position, late, &entry);
	if (rc)
		return rc;
	if (entry.rseq == 0)
		return -MX_NOT_FOUND;
	*ret_entry = entry;
	return 0;
}

/* ---- in the order of depth */

static int read_topo(const struct store_row *row, struct topo_entry *entry)
{
	struct record_reader reader = record_open(row->value);
	struct mx_slice rest = row->key;
	uint64_t room;

	entry->event = (uint32_t)record_u64(&reader);
	if (!store_key_read_u64(&rest, &room) || !store_key_read_i64(&rest, &entry->place.depth) ||
	    !store_key_read_i64(&rest, &entry->place.rseq))
		return -MX_STORE;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

static int read_topos(const struct store_rows *rows, struct mx_arena *mem, struct topo *ret_topo)
{
	struct topo topo = { mx_arena_calloc(mem, rows->len + 1, sizeof(*topo.items)), rows->len };

	for (size_t i = 0; i < rows->len; i++)
		if (read_topo(&rows->items[i], &topo.items[i]))
			return -MX_STORE;
	*ret_topo = topo;
	return 0;
}

int topo_db_scan(const struct hs_call *call, uint32_t room, struct topo_place from, bool backwards,
		 size_t limit, struct topo *ret_topo)
{
	struct store_key begin = room_key(room), end, place = topo_key(room, from);
	struct store_range range = { .limit = limit, .reverse = backwards };
	struct store_rows rows = { 0 };
	int rc;

	store_key_range_end(&begin, &end);
	range.from = store_key_slice(backwards ? &begin : &place);
	range.to = store_key_slice(backwards ? &place : &end);
	rc = call_scan(call, &topo_table, &range, &rows);
	return rc ? rc : read_topos(&rows, call->mem, ret_topo);
}

/* ---- in the order of time */

static int read_times(const struct store_rows *rows, struct mx_arena *mem,
		      struct time_list *ret_list)
{
	struct time_list list = { mx_arena_calloc(mem, rows->len + 1, sizeof(*list.events)),
				  rows->len };

	for (size_t i = 0; i < rows->len; i++) {
		struct record_reader reader = record_open(rows->items[i].value);

		list.events[i] = (uint32_t)record_u64(&reader);
		if (!record_ok(&reader))
			return -MX_STORE;
	}
	*ret_list = list;
	return 0;
}

int time_db_scan(const struct hs_call *call, uint32_t room, int64_t ts, bool backwards,
		 size_t limit, struct time_list *ret_list)
{
	struct store_key time = time_key(room, ts), prefix = backwards ? time : room_key(room), end;
	struct store_range range = { .limit = limit, .reverse = backwards };
	struct store_rows rows = { 0 };
	int rc;

	/* Backwards, the time itself is part of it. */
	store_key_range_end(&prefix, &end);
	prefix = room_key(room);
	range.from = store_key_slice(backwards ? &prefix : &time);
	range.to = store_key_slice(&end);
	rc = call_scan(call, &time_table, &range, &rows);
	return rc ? rc : read_times(&rows, call->mem, ret_list);
}
