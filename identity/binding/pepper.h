/* What the pepper's own files and its tests share. */
#pragma once

#include "identity/binding/pepper_db.h"

#include <pthread.h>

struct lookup_memory;
struct mx_metric;

struct pepper_times {
	int64_t life_ms, overlap_ms;
	bool hashes_only;
};

struct pepper {
	struct pepper_conf conf; /* of the start */
	struct lookup_memory *memory;
	pthread_mutex_t lock; /* of everything below; innermost */
	pthread_cond_t wake;
	struct pepper_rows rows; /* as last committed */
	struct pepper_times times;
	bool running, stopping, woken;
	pthread_t thread;
	struct mx_metric *hashed, *rotations;
};

struct pepper_times pepper_times_of(struct pepper *pepper);

/* The first in the state, or NULL. */
struct pepper_row *pepper_row_in(struct pepper_rows *rows, enum pepper_state state);
/* A new one behind all of them, its state still to be set. */
struct pepper_row pepper_next(const struct pepper_rows *rows);

/* Whether the text is the current pepper, or the previous one in its overlap. */
bool pepper_find(struct pepper *pepper, const char *text, uint64_t *ret_generation);

#define PEPPER_PAGE_ROWS 100

/* One step of what there is to do at now_ms: a page of hashes, a change of state. *ret_more: the
 * next step is due at once. -MX_CONFLICT changed nothing. */
int pepper_step(struct pepper *pepper, int64_t now_ms, bool *ret_more);

/* Reads the peppers again: after each change of them. */
int pepper_refresh(struct pepper *pepper);

/* The hash of an identifier with one pepper: an entry, or nobody if its user_id is NULL. */
struct listed;
struct lookup_entry;
void lookup_put_hash(struct store_txn *txn, const struct pepper_row *pepper,
		     const struct threepid *threepid, const struct lookup_entry *entry);
/* With all live ones. */
void lookup_put(struct store_txn *txn, const struct threepid *threepid,
		const struct lookup_entry *entry);
/* What the next pepper's table gets of a row: nothing for somebody listed whom we have bound. */
void lookup_put_binding(struct store_txn *txn, const struct pepper_row *pepper,
			const struct binding *binding);
void lookup_put_listed(struct store_txn *txn, const struct pepper_row *pepper,
		       const struct listed *listed, struct mx_arena *mem);
