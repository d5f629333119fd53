/* threepid: (medium, address) → user, when validated, when added; user_threepid: (user, medium,
 * address) → empty; threepid_bound: (user, medium, address, identity server) → empty. */
#pragma once

#include "homeserver/account/threepids.h"

struct hs_call;
struct store_table;

extern const struct store_table *const threepids_tables[];

struct threepid_row {
	const char *user;
	int64_t validated_ms, added_ms;
};

/* Strings in call->mem. -MX_NOT_FOUND. */
int threepids_db_get(const struct hs_call *call, const struct threepid *threepid,
		     struct threepid_row *ret_row);
void threepids_db_put(const struct hs_call *call, const struct threepid *threepid,
		      const struct threepid_row *row);
void threepids_db_delete(const struct hs_call *call, const char *user,
			 const struct threepid *threepid);
/* At most limit, without the times. */
int threepids_db_list(const struct hs_call *call, const char *user, size_t limit,
		      struct account_threepids *ret_threepids);

void threepids_db_bind(const struct hs_call *call, const char *user,
		       const struct threepid_binding *binding);
void threepids_db_unbind(const struct hs_call *call, const char *user,
			 const struct threepid_binding *binding);
int threepids_db_bindings(const struct hs_call *call, const char *user, size_t limit,
			  struct threepid_bindings *ret_bindings);
