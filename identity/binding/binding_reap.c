/* An address that was unbound is remembered, for peers that are to unbind it too, and then not. */
#include "identity/binding/binding.h"
#include "identity/binding/binding_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"

#define PAGE_ROWS 500

struct reaping {
	struct store *store;
	int64_t before_ms;
	uint64_t told;
	char cursor[STORE_KEY_MAX + 1]; /* where the next page begins */
	size_t cursor_len;
	size_t count;
};

static bool may_go(const struct reaping *reaping, const struct binding *binding)
{
	return !binding->user_id && binding->ts_ms < reaping->before_ms &&
	       (!binding->ours || binding->number <= reaping->told);
}

/* Read again: one that was bound meanwhile stays. */
static size_t delete_those(const struct reaping *reaping, const struct binding_page *page,
			   struct mx_arena *mem)
{
	struct store_reader reader = { .mem = mem };
	struct binding binding;
	size_t count = 0;

	for (size_t i = 0; i < page->len; i++) {
		if (!may_go(reaping, &page->items[i]))
			continue;
		if (!reader.txn)
			reader.txn = store_txn_begin(reaping->store);
		if (binding_db_load(&reader, &page->items[i].threepid, &binding) ||
		    !may_go(reaping, &binding))
			continue;
		binding_db_delete(reader.txn, &binding);
		count++;
	}
	/* What failed is tried by the next call. */
	return reader.txn && store_txn_commit(reader.txn, NULL) == 0 ? count : 0;
}

/* False once there is no further page. */
static bool reap_page(struct reaping *reaping)
{
	const struct mx_slice after = mx_slice_of(reaping->cursor, reaping->cursor_len);
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_reader reader = { .view = store_view_begin(reaping->store), .mem = mem };
	struct binding_page page = { 0 };
	int rc = binding_db_page(&reader, after, PAGE_ROWS, &page);

	store_view_end(reader.view);
	if (rc)
		return false;
	reaping->count += delete_those(reaping, &page, mem);
	if (!page.next.ptr)
		return false;
	memcpy(reaping->cursor, page.next.ptr, page.next.len);
	reaping->cursor_len = page.next.len;
	return true;
}

size_t binding_reap(struct store *store, int64_t before_ms, uint64_t told)
{
	struct reaping reaping = { .store = store, .before_ms = before_ms, .told = told };

	while (reap_page(&reaping))
		continue;
	return reaping.count;
}
