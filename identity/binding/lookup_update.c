#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/binding/lookup_db.h"
#include "identity/binding/lookup_hash.h"
#include "identity/binding/pepper.h"
#include "shared/core/arena.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

/* The hundred years that we give are no limit: most entries are a user id alone. Peers whose clock
 * is ahead give what is still to come. */
static struct lookup_entry entry_of(const struct binding *binding)
{
	struct lookup_entry entry = { .user_id = binding->user_id };

	if (binding->not_before_ms != binding->ts_ms || binding->ts_ms > mx_now_ms())
		entry.not_before_ms = binding->not_before_ms;
	if (binding->not_after_ms != binding->ts_ms + BINDING_VALID_MS)
		entry.not_after_ms = binding->not_after_ms;
	return entry;
}

void lookup_put_hash(struct store_txn *txn, const struct pepper_row *pepper,
		     const struct threepid *threepid, const struct lookup_entry *entry)
{
	uint8_t hash[LOOKUP_HASH_LEN];

	lookup_hash(threepid, pepper->text, hash);
	if (entry->user_id)
		lookup_db_put(txn, pepper->generation, hash, entry);
	else
		lookup_db_delete(txn, pepper->generation, hash);
}

void lookup_put_binding(struct store_txn *txn, const struct pepper_row *pepper,
			const struct binding *binding)
{
	const struct lookup_entry entry = entry_of(binding);

	lookup_put_hash(txn, pepper, &binding->threepid, &entry);
}

void lookup_put(struct store_txn *txn, const struct threepid *threepid,
		const struct lookup_entry *entry)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct pepper_rows rows;

	/* A failure to read sticks to the transaction. */
	if (pepper_db_list(txn, mem, &rows))
		return;
	for (size_t i = 0; i < rows.len; i++) {
		if (rows.items[i].state != PEPPER_RETIRED)
			lookup_put_hash(txn, &rows.items[i], threepid, entry);
	}
}

/* Whom we no longer know, another directory may know. */
void lookup_update(struct store_txn *txn, const struct binding *binding)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct lookup_entry entry = entry_of(binding);
	struct listed listed;

	if (!binding->user_id && listed_load(txn, &binding->threepid, mem, &listed) == 0)
		entry = (struct lookup_entry){ .user_id = listed.user_id };
	lookup_put(txn, &binding->threepid, &entry);
}
