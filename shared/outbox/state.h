/* The outbox, inside: what its files share. */
#pragma once

#include "shared/core/map.h"
#include "shared/outbox/outbox_db.h"
#include "shared/outbox/queue.h"

#include <pthread.h>

#define OUTBOX_KINDS_MAX 8

struct mx_lru;

struct outbox {
	struct store *store;
	struct queue queues[OUTBOX_KINDS_MAX];
	unsigned queues_len;
	pthread_mutex_t lock; /* of everything below and of the queues; never held while sending
				 or committing */
	pthread_cond_t changed; /* something is to be sent, or was, or the end has come */
	struct mx_map items; /* by the bytes of their number */
	struct mx_lru *ended; /* number → struct outbox_report, for those who ask later */
	bool stopping;
	unsigned sending;
	struct mx_vec(pthread_t) threads;
	_Atomic bool hurry; /* sends under way are to end soon */
};

static inline struct mx_slice outbox_id_slice(const uint64_t *id)
{
	return mx_slice_of(id, sizeof(*id));
}

/* NULL if there is no such kind. */
struct queue *outbox_queue(struct outbox *outbox, struct mx_slice kind);

/* Under the lock: the item is over. Its report is kept, its watchers are woken. */
void outbox_forget(struct outbox *outbox, struct item *item, enum outbox_result result);

/* The deletion that follows means this. */
void outbox_will_end(struct outbox *outbox, uint64_t id, enum outbox_result result);

/* worker.c: the thread of one of a queue's places. */
void *outbox_worker(void *queue);
/* In a transaction of the caller's, which has read the row. */
void outbox_end_in(struct outbox *outbox, struct store_txn *txn, const struct outbox_row *row,
		   enum outbox_result result);
/* Ends an item: `ended` of its kind and the row's end in one transaction. */
int outbox_end(struct outbox *outbox, const struct outbox_row *row, enum outbox_result result,
	       struct mx_error *err);
