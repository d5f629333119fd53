/*
 * Who did what to whom, when and why. People are named by a keyed hash only: whoever reads the log
 * learns nobody's address, whoever has an address and the store's key finds its entries. Entries
 * are part of the transaction that they tell of.
 */
#pragma once

#include "shared/store/page.h"
#include "shared/threepid/threepid.h"

#include <stdint.h>

struct audit;
struct identity_call;
struct mx_error;
struct store;
struct store_table;

extern const struct store_table audit_table, audit_key_table;

#define AUDIT_ALIAS_LEN 24

/* Reads the key of the hashes, makes it the first time. */
int audit_new(struct store *store, struct audit **ret_audit, struct mx_error *err);
void audit_free(struct audit *audit);

/* What to note; what is NULL is not said. */
struct audit_note {
	const char *who; /* "root (unix)", "owner", "homeserver" */
	const char *what; /* "bind", "invite.withdraw" */
	const char *reason;
	const struct threepid *threepid; /* whom: hashed… */
	const char *user_id; /* …this too… */
	const char *thing; /* …this not: an invite's token, a number in the outbox, a domain */
};

/* Into call->txn; what fails is reported by its commit. */
void audit_note(const struct identity_call *call, const struct audit_note *note);

struct audit_entry {
	int64_t at_ms;
	const char *who, *what, *reason, *threepid, *user, *thing; /* "" if not said */
};

struct audit_list {
	struct audit_entry *items;
	size_t len;
	struct mx_slice next;
};

/* Entries about one of the identifiers or the user; without both, all. */
struct audit_filter {
	int64_t since_ms;
	const struct threepid *threepids;
	size_t threepids_len;
	const char *user_id;
};

/* The newest first, in call->mem. A page of a filter may have fewer entries than its limit, or
 * none, and still not be the last. */
int audit_list(const struct identity_call *call, const struct audit_filter *filter,
	       const struct page *page, struct audit_list *ret_list);

/* The hash that entries about an identifier or a user bear. */
void audit_threepid_alias(const struct audit *audit, const struct threepid *threepid,
			  char ret_alias[AUDIT_ALIAS_LEN + 1]);
void audit_user_alias(const struct audit *audit, const char *user_id,
		      char ret_alias[AUDIT_ALIAS_LEN + 1]);

/* Removes what is older; at most `limit` entries a call. How many. */
size_t audit_reap(struct store *store, int64_t before_ms, size_t limit);
