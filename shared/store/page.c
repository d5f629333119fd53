#include "shared/store/page.h"

#include "shared/core/arena.h"
#include "shared/store/store.h"

void page_narrow(const struct page *page, struct store_range *range, struct mx_arena *mem)
{
	range->limit = page->limit;
	/* What is no row of this list was no page's end: it begins at its beginning. */
	if (page->after.len == 0 || mx_slice_cmp(page->after, range->from) < 0)
		return;
	if (range->reverse) {
		range->to = page->after;
		return;
	}
	/* The copy has a NUL behind it: the smallest key that comes next. */
	range->from = mx_arena_slice(mem, page->after);
	range->from.len++;
}

struct mx_slice page_next(const struct page *page, const struct store_rows *rows)
{
	if (rows->len < page->limit)
		return MX_SLICE("");
	return rows->items[rows->len - 1].key;
}
