/* Who asks, by the access token. Spec: identity service API, "Authentication". */
#pragma once

struct req;

/* Of `Authorization: Bearer`, else of a GET's `access_token`; NULL if there is none. In r->mem. */
const char *bearer_token(struct req *r);

/* For the daemon: fills r->user, or -MX_UNAUTHORIZED, or -MX_TERMS_NOT_SIGNED for rows without
 * ROUTE_BEFORE_TERMS. */
int account_authenticate(struct req *r);
