#include "homeserver/account/session_db.h"

#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

const struct store_table session_table = { .name = "session" };

static struct store_key id_key(struct mx_slice id)
{
	struct store_key key = { 0 };

	store_key_text(&key, id);
	return key;
}

static void put_tokens(struct mx_str *value, const struct session_tokens *tokens)
{
	record_put_bytes(value, mx_slice_of(tokens->access, MX_SHA256_LEN));
	record_put_bytes(value, mx_slice_of(tokens->refresh, MX_SHA256_LEN));
	record_put_i64(value, tokens->access_until_ms);
}

static void read_hash(struct record_reader *reader, uint8_t hash[MX_SHA256_LEN])
{
	struct mx_slice bytes = record_bytes(reader);

	if (bytes.len == MX_SHA256_LEN)
		memcpy(hash, bytes.ptr, MX_SHA256_LEN);
	else
		reader->broken = true;
}

static void read_tokens(struct record_reader *reader, struct session_tokens *tokens)
{
	read_hash(reader, tokens->access);
	read_hash(reader, tokens->refresh);
	tokens->access_until_ms = record_i64(reader);
}

int session_db_load(const struct hs_call *call, struct mx_slice id, struct session *ret_session)
{
	struct store_key key = id_key(id);
	struct session session = { 0 };
	struct record_reader reader;
	struct mx_slice value;
	int rc = call_get(call, &session_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	reader = record_open(value);
	session.id = mx_arena_strndup(call->mem, id.ptr, id.len);
	session.user = record_text(&reader, call->mem);
	session.device = record_text(&reader, call->mem);
	session.created_ms = record_i64(&reader);
	read_tokens(&reader, &session.now);
	read_tokens(&reader, &session.next);
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_session = session;
	return 0;
}

void session_db_put(const struct hs_call *call, const struct session *session)
{
	struct store_key key = id_key(mx_slice(session->id));
	mx_str_auto value = { 0 };

	record_begin(&value, RECORD_VERSION);
	record_put_bytes(&value, mx_slice(session->user));
	record_put_bytes(&value, mx_slice(session->device));
	record_put_i64(&value, session->created_ms);
	put_tokens(&value, &session->now);
	put_tokens(&value, &session->next);
	store_txn_put(call->txn, &session_table, store_key_slice(&key), mx_str_slice(&value));
}

void session_db_delete(const struct hs_call *call, const char *id)
{
	struct store_key key = id_key(mx_slice(id));

	store_txn_delete(call->txn, &session_table, store_key_slice(&key));
}

bool session_db_read_key(struct mx_slice key, struct mx_str *ret_id)
{
	mx_str_clear(ret_id);
	return store_key_read_text(&key, ret_id);
}
