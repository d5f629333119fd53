/*
 * Everything that is stored about a person: to hand it out, and to remove it. A person is a user
 * with all addresses that are bound to them, or one address alone.
 */
#pragma once

#include "shared/threepid/threepid.h"

#include <jansson.h>

struct identity_call;
struct invite;
struct mx_error;
struct outbox_item;

struct person {
	const char *user_id; /* NULL: an address alone */
	struct threepid *addresses;
	size_t len;
};

/* In call->mem. */
int person_of_user(const struct identity_call *call, const char *user_id,
		   struct person *ret_person);
struct person person_of_address(const struct identity_call *call, const struct threepid *threepid);

/* One object, owned by the caller; by call->view. */
int person_export(const struct identity_call *call, const struct person *person, json_t **ret_all,
		  struct mx_error *err);

/*
 * Removes it, by call->txn; *ret_counts says how much there was, and is the caller's. What stays:
 * what other directories list, which their operators have to remove; for a while a tombstone of
 * each binding, which names no user, so that peers unbind it too; suppressions, because they are
 * the person's own wish; entries of the audit log, which name nobody.
 */
int person_erase(const struct identity_call *call, const struct person *person, json_t **ret_counts,
		 struct mx_error *err);

/* ---- what both look through */

/* Items of the outbox that go to one of the person's addresses, or tell of its invites. */
int person_each_item(const struct identity_call *call, const struct person *person,
		     void (*visit)(void *ctx, const struct outbox_item *item), void *ctx,
		     struct mx_error *err);
/* Invites that the user sent. Borrowed for the call. */
int person_each_sent(const struct identity_call *call, const char *user_id,
		     void (*visit)(void *ctx, const struct invite *invite), void *ctx);
