/*
 * Who is who: the newest signed association of every third-party identifier. The only truth; the
 * hashes of lookup.h are made from it. Spec: identity service API, "Establishing associations".
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/store/page.h"
#include "shared/threepid/threepid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity_call;
struct mx_arena;
struct mx_error;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table binding_table, binding_user_table, binding_log_table;

#define BINDING_VALID_MS INT64_C(3153600000000) /* 100 years of 365 days */

struct binding {
	struct threepid threepid;
	const char *user_id; /* NULL: unbound on purpose, for replication and audits */
	int64_t ts_ms, not_before_ms, not_after_ms;
	const char *origin; /* the identity service that signed it… */
	bool ours; /* …which is this one, not a peer */
	uint64_t number; /* of the origin's log; 0: ours, not stored yet */
	struct mx_slice signed_json; /* canonical bytes with signatures */
};

/* A new association of ours, signed by long_term_sign(); ts is now, or just after what is stored
 * if a clock went back. In mem. user_id NULL makes a tombstone. */
int binding_make(const struct identity_call *call, const struct threepid *threepid,
		 const char *user_id, struct binding *ret_binding, struct mx_error *err);

/* One of ours whose times are given, signed now: of another service's store. The rest as above. */
int binding_sign(const struct identity_call *call, const struct binding *binding,
		 struct binding *ret_binding, struct mx_error *err);

/* How it stands to what is stored. */
enum binding_standing { BINDING_NEWER, BINDING_SAME, BINDING_OLDER };

/* Of the same moment but another user is older: what is here stays. */
int binding_compare(const struct identity_call *call, const struct binding *binding,
		    enum binding_standing *ret_standing);

/* Stores it unless what is there is newer (false then), keeps the index by user, the log and
 * the look-up hashes in step. One of ours gets the next number of our log. */
bool binding_put(const struct identity_call *call, const struct binding *binding);

/* The binding in force now, by call->txn or call->view: neither tombstones nor ones out of their
 * time. -MX_NOT_FOUND. In mem. */
int binding_find(const struct identity_call *call, const struct threepid *threepid,
		 struct binding *ret_binding);
/* The same, tombstones included: what is stored. */
int binding_load(const struct identity_call *call, const struct threepid *threepid,
		 struct binding *ret_binding);

/* The identifiers of a user, for administration and erasure only: no API gives them away. */
struct binding_list {
	struct threepid *items;
	size_t len;
	struct mx_slice next; /* see page.h */
};

int binding_of_user(const struct identity_call *call, const char *user_id, const struct page *page,
		    struct binding_list *ret_list);

/* Whose hash it is with the pepper that counts now, or with the one before in its overlap; by
 * call->view. text: as look-ups have it. -MX_NOT_FOUND; -MX_INVALID_PARAM if it is no hash. */
int binding_of_hash(const struct identity_call *call, struct mx_slice text,
		    struct threepid *ret_threepid, struct mx_error *err);

/* Every stored binding, page by page; `visit` gets borrowed rows. */
int binding_each(struct store *store, void (*visit)(void *ctx, const struct binding *binding),
		 void *ctx, struct mx_error *err);
/* Makes the next number of our log greater than this; *ret_raised false: it was. */
int binding_log_raise(const struct identity_call *call, uint64_t number, bool *ret_raised);
/* Forgets what was unbound before then, but nothing of ours that has a number behind `told`, which
 * not every peer has heard. In transactions of its own; how many. For a chore. */
size_t binding_reap(struct store *store, int64_t before_ms, uint64_t told);
/* Ours in the log after number `after`, at most limit: for replication. */
int binding_log(const struct identity_call *call, uint64_t after, size_t limit,
		struct binding **ret_items, size_t *ret_len);
