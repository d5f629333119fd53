/* The admin listener: who did what. */
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

/* "email:ann@example.org" */
static int read_of_address(struct req *r, struct audit_filter *filter, struct threepid *threepid)
{
	const char *text = req_query(r, "of_address");
	struct mx_slice rest = mx_slice(text), medium;

	if (!text)
		return 0;
	if (!mx_split_next(&rest, ':', &medium) || !rest.ptr)
		return mx_fail(&r->err, MX_INVALID_PARAM, "of_address is MEDIUM:ADDRESS");
	filter->threepids = threepid;
	filter->threepids_len = 1;
	return threepid_parse(mx_arena_slice(r->mem, medium).ptr, rest.ptr, r->mem, threepid,
			      &r->err);
}

static int read_filter(struct req *r, struct audit_filter *filter, struct threepid *threepid)
{
	int rc = req_query_i64(r, "since", 0, &filter->since_ms);

	if (rc)
		return mx_fail(&r->err, MX_INVALID_PARAM, "since is a time in milliseconds");
	filter->user_id = req_query(r, "of");
	return read_of_address(r, filter, threepid);
}

static int get_audit(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct audit_filter filter = { 0 };
	struct threepid threepid;
	struct audit_list list;
	json_t *items;
	struct page page;
	int rc = read_filter(r, &filter, &threepid);

	if (rc == 0)
		rc = admin_page(r, &page);
	if (rc == 0)
		rc = audit_list(&call, &filter, &page, &list);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show_audit(&list.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "audit", items), list.next);
	return 0;
}

const struct route audit_admin_routes[] = {
	{ GET, "/admin/v1/audit", get_audit, .txn = TXN_READ },
	{ 0 },
};
