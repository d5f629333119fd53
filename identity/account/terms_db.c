#include "identity/account/terms_db.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/crypto/sha256.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#define RECORD_VERSION 1

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
