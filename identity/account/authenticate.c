#include "identity/account/authenticate.h"

#include "identity/account/account.h"
#include "identity/account/terms.h"
#include "identity/homeservers.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#include <strings.h>

#define SCHEME     "Bearer "
#define SCHEME_LEN (sizeof(SCHEME) - 1)

/* A wrong header is not made good by the query: one request, one identity. */
const char *bearer_token(struct req *r)
{
	const char *header = req_header(r, "Authorization");
	struct mx_slice token;

	if (!header)
		return r->method == GET ? req_query(r, "access_token") : NULL;
	if (strncasecmp(header, SCHEME, SCHEME_LEN) != 0)
		return NULL;
	token = mx_trim(mx_slice(header + SCHEME_LEN));
	return token.len ? mx_arena_strndup(r->mem, token.ptr, token.len) : NULL;
}

static int look(struct req *r, struct store_view *view, const char *token,
		struct account *ret_account)
{
	struct identity *identity = r->app;
	int rc = account_by_token(view, token, mx_now_ms(), r->mem, ret_account, &r->err);

	if (rc == 0)
		rc = homeserver_check_user(identity, ret_account->user_id, &r->err);
	if (rc || (r->route->flags & ROUTE_BEFORE_TERMS))
		return rc;
	return terms_check(identity->terms, view, ret_account->user_id, &r->err);
}

int account_authenticate(struct req *r)
{
	struct identity *identity = r->app;
	const char *token = bearer_token(r);
	struct account account;
	struct store_view *view;
	int rc;

	if (req_query_twice(r, "access_token"))
		return mx_fail(&r->err, MX_INVALID_PARAM, "access_token is there twice");
	if (!token)
		return mx_fail(&r->err, MX_UNAUTHORIZED, "An access token is needed");
	if (r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	view = store_view_begin(identity->store);
	rc = look(r, view, token, &account);
	store_view_end(view);
	if (rc)
		return rc;
	if (mx_now_ms() - account.seen_ms > ACCOUNT_SEEN_MS)
		account_seen(identity->store, token, mx_now_ms());
	r->user = account.user_id;
	return 0;
}
