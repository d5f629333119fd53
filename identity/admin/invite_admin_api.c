/* The admin listener: invites of people who are not here yet. */
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

/* ---- asking */

static int read_filter(struct req *r, struct invite_filter *filter, struct threepid *threepid)
{
	const char *address = req_query(r, "address");
	int rc;

	*filter = (struct invite_filter){
		.room_id = req_query(r, "room_id"),
		.pending = streq(req_query(r, "pending"), "true"),
	};
	if (!address)
		return 0;
	if (filter->room_id)
		return mx_fail(&r->err, MX_INVALID_PARAM, "Either an address or a room");
	rc = threepid_parse("email", address, r->mem, threepid, &r->err);
	filter->threepid = threepid;
	return rc;
}

static int get_invites(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct invite_filter filter;
	struct threepid threepid;
	struct invite_page found;
	json_t *items;
	struct page page;
	int rc = read_filter(r, &filter, &threepid);

	if (rc == 0)
		rc = admin_page(r, &page);
	if (rc == 0)
		rc = invite_find(&call, &filter, &page, &found);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < found.len; i++)
		json_array_append_new(items, show_invite(&call, &found.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "invites", items), found.next);
	return 0;
}

static int reply_invite(struct req *r, const struct identity_call *call)
{
	struct invite invite;
	int rc = invite_load(call, req_param(r, "token"), &invite);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no invite with this token");
	if (rc == 0)
		reply_json(r, show_invite(call, &invite));
	return rc;
}

static int get_invite(struct req *r)
{
	const struct identity_call call = call_of(r);

	return reply_invite(r, &call);
}

/* ---- changing */

static int change(struct req *r, const char *what,
		  int (*run)(const struct identity_call *call, const char *token,
			     struct mx_error *err))
{
	const struct identity_call call = call_of(r);
	const char *token = req_param(r, "token");
	struct invite invite;
	int rc = run(&call, token, &r->err);

	if (rc == 0)
		rc = invite_load(&call, token, &invite);
	if (rc)
		return rc;
	admin_note(
		r, &call,
		&(struct audit_note){ .what = what, .threepid = &invite.threepid, .thing = token });
	return reply_invite(r, &call);
}

static int post_resend(struct req *r)
{
	return change(r, "invite.resend", invite_resend);
}

static int post_withdraw(struct req *r)
{
	return change(r, "invite.withdraw", invite_withdraw);
}

static int post_redrive(struct req *r)
{
	return change(r, "invite.redrive", invite_redrive);
}

#define INVITE "/admin/v1/invites/{token}"

const struct route invite_admin_routes[] = {
	{ GET, "/admin/v1/invites", get_invites, .txn = TXN_READ },
	{ GET, INVITE, get_invite, .txn = TXN_READ },
	{ POST, INVITE "/resend", post_resend, .txn = TXN_WRITE, .body = "identity/admin_note" },
	{ POST, INVITE "/withdraw", post_withdraw, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ POST, INVITE "/redrive", post_redrive, .txn = TXN_WRITE, .body = "identity/admin_note" },
	{ 0 },
};
