/* An address that was unbound is remembered, for peers that are to unbind it too, and then not. */
#include "identity/binding/binding.h"
#include "identity/binding/binding_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"

#define PAGE_ROWS 500

static bool is_old_tombstone(const struct binding *binding, int64_t before_ms)
{
	return !binding->user_id && binding->ts_ms < before_ms;
}

/* Read again: one that was bound meanwhile stays. */
static size_t delete_old_ones(struct store *store, const struct binding_page *page,
			      int64_t before_ms, struct mx_arena *mem)
{
	struct binding_reader reader = { .mem = mem };
	struct binding binding;
	size_t count = 0;

	for (size_t i = 0; i < page->len; i++) {
		if (!is_old_tombstone(&page->items[i], before_ms))
			continue;
		if (!reader.txn)
			reader.txn = store_txn_begin(store);
		if (binding_db_load(&reader, &page->items[i].threepid, &binding) ||
		    !is_old_tombstone(&binding, before_ms))
			continue;
		binding_db_delete(reader.txn, &binding);
		count++;
	}
	/* What failed is tried by the next call. */
	return reader.txn && store_txn_commit(reader.txn, NULL) == 0 ? count : 0;
}

/* False once there is no further page. */
static bool reap_page(struct store *store, int64_t before_ms, struct mx_slice *after,
		      char cursor[STORE_KEY_MAX + 1], size_t *count)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct binding_reader reader = { .view = store_view_begin(store), .mem = mem };
	struct binding_page page = { 0 };
	int rc = binding_db_page(&reader, *after, PAGE_ROWS, &page);

	store_view_end(reader.view);
	if (rc)
		return false;
	*count += delete_old_ones(store, &page, before_ms, mem);
	if (!page.next.ptr)
		return false;
	/* the page's memory goes away with it */
	memcpy(cursor, page.next.ptr, page.next.len);
	*after = mx_slice_of(cursor, page.next.len);
	return true;
}

size_t binding_reap(struct store *store, int64_t before_ms)
{
	struct mx_slice after = MX_SLICE("");
	char cursor[STORE_KEY_MAX + 1];
	size_t count = 0;

	while (reap_page(store, before_ms, &after, cursor, &count))
		continue;
	return count;
}
