#include "identity/binding/listed.h"

#include "identity/binding/binding.h"
#include "identity/binding/listed_db.h"
#include "identity/binding/lookup_db.h"
#include "identity/binding/pepper.h"
#include "identity/identity.h"
#include "shared/core/error.h"

int listed_find(const struct identity_call *call, const struct threepid *threepid,
		struct listed *ret_listed)
{
	const struct store_reader reader = reader_of(call);

	return listed_db_load(&reader, threepid, ret_listed);
}

int listed_load(struct store_txn *txn, const struct threepid *threepid, struct mx_arena *mem,
		struct listed *ret_listed)
{
	const struct store_reader reader = { .txn = txn, .mem = mem };

	return listed_db_load(&reader, threepid, ret_listed);
}

int listed_or_bound(const struct identity_call *call, const struct threepid *threepid,
		    const char **ret_user_id)
{
	struct binding binding;
	struct listed listed;
	int rc = binding_find(call, threepid, &binding);

	if (rc == 0)
		*ret_user_id = binding.user_id;
	if (rc != -MX_NOT_FOUND)
		return rc;
	rc = listed_find(call, threepid, &listed);
	if (rc == 0)
		*ret_user_id = listed.user_id;
	return rc;
}

/* A failure to read sticks to the transaction: its commit reports it. */
static bool is_ours(struct store_txn *txn, const struct threepid *threepid, struct mx_arena *mem)
{
	const struct store_reader reader = { .txn = txn, .mem = mem };
	struct binding binding;

	return binding_db_load(&reader, threepid, &binding) == 0 && binding.user_id;
}

void listed_put(struct store_txn *txn, const struct listed *listed, struct mx_arena *mem)
{
	const struct lookup_entry entry = { .user_id = listed->user_id };

	listed_db_put(txn, listed);
	if (!is_ours(txn, &listed->threepid, mem))
		lookup_put(txn, &listed->threepid, &entry);
}

void listed_delete(struct store_txn *txn, const struct threepid *threepid, struct mx_arena *mem)
{
	const struct lookup_entry nobody = { 0 };

	listed_db_delete(txn, threepid);
	if (!is_ours(txn, threepid, mem))
		lookup_put(txn, threepid, &nobody);
}

void lookup_put_listed(struct store_txn *txn, const struct pepper_row *pepper,
		       const struct listed *listed, struct mx_arena *mem)
{
	const struct lookup_entry entry = { .user_id = listed->user_id };

	if (!is_ours(txn, &listed->threepid, mem))
		lookup_put_hash(txn, pepper, &listed->threepid, &entry);
}
