#include "shared/keys/key_history_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/keys/key_backoff_db.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

/* (server) */
static const struct store_table servers = { .name = "key_servers" };
/* (server, version) */
static const struct store_table versions = { .name = "key_versions", .large_values = true };
/* (server, digest of the content) → version */
static const struct store_table contents = { .name = "key_contents" };
/* (server, version, valid_until_ts, number of the renewal) */
static const struct store_table renewals = { .name = "key_renewals" };
/* (server, key id) */
static const struct store_table ids = { .name = "key_ids" };
/* (server, key id, refused bytes) */
static const struct store_table conflicts = { .name = "key_conflicts", .large_values = true };
/* (time, random) */
static const struct store_table audits = { .name = "key_audit" };

const struct store_table *const key_history_tables[] = {
	&servers,   &versions, &contents,          &renewals, &ids,
	&conflicts, &audits,   &key_backoff_table, NULL,
};

#define SERVERS_PAGE 1000

/* ---- keys and rows of any table */

static struct store_key key_of(struct mx_slice server)
{
	struct store_key key = { 0 };

	store_key_text(&key, server);
	return key;
}

static struct store_key numbered(struct mx_slice server, uint64_t number)
{
	struct store_key key = key_of(server);

	store_key_u64(&key, number);
	return key;
}

static struct store_key named(struct mx_slice server, struct mx_slice name)
{
	struct store_key key = key_of(server);

	store_key_text(&key, name);
	return key;
}

static struct store_key renewal_key(struct mx_slice server, uint64_t number,
				    const struct key_db_renewal *renewal)
{
	struct store_key key = numbered(server, number);

	store_key_i64(&key, renewal->valid_until_ts);
	store_key_u64(&key, renewal->renewal);
	return key;
}

static struct store_key conflict_key(const struct key_conflict *conflict)
{
	struct store_key key = named(conflict->server, conflict->key_id);

	store_key_text(&key, mx_slice_of(conflict->refused, sizeof(conflict->refused)));
	return key;
}

static int damaged(const struct key_db *db, const struct store_table *table)
{
	return mx_fail(db->err, MX_STORE, "A row of %s is damaged", table->name);
}

static int checked(const struct key_db *db, const struct store_table *table, int rc)
{
	if (rc == 0 || rc == -MX_NOT_FOUND)
		return rc;
	return mx_fail(db->err, (enum mx_code) - rc, "The table %s cannot be read", table->name);
}

static struct store_reader reader_of(const struct key_db *db)
{
	return (struct store_reader){ .txn = db->txn, .view = db->view, .mem = db->mem };
}

static int get(const struct key_db *db, const struct store_table *table,
	       const struct store_key *key, struct mx_slice *ret_value)
{
	const struct store_reader reader = reader_of(db);
	struct mx_slice name = store_key_slice(key);

	if (key->overflow)
		return mx_fail(db->err, MX_TOO_LARGE, "The name is too long");
	return checked(db, table, store_reader_get(&reader, table, name, ret_value));
}

static void put(const struct key_db *db, const struct store_table *table,
		const struct store_key *key, struct mx_str *value)
{
	store_txn_put(db->txn, table, store_key_slice(key), mx_str_slice(value));
	mx_str_done(value);
}

static int scan(const struct key_db *db, const struct store_table *table,
		const struct store_range *range, struct store_rows *ret_rows)
{
	const struct store_reader reader = reader_of(db);

	return checked(db, table, store_reader_scan(&reader, table, range, ret_rows));
}

/* At most limit rows whose keys begin with prefix. */
static int scan_prefix(const struct key_db *db, const struct store_table *table,
		       const struct store_key *prefix, size_t limit, struct store_rows *ret_rows)
{
	struct store_range range = { .from = store_key_slice(prefix), .limit = limit };
	struct store_key end = { 0 };

	if (prefix->overflow)
		return mx_fail(db->err, MX_TOO_LARGE, "The name is too long");
	store_key_range_end(prefix, &end);
	range.to = store_key_slice(&end);
	return scan(db, table, &range, ret_rows);
}

