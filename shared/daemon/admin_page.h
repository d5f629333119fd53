/* Long lists of the admin listener, page by page. */
#pragma once

#include "shared/store/page.h"

#include <jansson.h>

struct req;

/* Where the paths of a daemon's own begin. */
#define ADMIN_V1 "/admin/v1"

/* Of the query: limit and after. -MX_INVALID_PARAM. */
int admin_page(struct req *r, struct page *ret_page);
/* Takes the answer, and says in it where the next page begins, unless it is the last one. */
void admin_reply_page(struct req *r, json_t *answer, struct mx_slice next);
