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

/* From where building goes on: all bindings first, then what other directories list. It stands
 * apart: transactions that read the peppers do not conflict with it. */
struct pepper_progress {
	struct mx_slice from; /* a key of that table; empty at its beginning */
	bool listed; /* which table */
};

int pepper_db_progress(struct store_txn *txn, struct mx_arena *mem,
		       struct pepper_progress *ret_progress);
void pepper_db_put_progress(struct store_txn *txn, const struct pepper_progress *progress);
