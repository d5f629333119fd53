/* The admin listener: validation sessions. */
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"
#include "shared/threepid/claim.h"

static int get_sessions(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct threepid threepid;
	const struct claim_call sessions = claim_call_of(call);
	struct claim_list list;
	json_t *items;
	struct page page;
	int rc = admin_threepid(r, &threepid);

	if (rc == 0)
		rc = admin_page(r, &page);
	if (rc == 0)
		rc = claim_list(&sessions, &threepid, &page, &list);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show_session(&list.items[i], call.now_ms));
	admin_reply_page(r, json_pack("{s:o}", "sessions", items), list.next);
	return 0;
}

static int post_end(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct claim_call sessions = claim_call_of(call);
	struct claim session;
	int rc = claim_end(&sessions, req_param(r, "id"), &session, &r->err);

	if (rc)
		return rc;
	admin_note(r, &call,
		   &(struct audit_note){ .what = "session.end",
					 .threepid = &session.threepid,
					 .thing = session.id });
	reply_json(r, show_session(&session, call.now_ms));
	return 0;
}

const struct route session_admin_routes[] = {
	{ GET, "/admin/v1/people/address/{medium}/{address}/sessions", get_sessions,
	  .txn = TXN_READ },
	{ POST, "/admin/v1/sessions/{id}/end", post_end, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ 0 },
};
