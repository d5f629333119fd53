#include "homeserver/account/device_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table device_table = { .name = "device" };

static struct store_key user_key(const char *user)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(user));
	return key;
}

static struct store_key device_key(const char *user, const char *id)
{
	struct store_key key = user_key(user);

	store_key_text(&key, mx_slice(id));
	return key;
}

static const char *text_or_null(struct mx_arena *mem, struct mx_slice text)
{
	return text.len ? mx_arena_strndup(mem, text.ptr, text.len) : NULL;
}

/* Fills in what the value says. */
static int read_value(struct mx_arena *mem, struct mx_slice value, struct device *device)
{
	struct record_reader reader = record_open(value);

	device->name = text_or_null(mem, record_bytes(&reader));
	device->created_ms = record_i64(&reader);
	device->session = text_or_null(mem, record_bytes(&reader));
	device->seen_ms = record_i64(&reader);
	device->ip = text_or_null(mem, record_bytes(&reader));
	device->user_agent = text_or_null(mem, record_bytes(&reader));
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int device_db_load(const struct hs_call *call, const char *user, const char *id,
		   struct device *ret_device)
{
	struct store_key key = device_key(user, id);
	struct device device = { 0 };
	struct mx_slice value;
	int rc = call_find(call, &device_table, &key, &value);

	if (rc == 0)
		rc = read_value(call->mem, value, &device);
	if (rc)
		return rc;
	device.user = mx_arena_strdup(call->mem, user);
	device.id = mx_arena_strdup(call->mem, id);
	*ret_device = device;
	return 0;
}

static int read_row(struct mx_arena *mem, const struct store_row *row, struct device *device)
{
	struct mx_slice key = row->key, user, id;

	if (!store_key_load_text(&key, mem, &user) || !store_key_load_text(&key, mem, &id))
		return -MX_STORE;
	device->user = user.ptr;
	device->id = id.ptr;
	return read_value(mem, row->value, device);
}

int device_db_list(const struct hs_call *call, const char *user, size_t limit,
		   struct device_list *ret_list)
{
	struct store_key from = user_key(user), to;
	struct store_range range = { .limit = limit };
	struct device_list list = { 0 };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = call_scan(call, &device_table, &range, &rows);
	if (rc)
		return rc;
	list.items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*list.items));
	for (; rc == 0 && list.len < rows.len; list.len++)
		rc = read_row(call->mem, &rows.items[list.len], &list.items[list.len]);
	if (rc == 0)
		*ret_list = list;
	return rc;
}

void device_db_put(const struct hs_call *call, const struct device *device)
{
	struct store_key key = device_key(device->user, device->id);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(device->name));
	record_put_i64(&value, device->created_ms);
	record_put_bytes(&value, mx_slice(device->session));
	record_put_i64(&value, device->seen_ms);
	record_put_bytes(&value, mx_slice(device->ip));
	record_put_bytes(&value, mx_slice(device->user_agent));
	store_txn_put(call->txn, &device_table, store_key_slice(&key), mx_str_slice(&value));
}

void device_db_delete(const struct hs_call *call, const char *user, const char *id)
{
	struct store_key key = device_key(user, id);

	store_txn_delete(call->txn, &device_table, store_key_slice(&key));
}
