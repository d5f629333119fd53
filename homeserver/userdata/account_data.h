/* What clients keep for their users: account data, global or of a room; tags are some of it, and
 * read markers. Spec: client-server API, "Client Config". */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;
struct store_table;

#define ACCOUNT_DATA_BYTES_MAX 65536 /* of one content */
#define ACCOUNT_DATA_TYPE_MAX  255 /* bytes */
#define ACCOUNT_DATA_TYPES_MAX 1000 /* of one user, global or in one room */

extern const struct store_table *const account_data_tables[]; /* NULL-ended */

/* Where one lies. */
struct account_data_key {
	const char *user_id;
	uint32_t room; /* 0: global */
	const char *type;
};

/* The content's JSON, in call->mem. -MX_NOT_FOUND. */
int account_data_load(const struct hs_call *call, const struct account_data_key *key,
		      struct mx_slice *ret_content);
/* Also of types that clients may not set. With a txn; wakes the user's /sync. -MX_TOO_LARGE,
 * -MX_INVALID_PARAM for a type, -MX_TOO_MANY. */
int account_data_put(const struct hs_call *call, const struct account_data_key *key,
		     struct mx_slice content, struct mx_error *err);

struct account_data {
	uint32_t room;
	struct mx_slice type, content; /* content: a JSON object */
	uint64_t position;
};

/* In the order of their changes. */
struct account_data_list {
	struct account_data *items;
	size_t len;
};

/* What changed after a position (0: everything), global and in all rooms. */
int account_data_changed(const struct hs_call *call, const char *user_id, uint64_t after,
			 struct account_data_list *ret_list);
/* The same of one room, or global ones (0). */
int account_data_changed_in(const struct hs_call *call, const char *user_id, uint32_t room,
			    uint64_t after, struct account_data_list *ret_list);

/* Tags and all other data of an old room, for its successor; but not what points into the old
 * timeline. With a txn. */
int account_data_copy_room(const struct hs_call *call, const char *user_id, uint32_t from,
			   uint32_t to);
/* Everything of the user's: who is erased. With a txn. */
int account_data_erase(const struct hs_call *call, const char *user_id);
