/* The tables of the key history: rows in, rows out. Rules are in key_history.c and key_record.c. */
#pragma once

#include "shared/keys/key_history_rows.h"

struct mx_arena;
struct store_txn;
struct store_view;

#define KEY_VERSIONS_MAX 512 /* of one server */

/* What a call reads and writes through: a view or a transaction, and where results live. */
struct key_db {
	struct store_view *view;
	struct store_txn *txn; /* used if there is one; writing needs it */
	struct mx_arena *mem;
	struct mx_error *err; /* where failures of reads are told; may be NULL */
};

/* Reading: 0; -MX_STORE; -MX_TOO_LARGE for names that are too long for a key; and -MX_NOT_FOUND,
 * without a text, where it is said. */

/* A server never seen is all zeros. */
int key_db_server_get(const struct key_db *db, struct mx_slice server,
		      struct key_db_server *ret_server);
/* -MX_NOT_FOUND. The version with this content. */
int key_db_content_get(const struct key_db *db, struct mx_slice server, const uint8_t *digest,
		       uint64_t *ret_number);
/* -MX_NOT_FOUND */
int key_db_version_get(const struct key_db *db, struct mx_slice server, uint64_t number,
		       struct key_db_version *ret_version);
/* All versions of a server by number. */
int key_db_versions(const struct key_db *db, struct mx_slice server,
		    struct key_db_version **ret_versions, size_t *ret_len);
/* -MX_NOT_FOUND */
int key_db_id_get(const struct key_db *db, struct mx_slice server, struct mx_slice key_id,
		  struct key_db_id *ret_id);
/* Objects of a version that are not the newest one, ascending by valid_until_ts: all, or only
 * those with one valid_until_ts. */
struct key_db_renewals {
	size_t limit;
	bool only_at;
	int64_t valid_until_ts;
	struct key_db_renewal *items; /* what was found */
	size_t len;
};
int key_db_renewals(const struct key_db *db, struct mx_slice server, uint64_t number,
		    struct key_db_renewals *found);
/* -MX_NOT_FOUND. server, key_id and refused of *conflict say which; the rest is filled. */
int key_db_conflict_get(const struct key_db *db, struct key_conflict *conflict);
/* Of one server, or of all if it is empty. */
int key_db_conflicts(const struct key_db *db, struct mx_slice server, size_t limit,
		     struct key_conflict **ret_conflicts, size_t *ret_len);
/* Servers with versions, behind `after`. */
int key_db_servers(const struct key_db *db, struct mx_slice after, size_t limit,
		   struct mx_slice **ret_names, size_t *ret_len);
/* Newest first. */
int key_db_audits(const struct key_db *db, size_t limit, struct key_audit **ret_rows,
		  size_t *ret_len);

/* Writing: into the batch; errors surface at commit. */

void key_db_server_put(const struct key_db *db, struct mx_slice server,
		       const struct key_db_server *row);
void key_db_version_put(const struct key_db *db, struct mx_slice server,
			const struct key_db_version *version);
/* Where a new version is found by its content. */
void key_db_content_put(const struct key_db *db, struct mx_slice server,
			const struct key_db_version *version);
/* With its renewals and its content's row. */
void key_db_version_delete(const struct key_db *db, struct mx_slice server,
			   const struct key_db_version *version);
void key_db_renewal_put(const struct key_db *db, struct mx_slice server, uint64_t number,
			const struct key_db_renewal *renewal);
void key_db_id_put(const struct key_db *db, struct mx_slice server, struct mx_slice key_id,
		   const struct key_db_id *id);
void key_db_id_delete(const struct key_db *db, struct mx_slice server, struct mx_slice key_id);
void key_db_conflict_put(const struct key_db *db, const struct key_conflict *conflict);
/* All rows of a server but its own in the table of servers. */
void key_db_forget(const struct key_db *db, struct mx_slice server);
void key_db_audit_put(const struct key_db *db, const struct key_audit *row);

/* Sums over all servers. Resets db->mem as it goes. */
struct key_db_totals {
	uint64_t servers, versions, conflicts;
};
int key_db_totals(const struct key_db *db, struct key_db_totals *ret_totals);