static void delete_prefix(const struct key_db *db, const struct store_table *table,
			  const struct store_key *prefix)
{
	struct store_key end = { 0 };

	store_key_range_end(prefix, &end);
	store_txn_delete_range(db->txn, table, store_key_slice(prefix), store_key_slice(&end));
}

/* ---- servers */

int key_db_server_get(const struct key_db *db, struct mx_slice server,
		      struct key_db_server *ret_server)
{
	struct store_key key = key_of(server);
	struct mx_slice value;
	int rc = get(db, &servers, &key, &value);

	if (rc == -MX_NOT_FOUND) {
		*ret_server = (struct key_db_server){ 0 };
		return 0;
	}
	if (rc)
		return rc;
	return key_server_decode(value, ret_server) ? 0 : damaged(db, &servers);
}

void key_db_server_put(const struct key_db *db, struct mx_slice server,
		       const struct key_db_server *row)
{
	struct store_key key = key_of(server);
	struct mx_str value = { 0 };

	key_server_encode(&value, row);
	put(db, &servers, &key, &value);
}

struct names {
	struct mx_slice *items;
	size_t len, limit;
	struct mx_slice after; /* the last one seen, and where the next page begins */
};

/* The name of a row, or false for a server whose versions were all purged. */
static bool name_of(const struct key_db *db, const struct store_row *row, struct mx_slice *ret_name)
{
	struct mx_slice rest = row->key;
	struct key_db_server server;
	mx_str_auto name = { 0 };

	if (!store_key_read_text(&rest, &name) || !key_server_decode(row->value, &server) ||
	    server.versions == 0)
		return false;
	*ret_name = mx_arena_slice(db->mem, mx_str_slice(&name));
	return true;
}

/* One page; *ret_more is false behind the last row. */
static int add_names(const struct key_db *db, struct names *names, bool *ret_more)
{
	struct store_range range = { .from = names->after, .limit = SERVERS_PAGE };
	struct store_rows rows;
	int rc = scan(db, &servers, &range, &rows);

	if (rc)
		return rc;
	for (size_t i = 0; i < rows.len && names->len < names->limit; i++) {
		if (mx_slice_eq(rows.items[i].key, names->after))
			continue;
		if (name_of(db, &rows.items[i], &names->items[names->len]))
			names->len++;
	}
	*ret_more = rows.len == SERVERS_PAGE && names->len < names->limit;
	if (rows.len)
		names->after = rows.items[rows.len - 1].key;
	return 0;
}

int key_db_servers(const struct key_db *db, struct mx_slice after, size_t limit,
		   struct mx_slice **ret_names, size_t *ret_len)
{
	struct store_key from = key_of(after);
	struct names names = { .limit = limit };
	bool more = limit > 0;

	names.items = mx_arena_calloc(db->mem, limit, sizeof(*names.items));
	if (after.len)
		names.after = mx_arena_slice(db->mem, store_key_slice(&from));
	while (more) {
		int rc = add_names(db, &names, &more);

		if (rc)
			return rc;
	}
	*ret_names = names.items;
	*ret_len = names.len;
	return 0;
}

static int add_totals(const struct key_db *db, const struct store_rows *rows,
		      struct key_db_totals *totals)
{
	for (size_t i = 0; i < rows->len; i++) {
		struct key_db_server server;

		if (!key_server_decode(rows->items[i].value, &server))
			return damaged(db, &servers);
		totals->servers += server.versions > 0;
		totals->versions += server.versions;
		totals->conflicts += server.conflicts;
	}
	return 0;
}

int key_db_totals(const struct key_db *db, struct key_db_totals *ret_totals)
{
	struct store_range range = { .limit = SERVERS_PAGE };
	struct key_db_totals totals = { 0 };
	mx_str_auto from = { 0 };
	struct store_rows rows;
	int rc;

	do {
		mx_arena_reset(db->mem);
		rc = scan(db, &servers, &range, &rows);
		if (rc == 0)
			rc = add_totals(db, &rows, &totals);
		if (rc)
			return rc;
		mx_str_clear(&from);
		if (rows.len) {
			mx_str_add_slice(&from, rows.items[rows.len - 1].key);
			mx_str_add_char(&from, '\0'); /* the next key there can be */
		}
		range.from = mx_str_slice(&from);
	} while (rows.len == SERVERS_PAGE);
	*ret_totals = totals;
	return 0;
}

