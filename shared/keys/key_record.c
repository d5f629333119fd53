#include "shared/keys/key_record.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/keys/key_history_db.h"
#include "shared/keys/key_renewal.h"
#include "shared/store/store.h"

/* Each lost race means that somebody else's commit went through. */
#define TRIES_MAX 100

/* One try: what is read and decided in one transaction. */
struct
try {
	struct key_recording *r;
	struct key_db db;
	struct mx_slice server;
	int64_t now_ms, seen_ms;
	uint8_t digest[KEY_DIGEST_LEN];
	struct mx_str sealed;
	bool write;
};

static bool is_first_hand(const char *source)
{
	return !streq(source, "import") && !mx_starts_with(source, "notary:");
}

/* Somebody else's copy may be old: the server published it at the latest when it was valid. */
static int64_t seen_at(const struct key_recording *r, int64_t now_ms)
{
	int64_t valid_until_ts = r->object->valid_until_ts;

	if (is_first_hand(r->source->source) || valid_until_ts > now_ms)
		return now_ms;
	return valid_until_ts;
}

static int seal(struct try *try)
{
	struct key_recording *r = try->r;

	mx_str_clear(&try->sealed);
	return r->seal ? r->seal(r->seal_ctx, r->object, &try->sealed, r->err) : 0;
}

/* The parts of a version that come with its newest object. */
static void take_object(const struct try *try, struct key_db_version *version)
{
	const struct key_recording *r = try->r;

	version->valid_until_ts = r->object->valid_until_ts;
	version->renewed_ms = try->now_ms;
	version->source = mx_slice(r->source->source);
	version->address = mx_slice(r->source->address);
	version->certificate = mx_slice(r->source->certificate);
	version->seal_id = r->seal_id;
	version->sealed = mx_str_slice(&try->sealed);
	version->bytes = r->object->bytes;
}

static int fit_bytes(const struct try *try, struct key_db_server *row, size_t less, size_t more)
{
	row->bytes = row->bytes - (less < row->bytes ? less : row->bytes) + more;
	if (row->bytes > KEY_SERVER_BYTES_MAX)
		return mx_fail(try->r->err, MX_TOO_LARGE, "%.*s has too many bytes of keys",
			       MX_SLICE_ARG(try->server));
	return 0;
}

/* ---- an object of a version that is there */

static bool is_in_budget(const struct try *try, const struct key_db_version *version)
{
	int64_t age_ms = try->now_ms - version->first_seen_ms;
	uint64_t hours = age_ms > 0 ? (uint64_t)(age_ms / MX_HOUR_MS) : 0;

	return version->renewals < KEY_RENEWALS_FREE + hours ||
	       streq(try->r->source->source, "import");
}

static int keep_parts(struct try *try, struct mx_slice bytes, struct key_db_renewal *renewal,
		      struct key_db_version *version)
{
	struct key_db_renewal parts;

	if (!is_in_budget(try, version))
		return 0;
	if (!key_object_split(bytes, try->db.mem, &parts))
		return mx_fail(try->r->err, MX_STORE, "A stored key object of %.*s is damaged",
			       MX_SLICE_ARG(try->server));
	parts.first_seen_ms = renewal->first_seen_ms;
	parts.source = renewal->source;
	parts.renewal = version->renewals++;
	key_db_renewal_put(&try->db, try->server, version->number, &parts);
	return 0;
}

static int fit_renewed(struct try *try, const struct key_db_version *version)
{
	size_t less = version->bytes.len, more = try->r->object->bytes.len;
	struct key_db_server row;
	int rc;

	if (less == more)
		return 0;
	rc = key_db_server_get(&try->db, try->server, &row);
	if (rc == 0)
		rc = fit_bytes(try, &row, less, more);
	if (rc == 0)
		key_db_server_put(&try->db, try->server, &row);
	return rc;
}

static int renew(struct try *try, struct key_db_version *version)
{
	struct key_db_renewal replaced = {
		.first_seen_ms = version->renewed_ms,
		.source = version->source,
	};
	int rc = fit_renewed(try, version);

	if (rc == 0)
		rc = keep_parts(try, version->bytes, &replaced, version);
	if (rc == 0)
		rc = seal(try);
	if (rc)
		return rc;
	take_object(try, version);
	try->r->outcome = KEY_OUTCOME_RENEWED;
	try->write = true;
	return 0;
}

static int keep_older(struct try *try, struct key_db_version *version)
{
	const struct key_object *object = try->r->object;
	struct key_db_renewals same = {
		.limit = 1,
		.only_at = true,
		.valid_until_ts = object->valid_until_ts,
	};
	struct key_db_renewal kept = {
		.first_seen_ms = try->now_ms,
		.source = mx_slice(try->r->source->source),
	};
	uint64_t renewals = version->renewals;
	int rc = key_db_renewals(&try->db, try->server, version->number, &same);

	if (rc || same.len)
		return rc;
	rc = keep_parts(try, object->bytes, &kept, version);
	if (rc || version->renewals == renewals)
		return rc;
	try->r->outcome = KEY_OUTCOME_KEPT;
	try->write = true;
	return 0;
}

