/* Whom a user does not want to hear of. Spec: client-server API, "Ignoring Users". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct hs_call;

/* `{ 0 }` ignores nobody. */
struct ignored {
	const struct mx_slice *users; /* sorted */
	size_t len;
};

/* As it is now, in call->mem: one row is read. What is no such list ignores nobody. */
int ignored_load(const struct hs_call *call, const char *user_id, struct ignored *ret_ignored);
bool ignored_has(const struct ignored *ignored, struct mx_slice user_id);
