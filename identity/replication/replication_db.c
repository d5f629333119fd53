#include "identity/replication/replication_db.h"

#include "identity/replication/replication.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

/* name → number */
const struct store_table replication_peer_table = { .name = "replication_peer" };

static struct store_key peer_key(const char *peer)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice(peer));
	return key;
}

int replication_db_position(struct store *store, const char *peer, uint64_t *ret_number,
			    struct mx_error *err)
{
	const struct store_key key = peer_key(peer);
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_view *view = store_view_begin(store);
	struct record_reader reader;
	struct mx_slice value;
	uint64_t number;
	int rc = store_get(view, &replication_peer_table, store_key_slice(&key), mem, &value);

	store_view_end(view);
	if (rc == -MX_NOT_FOUND) {
		*ret_number = 0;
		return 0;
	}
	if (rc)
		return rc;
	reader = record_open(value);
	number = record_u64(&reader);
	if (!record_ok(&reader))
		return mx_fail(err, MX_STORE, "The position of a peer cannot be read");
	*ret_number = number;
	return 0;
}

int replication_db_set_position(struct store *store, const char *peer, uint64_t number,
				struct mx_error *err)
{
	const struct store_key key = peer_key(peer);
	struct store_txn *txn = store_txn_begin(store);
	mx_str_auto value = { 0 };

	record_begin(&value, 1);
	record_put_u64(&value, number);
	store_txn_put(txn, &replication_peer_table, store_key_slice(&key), mx_str_slice(&value));
	return store_txn_commit(txn, err);
}
