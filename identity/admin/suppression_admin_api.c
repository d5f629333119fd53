/* The admin listener: whom nobody writes to. */
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "identity/suppress/suppression.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int get_suppressions(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct suppression_list list;
	json_t *items;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = suppression_list(&call, &page, &list);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show_suppression(&list.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "suppressions", items), list.next);
	return 0;
}

static int read_suppression(struct req *r, struct suppression *ret_suppression)
{
	return suppression_parse(req_param(r, "medium"), req_param(r, "what"), r->mem,
				 ret_suppression, &r->err);
}

/* A domain and the beginning of numbers are nobody's name. */
static void note(struct req *r, const struct identity_call *call, const char *what,
		 const struct suppression *suppression)
{
	const struct threepid threepid = { suppression->medium, suppression->what };
	bool is_many = suppression->what[0] == '@' || mx_ends_with(suppression->what, "*");

	admin_note(r, call,
		   &(struct audit_note){ .what = what,
					 .threepid = is_many ? NULL : &threepid,
					 .thing = is_many ? suppression->what : NULL });
}

static int put_suppression(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct suppression suppression;
	int rc = read_suppression(r, &suppression);

	if (rc)
		return rc;
	suppression.reason = jstr(r->body, "reason");
	suppression.since_ms = call.now_ms;
	suppression_add(&call, &suppression);
	note(r, &call, "suppression.add", &suppression);
	reply_json(r, show_suppression(&suppression));
	return 0;
}

static int post_remove(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct suppression suppression;
	int rc = read_suppression(r, &suppression);

	if (rc == 0)
		rc = suppression_remove(&call, &suppression, &r->err);
	if (rc == 0)
		note(r, &call, "suppression.remove", &suppression);
	return rc;
}

#define SUPPRESSION "/admin/v1/suppressions/{medium}/{what}"

const struct route suppression_admin_routes[] = {
	{ GET, "/admin/v1/suppressions", get_suppressions, .txn = TXN_READ },
	{ PUT, SUPPRESSION, put_suppression, .txn = TXN_WRITE, .body = "identity/admin_reason" },
	{ POST, SUPPRESSION "/remove", post_remove, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ 0 },
};
