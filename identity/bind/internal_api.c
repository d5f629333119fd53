/* Binds and unbinds of the operator's own programs. */
#include "identity/audit/audit.h"
#include "identity/bind/bind.h"
#include "identity/bind/internal.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int parse(struct req *r, struct threepid *ret_threepid)
{
	int rc = internal_check(r);

	return rc ? rc
		  : threepid_parse(jstr(r->body, "medium"), jstr(r->body, "address"), r->mem,
				   ret_threepid, &r->err);
}

static void note(const struct identity_call *call, const char *what,
		 const struct threepid *threepid, const char *user_id)
{
	audit_note(call, &(struct audit_note){ .who = "internal",
					       .what = what,
					       .threepid = threepid,
					       .user_id = user_id });
}

static int post_bind(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct threepid threepid;
	struct binding binding;
	int rc = parse(r, &threepid);

	if (rc == 0)
		rc = bind_directly(&call, &threepid, jstr(r->body, "mxid"), &binding, &r->err);
	if (rc)
		return rc;
	note(&call, "bind", &threepid, binding.user_id);
	reply_bytes(r, "application/json", binding.signed_json);
	return 0;
}

static int post_unbind(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct threepid threepid;
	const char *user_id = jstr(r->body, "mxid");
	int rc = parse(r, &threepid);

	if (rc == 0)
		rc = unbind(&call, &threepid, user_id, NULL, &r->err);
	if (rc == 0)
		note(&call, "unbind", &threepid, user_id);
	return rc;
}

#define INTERNAL     "/_matrix/identity/internal"
#define INTERNAL_ROW .limit = LIMIT_EDIT, .txn = TXN_WRITE, .body = "identity/internal"

const struct route internal_routes[] = {
	{ POST, INTERNAL "/bind", post_bind, INTERNAL_ROW, .reply = "identity/bind.reply" },
	{ POST, INTERNAL "/unbind", post_unbind, INTERNAL_ROW, .reply = "identity/empty" },
	{ 0 },
};
