/* The rows of the key history and their packed form. */
#pragma once

#include "shared/core/str.h"
#include "shared/keys/key_history.h"

#define KEY_DIGEST_LEN 32

/* One per server, also when everything of it was purged: numbers are never given twice. */
struct key_db_server {
	uint64_t last_number;
	uint64_t versions, conflicts;
	uint64_t bytes; /* of the versions' objects */
	uint64_t purged; /* versions, ever */
	int64_t purged_ms;
};

/* A stored version: its newest object and what is known of the run of its renewals. */
struct key_db_version {
	uint64_t number;
	struct mx_slice content_digest; /* KEY_DIGEST_LEN bytes */
	int64_t valid_until_ts;
	int64_t first_seen_ms, last_seen_ms, renewed_ms;
	uint64_t renewals; /* objects kept, the newest included; numbers them too */
	struct mx_slice source, address, certificate;
	struct mx_slice seal_id, sealed, bytes;
	struct key_entry_key *keys;
	size_t keys_len;
};

/* The parts of an object in which it may differ from others of its version, as canonical JSON;
 * unsigned_json is empty if the object has no such member. */
struct key_db_renewal {
	int64_t valid_until_ts;
	uint64_t renewal; /* its number within the version */
	int64_t first_seen_ms;
	struct mx_slice source, signatures, unsigned_json;
};

struct key_db_id {
	uint8_t public_key[32];
	uint64_t number; /* the version that brought it */
	int64_t first_seen_ms;
};

/* Packing appends; unpacking borrows from value and is false on bytes that no writer made. */
void key_server_encode(struct mx_str *out, const struct key_db_server *row);
void key_version_encode(struct mx_str *out, const struct key_db_version *row);
void key_id_encode(struct mx_str *out, const struct key_db_id *row);
void key_renewal_encode(struct mx_str *out, const struct key_db_renewal *row);
void key_conflict_encode(struct mx_str *out, const struct key_conflict *row);
void key_audit_encode(struct mx_str *out, const struct key_audit *row);
bool key_server_decode(struct mx_slice value, struct key_db_server *ret_row);
bool key_id_decode(struct mx_slice value, struct key_db_id *ret_row);
bool key_renewal_decode(struct mx_slice value, struct key_db_renewal *ret_row);
bool key_conflict_decode(struct mx_slice value, struct key_conflict *ret_row);
bool key_audit_decode(struct mx_slice value, struct key_audit *ret_row);
bool key_version_decode(struct mx_slice value, struct mx_arena *mem,
			struct key_db_version *ret_row);
