/* What the handlers of the admin listener have in common. */
#pragma once

#include "identity/audit/audit.h"
#include "shared/daemon/admin_page.h"
#include "shared/threepid/threepid.h"

#include <jansson.h>

struct identity_call;
struct req;

/* Of the path: {medium} and {address}. -MX_INVALID_EMAIL, -MX_INVALID_ADDRESS, -MX_INVALID_PARAM.
 */
int admin_threepid(struct req *r, struct threepid *ret_threepid);
/* A number of the path. -MX_NOT_FOUND: nothing has a number like that. */
int admin_number(struct req *r, const char *name, uint64_t *ret_number);

/* Notes what was done: whoever asked, and the reason of the body. */
void admin_note(struct req *r, const struct identity_call *call, const struct audit_note *what);
