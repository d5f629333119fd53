/* Records of media: what ids stand for, whose they are, and the files behind them. */
#pragma once

#include "shared/crypto/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct store_table;

extern const struct store_table *const media_tables[]; /* NULL-ended */

struct media_item {
	const char *origin, *id; /* mxc://origin/id */
	const char *user; /* who made it */
	const char *type, *name; /* as they are served; "" = none */
	int64_t created_ms;
	int64_t expires_ms; /* while it has no content: when the id is void */
	bool has_content; /* then: */
	uint64_t size;
	uint8_t sha256[MX_SHA256_LEN];
};

/* In call->mem. -MX_NOT_FOUND. */
int media_db_load(const struct hs_call *call, const char *origin, const char *id,
		  struct media_item *ret_item);
/* With a txn; also lists it as its user's. */
void media_db_put(const struct hs_call *call, const struct media_item *item);
void media_db_delete(const struct hs_call *call, const struct media_item *item);

/* Of one user, the oldest first, behind `after` (NULL: from the start). At most max. */
struct media_after {
	int64_t created_ms;
	const char *id;
};
int media_db_list(const struct hs_call *call, const char *user, const struct media_after *after,
		  size_t max, struct media_item **ret_items, size_t *ret_len);

/* ---- ids without content */

void media_db_put_pending(const struct hs_call *call, const struct media_item *item);
void media_db_delete_pending(const struct hs_call *call, const struct media_item *item);
/* Those of the user that are not void yet, counted up to max. */
int media_db_count_pending(const struct hs_call *call, const char *user, size_t max,
			   size_t *ret_count);
/* With a txn: removes at most max that are void, with their ids. */
int media_db_drop_void(const struct hs_call *call, size_t max, size_t *ret_dropped);

/* ---- what a user's media take */

struct media_usage {
	uint64_t files, bytes;
};
int media_db_load_usage(const struct hs_call *call, const char *user,
			struct media_usage *ret_usage);
void media_db_put_usage(const struct hs_call *call, const char *user,
			const struct media_usage *usage);

/* ---- files: one for all media of the same bytes */

struct media_blob {
	uint64_t refs, size;
	bool is_quarantined;
};
int media_db_load_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN],
		       struct media_blob *ret_blob); /* -MX_NOT_FOUND */
void media_db_put_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN],
		       const struct media_blob *blob);
void media_db_delete_blob(const struct hs_call *call, const uint8_t sha256[MX_SHA256_LEN]);
