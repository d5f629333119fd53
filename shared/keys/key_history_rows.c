/* The packed form of the key history's rows. */
#include "shared/keys/key_history_rows.h"

#include "shared/core/arena.h"
#include "shared/id/mxid.h"
#include "shared/store/record.h"

#define VERSION 1

/* ---- servers */

void key_server_encode(struct mx_str *out, const struct key_db_server *row)
{
	record_begin(out, VERSION);
	record_put_u64(out, row->last_number);
	record_put_u64(out, row->versions);
	record_put_u64(out, row->conflicts);
	record_put_u64(out, row->bytes);
	record_put_u64(out, row->purged);
	record_put_i64(out, row->purged_ms);
}

bool key_server_decode(struct mx_slice value, struct key_db_server *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_db_server){
		.last_number = record_u64(&in),
	};
	ret_row->versions = record_u64(&in);
	ret_row->conflicts = record_u64(&in);
	ret_row->bytes = record_u64(&in);
	ret_row->purged = record_u64(&in);
	ret_row->purged_ms = record_i64(&in);
	return record_ok(&in);
}

/* ---- versions */

static void encode_keys(struct mx_str *out, const struct key_db_version *row)
{
	record_put_u64(out, row->keys_len);
	for (size_t i = 0; i < row->keys_len; i++) {
		record_put_bytes(out, row->keys[i].id);
		record_put_bytes(out, mx_slice_of(row->keys[i].public_key, 32));
		record_put_i64(out, row->keys[i].expired_ts);
	}
}

void key_version_encode(struct mx_str *out, const struct key_db_version *row)
{
	record_begin(out, VERSION);
	record_put_u64(out, row->number);
	record_put_bytes(out, row->content_digest);
	record_put_i64(out, row->valid_until_ts);
	record_put_i64(out, row->first_seen_ms);
	record_put_i64(out, row->last_seen_ms);
	record_put_i64(out, row->renewed_ms);
	record_put_u64(out, row->renewals);
	record_put_bytes(out, row->source);
	record_put_bytes(out, row->address);
	record_put_bytes(out, row->certificate);
	record_put_bytes(out, row->seal_id);
	record_put_bytes(out, row->sealed);
	record_put_bytes(out, row->bytes);
	encode_keys(out, row);
}

static bool read_public_key(struct record_reader *in, uint8_t ret_public_key[32])
{
	struct mx_slice bytes = record_bytes(in);

	if (bytes.len != 32)
		return false;
	memcpy(ret_public_key, bytes.ptr, 32);
	return true;
}

static bool decode_key(struct record_reader *in, struct key_entry_key *ret_key)
{
	struct mx_key_id id;

	*ret_key = (struct key_entry_key){ .id = record_bytes(in) };
	if (!read_public_key(in, ret_key->public_key) || !mx_key_id_parse(ret_key->id, &id))
		return false;
	ret_key->expired_ts = record_i64(in);
	ret_key->strict_id = mx_key_id_is_strict(&id);
	/* Asked anew at each load: a later release may know more of them. */
	ret_key->compromised = key_is_compromised(ret_key->public_key);
	return true;
}

static bool decode_keys(struct record_reader *in, struct mx_arena *mem,
			struct key_db_version *version)
{
	uint64_t len = record_u64(in);

	if (len > KEY_OBJECT_KEYS)
		return false;
	version->keys_len = (size_t)len;
	version->keys = mx_arena_calloc(mem, version->keys_len, sizeof(*version->keys));
	for (size_t i = 0; i < version->keys_len; i++)
		if (!decode_key(in, &version->keys[i]))
			return false;
	return true;
}

