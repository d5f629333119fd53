/* Long lists are read page by page: each page names the row behind which the next one begins. */
#pragma once

#include "shared/core/slice.h"

struct mx_arena;
struct store_range;
struct store_rows;

#define PAGE_MAX 1000

struct page {
	struct mx_slice after; /* `next` of the page before; empty for the first page */
	size_t limit; /* 1 … PAGE_MAX */
};

/* Narrows a range, whose limit it sets; reverse ones go down from there. For _db.c files. */
void page_narrow(const struct page *page, struct store_range *range, struct mx_arena *mem);
/* Where the next page begins; empty if that was the last one. In the rows' memory. */
struct mx_slice page_next(const struct page *page, const struct store_rows *rows);
