#include "shared/store/rows.h"

#include "shared/core/arena.h"

size_t store_rows_limit(const struct store_range *range)
{
	return range->limit ? range->limit : STORE_SCAN_LIMIT;
}

struct mx_slice store_rows_key_after(struct mx_arena *mem, struct mx_slice key)
{
	struct mx_slice copy = mx_arena_slice(mem, key);

	copy.len++; /* the copy's NUL */
	return copy;
}

/* Patches of the part, walked in the direction of the scan. */
struct patch_walk {
	const struct store_patches *patches;
	size_t done;
	bool reverse;
};

static const struct store_ordered_row *walk_peek(const struct patch_walk *walk)
{
	if (walk->done >= walk->patches->len)
		return NULL;
	return &walk->patches
			->items[walk->reverse ? walk->patches->len - 1 - walk->done : walk->done];
}

/* Below 0: the row comes first; above 0: the patch; 0: the patch replaces the row. */
static int walk_order(const struct patch_walk *walk, const struct store_row *row,
		      const struct store_ordered_row *patch)
{
	int order;

	if (!row || !patch)
		return row ? -1 : 1;
	order = mx_slice_cmp(row->key, patch->key);
	return walk->reverse ? -order : order;
}

static void merge(const struct store_rows_part *part, struct patch_walk *walk, size_t limit,
		  struct store_row_list *out)
{
	size_t i = 0;

	while (out->len < limit) {
		const struct store_row *row = i < part->len ? &part->rows[i] : NULL;
		const struct store_ordered_row *patch = walk_peek(walk);
		int order;

		if (!row && !patch)
			return;
		order = walk_order(walk, row, patch);
		if (order < 0)
			mx_vec_push(out, *row);
		else if (patch->present)
			mx_vec_push(out, (struct store_row){ patch->key, patch->value });
		i += order <= 0;
		walk->done += order >= 0;
	}
}

/* Splits the range behind the part: what the part covers, and what is left. */
static void range_split(struct mx_arena *mem, const struct store_rows_part *part,
			struct store_range *rest, struct store_range *ret_covered)
{
	*ret_covered = *rest;
	if (part->complete)
		return;
	if (rest->reverse)
		ret_covered->from = rest->to = part->last;
	else
		ret_covered->to = rest->from = store_rows_key_after(mem, part->last);
}

static int scan_part(const struct store_layer *layer, struct store_range *rest,
		     struct mx_arena *mem, struct store_row_list *out, bool *ret_complete)
{
	struct store_patches patches = { 0 };
	struct patch_walk walk = { .patches = &patches, .reverse = rest->reverse };
	size_t limit = out->len + rest->limit;
	struct store_rows_part part = { 0 };
	struct store_range covered;
	int rc = layer->read(layer->ctx, rest, &part);

	if (rc)
		return rc;
	range_split(mem, &part, rest, &covered);
	rc = layer->patch(layer->ctx, covered.from, covered.to, &patches);
	if (rc == 0)
		merge(&part, &walk, limit, out);
	rest->limit = limit - out->len;
	*ret_complete = part.complete;
	mx_vec_done(&patches);
	return rc;
}

static struct store_row *rows_into(struct mx_arena *mem, const struct store_row_list *rows)
{
	struct store_row *copy = mx_arena_calloc(mem, rows->len + 1, sizeof(*copy));

	if (rows->len)
		memcpy(copy, rows->items, rows->len * sizeof(*copy));
	return copy;
}

int store_rows_scan(const struct store_layer *layer, const struct store_range *range,
		    struct mx_arena *mem, struct store_rows *ret_rows)
{
	struct store_range rest = *range;
	struct store_row_list out = { 0 };
	bool complete = false;
	int rc = 0;

	rest.limit = store_rows_limit(range);
	while (rc == 0 && !complete && rest.limit > 0)
		rc = scan_part(layer, &rest, mem, &out, &complete);
	if (rc == 0) {
		ret_rows->items = rows_into(mem, &out);
		ret_rows->len = out.len;
	}
	mx_vec_done(&out);
	return rc;
}
