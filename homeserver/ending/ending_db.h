/* ending: user → since when, what is bound and where. */
#pragma once

#include "homeserver/account/threepids.h"

#include <stdint.h>

struct hs_call;

struct ending_row {
	int64_t begun_ms;
	struct threepid_bindings bindings;
};

struct ending_users {
	const char **items;
	size_t len;
};

void ending_db_put(const struct hs_call *call, const char *user, const struct ending_row *row);
/* In call->mem. -MX_NOT_FOUND. */
int ending_db_get(const struct hs_call *call, const char *user, struct ending_row *ret_row);
void ending_db_delete(const struct hs_call *call, const char *user);
int ending_db_list(const struct hs_call *call, size_t limit, struct ending_users *ret_users);
