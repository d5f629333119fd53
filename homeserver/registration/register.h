/* How accounts come to be: what they are called, and that they are there. */
#pragma once

struct account;
struct hs_call;
struct mx_error;

/* The user id of a wished name, in call->mem: -MX_INVALID_USERNAME, -MX_USER_IN_USE,
 * -MX_EXCLUSIVE. */
int register_name(const struct hs_call *call, const char *name, const char **ret_user,
		  struct mx_error *err);
/* One that nobody has. */
const char *register_free_name(const struct hs_call *call);

/* -MX_USER_IN_USE, also when somebody else makes it at the same moment: the commit is run again. */
int register_account(const struct hs_call *call, const struct account *account,
		     struct mx_error *err);
