#include "identity/audit/audit.h"

#include "identity/audit/audit_db.h"
#include "identity/identity.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/store/store.h"

#include <sodium.h>

#define ALIAS_BYTES (AUDIT_ALIAS_LEN / 4 * 3)

struct audit {
	uint8_t key[AUDIT_KEY_LEN];
};

/* ---- life */

/* The one that is there wins: a service that shares the store may have made it just now. */
static int load_or_make(struct store *store, uint8_t ret_key[AUDIT_KEY_LEN], struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(store);
	int rc = audit_db_load_key(txn, mem, ret_key);

	if (rc == -MX_NOT_FOUND) {
		mx_random_bytes(ret_key, AUDIT_KEY_LEN);
		audit_db_put_key(txn, ret_key);
		return store_txn_commit(txn, err);
	}
	store_txn_abort(txn);
	return rc ? mx_fail(err, MX_STORE, "The key of the audit log cannot be read") : 0;
}

int audit_new(struct store *store, struct audit **ret_audit, struct mx_error *err)
{
	struct audit *audit = mx_calloc(1, sizeof(*audit));
	int rc = load_or_make(store, audit->key, err);

	if (rc == -MX_CONFLICT)
		rc = load_or_make(store, audit->key, err);
	if (rc) {
		audit_free(audit);
		return rc;
	}
	*ret_audit = audit;
	return 0;
}

void audit_free(struct audit *audit)
{
	if (audit)
		sodium_memzero(audit->key, sizeof(audit->key));
	mx_free(audit);
}

/* ---- hashes */

/* The hash is cut short, so nobody can append to what it was made of. */
static void make_alias(const struct audit *audit, const char *kind, const char *name,
		       char ret_alias[AUDIT_ALIAS_LEN + 1])
{
	uint8_t digest[MX_SHA256_LEN];
	mx_str_auto text = { 0 };
	mx_str_auto alias = { 0 };

	mx_str_add(&text, audit->key, sizeof(audit->key));
	mx_str_addf(&text, "%s %s", kind, name);
	mx_sha256(mx_str_slice(&text), digest);
	sodium_memzero(text.ptr, text.len);
	mx_base64url_add(&alias, digest, ALIAS_BYTES);
	memcpy(ret_alias, alias.ptr, AUDIT_ALIAS_LEN + 1);
}

void audit_threepid_alias(const struct audit *audit, const struct threepid *threepid,
			  char ret_alias[AUDIT_ALIAS_LEN + 1])
{
	make_alias(audit, threepid->medium, threepid->address, ret_alias);
}

void audit_user_alias(const struct audit *audit, const char *user_id,
		      char ret_alias[AUDIT_ALIAS_LEN + 1])
{
	make_alias(audit, "user", user_id, ret_alias);
}

/* ---- entries */

void audit_note(const struct identity_call *call, const struct audit_note *note)
{
	char threepid[AUDIT_ALIAS_LEN + 1] = "", user[AUDIT_ALIAS_LEN + 1] = "";
	const struct audit *audit = call->identity->audit;
	const struct audit_entry entry = {
		.at_ms = call->now_ms,
		.who = note->who,
		.what = note->what,
		.reason = note->reason,
		.threepid = threepid,
		.user = user,
		.thing = note->thing,
	};

	if (note->threepid)
		audit_threepid_alias(audit, note->threepid, threepid);
	if (note->user_id)
		audit_user_alias(audit, note->user_id, user);
	audit_db_add(call->txn, &entry);
}

struct alias {
	char text[AUDIT_ALIAS_LEN + 1];
};

struct wanted {
	struct alias user; /* "": of any */
	struct alias *threepids;
	size_t len;
};

static struct wanted wanted_by(const struct identity_call *call, const struct audit_filter *filter)
{
	const struct audit *audit = call->identity->audit;
	struct wanted wanted = { .len = filter->threepids_len };

	wanted.threepids = mx_arena_calloc(call->mem, wanted.len + 1, sizeof(*wanted.threepids));
	for (size_t i = 0; i < wanted.len; i++)
		audit_threepid_alias(audit, &filter->threepids[i], wanted.threepids[i].text);
	if (filter->user_id)
		audit_user_alias(audit, filter->user_id, wanted.user.text);
	return wanted;
}

static bool is_wanted(const struct wanted *wanted, const struct audit_entry *entry)
{
	if (wanted->len == 0 && !*wanted->user.text)
		return true;
	if (*wanted->user.text && streq(wanted->user.text, entry->user))
		return true;
	for (size_t i = 0; i < wanted->len; i++)
		if (streq(wanted->threepids[i].text, entry->threepid))
			return true;
	return false;
}

int audit_list(const struct identity_call *call, const struct audit_filter *filter,
	       const struct page *page, struct audit_list *ret_list)
{
	const struct wanted wanted = wanted_by(call, filter);
	struct audit_list list;
	size_t kept = 0;
	int rc = audit_db_list(call, filter->since_ms, page, &list);

	if (rc)
		return rc;
	for (size_t i = 0; i < list.len; i++)
		if (is_wanted(&wanted, &list.items[i]))
			list.items[kept++] = list.items[i];
	list.len = kept;
	*ret_list = list;
	return 0;
}

size_t audit_reap(struct store *store, int64_t before_ms, size_t limit)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(store);
	size_t reaped = audit_db_delete(txn, before_ms, limit, mem);

	return store_txn_commit(txn, NULL) == 0 ? reaped : 0;
}
