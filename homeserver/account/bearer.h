/* The token of a request. Spec: client-server API, "Using access tokens". */
#pragma once

#include "shared/core/slice.h"

struct req;

/* Of `Authorization: Bearer`, else of `?access_token=`; in r->mem. -MX_MISSING_TOKEN;
 * -MX_UNKNOWN_TOKEN for an empty one; -MX_INVALID_PARAM if there are two. */
int bearer_token(struct req *r, struct mx_slice *ret_token);
