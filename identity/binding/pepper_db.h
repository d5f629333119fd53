/* Records of peppers, and how far the table of the next one is built. */
#pragma once

#include "identity/binding/lookup.h"

struct mx_arena;

/* A pepper is built, is the current one, then the previous one, and is retired: its hashes are
 * deleted, then it is. */
enum pepper_state { PEPPER_BUILDING, PEPPER_CURRENT, PEPPER_PREVIOUS, PEPPER_RETIRED };

struct pepper_row {
	uint64_t generation;
	enum pepper_state state;
	int64_t since_ms; /* when it came into this state */
	char text[PEPPER_MAX + 1];
};

#define PEPPERS_MAX 8

struct pepper_rows {
	struct pepper_row items[PEPPERS_MAX];
	size_t len;
};

int pepper_db_list(struct store_txn *txn, struct mx_arena *mem, struct pepper_rows *ret_rows);
void pepper_db_put(struct store_txn *txn, const struct pepper_row *row);
void pepper_db_delete(struct store_txn *txn, uint64_t generation);

/* The key of the table of bindings from where building goes on; empty at its beginning. It stands
 * apart: transactions that read the peppers do not conflict with it. */
int pepper_db_progress(struct store_txn *txn, struct mx_arena *mem, struct mx_slice *ret_from);
void pepper_db_put_progress(struct store_txn *txn, struct mx_slice from);
