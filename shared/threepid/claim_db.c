#include "shared/threepid/claim_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

#define RECORD_VERSION 1
/* A session that is validated in its last moment, then used to the last, then remembered. */
#define KEPT_MS (2 * CLAIM_LIFE_MS + CLAIM_TOMBSTONE_MS)

const struct store_table claim_table = { "claim", false };
const struct store_table claim_address_table = { "claim_address", false };
const struct store_table claim_end_table = { "claim_end", false };

const struct store_table *const claim_tables[] = {
	&claim_table,
	&claim_address_table,
	&claim_end_table,
	NULL,
};

void claim_secret_hash(const char *client_secret, uint8_t ret_hash[MX_SHA256_LEN])
{
	mx_sha256(mx_slice(client_secret), ret_hash);
}

/* ---- keys */

static struct store_key id_key(const char *id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(id));
	return key;
}

static struct store_key address_key(const struct threepid *threepid,
				    const uint8_t hash[MX_SHA256_LEN])
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(threepid->medium));
	store_key_text(&key, mx_slice(threepid->address));
	store_key_text(&key, mx_slice_of(hash, MX_SHA256_LEN));
	return key;
}

/* A hash is never empty: these rows stand in front of those with one. */
static struct store_key list_key(const struct threepid *threepid, const char *id)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(threepid->medium));
	store_key_text(&key, mx_slice(threepid->address));
	store_key_text(&key, MX_SLICE(""));
	if (id)
		store_key_text(&key, mx_slice(id));
	return key;
}

static struct store_key end_key(int64_t end_ms, const char *id)
{
	struct store_key key = { 0 };

	store_key_i64(&key, end_ms);
	if (id)
		store_key_text(&key, mx_slice(id));
	return key;
}

/* ---- records */

static void put_text(struct mx_str *out, const char *text)
{
	record_put_bytes(out, mx_slice(text ? text : ""));
}

static void write_row(const struct claim_row *row, struct mx_str *out)
{
	const struct claim *session = &row->session;

	record_begin(out, RECORD_VERSION);
	put_text(out, session->threepid.medium);
	put_text(out, session->threepid.address);
	put_text(out, session->address_as_sent);
	record_put_bytes(out, mx_slice_of(row->secret_hash, MX_SHA256_LEN));
	put_text(out, session->token);
	put_text(out, session->next_link);
	record_put_i64(out, session->created_ms);
	record_put_i64(out, session->sent_ms);
	record_put_i64(out, session->validated_ms);
	record_put_i64(out, session->send_attempt);
	record_put_u64(out, session->message);
	record_put_u64(out, session->tries_left);
	record_put_u64(out, session->ended);
	put_text(out, session->remote);
}

static void read_fields(struct record_reader *reader, struct mx_arena *mem, struct claim_row *row)
{
	struct claim *session = &row->session;
	struct mx_slice hash;

	session->threepid.medium = record_text(reader, mem);
	session->threepid.address = record_text(reader, mem);
	session->address_as_sent = record_text(reader, mem);
	hash = record_bytes(reader);
	reader->broken |= hash.len != MX_SHA256_LEN;
	if (!reader->broken)
		memcpy(row->secret_hash, hash.ptr, MX_SHA256_LEN);
	session->token = record_text(reader, mem);
	session->next_link = record_text(reader, mem);
	if (session->next_link[0] == '\0')
		session->next_link = NULL;
	session->created_ms = record_i64(reader);
	session->sent_ms = record_i64(reader);
	session->validated_ms = record_i64(reader);
	session->send_attempt = record_i64(reader);
	session->message = record_u64(reader);
	session->tries_left = (unsigned)record_u64(reader);
	session->ended = record_u64(reader) != 0;
	session->remote = record_text(reader, mem);
	if (session->remote[0] == '\0')
		session->remote = NULL;
}

static int read_row(const char *id, struct mx_slice value, struct mx_arena *mem,
		    struct claim_row *ret_row)
{
	struct record_reader reader = record_open(value);
	struct claim_row row = { .session.id = id };

	read_fields(&reader, mem, &row);
	if (!record_ok(&reader))
		return -MX_STORE;
	*ret_row = row;
	return 0;
}

/* ---- rows */

static struct store_reader reader_of(const struct claim_call *call)
{
	return (struct store_reader){ .txn = call->txn, .view = call->view, .mem = call->mem };
}

static int get(const struct claim_call *call, const struct store_table *table,
	       const struct store_key *key, struct mx_slice *ret_value)
{
	const struct store_reader reader = reader_of(call);

	return store_reader_find(&reader, table, key, ret_value);
}

int claim_db_get(const struct claim_call *call, const char *id, struct claim_row *ret_row)
{
	const struct store_key key = id_key(id);
	struct mx_slice value;
	int rc = get(call, &claim_table, &key, &value);

	if (rc)
		return rc;
	return read_row(mx_arena_strdup(call->mem, id), value, call->mem, ret_row);
}

