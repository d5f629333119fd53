#include "shared/keys/key_purge.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/keys/key_history_db.h"
#include "shared/store/store.h"

#define TRIES_MAX 100

struct stored {
	struct key_db_version *versions;
	size_t len;
};

static bool has_key(const struct key_db_version *version, struct mx_slice key_id)
{
	for (size_t i = 0; i < version->keys_len; i++)
		if (mx_slice_eq(version->keys[i].id, key_id))
			return true;
	return false;
}

static bool others_have(const struct stored *stored, const struct key_db_version *gone,
			struct mx_slice key_id)
{
	for (size_t i = 0; i < stored->len; i++)
		if (&stored->versions[i] != gone && has_key(&stored->versions[i], key_id))
			return true;
	return false;
}

/* An id that no other version has is free again: that is how an operator settles a conflict in
 * favour of the newcomer. */
static void purge_version(const struct key_db *db, struct mx_slice server,
			  const struct stored *stored, const struct key_db_version *gone)
{
	key_db_version_delete(db, server, gone);
	for (size_t i = 0; i < gone->keys_len; i++)
		if (!others_have(stored, gone, gone->keys[i].id))
			key_db_id_delete(db, server, gone->keys[i].id);
}

static const struct key_db_version *version_of(const struct stored *stored, uint64_t number)
{
	for (size_t i = 0; i < stored->len; i++)
		if (stored->versions[i].number == number)
			return &stored->versions[i];
	return NULL;
}

static void purge_all(struct key_purge *purge, const struct key_db *db, const struct stored *stored,
		      struct key_db_server *row)
{
	purge->versions = stored->len;
	purge->conflicts = (size_t)row->conflicts;
	row->bytes = row->conflicts = 0;
	key_db_forget(db, purge->server);
}

static bool purge_one(struct key_purge *purge, const struct key_db *db, const struct stored *stored,
		      struct key_db_server *row)
{
	const struct key_db_version *gone = version_of(stored, purge->number);

	if (!gone)
		return false;
	purge->versions = 1;
	row->bytes -= gone->bytes.len < row->bytes ? gone->bytes.len : row->bytes;
	purge_version(db, purge->server, stored, gone);
	return true;
}

static void put_rest(struct key_purge *purge, const struct key_db *db, struct key_db_server *row)
{
	int64_t now_ms = mx_now_ms();

	row->versions -= purge->versions < row->versions ? purge->versions : row->versions;
	row->purged += purge->versions;
	row->purged_ms = now_ms;
	purge->last_version = row->versions == 0 && purge->versions > 0;
	key_db_server_put(db, purge->server, row);
	key_db_audit_put(db, &(struct key_audit){
				     .at_ms = now_ms,
				     .what = MX_SLICE("purge"),
				     .server = purge->server,
				     .reason = purge->reason,
			     });
}

static int decide(struct key_purge *purge, const struct key_db *db, bool *ret_write)
{
	struct key_db_server row;
	struct stored stored;
	int rc = key_db_server_get(db, purge->server, &row);

	if (rc == 0)
		rc = key_db_versions(db, purge->server, &stored.versions, &stored.len);
	if (rc)
		return rc;
	if (purge->number == 0 && stored.len + row.conflicts == 0)
		return 0;
	if (purge->number == 0)
		purge_all(purge, db, &stored, &row);
	else if (!purge_one(purge, db, &stored, &row))
		return 0;
	put_rest(purge, db, &row);
	*ret_write = true;
	return 0;
}

static int try_once(struct key_purge *purge)
{
	struct key_db db = { .mem = purge->mem, .err = purge->err };
	bool write = false;
	int rc;

	mx_arena_reset(purge->mem);
	purge->versions = purge->conflicts = 0;
	purge->last_version = false;
	db.txn = store_txn_begin(purge->store);
	rc = decide(purge, &db, &write);
	if (rc == 0 && write)
		return store_txn_commit(db.txn, purge->err);
	store_txn_abort(db.txn);
	return rc;
}

int key_purge_commit(struct key_purge *purge)
{
	int rc = -MX_CONFLICT;

	for (unsigned tries = 0; rc == -MX_CONFLICT && tries < TRIES_MAX; tries++)
		rc = try_once(purge);
	if (rc == -MX_CONFLICT)
		return mx_fail(purge->err, MX_BUSY, "Too many write the same server's keys");
	return rc;
}