/* The same signed bytes with more signatures serve users who want all keys to have signed. */
static bool is_better_signed(struct try *try, const struct key_db_version *version)
{
	struct key_db_renewal old, fresh;
	struct mx_arena *mem = try->db.mem;

	if (mx_slice_eq(version->bytes, try->r->object->bytes) ||
	    !key_object_split(version->bytes, mem, &old) ||
	    !key_object_split(try->r->object->bytes, mem, &fresh))
		return false;
	return key_signatures_count(fresh.signatures, try->server, mem) >
	       key_signatures_count(old.signatures, try->server, mem);
}

static int record_known(struct try *try, struct key_db_version *version)
{
	int64_t valid_until_ts = try->r->object->valid_until_ts;
	int64_t seen_ms = try->seen_ms;
	int rc = 0;

	try->r->number = version->number;
	try->write = seen_ms - version->last_seen_ms >= KEY_SEEN_STEP_MS;
	if (valid_until_ts < version->valid_until_ts)
		rc = keep_older(try, version);
	else if (valid_until_ts > version->valid_until_ts || is_better_signed(try, version))
		rc = renew(try, version);
	if (rc)
		return rc;
	if (seen_ms > version->last_seen_ms)
		version->last_seen_ms = seen_ms;
	try->r->last_seen_ms = version->last_seen_ms;
	if (try->write)
		key_db_version_put(&try->db, try->server, version);
	return 0;
}

/* ---- an object with a content that is not there */

/* What the store says of each key of the object. */
struct ids {
	struct key_db_id rows[KEY_OBJECT_KEYS];
	bool known[KEY_OBJECT_KEYS];
	bool conflict;
};

static bool is_conflict(const struct try *try, const struct ids *ids, size_t i)
{
	return ids->known[i] &&
	       memcmp(ids->rows[i].public_key, try->r->object->keys[i].public_key, 32) != 0;
}

static int check_twins(const struct try *try, size_t i)
{
	const struct key_entry_key *keys = try->r->object->keys;

	for (size_t j = 0; j < i; j++)
		if (mx_slice_eq(keys[j].id, keys[i].id) &&
		    memcmp(keys[j].public_key, keys[i].public_key, 32) != 0)
			return mx_fail(try->r->err, MX_BAD_KEY,
				       "Two keys of one object have the id %.*s",
				       MX_SLICE_ARG(keys[i].id));
	return 0;
}

static int load_ids(struct try *try, struct ids *ids)
{
	const struct key_object *object = try->r->object;

	for (size_t i = 0; i < object->keys_len; i++) {
		struct mx_slice id = object->keys[i].id;
		int rc = check_twins(try, i);

		if (rc == 0 && id.len > KEY_ID_MAX)
			rc = mx_fail(try->r->err, MX_TOO_LARGE, "A key id is too long");
		if (rc)
			return rc;
		rc = key_db_id_get(&try->db, try->server, id, &ids->rows[i]);
		if (rc && rc != -MX_NOT_FOUND)
			return rc;
		ids->known[i] = rc == 0;
		ids->conflict |= is_conflict(try, ids, i);
	}
	return 0;
}

static void audit(const struct try *try, const char *what, struct mx_slice reason)
{
	key_db_audit_put(&try->db, &(struct key_audit){
					   .at_ms = try->now_ms,
					   .what = mx_slice(what),
					   .server = try->server,
					   .reason = reason,
				   });
}

static int keep_conflict(struct try *try, const struct ids *ids, size_t i,
			 struct key_db_server *row)
{
	const struct key_object *object = try->r->object;
	struct key_conflict conflict = { .server = try->server, .key_id = object->keys[i].id };
	int rc;

	memcpy(conflict.refused, object->keys[i].public_key, 32);
	rc = key_db_conflict_get(&try->db, &conflict);
	if (rc == -MX_NOT_FOUND) {
		if (row->conflicts >= KEY_CONFLICTS_MAX)
			return mx_fail(try->r->err, MX_TOO_LARGE, "%.*s has too many conflicts",
				       MX_SLICE_ARG(try->server));
		row->conflicts++;
		try->r->new_conflicts++;
		memcpy(conflict.kept, ids->rows[i].public_key, 32);
		conflict.bytes = object->bytes;
		conflict.source = mx_slice(try->r->source->source);
		conflict.first_seen_ms = try->now_ms;
		audit(try, "conflict", object->keys[i].id);
	} else if (rc) {
		return rc;
	}
	conflict.count++;
	conflict.last_seen_ms = try->now_ms;
	key_db_conflict_put(&try->db, &conflict);
	if (!try->r->conflict_id.ptr)
		try->r->conflict_id = object->keys[i].id;
	return 0;
}