int claim_db_find(const struct claim_call *call, const struct threepid *threepid,
		  const char *client_secret, struct claim_row *ret_row)
{
	uint8_t hash[MX_SHA256_LEN];
	struct store_key key;
	struct mx_slice id;
	int rc;

	claim_secret_hash(client_secret, hash);
	key = address_key(threepid, hash);
	rc = get(call, &claim_address_table, &key, &id);
	if (rc)
		return rc;
	return claim_db_get(call, mx_arena_slice(call->mem, id).ptr, ret_row);
}

void claim_db_put(struct store_txn *txn, const struct claim_row *row)
{
	const struct store_key key = id_key(row->session.id);
	mx_str_auto value = { 0 };

	write_row(row, &value);
	store_txn_put(txn, &claim_table, store_key_slice(&key), mx_str_slice(&value));
}

void claim_db_add(struct store_txn *txn, const struct claim_row *row)
{
	const struct claim *session = &row->session;
	const struct store_key address = address_key(&session->threepid, row->secret_hash);
	const struct store_key list = list_key(&session->threepid, session->id);
	const struct store_key end = end_key(session->created_ms + KEPT_MS, session->id);

	store_txn_put(txn, &claim_address_table, store_key_slice(&list), MX_SLICE(""));
	store_txn_put(txn, &claim_address_table, store_key_slice(&address), mx_slice(session->id));
	store_txn_put(txn, &claim_end_table, store_key_slice(&end), MX_SLICE(""));
	claim_db_put(txn, row);
}

/* ---- of an address */

static int read_listed(const struct claim_call *call, struct mx_slice key,
		       struct claim *ret_session)
{
	mx_str_auto part = { 0 };
	struct claim_row row;
	int rc;

	while (key.len > 0) {
		mx_str_clear(&part);
		if (!store_key_read_text(&key, &part))
			return -MX_STORE;
	}
	rc = claim_db_get(call, part.ptr, &row);
	if (rc == 0)
		*ret_session = row.session;
	return rc == -MX_NOT_FOUND ? -MX_STORE : rc;
}

int claim_db_list(const struct claim_call *call, const struct threepid *threepid,
		  const struct page *page, struct claim_list *ret_list)
{
	const struct store_reader reader = reader_of(call);
	struct store_key from = list_key(threepid, NULL), to = { 0 };
	struct store_range range = { .from = store_key_slice(&from) };
	struct store_rows rows;
	int rc;

	store_key_range_end(&from, &to);
	range.to = store_key_slice(&to);
	page_narrow(page, &range, call->mem);
	rc = store_reader_scan(&reader, &claim_address_table, &range, &rows);
	if (rc)
		return rc;
	ret_list->items = mx_arena_calloc(call->mem, rows.len + 1, sizeof(*ret_list->items));
	ret_list->len = rows.len;
	ret_list->next = page_next(page, &rows);
	for (size_t i = 0; rc == 0 && i < rows.len; i++)
		rc = read_listed(call, rows.items[i].key, &ret_list->items[i]);
	return rc;
}

/* ---- the end */

/* Another session may live at the address by now. */
static void forget_address(const struct claim_call *call, const struct claim_row *row)
{
	const struct store_key key = address_key(&row->session.threepid, row->secret_hash);
	const struct store_key list = list_key(&row->session.threepid, row->session.id);
	struct mx_slice id;

	store_txn_delete(call->txn, &claim_address_table, store_key_slice(&list));
	if (get(call, &claim_address_table, &key, &id) == 0 && mx_slice_is(id, row->session.id))
		store_txn_delete(call->txn, &claim_address_table, store_key_slice(&key));
}

static void forget(const struct claim_call *call, const char *id)
{
	const struct store_key key = id_key(id);
	struct claim_row row;

	if (claim_db_get(call, id, &row) == 0)
		forget_address(call, &row);
	store_txn_delete(call->txn, &claim_table, store_key_slice(&key));
}

void claim_db_delete(const struct claim_call *call, const char *id)
{
	struct claim_row row;
	struct store_key end;

	if (claim_db_get(call, id, &row))
		return;
	end = end_key(row.session.created_ms + KEPT_MS, id);
	store_txn_delete(call->txn, &claim_end_table, store_key_slice(&end));
	forget(call, id);
}

static void forget_ended(const struct claim_call *call, struct mx_slice key)
{
	struct mx_slice rest = key;
	mx_str_auto id = { 0 };
	int64_t end_ms;

	if (store_key_read_i64(&rest, &end_ms) && store_key_read_text(&rest, &id))
		forget(call, id.ptr ? id.ptr : "");
	store_txn_delete(call->txn, &claim_end_table, key);
}

size_t claim_db_reap(struct store_txn *txn, int64_t now_ms, size_t limit, struct mx_arena *mem)
{
	const struct claim_call call = { .txn = txn, .mem = mem, .now_ms = now_ms };
	const struct store_key to = end_key(now_ms, NULL);
	const struct store_range range = { .to = store_key_slice(&to), .limit = limit };
	struct store_rows rows;

	if (store_txn_scan(txn, &claim_end_table, &range, mem, &rows))
		return 0;
	for (size_t i = 0; i < rows.len; i++)
		forget_ended(&call, rows.items[i].key);
	return rows.len;
}
