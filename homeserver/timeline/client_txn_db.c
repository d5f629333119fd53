#include "homeserver/timeline/client_txn_db.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/sha256.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* (day, user, device, hash of the request's path) → event id. By days, so that what is old stands
 * together; what is asked for is of today or of the day before. */
static const struct store_table client_txn_table = { .name = "client_txn" };

const struct store_table *const client_txn_tables[] = { &client_txn_table, NULL };

#define REAP_BATCH 1000

static int64_t day_of(int64_t now_ms)
{
	return now_ms / MX_DAY_MS;
}

struct path_hash {
	uint8_t bytes[MX_SHA256_LEN];
};

static struct path_hash path_hash_of(const struct client_txn *request)
{
	const char *const path[] = { request->endpoint, request->room_id, request->what,
				     request->id };
	struct path_hash hash;
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		mx_str_add(&text, path[i], strlen(path[i]) + 1);
	mx_sha256(mx_str_slice(&text), hash.bytes);
	return hash;
}

static struct store_key key_of(const struct client_txn *request, const struct path_hash *hash,
			       int64_t day)
{
	struct store_key key = { 0 };

	store_key_i64(&key, day);
	store_key_text(&key, mx_slice(request->user));
	store_key_text(&key, mx_slice(request->device ? request->device : ""));
	store_key_text(&key, mx_slice_of(hash->bytes, sizeof(hash->bytes)));
	return key;
}

static int find_at(const struct hs_call *call, const struct store_key *key,
		   const char **ret_event_id)
{
	struct record_reader in;
	struct mx_slice value, event_id;
	int rc = call_get(call, &client_txn_table, store_key_slice(key), &value);

	if (rc)
		return rc;
	in = record_open(value);
	event_id = record_bytes(&in);
	if (!record_ok(&in))
		return -MX_STORE;
	*ret_event_id = mx_arena_slice(call->mem, event_id).ptr;
	return 0;
}

int client_txn_db_find(const struct hs_call *call, const struct client_txn *request,
		       const char **ret_event_id)
{
	const struct path_hash hash = path_hash_of(request);
	const int64_t today = day_of(call->now_ms);
	struct store_key key = key_of(request, &hash, today);
	int rc = find_at(call, &key, ret_event_id);

	if (rc != -MX_NOT_FOUND)
		return rc;
	key = key_of(request, &hash, today - 1);
	return find_at(call, &key, ret_event_id);
}

void client_txn_db_put(const struct hs_call *call, const struct client_txn *request,
		       const char *event_id)
{
	const struct path_hash hash = path_hash_of(request);
	const struct store_key key = key_of(request, &hash, day_of(call->now_ms));
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(event_id));
	store_txn_put(call->txn, &client_txn_table, store_key_slice(&key), mx_str_slice(&value));
}

/* ---- forgetting */

static size_t reap_some(struct hs *hs, int64_t before_day)
{
	struct store_txn *txn = store_txn_begin(hs->store);
	struct mx_arena *mem = mx_arena_new(0);
	struct store_key to = { 0 };
	struct store_range range = { .limit = REAP_BATCH };
	struct store_rows rows = { 0 };
	size_t reaped = 0;

	store_key_i64(&to, before_day);
	range.to = store_key_slice(&to);
	if (store_txn_scan(txn, &client_txn_table, &range, mem, &rows) == 0)
		for (; reaped < rows.len; reaped++)
			store_txn_delete(txn, &client_txn_table, rows.items[reaped].key);
	if (reaped == 0)
		store_txn_abort(txn);
	else if (store_txn_commit(txn, NULL))
		reaped = 0;
	mx_arena_free(mem);
	return reaped;
}

size_t client_txn_reap(struct hs *hs, int64_t now_ms)
{
	size_t all = 0, some;

	do {
		some = reap_some(hs, day_of(now_ms) - 1);
		all += some;
	} while (some == REAP_BATCH);
	return all;
}
