/* Addresses as they may be shown to a whole room. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

/* Appends "ali...@exa..." of "alice@example.com": at most so many letters of each side of the
 * first '@', and never all of one. */
void redact_address(struct mx_slice address, unsigned local_max, unsigned domain_max,
		    struct mx_str *out);
