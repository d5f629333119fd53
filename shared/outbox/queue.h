/* Inside of the outbox: what is to be sent, in memory, and whose turn it is. The store is the
 * truth; this follows its commits. Everything here is under the outbox's lock. */
#pragma once

#include "shared/core/due.h"
#include "shared/core/map.h"
#include "shared/core/vec.h"
#include "shared/outbox/outbox.h"

/* Where items of one kind go; there as long as it has items. */
struct lane {
	char *name;
	size_t items;
	unsigned sending;
	int64_t free_ms; /* when the next one may begin; monotonic */
	struct item *next; /* in queue->waiting for that; the others are blocked */
	struct mx_due_heap blocked;
};

struct item {
	uint64_t id;
	int64_t created_ms, due_ms; /* wall clock */
	struct queue *queue;
	struct lane *lane;
	struct mx_due due; /* in queue->waiting, or in lane->blocked… */
	bool blocked; /* …if this is set */
	bool sending;
	bool gone; /* deleted in the store while it was being sent */
	unsigned attempts;
	enum outbox_result result; /* of the last attempt */
	enum outbox_result end; /* what its deletion in the store means */
	char why[256];
	struct mx_vec(struct req_wake *) watchers;
};

/* One kind. */
struct queue {
	struct outbox *outbox;
	struct outbox_kind kind;
	struct mx_due_heap waiting;
	struct mx_map lanes;
	size_t items;
	struct mx_metric *ended[OUTBOX_WITHDRAWN + 1];
};

void queue_init(struct queue *queue, struct outbox *outbox, const struct outbox_kind *kind);
void queue_done(struct queue *queue);

struct clocks {
	int64_t now_ms, mono_ms;
};

struct clocks clocks_now(void);

/* A new item that waits until due_ms. */
struct item *queue_add(struct queue *queue, uint64_t id, struct mx_slice lane, int64_t due_ms);
/* Wakes its watchers and releases it. */
void queue_remove(struct item *item);
/* Waits until due_ms instead; not for one that is being sent. */
void queue_move(struct item *item, int64_t due_ms);

/* The next item that may be sent now, marked as such; or NULL, and then *ret_wait_ms is how long
 * to wait at most. */
struct item *queue_take(struct queue *queue, struct clocks clocks, int64_t *ret_wait_ms);
/* Its attempt is over: neither waiting nor being sent now. */
void queue_release(struct item *item);

void item_wake_watchers(struct item *item);
