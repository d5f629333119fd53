/*
 * What happened, in the order in which it became durable. Every commit that notes something gets
 * a position from the store (a stamp); /sync compares positions, and waits for later ones.
 *
 * What only lives in memory (typing, presence) has positions of its own, ticks, which begin with
 * the clock: they grow across restarts too.
 *
 * Whoever looks takes stream_ticks(), opens a view, whose position is store_view_stamp(), and only
 * then asks what changed. If nothing did, the tick of the earlier look is kept. See README.md.
 */
#pragma once

#include "homeserver/room/membership.h"
#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct hs;
struct mx_error;
struct req_wake;
struct store_txn;
struct stream;

enum stream_kind {
	STREAM_EVENT = 1, /* room, rseq: an entry of its timeline */
	STREAM_MEMBER, /* room, rseq, user, membership: the same, of a change of membership */
	STREAM_ACCOUNT_DATA, /* user; room, or 0 */
	STREAM_RECEIPT, /* room; user alone sees it if private */
	STREAM_DEVICES, /* user: whoever shares a room has to know; or room: who is in it */
	STREAM_TO_DEVICE, /* user */
	STREAM_USER, /* user: anything else that only their own /sync shows */
};

struct stream_entry {
	enum stream_kind kind;
	uint32_t room; /* 0: none */
	int64_t rseq;
	struct mx_slice user; /* empty: none; only local ones are woken */
	enum membership membership;
	bool is_private; /* of a room, but only the user is woken */
};

/* Notes it with the transaction, in `log`. Rows that hold its position are put with
 * store_txn_put_stamped() in the same transaction. */
void stream_note(struct store_txn *txn, const struct stream_entry *entry);

/* Begins to watch. */
struct stream *stream_new(struct hs *hs);
/* Wakes all who wait. */
void stream_close(struct stream *stream);
void stream_free(struct stream *stream);

/* The last position that is durable and visible to new views; all up to it was told. */
uint64_t stream_position(struct stream *stream);

/* The next position of what lives in memory, taken under the lock under which that is read; and the
 * last one. */
uint64_t stream_tick(struct stream *stream);
uint64_t stream_ticks(struct stream *stream);

/* Whether anything that /sync shows to the user happened after these positions, and is in views
 * that were opened before this call; at first sight of a user since the start their rooms are read,
 * so not on an I/O thread. True when in doubt. */
bool stream_user_changed(struct stream *stream, struct mx_slice user, uint64_t position,
			 uint64_t tick);
/* The same of a room, for what its joined members see: its timeline and receipts. */
bool stream_room_changed(struct stream *stream, uint32_t room, uint64_t position);

/* Until stream_wait_end(): the wake is called when something of the user's happens. To be called
 * before the last look. Takes a reference of its own. */
struct stream_wait;
struct stream_wait *stream_wait_begin(struct stream *stream, struct mx_slice user,
				      struct req_wake *wake);
void stream_wait_end(struct stream_wait *wait);

/* After a tick: wakes a user, the local joined members of a room, or a user and whoever shares a
 * room (everybody, if the user does not sync). */
void stream_wake_user(struct stream *stream, struct mx_slice user);
void stream_wake_room(struct stream *stream, uint32_t room);
void stream_wake_sharers(struct stream *stream, struct mx_slice user);
