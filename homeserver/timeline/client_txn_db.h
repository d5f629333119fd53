/* What clients sent under which transaction id: sent again, it is not done again.
 * Spec: client-server API, "Transaction identifiers". */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct store_table;

extern const struct store_table *const client_txn_tables[];

/* A request: whose, and its path. */
struct client_txn {
	const char *user, *device; /* device: may be NULL */
	const char *endpoint, *room_id, *what; /* "send", the room, the event's type */
	const char *id;
};

/* The event that it made, in call->mem. -MX_NOT_FOUND. */
int client_txn_db_find(const struct hs_call *call, const struct client_txn *request,
		       const char **ret_event_id);
/* With call->txn, which must have looked for it: of two at once the second one fails to commit. */
void client_txn_db_put(const struct hs_call *call, const struct client_txn *request,
		       const char *event_id);

/* Forgets what is older than a day or two; in transactions of its own. How many. For a chore. */
size_t client_txn_reap(struct hs *hs, int64_t now_ms);