/* ---- versions and their contents */

int key_db_content_get(const struct key_db *db, struct mx_slice server, const uint8_t *digest,
		       uint64_t *ret_number)
{
	struct store_key key = named(server, mx_slice_of(digest, KEY_DIGEST_LEN));
	struct mx_slice value;
	struct record_reader in;
	int rc = get(db, &contents, &key, &value);

	if (rc)
		return rc;
	in = record_open(value);
	*ret_number = record_u64(&in);
	return record_ok(&in) ? 0 : damaged(db, &contents);
}

int key_db_version_get(const struct key_db *db, struct mx_slice server, uint64_t number,
		       struct key_db_version *ret_version)
{
	struct store_key key = numbered(server, number);
	struct mx_slice value;
	int rc = get(db, &versions, &key, &value);

	if (rc)
		return rc;
	return key_version_decode(value, db->mem, ret_version) ? 0 : damaged(db, &versions);
}

int key_db_versions(const struct key_db *db, struct mx_slice server,
		    struct key_db_version **ret_versions, size_t *ret_len)
{
	struct store_key prefix = key_of(server);
	struct key_db_version *found;
	struct store_rows rows;
	int rc = scan_prefix(db, &versions, &prefix, KEY_VERSIONS_MAX, &rows);

	if (rc)
		return rc;
	found = mx_arena_calloc(db->mem, rows.len, sizeof(*found));
	for (size_t i = 0; i < rows.len; i++)
		if (!key_version_decode(rows.items[i].value, db->mem, &found[i]))
			return damaged(db, &versions);
	*ret_versions = found;
	*ret_len = rows.len;
	return 0;
}

void key_db_version_put(const struct key_db *db, struct mx_slice server,
			const struct key_db_version *version)
{
	struct store_key key = numbered(server, version->number);
	struct mx_str value = { 0 };

	key_version_encode(&value, version);
	put(db, &versions, &key, &value);
}

void key_db_content_put(const struct key_db *db, struct mx_slice server,
			const struct key_db_version *version)
{
	struct store_key key = named(server, version->content_digest);
	struct mx_str value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, version->number);
	put(db, &contents, &key, &value);
}

void key_db_version_delete(const struct key_db *db, struct mx_slice server,
			   const struct key_db_version *version)
{
	struct store_key key = numbered(server, version->number);
	struct store_key content = named(server, version->content_digest);

	store_txn_delete(db->txn, &versions, store_key_slice(&key));
	store_txn_delete(db->txn, &contents, store_key_slice(&content));
	delete_prefix(db, &renewals, &key);
}

/* ---- renewals */

static int decode_renewals(const struct key_db *db, const struct store_rows *rows,
			   struct key_db_renewal **ret_renewals)
{
	struct key_db_renewal *found = mx_arena_calloc(db->mem, rows->len, sizeof(*found));

	for (size_t i = 0; i < rows->len; i++)
		if (!key_renewal_decode(rows->items[i].value, &found[i]))
			return damaged(db, &renewals);
	*ret_renewals = found;
	return 0;
}

int key_db_renewals(const struct key_db *db, struct mx_slice server, uint64_t number,
		    struct key_db_renewals *found)
{
	struct store_key prefix = numbered(server, number);
	struct store_rows rows;
	int rc;

	if (found->only_at)
		store_key_i64(&prefix, found->valid_until_ts);
	rc = scan_prefix(db, &renewals, &prefix, found->limit, &rows);
	if (rc)
		return rc;
	found->len = rows.len;
	return decode_renewals(db, &rows, &found->items);
}

void key_db_renewal_put(const struct key_db *db, struct mx_slice server, uint64_t number,
			const struct key_db_renewal *renewal)
{
	struct store_key key = renewal_key(server, number, renewal);
	struct mx_str value = { 0 };

	key_renewal_encode(&value, renewal);
	put(db, &renewals, &key, &value);
}

