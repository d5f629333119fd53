/* Rooms that the administrator lets nobody come into, whether they are here or not. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct store_table;

extern const struct store_table *const block_tables[];

struct room_block {
	const char *room_id;
	const char *reason; /* for the operator; may be "" */
	int64_t since_ms;
};

struct room_block_list {
	struct room_block *items;
	size_t len;
};

/* -MX_NOT_FOUND: it is not blocked. ret_block may be NULL; strings in call->mem. */
int block_db_load(const struct hs_call *call, const char *room_id, struct room_block *ret_block);
/* By their ids, behind `after` (may be ""). */
int block_db_list(const struct hs_call *call, const char *after, size_t limit,
		  struct room_block_list *ret_list);
void block_db_put(const struct hs_call *call, const struct room_block *block);
void block_db_delete(const struct hs_call *call, const char *room_id);
