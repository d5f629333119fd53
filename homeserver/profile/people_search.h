/* Who is found by a part of their name. Spec: client-server API, "User Directory". */
#pragma once

#include "homeserver/profile/people_db.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_call;

#define PEOPLE_SEARCH_MAX     50 /* results */
#define PEOPLE_SEARCH_DEFAULT 10

struct people_search {
	const char *viewer;
	struct mx_slice term; /* words, each of which is in the user id or the display name */
	size_t limit; /* at most PEOPLE_SEARCH_MAX */
};

struct people_found {
	struct person_row *items; /* the best first */
	size_t len;
	bool limited; /* there are more */
};

/* Local users whom the viewer may see (see acquaintance.h), or by configuration all. */
int people_search(const struct hs_call *call, const struct people_search *search,
		  struct people_found *ret_found);

/* The user is found by what the profile says now; there must be a transaction. */
int people_update(const struct hs_call *call, const char *user_id);
