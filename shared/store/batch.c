#include "shared/store/batch.h"

#include "shared/core/error.h"

#include <assert.h>
#include <stdatomic.h>

#define STAMP_LEN 8

void store_chain_init(struct store_chain *chain)
{
	atomic_init(&chain->broken, false);
	atomic_init(&chain->pending, 0);
	chain->failing = false;
}

bool store_chain_is_broken(const struct store_chain *chain)
{
	return atomic_load_explicit(&chain->broken, memory_order_acquire);
}

unsigned store_chain_pending(const struct store_chain *chain)
{
	return atomic_load_explicit(&chain->pending, memory_order_acquire);
}

void store_group_begin(struct store_batch *const *group, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct store_batch *batch = group[i];

		if (batch->rc != -MX_STORE_FULL)
			batch->rc = batch->failure;
		/* An earlier try may have left its mark; what was published stays. */
		if (batch->chain)
			batch->chain->failing = store_chain_is_broken(batch->chain);
	}
}

bool store_batch_admit(struct store_batch *batch)
{
	if (batch->rc == 0 && batch->chain && batch->chain->failing)
		batch->rc = -MX_CONFLICT;
	return batch->rc == 0;
}

void store_batch_end(struct store_batch *batch)
{
	if (batch->rc && batch->chain)
		batch->chain->failing = true;
}

/* The bytes are the batch's own. */
static void stamp_fill(struct mx_slice bytes, size_t end, uint64_t stamp)
{
	char *at = (char *)(uintptr_t)bytes.ptr + end;

	if (end == 0)
		return;
	assert(end >= STAMP_LEN && end <= bytes.len);
	for (unsigned i = 0; i < STAMP_LEN; i++, stamp >>= 8)
		*--at = (char)(stamp & 0xFF);
}

void store_batch_stamp(struct store_batch *batch, uint64_t stamp)
{
	for (size_t i = 0; i < batch->writes.len; i++) {
		const struct store_write *write = &batch->writes.items[i];

		stamp_fill(write->key, write->key_stamp_end, stamp);
		stamp_fill(write->value, write->value_stamp_end, stamp);
	}
}

void store_group_settle(struct store_batch *const *group, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct store_chain *chain = group[i]->chain;

		if (!chain)
			continue;
		if (group[i]->rc)
			atomic_store_explicit(&chain->broken, true, memory_order_release);
		/* The last look: who waits for it may end the chain. */
		atomic_fetch_sub_explicit(&chain->pending, 1, memory_order_release);
	}
}
