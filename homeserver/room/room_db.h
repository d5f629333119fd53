/* Records of rooms: what they are called, their heads, timelines, members, and what points where.
 * Rooms are known by numbers; see README.md. */
#pragma once

#include "homeserver/room/membership.h"
#include "homeserver/state/resolve.h"
#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_arena;
struct page;
struct room_version;
struct store_table;
struct store_txn;
struct trie_node;

extern const struct store_table *const room_tables[]; /* NULL-ended: all of this header */

#define ROOM_EXTREMITIES_MAX 64

/* What a room is right now. */
struct room_head {
	const struct room_version *version;
	struct mx_slice id;
	struct room_state state;
	uint32_t extremities[ROOM_EXTREMITIES_MAX]; /* event numbers */
	size_t extremities_len;
	uint32_t next_event, next_state, next_slot, next_member_slot, next_node;
	int64_t last_rseq, first_rseq;
	int64_t depth; /* the largest */
	uint32_t joined, invited, knocked; /* members now */
	bool is_published; /* in the directory, see published_db.h */
	uint64_t position; /* of its last entry: stamped */
};

/* In call->mem. -MX_NOT_FOUND. */
int room_db_find(const struct hs_call *call, struct mx_slice room_id, uint32_t *ret_room);
int room_db_head(const struct hs_call *call, uint32_t room, struct room_head *ret_head);

struct room_numbers {
	uint32_t *items;
	size_t len;
	struct mx_slice next; /* see shared/store/page.h */
};

/* All rooms, in the order in which they came here. */
int room_db_list(const struct hs_call *call, const struct page *page,
		 struct room_numbers *ret_rooms);

/* A new room; another one with its id makes the commit fail (-MX_CONFLICT). */
void room_db_add(struct store_txn *txn, uint32_t room, const struct room_head *head);
/* Its position becomes the commit's. */
void room_db_put_head(struct store_txn *txn, uint32_t room, const struct room_head *head);

/* ---- the timeline, in the order of arrival */

struct timeline_entry {
	int64_t rseq;
	uint32_t event; /* 0: the state changed without an event */
	int64_t depth;
	int64_t origin_server_ts; /* for time_db_scan(): written, but not read */
	uint64_t position; /* stamped */
	struct room_state after; /* the room's state from here on */
};

struct timeline {
	struct timeline_entry *items;
	size_t len;
};

/* Exclusive bounds, so 0 and INT64_MAX are all live ones; limit 0 is 1,000. 0 entries is no error.
 * In the order of `reverse`. */
struct timeline_range {
	int64_t after, before;
	size_t limit;
	bool reverse;
};

/* Its places in the orders of depth and time too. */
void timeline_db_add(struct store_txn *txn, uint32_t room, const struct timeline_entry *entry);
int timeline_db_scan(const struct hs_call *call, uint32_t room, const struct timeline_range *range,
		     struct timeline *ret_timeline);
/* The last live entry at or before a position. -MX_NOT_FOUND if the room began later. */
int timeline_db_at(const struct hs_call *call, uint32_t room, uint64_t position,
		   struct timeline_entry *ret_entry);

/* The same in the order of depth, then arrival: how /messages and /context go. */
struct topo_place {
	int64_t depth, rseq;
};

struct topo_entry {
	struct topo_place place;
	uint32_t event;
};

struct topo {
	struct topo_entry *items;
	size_t len;
};

/* Forwards: places ≥ from; backwards: places < from. limit 0 is 1,000. */
int topo_db_scan(const struct hs_call *call, uint32_t room, struct topo_place from, bool backwards,
		 size_t limit, struct topo *ret_topo);

/* The same in the order of when their senders say that they sent them. */
struct time_list {
	uint32_t *events;
	size_t len;
};

/* Forwards: from that time on; backwards: until then. limit 0 is 1,000. */
int time_db_scan(const struct hs_call *call, uint32_t room, int64_t ts, bool backwards,
		 size_t limit, struct time_list *ret_list);

/* ---- members, as they are now */

struct member_row {
	const char *user_id;
	enum membership membership;
	uint32_t event; /* number */
};

struct member_list {
	struct member_row *items;
	size_t len;
};

/* Ids that are too long for any user are not kept. */
void member_db_put(struct store_txn *txn, uint32_t room, const struct member_row *row);
/* -MX_NOT_FOUND for who never was one. */
int member_db_load(const struct hs_call *call, uint32_t room, struct mx_slice user_id,
		   struct member_row *ret_row);
/* In the order of their ids, behind `after` (may be empty); MEMBERSHIP_NONE: all. */
int member_db_list(const struct hs_call *call, uint32_t room, enum membership membership,
		   struct mx_slice after, size_t limit, struct member_list *ret_list);

/* ---- the rooms of local users */

struct user_room {
	uint32_t room;
	enum membership membership;
	bool forgotten;
	uint32_t event; /* of the membership; 0: known from a stripped invite only */
	uint64_t position; /* when it became this: stamped */
	int64_t rseq; /* of the membership's event */
};

struct user_room_list {
	struct user_room *items;
	size_t len;
};

/* -MX_NOT_FOUND. */
int user_room_db_load(const struct hs_call *call, struct mx_slice user_id, uint32_t room,
		      struct user_room *ret_row);
int user_room_db_list(const struct hs_call *call, struct mx_slice user_id,
		      struct user_room_list *ret_list);
void user_room_db_put(struct store_txn *txn, struct mx_slice user_id, const struct user_room *row);

/* ---- relations: who points to an event, in the order of arrival.
 * Spec: client-server API, "Forming relationships between events" */

struct relation_row {
	struct mx_slice type; /* "m.annotation" */
	int64_t rseq;
	uint32_t event;
	struct mx_slice event_type, sender, key; /* key: of an annotation */
};

struct relation_list {
	struct relation_row *items;
	size_t len;
};

/* Nothing is kept without a type, or of ids and types that are far too long for their kind. */
void relation_db_add(struct store_txn *txn, uint32_t room, struct mx_slice parent_id,
		     const struct relation_row *row);
/* The child is one no more. */
void relation_db_remove(struct store_txn *txn, uint32_t room, struct mx_slice parent_id,
			struct mx_slice type, int64_t rseq);
/* Of one type, or of all (empty), rseq within exclusive bounds; newest first if `reverse`. */
int relation_db_list(const struct hs_call *call, uint32_t room, struct mx_slice parent_id,
		     struct mx_slice type, const struct timeline_range *range,
		     struct relation_list *ret_list);

/* Redactions that came before what they redact: numbers of theirs. */
void redaction_db_wait(struct store_txn *txn, uint32_t room, struct mx_slice event_id,
		       uint32_t redaction);
int redaction_db_waiting(const struct hs_call *call, uint32_t room, struct mx_slice event_id,
			 uint32_t *ret_redaction);
