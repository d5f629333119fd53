/*
 * Pages of a table's file, looked at without the library: it may panic or spin on a damaged one.
 * The format is that of Berkeley DB 5.3 with checksums and 4 KiB pages.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_error;

#define STORE_PAGE_SIZE 4096u

enum store_page {
	STORE_PAGE_GOOD,
	STORE_PAGE_EMPTY, /* all zeros: a hole that was never written */
	STORE_PAGE_BAD,
};

enum store_page store_page_look(const uint8_t page[STORE_PAGE_SIZE], uint32_t number);

struct store_pages {
	const char *path;
	bool closed; /* the last exit was clean: nothing may be missing or half done */
	/* 0: look at every page. Else about so many bytes, a different part each time. */
	uint64_t bytes_max;
};

/* -MX_STORE with file and page. *ret_empty: how many empty pages there are, which is right only
 * before recovery. */
int store_pages_check(const struct store_pages *pages, uint64_t *ret_empty, struct mx_error *err);