/* ---- ids */

int key_db_id_get(const struct key_db *db, struct mx_slice server, struct mx_slice key_id,
		  struct key_db_id *ret_id)
{
	struct store_key key = named(server, key_id);
	struct mx_slice value;
	int rc = get(db, &ids, &key, &value);

	if (rc)
		return rc;
	return key_id_decode(value, ret_id) ? 0 : damaged(db, &ids);
}

void key_db_id_put(const struct key_db *db, struct mx_slice server, struct mx_slice key_id,
		   const struct key_db_id *id)
{
	struct store_key key = named(server, key_id);
	struct mx_str value = { 0 };

	key_id_encode(&value, id);
	put(db, &ids, &key, &value);
}

void key_db_id_delete(const struct key_db *db, struct mx_slice server, struct mx_slice key_id)
{
	struct store_key key = named(server, key_id);

	store_txn_delete(db->txn, &ids, store_key_slice(&key));
}

/* ---- conflicts */

int key_db_conflict_get(const struct key_db *db, struct key_conflict *conflict)
{
	struct store_key key = conflict_key(conflict);
	struct mx_slice value;
	int rc = get(db, &conflicts, &key, &value);

	if (rc)
		return rc;
	return key_conflict_decode(value, conflict) ? 0 : damaged(db, &conflicts);
}

int key_db_conflicts(const struct key_db *db, struct mx_slice server, size_t limit,
		     struct key_conflict **ret_conflicts, size_t *ret_len)
{
	struct store_key prefix = key_of(server);
	struct store_range all = { .limit = limit };
	struct key_conflict *found;
	struct store_rows rows;
	int rc;

	if (server.len)
		rc = scan_prefix(db, &conflicts, &prefix, limit, &rows);
	else
		rc = scan(db, &conflicts, &all, &rows);
	if (rc)
		return rc;
	found = mx_arena_calloc(db->mem, rows.len, sizeof(*found));
	for (size_t i = 0; i < rows.len; i++)
		if (!key_conflict_decode(rows.items[i].value, &found[i]))
			return damaged(db, &conflicts);
	*ret_conflicts = found;
	*ret_len = rows.len;
	return 0;
}

void key_db_conflict_put(const struct key_db *db, const struct key_conflict *conflict)
{
	struct store_key key = conflict_key(conflict);
	struct mx_str value = { 0 };

	key_conflict_encode(&value, conflict);
	put(db, &conflicts, &key, &value);
}

void key_db_forget(const struct key_db *db, struct mx_slice server)
{
	struct store_key prefix = key_of(server);

	delete_prefix(db, &versions, &prefix);
	delete_prefix(db, &contents, &prefix);
	delete_prefix(db, &renewals, &prefix);
	delete_prefix(db, &ids, &prefix);
	delete_prefix(db, &conflicts, &prefix);
}

/* ---- audit */

void key_db_audit_put(const struct key_db *db, const struct key_audit *row)
{
	struct store_key key = { 0 };
	struct mx_str value = { 0 };
	uint64_t unique;

	mx_random_bytes(&unique, sizeof(unique));
	store_key_i64(&key, row->at_ms);
	store_key_u64(&key, unique);
	key_audit_encode(&value, row);
	put(db, &audits, &key, &value);
}

int key_db_audits(const struct key_db *db, size_t limit, struct key_audit **ret_rows,
		  size_t *ret_len)
{
	const struct store_range range = { .limit = limit, .reverse = true };
	struct key_audit *found;
	struct store_rows rows;
	int rc = scan(db, &audits, &range, &rows);

	if (rc)
		return rc;
	found = mx_arena_calloc(db->mem, rows.len, sizeof(*found));
	for (size_t i = 0; i < rows.len; i++)
		if (!key_audit_decode(rows.items[i].value, &found[i]))
			return damaged(db, &audits);
	*ret_rows = found;
	*ret_len = rows.len;
	return 0;
}
