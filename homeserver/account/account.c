#include "homeserver/account/account.h"

#include "homeserver/account/account_db.h"
#include "homeserver/call.h"
#include "shared/core/error.h"

int account_load(const struct hs_call *call, struct mx_slice user, struct account *ret_account)
{
	return account_db_load(call, user, ret_account);
}

bool account_exists(const struct hs_call *call, struct mx_slice user)
{
	struct account account;

	return account_load(call, user, &account) == 0;
}

unsigned account_flags(const struct hs_call *call, struct mx_slice user)
{
	struct account account;

	return account_load(call, user, &account) == 0 ? account.flags : 0;
}

int account_set_password(const struct hs_call *call, const char *user, const char *password)
{
	struct account account;
	int rc = account_load(call, mx_slice(user), &account);

	if (rc)
		return rc;
	account.password = password;
	account_db_put(call, &account);
	return 0;
}

int account_set_flags(const struct hs_call *call, const char *user, unsigned set, unsigned clear)
{
	struct account account;
	unsigned flags;
	int rc = account_load(call, mx_slice(user), &account);

	if (rc)
		return rc;
	flags = (account.flags & ~clear) | set;
	if (flags == account.flags)
		return 0;
	account.flags = flags;
	account_db_put(call, &account);
	return 0;
}

int account_list(const struct hs_call *call, const struct page *page, struct account_list *ret_list)
{
	return account_db_list(call, page, ret_list);
}

int account_check_login(const struct account *account, struct mx_error *err)
{
	if (account->flags & ACCOUNT_DEACTIVATED)
		return mx_fail(err, MX_USER_DEACTIVATED, "This account has been deactivated");
	if (account->flags & ACCOUNT_LOCKED)
		return mx_fail(err, MX_USER_LOCKED, "This account has been locked");
	return 0;
}

int account_check_admin(const struct hs_call *call, const char *user, struct mx_error *err)
{
	if (!(account_flags(call, mx_slice(user)) & ACCOUNT_ADMIN))
		return mx_fail(err, MX_FORBIDDEN, "You are not a server administrator");
	return 0;
}
