/* Stored events: their canonical bytes, and what the room made of them. */
#pragma once

#include "homeserver/event/event.h"
#include "homeserver/state/resolve.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct mx_arena;
struct mx_error;
struct store_table;
struct store_txn;

extern const struct store_table *const event_tables[]; /* NULL-ended */

enum event_flags {
	EVENT_REJECTED = 1,
	EVENT_SOFT_FAILED = 2,
	EVENT_OUTLIER = 4, /* known, but the room's state at it is not */
};
/* Flags of events that nobody is shown. */
#define EVENT_HIDDEN (EVENT_REJECTED | EVENT_SOFT_FAILED | EVENT_OUTLIER)

struct event_header {
	uint32_t number; /* the room's, from 1 */
	uint32_t state_number; /* among its state events, from 1; 0: it is none */
	uint32_t slot; /* of its type and state_key, see state/graph.h */
	unsigned flags; /* enum event_flags */
	int64_t rseq; /* order of arrival: 1, 2, … live, 0, -1, … fetched later; not of outliers */
	int64_t received_ms;
	struct room_state before; /* the room's state, of which it is not part… */
	struct room_state after; /* …and the same with it, which is not the room's if it forked */
	uint32_t redacted_by; /* number of the redaction that holds; 0: none */
	struct mx_slice device, txn_id; /* of a local sender; may be empty */
};

struct stored_event {
	uint32_t room;
	struct event_header header;
	struct event event;
};

/* By its number or by its id, in call->mem; of one that was redacted, what is left of it: nobody
 * goes by the rest any more. -MX_NOT_FOUND, -MX_STORE. */
int event_db_load(const struct hs_call *call, uint32_t room, uint32_t number,
		  struct stored_event *ret_event);
int event_db_find(const struct hs_call *call, struct mx_slice event_id, uint32_t *ret_room,
		  uint32_t *ret_number);
/* Both: an event of that room. -MX_NOT_FOUND also if it is another room's. */
int event_db_load_id(const struct hs_call *call, uint32_t room, struct mx_slice event_id,
		     struct stored_event *ret_event);

/* The event with its header; its id too: one that is there makes the commit fail (-MX_CONFLICT). */
void event_db_add(struct store_txn *txn, const struct stored_event *event);
/* The header has changed. */
void event_db_put(struct store_txn *txn, const struct stored_event *event);
