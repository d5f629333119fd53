#include "shared/store/each.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"

#define PAGE_ROWS 500

/* The smallest key behind `key`, in buffer: the pages' memory does not last. */
static struct mx_slice key_after(struct mx_slice key, char buffer[STORE_KEY_MAX + 1])
{
	memcpy(buffer, key.ptr, key.len);
	buffer[key.len] = '\0';
	return mx_slice_of(buffer, key.len + 1);
}

int store_each(struct store *store, const struct store_table *table,
	       void (*visit)(void *ctx, const struct store_row *row), void *ctx,
	       struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_view *view = store_view_begin(store);
	struct store_range range = { .limit = PAGE_ROWS };
	char start[STORE_KEY_MAX + 1];
	struct store_rows rows = { .len = PAGE_ROWS };
	int rc = 0;

	while (rc == 0 && rows.len == PAGE_ROWS) {
		mx_arena_reset(mem);
		rc = store_scan(view, table, &range, mem, &rows);
		for (size_t i = 0; rc == 0 && i < rows.len; i++)
			visit(ctx, &rows.items[i]);
		if (rc || rows.len == 0)
			break;
		range.from = key_after(rows.items[rows.len - 1].key, start);
	}
	store_view_end(view);
	return rc ? mx_fail(err, MX_STORE, "The table %s cannot be read", table->name) : 0;
}

int store_count(struct store *store, const struct store_table *table, int64_t *ret_count,
		struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_range range = { .limit = PAGE_ROWS };
	char start[STORE_KEY_MAX + 1];
	struct store_rows rows = { .len = PAGE_ROWS };
	int64_t count = 0;

	while (rows.len == PAGE_ROWS) {
		struct store_view *view = store_view_begin(store);
		int rc;

		mx_arena_reset(mem);
		rc = store_scan(view, table, &range, mem, &rows);
		store_view_end(view);
		if (rc)
			return mx_fail(err, MX_STORE, "The table %s cannot be read", table->name);
		count += (int64_t)rows.len;
		if (rows.len > 0)
			range.from = key_after(rows.items[rows.len - 1].key, start);
	}
	*ret_count = count;
	return 0;
}
