#include "homeserver/media/media_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1
#define LIST_SCAN      256

static const struct store_table media_table = { .name = "media" };
static const struct store_table media_user_table = { .name = "media_user" };
static const struct store_table media_pending_table = { .name = "media_pending" };
static const struct store_table media_void_table = { .name = "media_void" };
static const struct store_table media_usage_table = { .name = "media_usage" };
static const struct store_table media_blob_table = { .name = "media_blob" };

const struct store_table *const media_tables[] = { &media_table,
						   &media_user_table,
						   &media_pending_table,
						   &media_void_table,
						   &media_usage_table,
						   &media_blob_table,
						   NULL };

/* ---- keys */

static struct store_key text_key(const char *first)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(first));
	return key;
}

static struct store_key media_key(const char *origin, const char *id)
{
	struct store_key key = text_key(origin);

	store_key_text(&key, mx_slice(id));
	return key;
}

/* By a time, so that the oldest come first. */
static struct store_key timed_key(const char *user, int64_t time_ms, const struct media_item *item)
{
	struct store_key key = text_key(user);

	store_key_i64(&key, time_ms);
	store_key_text(&key, mx_slice(item->origin));
	store_key_text(&key, mx_slice(item->id));
	return key;
}

/* Of all users: when an id is void, and which. */
static struct store_key void_key(const struct media_item *item)
{
	struct store_key key = { 0 };

	store_key_i64(&key, item->expires_ms);
	store_key_text(&key, mx_slice(item->origin));
	store_key_text(&key, mx_slice(item->id));
	return key;
}

static struct store_key blob_key(const uint8_t *sha256)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice_of(sha256, MX_SHA256_LEN));
	return key;
}

/* ---- media */

static const char *take_text(const struct hs_call *call, struct record_reader *reader)
{
	struct mx_slice text = record_bytes(reader);

	return mx_arena_strndup(call->mem, text.ptr ? text.ptr : "", text.len);
}

static bool read_item(const struct hs_call *call, struct mx_slice value, struct media_item *item)
{
	struct record_reader reader = record_open(value);
	struct mx_slice digest;

	item->created_ms = record_i64(&reader);
	item->expires_ms = record_i64(&reader);
	item->size = record_u64(&reader);
	digest = record_bytes(&reader);
	item->has_content = digest.len == MX_SHA256_LEN;
	if (item->has_content)
		memcpy(item->sha256, digest.ptr, MX_SHA256_LEN);
	item->user = take_text(call, &reader);
	item->type = take_text(call, &reader);
	item->name = take_text(call, &reader);
	return record_ok(&reader);
}

int media_db_load(const struct hs_call *call, const char *origin, const char *id,
		  struct media_item *ret_item)
{
	struct store_key key = media_key(origin, id);
	struct media_item item = { .origin = mx_arena_strdup(call->mem, origin),
				   .id = mx_arena_strdup(call->mem, id) };
	struct mx_slice value;
	int rc = call_find(call, &media_table, &key, &value);

	if (rc)
		return rc;
	if (!read_item(call, value, &item))
		return -MX_STORE;
	*ret_item = item;
	return 0;
}

void media_db_put(const struct hs_call *call, const struct media_item *item)
{
	struct store_key key = media_key(item->origin, item->id);
	struct store_key owned = timed_key(item->user, item->created_ms, item);
	mx_str_auto value = { 0 }, empty = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, item->created_ms);
	record_put_i64(&value, item->expires_ms);
	record_put_u64(&value, item->size);
	record_put_bytes(&value, mx_slice_of(item->sha256, item->has_content ? MX_SHA256_LEN : 0));
	record_put_bytes(&value, mx_slice(item->user));
	record_put_bytes(&value, mx_slice(item->type));
	record_put_bytes(&value, mx_slice(item->name));
	store_txn_put(call->txn, &media_table, store_key_slice(&key), mx_str_slice(&value));
	record_begin(&empty, RECORD_VERSION);
	store_txn_put(call->txn, &media_user_table, store_key_slice(&owned), mx_str_slice(&empty));
}

void media_db_delete(const struct hs_call *call, const struct media_item *item)
{
	struct store_key key = media_key(item->origin, item->id);
	struct store_key owned = timed_key(item->user, item->created_ms, item);

	store_txn_delete(call->txn, &media_table, store_key_slice(&key));
	store_txn_delete(call->txn, &media_user_table, store_key_slice(&owned));
}

/* ---- lists of a user's */

/* user, time, origin, id. */
static bool read_timed(const struct hs_call *call, struct mx_slice key, struct media_item *ret_item)
{
	struct mx_slice user, origin, id;

	if (!store_key_load_text(&key, call->mem, &user) ||
	    !store_key_read_i64(&key, &ret_item->created_ms) ||
	    !store_key_load_text(&key, call->mem, &origin) ||
	    !store_key_load_text(&key, call->mem, &id))
		return false;
	ret_item->user = user.ptr;
	ret_item->origin = origin.ptr;
	ret_item->id = id.ptr;
	return true;
}

static int load_listed(const struct hs_call *call, struct mx_slice key, struct media_item *ret_item)
{
	struct media_item found = { 0 };

	if (!read_timed(call, key, &found))
		return -MX_STORE;
	return media_db_load(call, found.origin, found.id, ret_item);
}

