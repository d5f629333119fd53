#include "homeserver/userdata/account_data.h"

#include "homeserver/call.h"
#include "homeserver/stream/stream.h"
#include "homeserver/userdata/account_data_db.h"
#include "shared/core/error.h"

#include <stdlib.h>

int account_data_load(const struct hs_call *call, const struct account_data_key *key,
		      struct mx_slice *ret_content)
{
	struct account_data data;
	int rc = account_data_db_load(call, key, &data);

	if (rc == 0)
		*ret_content = data.content;
	return rc;
}

static void note(const struct hs_call *call, const struct account_data_key *key)
{
	const struct stream_entry entry = {
		.kind = STREAM_ACCOUNT_DATA,
		.room = key->room,
		.user = mx_slice(key->user_id),
		.is_private = true,
	};

	stream_note(call->txn, &entry);
}

static int check_sizes(const struct account_data_key *key, struct mx_slice content,
		       struct mx_error *err)
{
	size_t len = strlen(key->type);

	if (len == 0 || len > ACCOUNT_DATA_TYPE_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A type has 1 to %d bytes",
			       ACCOUNT_DATA_TYPE_MAX);
	if (content.len > ACCOUNT_DATA_BYTES_MAX)
		return mx_fail(err, MX_TOO_LARGE, "Account data may have %d bytes",
			       ACCOUNT_DATA_BYTES_MAX);
	return 0;
}

static int check_count(const struct hs_call *call, const struct account_data_key *key,
		       struct mx_error *err)
{
	struct account_data_list list;
	int rc = account_data_db_list(call, key->user_id, key->room, ACCOUNT_DATA_TYPES_MAX, &list);

	if (rc == 0 && list.len == ACCOUNT_DATA_TYPES_MAX)
		return mx_fail(err, MX_TOO_MANY, "There may be %d types of account data here",
			       ACCOUNT_DATA_TYPES_MAX);
	return rc;
}

int account_data_put(const struct hs_call *call, const struct account_data_key *key,
		     struct mx_slice content, struct mx_error *err)
{
	struct account_data old = { 0 };
	int rc = check_sizes(key, content, err);

	if (rc == 0)
		rc = account_data_db_load(call, key, &old);
	if (rc == -MX_NOT_FOUND)
		rc = check_count(call, key, err);
	if (rc)
		return rc;
	account_data_db_put(call->txn, key, content, old.position);
	note(call, key);
	return 0;
}

/* ---- what changed */

static int by_position(const void *a_ptr, const void *b_ptr)
{
	const struct account_data *a = a_ptr, *b = b_ptr;

	return a->position < b->position ? -1 : a->position > b->position;
}

static void sort(struct account_data_list *list)
{
	qsort(list->items, list->len, sizeof(*list->items), by_position);
}

/* The log says where to look. */
static int load_logged(const struct hs_call *call, const char *user_id, const uint32_t *room,
		       struct account_data_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->len; i++) {
		const struct account_data *logged = &list->items[i];
		const struct account_data_key key = {
			.user_id = user_id,
			.room = logged->room,
			.type = logged->type.ptr,
		};
		int rc;

		if (room && logged->room != *room)
			continue;
		rc = account_data_db_load(call, &key, &list->items[kept]);
		if (rc && rc != -MX_NOT_FOUND)
			return rc;
		kept += rc == 0;
	}
	list->len = kept;
	return 0;
}

int account_data_changed(const struct hs_call *call, const char *user_id, uint64_t after,
			 struct account_data_list *ret_list)
{
	int rc;

	if (after) {
		rc = account_data_db_log(call, user_id, after, ret_list);
		return rc ? rc : load_logged(call, user_id, NULL, ret_list);
	}
	rc = account_data_db_list_all(call, user_id, ret_list);
	if (rc == 0)
		sort(ret_list);
	return rc;
}

int account_data_changed_in(const struct hs_call *call, const char *user_id, uint32_t room,
			    uint64_t after, struct account_data_list *ret_list)
{
	int rc;

	if (after) {
		rc = account_data_db_log(call, user_id, after, ret_list);
		return rc ? rc : load_logged(call, user_id, &room, ret_list);
	}
	rc = account_data_db_list(call, user_id, room, ACCOUNT_DATA_TYPES_MAX, ret_list);
	if (rc == 0)
		sort(ret_list);
	return rc;
}

/* ---- many at once */

int account_data_copy_room(const struct hs_call *call, const char *user_id, uint32_t from,
			   uint32_t to)
{
	struct account_data_list list;
	int rc = account_data_db_list(call, user_id, from, ACCOUNT_DATA_TYPES_MAX, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++) {
		const struct account_data_key key = {
			.user_id = user_id,
			.room = to,
			.type = list.items[i].type.ptr,
		};

		if (!mx_slice_is(list.items[i].type, "m.fully_read"))
			rc = account_data_put(call, &key, list.items[i].content, NULL);
	}
	return rc;
}

int account_data_erase(const struct hs_call *call, const char *user_id)
{
	struct account_data_list list;
	int rc = account_data_db_list_all(call, user_id, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++) {
		const struct account_data_key key = {
			.user_id = user_id,
			.room = list.items[i].room,
			.type = list.items[i].type.ptr,
		};

		account_data_db_delete(call->txn, &key, list.items[i].position);
	}
	return rc;
}
