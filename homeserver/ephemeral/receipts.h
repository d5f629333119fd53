/* How far people have read. Spec: client-server API, "Receipts" and "Read and unread markers". */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;
struct store_table;

#define RECEIPT_READ         "m.read"
#define RECEIPT_READ_PRIVATE "m.read.private"
#define RECEIPT_FULLY_READ   "m.fully_read"

extern const struct store_table *const receipt_tables[]; /* NULL-ended */

/* One mark of one user: per type and thread there is one. */
struct receipt {
	struct mx_slice type, user_id, event_id;
	struct mx_slice thread_id; /* "main", a root's event id; empty: unthreaded */
	int64_t ts;
	int64_t rseq; /* of the event, see event_db.h */
	uint64_t position; /* stamped */
};

struct receipt_list {
	struct receipt *items;
	size_t len;
};

/* What changed in a room after a position (0: everything) and the viewer may see: private ones are
 * for their user only. In the order of the changes. */
int receipts_changed(const struct hs_call *call, uint32_t room, const char *viewer, uint64_t after,
		     struct receipt_list *ret_list);

/* The same as contents of m.receipt events, complete JSON objects: one per thread, as one user may
 * have marked one event in several. */
struct receipt_contents {
	struct mx_slice *items;
	size_t len;
};
int receipts_contents(const struct hs_call *call, const struct receipt_list *list,
		      struct receipt_contents *ret_contents);

/*
 * Marks an event of the room as read by its member: a receipt of m.read or m.read.private, or the
 * m.fully_read marker. type and user_id are looked at, event_id and thread_id as sent. What is
 * behind the mark changes nothing. With a txn. -MX_FORBIDDEN for who is not joined,
 * -MX_INVALID_PARAM for a thread that the event is not of.
 */
int receipts_mark(const struct hs_call *call, uint32_t room, const struct receipt *receipt,
		  struct mx_error *err);
