#include "identity/invite/invite_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

#include <string.h>

/* token → invite */
const struct store_table invite_table = { .name = "invite" };
/* (medium, address, token) → nothing */
const struct store_table invite_address_table = { .name = "invite_address" };
/* (ROOM, room, token) and (BORN, time, token) → nothing */
const struct store_table invite_index_table = { .name = "invite_index" };
/* public key → token */
const struct store_table ephemeral_key_table = { .name = "ephemeral_key" };

enum index_kind { ROOM, BORN };

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

static struct store_key index_key(enum index_kind kind)
{
	struct store_key key = { 0 };

	store_key_u64(&key, kind);
	return key;
}

static struct store_key room_key(const char *room_id)
{
	struct store_key key = index_key(ROOM);

	store_key_text(&key, mx_slice(room_id));
	return key;
}

static struct store_key born_key(int64_t created_ms)
{
	struct store_key key = index_key(BORN);

	store_key_i64(&key, created_ms);
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
	ret_invite->mail = mx_arena_slice(mem, record_bytes(&in));
	if (!record_ok(&in) || key.len != sizeof(ret_invite->ephemeral_public))
		return false;
	memcpy(ret_invite->ephemeral_public, key.ptr, key.len);
	if (!*ret_invite->user_id)
		ret_invite->user_id = NULL;
	return true;
}

int invite_db_get(const struct identity_call *call, const char *token, struct invite *ret_invite)
{
	const struct store_reader reader = reader_of(call);
	struct store_key key = key_of(mx_slice(token));
	struct invite invite = { 0 };
	struct mx_slice value;
	int rc = store_reader_find(&reader, &invite_table, &key, &value);

	if (rc)
		return rc;
	invite.token = mx_arena_strdup(call->mem, token);
	if (!decode(value, call->mem, &invite))
		return -MX_STORE;
	*ret_invite = invite;
	return 0;
}

/* The last part of a row of invite_address or invite_index. */
static bool read_token(const struct store_table *table, struct mx_slice key, struct mx_arena *mem,
		       const char **ret_token)
{
	bool is_index = table == &invite_index_table;
	mx_str_auto part = { 0 };
	uint64_t kind = ROOM;
	int64_t born_ms;

	if (is_index && !store_key_read_u64(&key, &kind))
		return false;
	if (kind == BORN && !store_key_read_i64(&key, &born_ms))
		return false;
	while (key.len > 0) {
		mx_str_clear(&part);
		if (!store_key_read_text(&key, &part))
			return false;
	}
	*ret_token = mx_arena_slice(mem, mx_str_slice(&part)).ptr;
	return true;
}

static int read_tokens(const struct identity_call *call, const struct store_table *table,
		       const struct store_rows *rows, struct invite_tokens *ret_tokens)
{
	ret_tokens->items = mx_arena_calloc(call->mem, rows->len + 1, sizeof(*ret_tokens->items));
	ret_tokens->len = rows->len;
	for (size_t i = 0; i < rows->len; i++)
		if (!read_token(table, rows->items[i].key, call->mem, &ret_tokens->items[i]))
			return -MX_STORE;
	return 0;
}

int invite_db_tokens(const struct identity_call *call, const struct threepid *threepid,
		     const char ***ret_tokens, size_t *ret_len)
{
	const struct page all = { .limit = INVITES_PER_ADDRESS };
	const struct invite_filter filter = { .threepid = threepid };
	struct invite_tokens tokens;
	int rc = invite_db_find(call, &filter, &all, &tokens);

	if (rc)
		return rc;
	*ret_tokens = tokens.items;
	*ret_len = tokens.len;
	return 0;
}

static int scan_page(const struct identity_call *call, const struct store_table *table,
		     struct store_range range, const struct page *page,
		     struct invite_tokens *ret_tokens)
{
	const struct store_reader reader = reader_of(call);
	struct store_rows rows;
	int rc;

	page_narrow(page, &range, call->mem);
	rc = store_reader_scan(&reader, table, &range, &rows);
	if (rc)
		return rc;
	ret_tokens->next = page_next(page, &rows);
	return read_tokens(call, table, &rows, ret_tokens);
}

int invite_db_find(const struct identity_call *call, const struct invite_filter *filter,
		   const struct page *page, struct invite_tokens *ret_tokens)
{
	const struct store_table *table = filter->threepid ? &invite_address_table
							   : &invite_index_table;
	struct store_key from = index_key(BORN), to = { 0 };
	struct store_range range;

	if (filter->threepid)
		from = address_key(filter->threepid);
	else if (filter->room_id)
		from = room_key(filter->room_id);
	store_key_range_end(&from, &to);
	range = (struct store_range){ .from = store_key_slice(&from), .to = store_key_slice(&to) };
	return scan_page(call, table, range, page, ret_tokens);
}

int invite_db_born_before(const struct identity_call *call, int64_t born_ms,
			  const struct page *page, struct invite_tokens *ret_tokens)
{
	const struct store_key from = index_key(BORN), to = born_key(born_ms);
	const struct store_range range = {
		.from = store_key_slice(&from),
		.to = store_key_slice(&to),
	};

	return scan_page(call, &invite_index_table, range, page, ret_tokens);
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
	record_put_bytes(&value, invite->mail);
	store_txn_put(txn, &invite_table, store_key_slice(&key), mx_str_slice(&value));
}

/* Keys that an invite is found by, besides its token. */
struct ways {
	const struct store_table *table;
	struct store_key key;
};

#define WAYS 3

static void find_ways(const struct invite *invite, struct ways ways[WAYS])
{
	ways[0] = (struct ways){ &invite_address_table, address_key(&invite->threepid) };
	ways[1] = (struct ways){ &invite_index_table, room_key(invite->room_id) };
	ways[2] = (struct ways){ &invite_index_table, born_key(invite->created_ms) };
	for (unsigned i = 0; i < WAYS; i++)
		store_key_text(&ways[i].key, mx_slice(invite->token));
}

void invite_db_put(struct store_txn *txn, const struct invite *invite)
{
	mx_str_auto nothing = { 0 };
	struct ways ways[WAYS];

	put_record(txn, invite);
	record_begin(&nothing, 1);
	find_ways(invite, ways);
	for (unsigned i = 0; i < WAYS; i++)
		store_txn_put(txn, ways[i].table, store_key_slice(&ways[i].key),
			      mx_str_slice(&nothing));
}

void invite_db_delete(struct store_txn *txn, const struct invite *invite)
{
	const struct store_key key = key_of(mx_slice(invite->token));
	const struct store_key public_key = key_of(
		mx_slice_of(invite->ephemeral_public, sizeof(invite->ephemeral_public)));
	struct ways ways[WAYS];

	store_txn_delete(txn, &invite_table, store_key_slice(&key));
	store_txn_delete(txn, &ephemeral_key_table, store_key_slice(&public_key));
	find_ways(invite, ways);
	for (unsigned i = 0; i < WAYS; i++)
		store_txn_delete(txn, ways[i].table, store_key_slice(&ways[i].key));
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
	const struct store_reader reader = reader_of(call);
	struct store_key key = key_of(mx_slice_of(public_key, 32));
	struct record_reader in;
	struct mx_slice value;
	int rc = store_reader_get(&reader, &ephemeral_key_table, store_key_slice(&key), &value);

	if (rc)
		return rc;
	in = record_open(value);
	*ret_token = text_of(&in, call->mem);
	return record_ok(&in) ? 0 : -MX_STORE;
}
