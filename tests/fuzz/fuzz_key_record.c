/* Stored rows of the key history from arbitrary bytes: the first byte says which table's. What
 * unpacks must pack to a row that says the same. */
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/keys/key_backoff_db.h"
#include "shared/keys/key_history_rows.h"
#include "shared/keys/key_renewal.h"
#include "tests/fuzz/fuzz.h"

static void try_version(struct mx_slice value, struct mx_arena *mem)
{
	struct key_db_version row, again;
	mx_str_auto packed = { 0 };

	if (!key_version_decode(value, mem, &row))
		return;
	key_version_encode(&packed, &row);
	FUZZ_ASSERT(key_version_decode(mx_str_slice(&packed), mem, &again));
	FUZZ_ASSERT(again.number == row.number && again.keys_len == row.keys_len);
	FUZZ_ASSERT(mx_slice_eq(again.bytes, row.bytes) && mx_slice_eq(again.sealed, row.sealed));
	for (size_t i = 0; i < row.keys_len; i++)
		FUZZ_ASSERT(mx_slice_eq(again.keys[i].id, row.keys[i].id));
}

static void try_renewal(struct mx_slice value)
{
	struct key_db_renewal row, again;
	mx_str_auto packed = { 0 };

	if (!key_renewal_decode(value, &row))
		return;
	key_renewal_encode(&packed, &row);
	FUZZ_ASSERT(key_renewal_decode(mx_str_slice(&packed), &again));
	FUZZ_ASSERT(again.valid_until_ts == row.valid_until_ts && again.renewal == row.renewal);
	FUZZ_ASSERT(mx_slice_eq(again.signatures, row.signatures));
}

static void try_conflict(struct mx_slice value)
{
	struct key_conflict row, again;
	mx_str_auto packed = { 0 };

	if (!key_conflict_decode(value, &row))
		return;
	key_conflict_encode(&packed, &row);
	FUZZ_ASSERT(key_conflict_decode(mx_str_slice(&packed), &again));
	FUZZ_ASSERT(again.count == row.count && mx_slice_eq(again.bytes, row.bytes));
}

static void try_small(struct mx_slice value)
{
	struct key_db_server server;
	struct key_db_id id;
	struct key_audit audit;
	struct key_backoff_row backoff;
	mx_str_auto packed = { 0 };

	if (key_server_decode(value, &server))
		key_server_encode(&packed, &server);
	if (key_id_decode(value, &id))
		key_id_encode(&packed, &id);
	if (key_audit_decode(value, &audit))
		key_audit_encode(&packed, &audit);
	(void)key_backoff_decode(value, &backoff);
}

/* Canonical bytes of an object split and joined give themselves. */
static void try_object(struct mx_slice bytes, struct mx_arena *mem)
{
	struct key_db_renewal parts;
	mx_str_auto joined = { 0 }, again = { 0 };

	if (!key_object_split(bytes, mem, &parts))
		return;
	FUZZ_ASSERT(key_object_join(bytes, &parts, mem, &joined));
	FUZZ_ASSERT(key_object_join(mx_str_slice(&joined), &parts, mem, &again));
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&joined), mx_str_slice(&again)));
	(void)key_signatures_count(parts.signatures, MX_SLICE("a.example"), mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice value = size ? mx_slice_of(data + 1, size - 1) : MX_SLICE("");

	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0: try_version(value, mem); break;
	case 1: try_renewal(value); break;
	case 2: try_conflict(value); break;
	case 3: try_small(value); break;
	default: try_object(value, mem); break;
	}
	return 0;
}
