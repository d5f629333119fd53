/* Records of filters: what users uploaded, as it came. */
#pragma once

#include "shared/core/slice.h"

struct hs_call;
struct mx_error;
struct store_table;

extern const struct store_table *const filter_tables[]; /* NULL-ended */

#define FILTERS_MAX 1000 /* of one user */

/* The JSON, in call->mem. -MX_NOT_FOUND. */
int filter_db_load(const struct hs_call *call, const char *user_id, const char *filter_id,
		   struct mx_slice *ret_json);
/* With a txn: all of the user's. */
int filter_db_erase(const struct hs_call *call, const char *user_id);
/* With a txn. Does nothing if it is there. -MX_RESOURCE_LIMIT if the user has too many. */
int filter_db_add(const struct hs_call *call, const char *user_id, const char *filter_id,
		  struct mx_slice json, struct mx_error *err);