bool key_version_decode(struct mx_slice value, struct mx_arena *mem, struct key_db_version *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_db_version){ .number = record_u64(&in) };
	ret_row->content_digest = record_bytes(&in);
	ret_row->valid_until_ts = record_i64(&in);
	ret_row->first_seen_ms = record_i64(&in);
	ret_row->last_seen_ms = record_i64(&in);
	ret_row->renewed_ms = record_i64(&in);
	ret_row->renewals = record_u64(&in);
	ret_row->source = record_bytes(&in);
	ret_row->address = record_bytes(&in);
	ret_row->certificate = record_bytes(&in);
	ret_row->seal_id = record_bytes(&in);
	ret_row->sealed = record_bytes(&in);
	ret_row->bytes = record_bytes(&in);
	return decode_keys(&in, mem, ret_row) && record_ok(&in) &&
	       ret_row->content_digest.len == KEY_DIGEST_LEN;
}

/* ---- ids */

void key_id_encode(struct mx_str *out, const struct key_db_id *row)
{
	record_begin(out, VERSION);
	record_put_bytes(out, mx_slice_of(row->public_key, 32));
	record_put_u64(out, row->number);
	record_put_i64(out, row->first_seen_ms);
}

bool key_id_decode(struct mx_slice value, struct key_db_id *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_db_id){ 0 };
	if (!read_public_key(&in, ret_row->public_key))
		return false;
	ret_row->number = record_u64(&in);
	ret_row->first_seen_ms = record_i64(&in);
	return record_ok(&in);
}

/* ---- renewals: valid_until_ts and the number are in the key and again here, so that a row
 * says all by itself */

void key_renewal_encode(struct mx_str *out, const struct key_db_renewal *row)
{
	record_begin(out, VERSION);
	record_put_i64(out, row->valid_until_ts);
	record_put_u64(out, row->renewal);
	record_put_i64(out, row->first_seen_ms);
	record_put_bytes(out, row->source);
	record_put_bytes(out, row->signatures);
	record_put_bytes(out, row->unsigned_json);
}

bool key_renewal_decode(struct mx_slice value, struct key_db_renewal *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_db_renewal){ .valid_until_ts = record_i64(&in) };
	ret_row->renewal = record_u64(&in);
	ret_row->first_seen_ms = record_i64(&in);
	ret_row->source = record_bytes(&in);
	ret_row->signatures = record_bytes(&in);
	ret_row->unsigned_json = record_bytes(&in);
	return record_ok(&in);
}

/* ---- conflicts */

void key_conflict_encode(struct mx_str *out, const struct key_conflict *row)
{
	record_begin(out, VERSION);
	record_put_bytes(out, row->server);
	record_put_bytes(out, row->key_id);
	record_put_bytes(out, mx_slice_of(row->kept, 32));
	record_put_bytes(out, mx_slice_of(row->refused, 32));
	record_put_i64(out, row->first_seen_ms);
	record_put_i64(out, row->last_seen_ms);
	record_put_u64(out, row->count);
	record_put_bytes(out, row->bytes);
	record_put_bytes(out, row->source);
}

bool key_conflict_decode(struct mx_slice value, struct key_conflict *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_conflict){ .server = record_bytes(&in) };
	ret_row->key_id = record_bytes(&in);
	if (!read_public_key(&in, ret_row->kept) || !read_public_key(&in, ret_row->refused))
		return false;
	ret_row->first_seen_ms = record_i64(&in);
	ret_row->last_seen_ms = record_i64(&in);
	ret_row->count = record_u64(&in);
	ret_row->bytes = record_bytes(&in);
	ret_row->source = record_bytes(&in);
	return record_ok(&in);
}

/* ---- audit */

void key_audit_encode(struct mx_str *out, const struct key_audit *row)
{
	record_begin(out, VERSION);
	record_put_i64(out, row->at_ms);
	record_put_bytes(out, row->what);
	record_put_bytes(out, row->server);
	record_put_bytes(out, row->reason);
}

bool key_audit_decode(struct mx_slice value, struct key_audit *ret_row)
{
	struct record_reader in = record_open(value);

	*ret_row = (struct key_audit){ .at_ms = record_i64(&in) };
	ret_row->what = record_bytes(&in);
	ret_row->server = record_bytes(&in);
	ret_row->reason = record_bytes(&in);
	return record_ok(&in);
}
