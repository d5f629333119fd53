/* Long lists of the admin listener, page by page. */
#pragma once

#include "shared/store/page.h"

#include <jansson.h>

struct req;

/* Where the paths of a daemon's own begin. */
#define ADMIN_V1 "/admin/v1"

/* Of the query: limit and after. -MX_INVALID_PARAM. */
int admin_page(struct req *r, struct page *ret_page);
/* Puts `next` into a list's answer unless it is the last page. */
void admin_put_next(json_t *answer, struct mx_slice next);
