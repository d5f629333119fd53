#include "homeserver/account/threepids.h"

#include "homeserver/account/threepids_db.h"
#include "homeserver/call.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#define BINDINGS_MAX (10 * THREEPIDS_MAX)

int threepid_user(const struct hs_call *call, const char *medium, const char *address,
		  const char **ret_user, struct mx_error *err)
{
	struct threepid threepid;
	struct threepid_row row;
	int rc = threepid_parse(medium, address, call->mem, &threepid, err);

	if (rc == 0)
		rc = threepids_db_get(call, &threepid, &row);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "No account has this address");
	if (rc == 0)
		*ret_user = row.user;
	return rc;
}

static int check_room(const struct hs_call *call, const char *user, struct mx_error *err)
{
	struct account_threepids all;
	int rc = threepids_db_list(call, user, THREEPIDS_MAX, &all);

	if (rc == 0 && all.len == THREEPIDS_MAX)
		return mx_fail(err, MX_RESOURCE_LIMIT, "An account has at most %d addresses",
			       THREEPIDS_MAX);
	return rc;
}

int threepids_add(const struct hs_call *call, const char *user,
		  const struct account_threepid *added, struct mx_error *err)
{
	struct threepid_row row;
	int rc = threepids_db_get(call, &added->threepid, &row);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0 && !streq(row.user, user))
		return mx_fail(err, MX_THREEPID_IN_USE, "The address is another account's");
	if (rc) {
		row = (struct threepid_row){ .user = user, .added_ms = added->added_ms };
		rc = check_room(call, user, err);
	}
	if (rc)
		return rc;
	row.validated_ms = added->validated_ms;
	threepids_db_put(call, &added->threepid, &row);
	return 0;
}

int threepids_remove(const struct hs_call *call, const char *user, const struct threepid *threepid,
		     struct mx_error *err)
{
	struct threepid_row row;
	int rc = threepids_db_get(call, threepid, &row);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || !streq(row.user, user))
		return mx_fail(err, MX_THREEPID_NOT_FOUND, "The account has no such address");
	threepids_db_delete(call, user, threepid);
	return 0;
}

int threepids_list(const struct hs_call *call, const char *user,
		   struct account_threepids *ret_threepids)
{
	int rc = threepids_db_list(call, user, THREEPIDS_MAX, ret_threepids);

	for (size_t i = 0; rc == 0 && i < ret_threepids->len; i++) {
		struct account_threepid *item = &ret_threepids->items[i];
		struct threepid_row row;

		rc = threepids_db_get(call, &item->threepid, &row);
		if (rc == 0) {
			item->validated_ms = row.validated_ms;
			item->added_ms = row.added_ms;
		}
	}
	return rc == -MX_NOT_FOUND ? -MX_STORE : rc;
}

void threepids_bound(const struct hs_call *call, const char *user,
		     const struct threepid_binding *binding)
{
	threepids_db_bind(call, user, binding);
}

void threepids_unbound(const struct hs_call *call, const char *user,
		       const struct threepid_binding *binding)
{
	threepids_db_unbind(call, user, binding);
}

int threepids_bindings(const struct hs_call *call, const char *user,
		       struct threepid_bindings *ret_bindings)
{
	return threepids_db_bindings(call, user, BINDINGS_MAX, ret_bindings);
}

int threepids_forget(const struct hs_call *call, const char *user)
{
	struct account_threepids all;
	struct threepid_bindings bindings;
	int rc = threepids_db_list(call, user, THREEPIDS_MAX, &all);

	if (rc == 0)
		rc = threepids_bindings(call, user, &bindings);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.len; i++)
		threepids_db_delete(call, user, &all.items[i].threepid);
	for (size_t i = 0; i < bindings.len; i++)
		threepids_db_unbind(call, user, &bindings.items[i]);
	return 0;
}
