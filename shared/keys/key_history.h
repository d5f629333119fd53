/*
 * Every key object ever verified, append-only, and a bounded memory cache of it.
 * Nothing once recorded is forgotten or overwritten, except by purge. A key id that reappears
 * with other bytes is a conflict: the first stays, the newcomer is kept apart and never served.
 */
#pragma once

#include "shared/keys/key_object.h"

#include <stdatomic.h>

struct key_history;
struct mx_str;
struct store;
struct store_table;

extern const struct store_table *const key_history_tables[]; /* for store_conf, NULL-ended */

struct key_history_conf {
	struct store *store;
	size_t cache_bytes; /* of entries in memory; 0 = 16 MiB */
	/* Gives the bytes that are served for an object, e.g. countersigned by a notary; once,
	 * when it arrives. NULL: entries have no sealed bytes. seal_id names the keys used: entries
	 * sealed under another id are sealed again when loaded. */
	int (*seal)(void *ctx, const struct key_object *object, struct mx_str *out,
		    struct mx_error *err);
	void *seal_ctx;
	struct mx_slice seal_id;
	/* Frees what a user put into an entry's `prepared`; may be NULL. */
	void (*prepared_free)(void *prepared);
	struct mx_metrics *metrics;
	const char *metrics_prefix;
};

/*
 * One set of keys that a server published. Objects that differ only in valid_until_ts and
 * signatures are renewals of one version: servers renew every few hours, and the newest says
 * all that the older ones said. The renewal with the largest valid_until_ts is what is served;
 * the others are kept as their differences, see key_history_renewals(). Immutable.
 */
struct key_version {
	uint64_t number; /* 1, 2, … within the server */
	struct mx_slice sealed; /* what is served; empty without a `seal` */
	struct mx_slice bytes; /* the origin's, canonical */
	int64_t valid_until_ts;
	/* last: when the server was last heard to publish this. Of what others passed on, at
	 * most its valid_until_ts. In memory to the millisecond, in the store to the hour. */
	int64_t first_seen_ms, last_seen_ms;
	int64_t renewed_ms; /* when `bytes` was first seen */
	uint64_t renewals; /* distinct objects of this version, this one included */
	struct mx_slice source; /* "origin", "import", "notary:NAME" */
	struct mx_slice address; /* where it came from; may be empty */
	struct mx_slice certificate; /* SHA-256 of the TLS certificate, hex; may be empty */
	const struct key_entry_key *keys;
	size_t keys_len;
};

/* All that is known of one server; shared by reference count, ascending by valid_until_ts, then
 * number. */
struct key_entry {
	_Atomic int refs;
	struct mx_slice server;
	const struct key_version *versions;
	size_t len;
	size_t cost;
	/* A user's cache of a whole answer: set once by compare-and-swap, freed with the entry. */
	void *_Atomic prepared;
	void (*prepared_free)(void *prepared); /* the history's */
};

void key_entry_unref(struct key_entry *entry);

int key_history_new(const struct key_history_conf *conf, struct key_history **ret_history,
		    struct mx_error *err);
void key_history_free(struct key_history *history);

/* The keys behind `seal` changed: memory is emptied, entries are sealed again when loaded. */
void key_history_reseal(struct key_history *history, struct mx_slice seal_id);

/* Memory is emptied, with what users put into entries' `prepared`. */
void key_history_forget(struct key_history *history);

/* From memory only, any thread, no I/O: the entry (a reference for the caller) or NULL if it
 * would have to be loaded. */
struct key_entry *key_history_peek(struct key_history *history, struct mx_slice server);

/* From memory or the store. A server never seen gives an entry without versions. */
int key_history_load(struct key_history *history, struct mx_slice server,
		     struct key_entry **ret_entry, struct mx_error *err);

struct key_source {
	const char *source, *address, *certificate; /* NULL = unknown */
};

/* What became of one recorded object. */
struct key_recorded {
	bool is_new; /* a version that was not there */
	bool renewed; /* a version that was there, with another valid_until_ts or signature */
	bool conflict; /* an id with other bytes: kept apart, not served */
};

/*
 * Stores a checked object durably (a repeated one only moves last_seen_ms), seals it and
 * refreshes memory. Blocks for the commit; not on the network or an I/O thread. A conflict is
 * 0 too. -MX_TOO_LARGE if the server has too many versions, conflicts or bytes already, or a
 * key id is too long; -MX_STORE_FULL, -MX_STORE.
 */
int key_history_record(struct key_history *history, const struct key_object *object,
		       const struct key_source *source, struct key_recorded *ret_recorded,
		       struct mx_error *err);

/* A key by id, as the version says that was last seen of those that have it: all have the same
 * bytes. valid_until_ts: of that version, capped at its last_seen_ms + KEY_TRUST_MS; if the key
 * is an old one there, its expired_ts, and `expired`. */
struct key_found {
	uint8_t public_key[32];
	int64_t valid_until_ts;
	bool expired;
};
bool key_entry_find(const struct key_entry *entry, struct mx_slice key_id,
		    struct key_found *ret_found);

/* Every object of one version, ascending by valid_until_ts, rebuilt byte for byte, in mem. */
struct key_renewal {
	int64_t valid_until_ts, first_seen_ms;
	struct mx_slice bytes;
};
int key_history_renewals(struct key_history *history, struct mx_slice server, uint64_t number,
			 size_t limit, struct mx_arena *mem, struct key_renewal **ret_renewals,
			 size_t *ret_len, struct mx_error *err);

struct key_conflict {
	struct mx_slice server, key_id;
	uint8_t kept[32], refused[32];
	int64_t first_seen_ms, last_seen_ms;
	uint64_t count;
	struct mx_slice bytes; /* the object that brought it */
	struct mx_slice source;
};

/* Conflicts of one server, or of all (empty server), at most limit, in mem. */
int key_history_conflicts(struct key_history *history, struct mx_slice server, size_t limit,
			  struct mx_arena *mem, struct key_conflict **ret_conflicts,
			  size_t *ret_len, struct mx_error *err);

/* Removes what is stored of a server, or one version (number > 0); the reason goes into the
 * audit log. *ret_removed versions. */
int key_history_purge(struct key_history *history, struct mx_slice server, uint64_t number,
		      const char *reason, size_t *ret_removed, struct mx_error *err);

/* What changed the history by hand or went wrong in it: "purge", "conflict" and "compromised"
 * (their reason is the key id), and what key_history_note() was told. */
struct key_audit {
	int64_t at_ms;
	struct mx_slice what, server, reason;
};

/* A line of the audit log about what was decided outside the history. Durable when 0. */
int key_history_note(struct key_history *history, const char *what, struct mx_slice server,
		     const char *reason, struct mx_error *err);

/* Newest first, at most limit, in mem. */
int key_history_audit(struct key_history *history, size_t limit, struct mx_arena *mem,
		      struct key_audit **ret_rows, size_t *ret_len, struct mx_error *err);

/* Server names after `after` in byte order, at most limit, in mem: for export and refresh. */
int key_history_servers(struct key_history *history, struct mx_slice after, size_t limit,
			struct mx_arena *mem, struct mx_slice **ret_names, size_t *ret_len,
			struct mx_error *err);

struct key_history_stats {
	uint64_t servers, versions, conflicts; /* in the store */
	size_t cached_entries, cached_bytes;
};
void key_history_stats(struct key_history *history, struct key_history_stats *ret_stats);

/* For what lives beside it in the same store. */
struct store *key_history_store(struct key_history *history);
