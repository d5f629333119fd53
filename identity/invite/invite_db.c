#include "identity/invite/invite_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <string.h>

/* token → invite */
const struct store_table invite_table = { .name = "invite" };
/* (medium, address, token) → nothing */
const struct store_table invite_address_table = { .name = "invite_address" };
/* public key → token */
const struct store_table ephemeral_key_table = { .name = "ephemeral_key" };

static int get(const struct identity_call *call, const struct store_table *table,
	       const struct store_key *key, struct mx_slice *ret_value)
{
	struct mx_slice name = store_key_slice(key);

	return call->txn ? store_txn_get(call->txn, table, name, call->mem, ret_value)
			 : store_get(call->view, table, name, call->mem, ret_value);
}

static int scan(const struct identity_call *call, const struct store_table *table,
		const struct store_range *range, struct store_rows *ret_rows)
{
	return call->txn ? store_txn_scan(call->txn, table, range, call->mem, ret_rows)
			 : store_scan(call->view, table, range, call->mem, ret_rows);
}

static struct store_key key_of(struct mx_slice text)
{
	struct store_key key = { 0 };

	store_key_text(&key, text);
	return key;
}

static struct store_key address_key(const struct threepid *threepid)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(threepid->medium));
	store_key_text(&key, mx_slice(threepid->address));
	return key;
}

static const char *text_of(struct record_reader *in, struct mx_arena *mem)
{
	return mx_arena_slice(mem, record_bytes(in)).ptr;
}

static bool decode(struct mx_slice value, struct mx_arena *mem, struct invite *ret_invite)
{
	struct record_reader in = record_open(value);
	struct mx_slice key;

	ret_invite->threepid.medium = text_of(&in, mem);
	ret_invite->threepid.address = text_of(&in, mem);
	ret_invite->room_id = text_of(&in, mem);
	ret_invite->sender = text_of(&in, mem);
	key = record_bytes(&in);
	ret_invite->created_ms = record_i64(&in);
	ret_invite->ended_ms = record_i64(&in);
	ret_invite->state = (enum invite_state)record_u64(&in);
	ret_invite->user_id = text_of(&in, mem);
	ret_invite->notice_id = record_u64(&in);
	if (!record_ok(&in) || key.len != sizeof(ret_invite->ephemeral_public))
		return false;
	memcpy(ret_invite->ephemeral_public, key.ptr, key.len);
	if (!*ret_invite->user_id)
		ret_invite->user_id = NULL;
	return true;
}

int invite_db_get(const struct identity_call *call, const char *token, struct invite *ret_invite)
{
	struct store_key key = key_of(mx_slice(token));
	struct invite invite = { 0 };
	struct mx_slice value;
	int rc = get(call, &invite_table, &key, &value);

	/* A token that no key can hold was never given out. */
	if (rc == -MX_TOO_LARGE)
		return -MX_NOT_FOUND;
	if (rc)
		return rc;
	invite.token = mx_arena_strdup(call->mem, token);
	if (!decode(value, call->mem, &invite))
		return -MX_STORE;
	*ret_invite = invite;
	return 0;
}

static bool read_token(struct mx_slice key, struct mx_arena *mem, const char **ret_token)
{
	mx_str_auto part = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		mx_str_clear(&part);
		if (!store_key_read_text(&key, &part))
			return false;
	}
	*ret_token = mx_arena_strndup(mem, part.ptr, part.len);
	return true;
}

int invite_db_tokens(const struct identity_call *call, const struct threepid *threepid,
		     const char ***ret_tokens, size_t *ret_len)
{
	struct store_key from = address_key(threepid), to = { 0 };
	struct store_range range = { .limit = INVITES_PER_ADDRESS };
	struct store_rows rows;
	const char **tokens;
	int rc;

	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = scan(call, &invite_address_table, &range, &rows);
	if (rc)
		return rc;
	tokens = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*tokens));
	for (size_t i = 0; i < rows.len; i++) {
		if (!read_token(rows.items[i].key, call->mem, &tokens[i]))
			return -MX_STORE;
	}
	*ret_tokens = tokens;
	*ret_len = rows.len;
	return 0;
}

static void put_record(struct store_txn *txn, const struct invite *invite)
{
	struct store_key key = key_of(mx_slice(invite->token));
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(invite->threepid.medium));
	record_put_bytes(&value, mx_slice(invite->threepid.address));
	record_put_bytes(&value, mx_slice(invite->room_id));
	record_put_bytes(&value, mx_slice(invite->sender));
	record_put_bytes(&value,
			 mx_slice_of(invite->ephemeral_public, sizeof(invite->ephemeral_public)));
	record_put_i64(&value, invite->created_ms);
	record_put_i64(&value, invite->ended_ms);
	record_put_u64(&value, invite->state);
	record_put_bytes(&value, mx_slice(invite->user_id ? invite->user_id : ""));
	record_put_u64(&value, invite->notice_id);
	store_txn_put(txn, &invite_table, store_key_slice(&key), mx_str_slice(&value));
}

void invite_db_put(struct store_txn *txn, const struct invite *invite)
{
	struct store_key key = address_key(&invite->threepid);
	mx_str_auto nothing = { 0 };

	put_record(txn, invite);
	record_begin(&nothing, 1);
	store_key_text(&key, mx_slice(invite->token));
	store_txn_put(txn, &invite_address_table, store_key_slice(&key), mx_str_slice(&nothing));
}

void invite_db_expect_absent(struct store_txn *txn, const char *token)
{
	struct store_key key = key_of(mx_slice(token));

	store_txn_expect_absent(txn, &invite_table, store_key_slice(&key));
}

void ephemeral_db_put(struct store_txn *txn, const uint8_t public_key[32], const char *token)
{
	struct store_key key = key_of(mx_slice_of(public_key, 32));
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_bytes(&value, mx_slice(token));
	store_txn_put(txn, &ephemeral_key_table, store_key_slice(&key), mx_str_slice(&value));
}

int ephemeral_db_get(const struct identity_call *call, const uint8_t public_key[32],
		     const char **ret_token)
{
	struct store_key key = key_of(mx_slice_of(public_key, 32));
	struct record_reader in;
	struct mx_slice value;
	int rc = get(call, &ephemeral_key_table, &key, &value);

	if (rc)
		return rc;
	in = record_open(value);
	*ret_token = text_of(&in, call->mem);
	return record_ok(&in) ? 0 : -MX_STORE;
}
