#include "identity/account/terms_db.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/crypto/sha256.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"
#include "shared/store/store_reader.h"

#define RECORD_VERSION 1
/* Of one user; only URLs of documents are accepted, so it takes decades to reach it. */
#define CONSENTS_MAX 10000

const struct store_table terms_table = { .name = "terms" };

/* URLs may be longer than keys. */
static struct store_key consent_key(const struct terms_consent *consent)
{
	uint8_t digest[MX_SHA256_LEN];
	struct store_key key = { 0 };
	mx_str_auto what = { 0 };

	record_put_bytes(&what, mx_slice(consent->document));
	record_put_bytes(&what, mx_slice(consent->version));
	record_put_bytes(&what, mx_slice(consent->url));
	mx_sha256(mx_str_slice(&what), digest);
	store_key_text(&key, mx_slice(consent->user_id));
	store_key_text(&key, mx_slice_of(digest, sizeof(digest)));
	return key;
}

int terms_db_add(struct store_txn *txn, const struct terms_consent *consent, bool *ret_added)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_key key = consent_key(consent);
	mx_str_auto value = { 0 };
	struct mx_slice before;
	int rc = store_txn_get(txn, &terms_table, store_key_slice(&key), mem, &before);

	*ret_added = rc == -MX_NOT_FOUND;
	if (rc != -MX_NOT_FOUND)
		return rc;
	record_begin(&value, RECORD_VERSION);
	record_put_i64(&value, consent->at_ms);
	record_put_bytes(&value, mx_slice(consent->document));
	record_put_bytes(&value, mx_slice(consent->version));
	record_put_bytes(&value, mx_slice(consent->url));
	record_put_bytes(&value, mx_slice(consent->client));
	store_txn_put(txn, &terms_table, store_key_slice(&key), mx_str_slice(&value));
	return 0;
}

int terms_db_find(struct store_view *view, const struct terms_consent *consent,
		  struct mx_arena *mem)
{
	struct store_key key = consent_key(consent);
	struct mx_slice value;

	return store_get(view, &terms_table, store_key_slice(&key), mem, &value);
}

static int read_consent(struct mx_slice value, struct mx_arena *mem, struct terms_consent *consent)
{
	struct record_reader reader = record_open(value);

	consent->at_ms = record_i64(&reader);
	consent->document = mx_arena_slice(mem, record_bytes(&reader)).ptr;
	consent->version = mx_arena_slice(mem, record_bytes(&reader)).ptr;
	consent->url = mx_arena_slice(mem, record_bytes(&reader)).ptr;
	consent->client = mx_arena_slice(mem, record_bytes(&reader)).ptr;
	return record_ok(&reader) ? 0 : -MX_STORE;
}

int terms_db_list(const struct identity_call *call, const char *user_id,
		  struct terms_consents *ret_consents)
{
	const struct store_reader reader = reader_of(call);
	struct store_key from = { 0 }, to;
	struct store_range range = { .limit = CONSENTS_MAX };
	struct store_rows rows;
	int rc;

	store_key_text(&from, mx_slice(user_id));
	store_key_range_end(&from, &to);
	range.from = store_key_slice(&from);
	range.to = store_key_slice(&to);
	rc = store_reader_scan(&reader, &terms_table, &range, &rows);
	if (rc)
		return rc;
	ret_consents->items = mx_arena_calloc(call->mem, rows.len + 1,
					      sizeof(*ret_consents->items));
	ret_consents->len = rows.len;
	for (size_t i = 0; rc == 0 && i < rows.len; i++) {
		ret_consents->items[i].user_id = user_id;
		rc = read_consent(rows.items[i].value, call->mem, &ret_consents->items[i]);
	}
	return rc;
}

void terms_db_delete(struct store_txn *txn, const struct terms_consent *consent)
{
	const struct store_key key = consent_key(consent);

	store_txn_delete(txn, &terms_table, store_key_slice(&key));
}
