/* Records of state: the state events of a room and what they cite, slots, nodes of the tries. Rows
 * never change. */
#pragma once

#include "homeserver/state/graph.h"
#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct store_table;
struct store_txn;
struct trie_node;

extern const struct store_table *const state_tables[]; /* NULL-ended: all of this header */

struct state_event {
	uint32_t event; /* number among the room's events */
	uint32_t slot;
	int64_t origin_server_ts;
	uint16_t flags; /* enum graph_flags */
	const uint32_t *cited; /* state numbers */
	size_t cited_len;
};

void state_db_add(struct store_txn *txn, uint32_t room, uint32_t number,
		  const struct state_event *event);
/* -MX_NOT_FOUND. In call->mem. */
int state_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		  struct state_event *ret_event);
/* Rows from a number on, at most `limit`, for the graph of a room. */
struct state_event_list {
	struct state_event *items; /* numbers `from`, from + 1, … */
	size_t len;
};
int state_db_scan(const struct hs_call *call, uint32_t room, uint32_t from, size_t limit,
		  struct state_event_list *ret_list);

/* Only the rejected flag may change. */
void state_db_put_flags(struct store_txn *txn, uint32_t room, uint32_t number,
			const struct state_event *event);

void slot_db_add(struct store_txn *txn, uint32_t room, uint32_t slot, struct mx_slice type,
		 struct mx_slice state_key);
/* -MX_NOT_FOUND if the room never had state of that type and key. */
int slot_db_find(const struct hs_call *call, uint32_t room, struct mx_slice type,
		 struct mx_slice state_key, uint32_t *ret_slot);
/* Backwards; slices in call->mem. */
int slot_db_key(const struct hs_call *call, uint32_t room, uint32_t slot, struct mx_slice *ret_type,
		struct mx_slice *ret_state_key);

void node_db_add(struct store_txn *txn, uint32_t room, uint32_t number,
		 const struct trie_node *node);
/* In call->mem. */
int node_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		 const struct trie_node **ret_node);
