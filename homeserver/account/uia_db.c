#include "homeserver/account/uia_db.h"

#include "homeserver/account/reap.h"
#include "homeserver/call.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table uia_table = { .name = "uia" };

static struct store_key id_key(const char *id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(id));
	return key;
}

static json_t *read_tree(struct record_reader *reader)
{
	struct mx_slice text = record_bytes(reader);
	json_t *json = json_loadb(text.ptr ? text.ptr : "", text.len, 0, NULL);

	if (!json_is_object(json))
		reader->broken = true;
	return json;
}

static int read_value(struct mx_slice value, struct mx_arena *mem, struct uia_session *session)
{
	struct record_reader reader = record_open(value);
	struct mx_slice body;

	session->user = record_text(&reader, mem);
	session->what = record_text(&reader, mem);
	body = record_bytes(&reader);
	if (body.len != MX_SHA256_LEN)
		return -MX_STORE;
	memcpy(session->body, body.ptr, MX_SHA256_LEN);
	session->created_ms = record_i64(&reader);
	session->completed = read_tree(&reader);
	session->kept = read_tree(&reader);
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int uia_db_load(const struct hs_call *call, const char *id, struct uia_session *ret_session)
{
	struct store_key key = id_key(id);
	uia_session_auto session = { 0 };
	struct mx_slice value;
	int rc = call_find(call, &uia_table, &key, &value);

	if (rc == 0)
		rc = read_value(value, call->mem, &session);
	if (rc)
		return rc;
	session.id = mx_arena_strdup(call->mem, id);
	*ret_session = session;
	session = (struct uia_session){ 0 };
	return 0;
}

static void put_tree(struct mx_str *value, const json_t *json)
{
	mx_autofree char *text = mx_json_text(json);

	record_put_bytes(value, mx_slice(text));
}

void uia_db_put(const struct hs_call *call, const struct uia_session *session)
{
	struct store_key key = id_key(session->id);
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(session->user));
	record_put_bytes(&value, mx_slice(session->what));
	record_put_bytes(&value, mx_slice_of(session->body, MX_SHA256_LEN));
	record_put_i64(&value, session->created_ms);
	put_tree(&value, session->completed);
	put_tree(&value, session->kept);
	store_txn_put(call->txn, &uia_table, store_key_slice(&key), mx_str_slice(&value));
}

void uia_db_delete(const struct hs_call *call, const char *id)
{
	struct store_key key = id_key(id);

	store_txn_delete(call->txn, &uia_table, store_key_slice(&key));
}

/* ---- reaping */

static bool is_older(struct mx_slice value, int64_t before_ms)
{
	struct record_reader reader = record_open(value);

	record_bytes(&reader);
	record_bytes(&reader);
	record_bytes(&reader);
	return record_i64(&reader) < before_ms;
}

size_t uia_db_reap(struct store *store, int64_t before_ms)
{
	return reap_table(store, &uia_table, is_older, before_ms);
}
