/* Records of whom the user directory finds: a narrow row for each local user, so that all of them
 * are looked through quickly. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>

struct hs_call;
struct store_table;
struct store_txn;

extern const struct store_table *const people_tables[]; /* NULL-ended */

struct person_row {
	struct mx_slice user_id;
	struct mx_slice folded; /* user id and display name, case-folded */
	struct mx_slice displayname, avatar_url; /* may be empty */
};

struct person_rows {
	struct person_row *items;
	size_t len;
};

void people_db_put(struct store_txn *txn, const struct person_row *row);
void people_db_delete(struct store_txn *txn, const char *user_id);

/* In the order of their ids, behind `after` (may be empty). In call->mem. */
int people_db_scan(const struct hs_call *call, struct mx_slice after, size_t limit,
		   struct person_rows *ret_rows);