static void list_range(const char *user, const struct media_after *after, struct store_key *from,
		       struct store_key *to)
{
	struct store_key prefix = text_key(user);

	store_key_range_end(&prefix, to);
	*from = prefix;
	if (!after)
		return;
	store_key_i64(from, after->created_ms);
}

static bool is_behind(const struct media_item *item, const struct media_after *after)
{
	return !after || item->created_ms > after->created_ms || strcmp(item->id, after->id) > 0;
}

int media_db_list(const struct hs_call *call, const char *user, const struct media_after *after,
		  size_t max, struct media_item **ret_items, size_t *ret_len)
{
	struct media_item *items = mx_arena_calloc(call->mem, max + 1, sizeof(*items));
	struct store_key from, to;
	struct store_rows rows;
	size_t len = 0;
	int rc;

	list_range(user, after, &from, &to);
	rc = call_scan(call, &media_user_table,
		       &(struct store_range){ .from = store_key_slice(&from),
					      .to = store_key_slice(&to),
					      .limit = max + LIST_SCAN },
		       &rows);
	for (size_t i = 0; rc == 0 && i < rows.len && len < max; i++) {
		rc = load_listed(call, rows.items[i].key, &items[len]);
		if (rc == 0 && is_behind(&items[len], after))
			len++;
	}
	if (rc)
		return rc;
	*ret_items = items;
	*ret_len = len;
	return 0;
}

/* ---- pending */

void media_db_put_pending(const struct hs_call *call, const struct media_item *item)
{
	struct store_key key = timed_key(item->user, item->expires_ms, item);
	struct store_key when = void_key(item);
	mx_str_auto empty = { 0 };

	record_begin(&empty, RECORD_VERSION);
	store_txn_put(call->txn, &media_pending_table, store_key_slice(&key), mx_str_slice(&empty));
	store_txn_put(call->txn, &media_void_table, store_key_slice(&when), mx_str_slice(&empty));
}

void media_db_delete_pending(const struct hs_call *call, const struct media_item *item)
{
	struct store_key key = timed_key(item->user, item->expires_ms, item);
	struct store_key when = void_key(item);

	store_txn_delete(call->txn, &media_pending_table, store_key_slice(&key));
	store_txn_delete(call->txn, &media_void_table, store_key_slice(&when));
}

int media_db_count_pending(const struct hs_call *call, const char *user, size_t max,
			   size_t *ret_count)
{
	struct store_key from = text_key(user), to;
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &to);
	store_key_i64(&from, call->now_ms + 1);
	rc = call_scan(call, &media_pending_table,
		       &(struct store_range){ .from = store_key_slice(&from),
					      .to = store_key_slice(&to),
					      .limit = max },
		       &rows);
	if (rc == 0)
		*ret_count = rows.len;
	return rc;
}

static int drop(const struct hs_call *call, struct mx_slice key)
{
	mx_str_auto origin = { 0 }, id = { 0 };
	struct media_item item;
	int64_t expires_ms;
	int rc;

	if (!store_key_read_i64(&key, &expires_ms) || !store_key_read_text(&key, &origin) ||
	    !store_key_read_text(&key, &id))
		return -MX_STORE;
	rc = media_db_load(call, origin.ptr, id.ptr, &item);
	if (rc)
		return rc;
	media_db_delete(call, &item);
	media_db_delete_pending(call, &item);
	return 0;
}

int media_db_drop_void(const struct hs_call *call, size_t max, size_t *ret_dropped)
{
	struct store_key to = { 0 };
	struct store_rows rows;
	int rc;

	store_key_i64(&to, call->now_ms + 1);
	rc = call_scan(call, &media_void_table,
		       &(struct store_range){ .to = store_key_slice(&to), .limit = max }, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = drop(call, rows.items[i].key);
	if (rc == 0)
		*ret_dropped = rows.len;
	return rc;
}

/* ---- usage and files */

int media_db_load_usage(const struct hs_call *call, const char *user, struct media_usage *ret_usage)
{
	struct store_key key = text_key(user);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &media_usage_table, store_key_slice(&key), &value);

	*ret_usage = (struct media_usage){ 0 };
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	reader = record_open(value);
	ret_usage->files = record_u64(&reader);
	ret_usage->bytes = record_u64(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

void media_db_put_usage(const struct hs_call *call, const char *user,
			const struct media_usage *usage)
{
	struct store_key key = text_key(user);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, usage->files);
	record_put_u64(&value, usage->bytes);
	store_txn_put(call->txn, &media_usage_table, store_key_slice(&key), mx_str_slice(&value));
}

int media_db_load_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN],
		       struct media_blob *ret_blob)
{
	struct store_key key = blob_key(sha256);
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &media_blob_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	ret_blob->refs = record_u64(&reader);
	ret_blob->size = record_u64(&reader);
	ret_blob->is_quarantined = record_u64(&reader) != 0;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

void media_db_put_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN],
		       const struct media_blob *blob)
{
	struct store_key key = blob_key(sha256);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_u64(&value, blob->refs);
	record_put_u64(&value, blob->size);
	record_put_u64(&value, blob->is_quarantined);
	store_txn_put(call->txn, &media_blob_table, store_key_slice(&key), mx_str_slice(&value));
}

void media_db_delete_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN])
{
	struct store_key key = blob_key(sha256);

	store_txn_delete(call->txn, &media_blob_table, store_key_slice(&key));
}
