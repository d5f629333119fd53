#include "homeserver/registration/register.h"

#include "homeserver/account/account.h"
#include "homeserver/account/account_db.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/profile.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/id/mxid.h"

#define FREE_NAME_LEN 12

static const char *id_of(const struct hs_call *call, const char *name)
{
	return mx_arena_strf(call->mem, "@%s:%s", name, call->hs->conf->server_name);
}

/* Keyboards write the first letter large. Spec: "map the provided `username` onto a `user_id` in a
 * logical manner". */
static const char *small(const struct hs_call *call, const char *name)
{
	char *folded = mx_arena_strdup(call->mem, name);

	for (char *c = folded; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return folded;
}

/* Names that begin with '_' are left to application services. Spec: application service API,
 * "Registration". */
static int check_name(const char *name, const char *user, struct mx_error *err)
{
	struct mx_id id;

	if (*name == '\0' || *name == '_' || !mx_user_id_parse(mx_slice(user), true, &id) ||
	    !mx_slice_is(id.localpart, name))
		return mx_fail(err, MX_INVALID_USERNAME,
			       "User names are made of a-z, 0-9 and . _ = - / + and do not begin "
			       "with _");
	return 0;
}

static int refuse_taken(struct mx_error *err)
{
	return mx_fail(err, MX_USER_IN_USE, "%s", mx_errc(MX_USER_IN_USE)->text);
}

int register_name(const struct hs_call *call, const char *name, const char **ret_user,
		  struct mx_error *err)
{
	const char *folded = small(call, name), *user = id_of(call, folded);
	int rc = check_name(folded, user, err);

	if (rc)
		return rc;
	if (account_exists(call, mx_slice(user)))
		return refuse_taken(err);
	*ret_user = user;
	return 0;
}

const char *register_free_name(const struct hs_call *call)
{
	char name[FREE_NAME_LEN + 1] = { 0 };
	const char *user;

	do {
		for (size_t i = 0; i < FREE_NAME_LEN; i++)
			name[i] = (char)('a' + mx_random_below(26));
		user = id_of(call, name);
	} while (account_exists(call, mx_slice(user)));
	return user;
}

int register_account(const struct hs_call *call, const struct account *account,
		     struct mx_error *err)
{
	struct account before;
	int rc = account_load(call, mx_slice(account->user), &before);

	if (rc == 0)
		return refuse_taken(err);
	if (rc != -MX_NOT_FOUND)
		return rc;
	account_db_put(call, account);
	return account->flags & ACCOUNT_GUEST ? 0 : profile_new(call, account->user);
}
