/*
 * Invites of people who have no account yet: stored until their address is bound, then told to
 * their homeserver. Spec: identity service API, "Invitation storage", "Ephemeral invitation
 * signing".
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/store/page.h"
#include "shared/threepid/threepid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity;
struct identity_call;
struct invite_rules;
struct letter_style;
struct mx_arena;
struct mx_error;
struct outbox_kind;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table invite_table, invite_address_table, invite_index_table,
	ephemeral_key_table;

enum invite_state { INVITE_PENDING, INVITE_BOUND, INVITE_DELIVERED, INVITE_WITHDRAWN };

struct invite {
	const char *token, *room_id, *sender;
	struct threepid threepid;
	uint8_t ephemeral_public[32];
	int64_t created_ms, ended_ms; /* 0 = pending */
	enum invite_state state;
	const char *user_id; /* once bound; else NULL */
	uint64_t notice_id; /* in the outbox, once bound */
	struct mx_slice mail; /* what its mail can be written from again; see invite_mail.h */
};

/* An address has at most so many, ended ones included. */
#define INVITES_PER_ADDRESS 1000

/* ---- storing */

struct invite_asking {
	const char *medium, *address, *room_id, *sender; /* as they came, of the body: */
	const json_t *body; /* all that was sent; its strings are values of the mail */
	const char *account; /* whose token it is; NULL on v1, which has no accounts */
	const char *payer; /* whose budget it is */
	bool paid; /* by an earlier run of the same request */
	bool asked; /* directories, by an earlier run; they said: */
	const char *listed_user; /* NULL: nobody's */
	const struct letter_style *style;
};

struct invite_answer {
	const char *token, *display_name;
	char long_term_public[44], ephemeral_public[44]; /* base64 */
	const char *bound_user; /* with -MX_THREEPID_IN_USE only */
};

/*
 * Stores an invite and queues its mail, in call->txn. In this order: -MX_NOT_YOURS for another's
 * sender and for what the rules block, -MX_LIMIT_EXCEEDED, -MX_THREEPID_IN_USE, -MX_UNKNOWN_MEDIUM,
 * -MX_INVALID_EMAIL. Nothing is stored then. Strings in mem. -MX_MOVE_NET: directories are to be
 * asked whose the address is; then again, with `asked`.
 */
int invite_store(const struct identity_call *call, const struct invite_asking *asking,
		 struct invite_answer *ret_answer, struct mx_error *err);

/* ---- using */

/* Everything pending for the address is now the user's: marks it and queues one notice per invite
 * to the user's homeserver. Part of a bind's transaction. */
int invite_bind(const struct identity_call *call, const struct threepid *threepid,
		const char *user_id, struct mx_slice signed_association, struct mx_error *err);

/* All of an address, oldest token first by its letters. In mem. */
struct invite_list {
	struct invite *items;
	size_t len;
};

int invite_list(const struct identity_call *call, const struct threepid *threepid,
		struct invite_list *ret_list);

/* Which: of an address, of a room, or all, the oldest first. */
struct invite_filter {
	const struct threepid *threepid; /* NULL: of any */
	const char *room_id; /* NULL: of any; not both */
	bool pending; /* only those; a page may then be short and not the last */
};

struct invite_page {
	struct invite *items;
	size_t len;
	struct mx_slice next;
};

int invite_find(const struct identity_call *call, const struct invite_filter *filter,
		const struct page *page, struct invite_page *ret_page);

/* -MX_NOT_FOUND. In mem. */
int invite_load(const struct identity_call *call, const char *token, struct invite *ret_invite);
/* -MX_NOT_FOUND also if it was delivered or withdrawn before. A notice under way goes on. */
int invite_withdraw(const struct identity_call *call, const char *token, struct mx_error *err);

/* Queues the mail of a pending invite once more. It has no link that signs: the key was in the
 * first mail only. -MX_NOT_FOUND, -MX_CONFLICT if it is not pending; those of the mail. */
int invite_resend(const struct identity_call *call, const char *token, struct mx_error *err);
/* Tells the homeserver of whoever has the address now, again or at once. -MX_NOT_FOUND,
 * -MX_CONFLICT if it was withdrawn or nobody has the address. */
int invite_redrive(const struct identity_call *call, const char *token, struct mx_error *err);

/* Removes it with its key; a notice that waits is not sent. */
void invite_forget(const struct identity_call *call, const struct invite *invite);
/* Forgets those that are over for as long as the configuration says; in transactions of its own.
 * How many. For a chore. */
size_t invite_reap(struct identity *identity, int64_t now_ms);

/* Pending for longer than the rules allow. */
bool invite_is_expired(const struct invite_rules *rules, const struct invite *invite,
		       int64_t now_ms);

/*
 * {"mxid", "sender", "token", "signatures"} by the private key that the mail had: *ret_signed is
 * the caller's. -MX_UNRECOGNIZED if there is no such invite, or no more; -MX_INVALID_PARAM for a
 * key that was not given out for it.
 */
struct invite_signing {
	const char *user_id, *token, *private_key;
};

int invite_sign(const struct identity_call *call, const struct invite_signing *signing,
		json_t **ret_signed, struct mx_error *err);

/* Whether a key was given out for an invite that still counts. text as long_term_is_valid(). */
bool ephemeral_is_valid(const struct identity_call *call, const char *text);

/* The outbox kind "onbind": POST, then PUT where POST is unknown. */
struct outbox_kind onbind_kind(struct identity *identity);

/* For the import: an invite of another service, pending or ended. An ephemeral_public of zeros: it
 * is one of those of ephemeral_import(). -MX_CONFLICT if its token is there. */
int invite_import(struct store_txn *txn, const struct invite *invite, struct mx_error *err);
/* A key that another service gave out for an invite that it no longer names. It counts for ever. */
int ephemeral_import(const struct identity_call *call, const uint8_t public_key[32],
		     bool *ret_added);
