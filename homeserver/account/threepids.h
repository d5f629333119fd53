/* The e-mail addresses and phone numbers of accounts, each of one account only; and at which
 * identity servers this homeserver has bound them. */
#pragma once

#include "shared/threepid/threepid.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

#define THREEPIDS_MAX 100 /* of one account */

struct account_threepid {
	struct threepid threepid;
	int64_t validated_ms, added_ms;
};

struct account_threepids {
	struct account_threepid *items;
	size_t len;
};

/* For log-in and the like: whose address that is, in any spelling. *ret_user in call->mem.
 * -MX_NOT_FOUND; of what is no address: -MX_INVALID_EMAIL, -MX_INVALID_ADDRESS, -MX_INVALID_PARAM.
 */
int threepid_user(const struct hs_call *call, const char *medium, const char *address,
		  const char **ret_user, struct mx_error *err);

/* threepid as threepid_parse() makes it, in all of these. */

/* -MX_THREEPID_IN_USE if it is another account's; one's own is validated again.
 * -MX_RESOURCE_LIMIT past THREEPIDS_MAX. */
int threepids_add(const struct hs_call *call, const char *user,
		  const struct account_threepid *added, struct mx_error *err);
/* -MX_THREEPID_NOT_FOUND if the account has no such address. */
int threepids_remove(const struct hs_call *call, const char *user, const struct threepid *threepid,
		     struct mx_error *err);
/* In the order of media and addresses; in call->mem. */
int threepids_list(const struct hs_call *call, const char *user,
		   struct account_threepids *ret_threepids);

/* ---- what was bound through us, so that it can be unbound without being told where */

struct threepid_binding {
	struct threepid threepid;
	const char *id_server; /* host, and port if it has one */
};

struct threepid_bindings {
	struct threepid_binding *items;
	size_t len;
};

void threepids_bound(const struct hs_call *call, const char *user,
		     const struct threepid_binding *binding);
void threepids_unbound(const struct hs_call *call, const char *user,
		       const struct threepid_binding *binding);
int threepids_bindings(const struct hs_call *call, const char *user,
		       struct threepid_bindings *ret_bindings);

/* All rows of an account go. */
int threepids_forget(const struct hs_call *call, const char *user);
