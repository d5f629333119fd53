/* From a hash back to its address, for the operator who has a hash from a log or a report. */
#include "identity/binding/binding.h"
#include "identity/binding/lookup_db.h"
#include "identity/binding/lookup_hash.h"
#include "identity/binding/pepper.h"
#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"

static int find_user(const struct identity_call *call, uint64_t generation, const uint8_t *hash,
		     const char **ret_user_id)
{
	uint8_t copy[1][LOOKUP_HASH_LEN];
	const struct lookup_hashes hashes = { generation, copy, 1 };
	struct lookup_entry entry;
	int rc;

	memcpy(copy[0], hash, LOOKUP_HASH_LEN);
	rc = lookup_db_get_many(call->view, &hashes, call->mem, &entry);
	if (rc == 0)
		*ret_user_id = entry.user_id;
	return rc ? rc : (entry.user_id ? 0 : -MX_NOT_FOUND);
}

/* The table of hashes knows users only: which of this one's addresses is it? */
static bool find_address(const struct binding_list *list, const char *pepper, const uint8_t *hash,
			 struct threepid *ret_threepid)
{
	uint8_t other[LOOKUP_HASH_LEN];

	for (size_t i = 0; i < list->len; i++) {
		lookup_hash(&list->items[i], pepper, other);
		if (memcmp(hash, other, LOOKUP_HASH_LEN) == 0) {
			*ret_threepid = list->items[i];
			return true;
		}
	}
	return false;
}

static int find_with(const struct identity_call *call, const struct pepper_row *pepper,
		     const uint8_t *hash, struct threepid *ret_threepid)
{
	struct page page = { .limit = PAGE_MAX };
	struct binding_list list;
	const char *user_id;
	int rc = find_user(call, pepper->generation, hash, &user_id);

	do {
		if (rc == 0)
			rc = binding_of_user(call, user_id, &page, &list);
		if (rc)
			return rc;
		if (find_address(&list, pepper->text, hash, ret_threepid))
			return 0;
		page.after = list.next;
	} while (list.next.len);
	return -MX_NOT_FOUND;
}

static struct pepper_rows copy_peppers(struct pepper *pepper)
{
	struct pepper_rows rows;

	pthread_mutex_lock(&pepper->lock);
	rows = pepper->rows;
	pthread_mutex_unlock(&pepper->lock);
	return rows;
}

int binding_of_hash(const struct identity_call *call, struct mx_slice text,
		    struct threepid *ret_threepid, struct mx_error *err)
{
	const struct pepper_rows rows = copy_peppers(call->identity->pepper);
	uint8_t hash[LOOKUP_HASH_LEN];
	int rc = -MX_NOT_FOUND;

	if (!lookup_hash_parse(text, hash))
		return mx_fail(err, MX_INVALID_PARAM, "That is no hash of a look-up");
	for (size_t i = 0; rc == -MX_NOT_FOUND && i < rows.len; i++)
		if (rows.items[i].state != PEPPER_RETIRED)
			rc = find_with(call, &rows.items[i], hash, ret_threepid);
	return rc ? mx_fail(err, (enum mx_code) - rc, "No bound address has this hash") : 0;
}
