/* Spec: client-server API, "Filtering". */
#include "homeserver/call.h"
#include "homeserver/routes.h"
#include "homeserver/userdata/filter.h"
#include "homeserver/userdata/filter_db.h"
#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/http/request.h"

#define FILTER_ID_BYTES 12

static int check_own(struct req *r)
{
	if (!streq(req_param(r, "userId"), r->user))
		return mx_fail(&r->err, MX_FORBIDDEN, "Filters are their user's alone");
	return 0;
}

/* The same filter has the same id: clients that upload theirs at every start store one. */
static void filter_id_add(struct mx_str *id, struct mx_slice json)
{
	uint8_t digest[MX_SHA256_LEN];

	mx_sha256(json, digest);
	mx_base64url_add(id, digest, FILTER_ID_BYTES);
}

static int post_filter(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct filter *filter = NULL;
	mx_str_auto id = { 0 };
	int rc = check_own(r);

	if (rc == 0)
		rc = filter_parse(r->raw, &filter, &r->err);
	filter_unref(filter);
	if (rc)
		return rc;
	filter_id_add(&id, r->raw);
	rc = filter_db_add(&call, r->user, id.ptr, r->raw, &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:s}", "filter_id", id.ptr));
	return rc;
}

static int get_filter(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct mx_slice json;
	int rc = check_own(r);

	if (rc == 0)
		rc = filter_db_load(&call, r->user, req_param(r, "filterId"), &json);
	if (rc == 0)
		reply_bytes(r, "application/json", json);
	return rc;
}

#define FILTERS CLIENT_V3 "/user/{userId:user_id}/filter"

const struct route filter_routes[] = {
	{ POST, FILTERS, post_filter, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_EDIT,
	  .txn = TXN_WRITE, .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED,
	  .body = "client/filter", .reply = "client/filter_id.reply", .body_max = FILTER_BYTES_MAX,
	  .nodes_max = FILTER_NODES_MAX },
	{ GET, FILTERS "/{filterId}", get_filter, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED,
	  .reply = "client/filter.reply" },
	{ 0 },
};
