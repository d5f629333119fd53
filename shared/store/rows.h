/* Scans through layers: what a layer below reads, patched with rows that are known to differ. */
#pragma once

#include "shared/core/vec.h"
#include "shared/store/ordered.h"
#include "shared/store/store.h"

struct mx_arena;

#define STORE_SCAN_LIMIT 1000 /* rows, when the range names no limit */

struct store_row_list mx_vec(struct store_row);
struct store_patches mx_vec(struct store_ordered_row);

/* Some rows of a range, in the order of the scan. When it is not complete, it tells everything
 * about the keys up to and with `last`. */
struct store_rows_part {
	struct store_row *rows;
	size_t len;
	bool complete;
	struct mx_slice last;
};

struct store_layer {
	void *ctx;
	/* The first rows of the range, about `limit` of them. What it returns stays valid until
	 * the scan ends. */
	int (*read)(void *ctx, const struct store_range *range, struct store_rows_part *ret_part);
	/* Adds the rows that replace those of `read` in from ≤ key < to, in key order. */
	int (*patch)(void *ctx, struct mx_slice from, struct mx_slice to,
		     struct store_patches *patches);
};

/* Rows of the layer in the order of the scan. The array is mem's; bytes are where the layer has
 * them. */
int store_rows_scan(const struct store_layer *layer, const struct store_range *range,
		    struct mx_arena *mem, struct store_rows *ret_rows);

size_t store_rows_limit(const struct store_range *range);

/* The least key greater than `key`. */
struct mx_slice store_rows_key_after(struct mx_arena *mem, struct mx_slice key);
