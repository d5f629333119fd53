/*
 * Things that must happen on other machines, whatever happens to this one: an item is queued in
 * the transaction that makes it necessary, sent afterwards, repeated until it succeeded or is
 * given up, and survives restarts. Mails, text messages and notices to homeservers are kinds.
 */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mx_error;
struct mx_metrics;
struct outbox;
struct req_wake;
struct store;
struct store_table;
struct store_txn;

#define OUTBOX_PAYLOAD_MAX (1024u * 1024)
#define OUTBOX_LANE_MAX    255 /* bytes */

enum outbox_result {
	OUTBOX_SENT,
	OUTBOX_AGAIN, /* not now: tried again after a pause */
	OUTBOX_REFUSED, /* never: the other side said so */
	OUTBOX_UNSURE, /* it may have happened, so it is not repeated */
	OUTBOX_EXPIRED, /* tried until its time was over */
	OUTBOX_WITHDRAWN, /* by the operator or by whoever queued it */
};

struct outbox_item {
	uint64_t id; /* later ones are greater */
	const char *kind;
	struct mx_slice lane; /* where it goes: a mail domain, a gateway, a server name */
	struct mx_slice payload; /* the kind's own record */
	unsigned attempts; /* so far, this one not counted */
	int64_t created_ms;
	const _Atomic bool *hurry; /* true: the daemon is stopping, so end soon with AGAIN */
};

struct outbox_kind {
	const char *name; /* "mail": of the metrics and the stored rows */
	int64_t first_ms; /* pause after the first failure; every further one doubles it, ± 20 % */
	int64_t max_ms; /* longest pause */
	int64_t give_up_ms; /* after its birth an item expires */
	unsigned parallel; /* at most so many at once; each holds a thread meanwhile */
	unsigned lane_parallel; /* … to one lane; 0 = parallel */
	int64_t lane_pause_ms; /* between two beginnings in one lane; 0 = none */
	/* Sends one item on a thread that may wait for the network. err says why not, and by
	 * retry_after_ms that the other side wants a longer pause before the next attempt. */
	enum outbox_result (*send)(void *ctx, const struct outbox_item *item, struct mx_error *err);
	/* In the transaction that ends the item; may be NULL. Never -AGAIN. */
	void (*ended)(void *ctx, struct store_txn *txn, const struct outbox_item *item,
		      enum outbox_result result);
	void *ctx;
};

struct outbox_conf {
	struct store *store;
	const struct outbox_kind *kinds; /* copied; a stored item of another kind waits */
	unsigned kinds_len;
	struct mx_metrics *metrics; /* outbox_items_total{kind,result}, outbox_waiting{kind},
				       outbox_oldest_seconds{kind} */
};

/* For the daemon's list of tables; NULL-ended. */
extern const struct store_table *const outbox_tables[];

/* Items that were being sent when the process died: sent again, or UNSURE past the point of no
 * return. */
int outbox_new(const struct outbox_conf *conf, struct outbox **ret_outbox, struct mx_error *err);
/* Begins to send. */
void outbox_start(struct outbox *outbox);
/* No new sending; those under way get grace_ms, then they are told to hurry. Before net_free(). */
void outbox_stop(struct outbox *outbox, int64_t grace_ms);
void outbox_free(struct outbox *outbox);

struct outbox_new_item {
	const char *kind;
	struct mx_slice lane, payload;
	int64_t not_before_ms; /* wall clock; 0 = at once */
};

/* Its number. Sent when txn is committed; nothing else is to be called for that. */
uint64_t outbox_add(struct outbox *outbox, struct store_txn *txn,
		    const struct outbox_new_item *item);

/* From send(), durably, just before what cannot be undone: a process that dies after it does not
 * send again. Without it a kind is sent at least once, with it at most once. */
int outbox_no_return(struct outbox *outbox, const struct outbox_item *item, struct mx_error *err);

enum outbox_stage { OUTBOX_UNKNOWN, OUTBOX_WAITING, OUTBOX_SENDING, OUTBOX_ENDED };

struct outbox_report {
	enum outbox_stage stage; /* UNKNOWN: ended long ago, or never there */
	enum outbox_result result; /* if ended; of the last attempt while WAITING */
	unsigned attempts;
	int64_t next_ms; /* while WAITING */
	char why[256]; /* of the last failure; "" if none */
};

void outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report);

/* Wakes after the next attempt's end. Before the last look, as ever with waiters. */
void outbox_watch(struct outbox *outbox, uint64_t id, struct req_wake *wake);

/* ---- for the operator */

/* Numbers are strings: they are longer than JSON's.
 * {"items":[{"id","kind","lane","attempts","created_ts","next_ts","why"}], "next": id or absent};
 * kind NULL = all. The caller owns it. */
json_t *outbox_list(struct outbox *outbox, const char *kind, uint64_t from, size_t limit);
/* Due at once. -MX_NOT_FOUND. */
int outbox_hasten(struct outbox *outbox, uint64_t id, struct mx_error *err);
/* -MX_NOT_FOUND, or -MX_CONFLICT while it is being sent. */
int outbox_withdraw(struct outbox *outbox, uint64_t id, struct mx_error *err);
/* The same in a transaction of the caller's. */
int outbox_cancel_in(struct outbox *outbox, struct store_txn *txn, uint64_t id,
		     struct mx_error *err);
/* For whoever queued it, who is not told: an item that is not being sent does not happen any more.
 */
void outbox_withdraw_in(struct store_txn *txn, uint64_t id);
/* The same: due at once. -MX_NOT_FOUND. */
int outbox_hasten_in(struct store_txn *txn, uint64_t id);
/* Every item that is not over, in the order of numbers; borrowed for the call. */
int outbox_each(struct outbox *outbox, void (*visit)(void *ctx, const struct outbox_item *item),
		void *ctx, struct mx_error *err);