/* One bad id refuses the whole object: it is not the server's, or the server is not itself. */
static int record_conflict(struct try *try, const struct ids *ids, struct key_db_server *row)
{
	for (size_t i = 0; i < try->r->object->keys_len; i++) {
		int rc = is_conflict(try, ids, i) ? keep_conflict(try, ids, i, row) : 0;

		if (rc)
			return rc;
	}
	if (try->r->new_conflicts)
		key_db_server_put(&try->db, try->server, row);
	try->r->outcome = KEY_OUTCOME_CONFLICT;
	try->write = true;
	return 0;
}

static void put_version(struct try *try, const struct ids *ids, struct key_db_server *row)
{
	const struct key_object *object = try->r->object;
	struct key_db_version version = {
		.number = row->last_number + 1,
		.content_digest = mx_slice_of(try->digest, sizeof(try->digest)),
		.first_seen_ms = try->now_ms,
		.last_seen_ms = try->seen_ms,
		.renewals = 1,
		.keys = object->keys,
		.keys_len = object->keys_len,
	};

	take_object(try, &version);
	row->last_number = version.number;
	row->versions++;
	key_db_version_put(&try->db, try->server, &version);
	key_db_content_put(&try->db, try->server, &version);
	for (size_t i = 0; i < object->keys_len; i++) {
		struct key_db_id id = { .number = version.number, .first_seen_ms = try->now_ms };

		memcpy(id.public_key, object->keys[i].public_key, 32);
		if (!ids->known[i])
			key_db_id_put(&try->db, try->server, object->keys[i].id, &id);
		if (object->keys[i].compromised && object->keys[i].expired_ts == 0)
			audit(try, "compromised", object->keys[i].id);
	}
	key_db_server_put(&try->db, try->server, row);
	try->r->number = version.number;
	try->r->last_seen_ms = version.last_seen_ms;
}

static int record_new(struct try *try)
{
	struct key_db_server row;
	struct ids ids = { 0 };
	int rc = key_db_server_get(&try->db, try->server, &row);

	if (rc == 0)
		rc = load_ids(try, &ids);
	if (rc)
		return rc;
	if (ids.conflict)
		return record_conflict(try, &ids, &row);
	if (row.versions >= KEY_VERSIONS_MAX)
		return mx_fail(try->r->err, MX_TOO_LARGE, "%.*s has too many versions of its keys",
			       MX_SLICE_ARG(try->server));
	rc = fit_bytes(try, &row, 0, try->r->object->bytes.len);
	if (rc == 0)
		rc = seal(try);
	if (rc)
		return rc;
	try->r->first_version = row.versions == 0;
	try->r->outcome = KEY_OUTCOME_NEW;
	try->write = true;
	put_version(try, &ids, &row);
	return 0;
}

/* ---- one transaction */

static int decide(struct try *try)
{
	struct key_db_version version;
	uint64_t number;
	int rc = key_db_content_get(&try->db, try->server, try->digest, &number);

	if (rc == -MX_NOT_FOUND)
		return record_new(try);
	if (rc)
		return rc;
	rc = key_db_version_get(&try->db, try->server, number, &version);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(try->r->err, MX_STORE, "A key object of %.*s is missing",
			       MX_SLICE_ARG(try->server));
	return rc ? rc : record_known(try, &version);
}

static int try_once(struct try *try)
{
	struct key_recording *r = try->r;
	int rc;

	mx_arena_reset(r->mem);
	r->outcome = KEY_OUTCOME_REPEATED;
	r->first_version = false;
	r->new_conflicts = 0;
	r->conflict_id = (struct mx_slice){ 0 };
	try->write = false;
	try->db = (struct key_db){ .txn = store_txn_begin(r->store), .mem = r->mem, .err = r->err };
	rc = decide(try);
	if (rc == 0 && try->write)
		return store_txn_commit(try->db.txn, r->err);
	store_txn_abort(try->db.txn);
	return rc;
}

int key_record_commit(struct key_recording *recording)
{
	struct try try = { .r = recording, .server = recording->object->server };
	int rc = key_content_digest(&recording->object->doc, try.digest, recording->err);

	if (rc)
		return rc;
	try.now_ms = mx_now_ms();
	try.seen_ms = seen_at(recording, try.now_ms);
	rc = -MX_CONFLICT;
	for (unsigned tries = 0; rc == -MX_CONFLICT && tries < TRIES_MAX; tries++)
		rc = try_once(&try);
	mx_str_done(&try.sealed);
	if (rc == -MX_CONFLICT)
		return mx_fail(recording->err, MX_BUSY, "Too many write the same server's keys");
	return rc;
}
