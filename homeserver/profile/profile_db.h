/* Records of profiles, and of whose rooms have to hear of a change. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_arena;
struct store_table;
struct store_txn;

extern const struct store_table profile_change_table;
extern const struct store_table *const profile_tables[]; /* NULL-ended */

/* Largest number of fields that PROFILE_BYTES_MAX leaves room for. */
#define PROFILE_FIELDS_MAX 16384

struct profile_field {
	struct mx_slice key, value; /* value: JSON */
};

struct profile_fields {
	struct profile_field *items;
	size_t len;
};

/* In call->mem. -MX_NOT_FOUND. */
int profile_db_load(const struct hs_call *call, const char *user_id, const char *key,
		    struct mx_slice *ret_value);
int profile_db_list(const struct hs_call *call, const char *user_id,
		    struct profile_fields *ret_fields);
void profile_db_put(struct store_txn *txn, const char *user_id, const char *key,
		    struct mx_slice value);
void profile_db_delete(struct store_txn *txn, const char *user_id, const char *key);

/* ---- whose rooms have to hear of a change. The version tells one change from the next. */

struct profile_change {
	const char *user_id;
	uint64_t version;
};

struct profile_change_list {
	struct profile_change *items;
	size_t len;
};

int profile_change_db_put(const struct hs_call *call, const char *user_id);
int profile_change_db_list(const struct hs_call *call, size_t limit,
			   struct profile_change_list *ret_list);
/* Unless it is another version by now. */
int profile_change_db_done(const struct hs_call *call, const struct profile_change *change);
