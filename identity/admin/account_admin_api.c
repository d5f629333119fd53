/* The admin listener: accounts. */
#include "identity/account/account.h"
#include "identity/account/terms.h"
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"

static int get_accounts(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct account_list list;
	json_t *items;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = account_list(&call, &page, &list);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(items, show_account(&list.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "accounts", items), list.next);
	return 0;
}

static int get_account(struct req *r)
{
	const struct identity_call call = call_of(r);
	const char *user_id = req_param(r, "userId");
	struct account_summary account;
	json_t *answer, *terms;
	int rc = account_show(&call, user_id, &account, &r->err);

	if (rc == 0)
		rc = terms_accepted(&call, user_id, &terms);
	if (rc)
		return rc;
	answer = show_account(&account);
	json_object_set_new(answer, "terms", terms);
	reply_json(r, answer);
	return 0;
}

static int post_sign_out(struct req *r)
{
	const struct identity_call call = call_of(r);
	const char *user_id = req_param(r, "userId");
	struct account_summary account;
	size_t ended;
	int rc = account_show(&call, user_id, &account, &r->err);

	if (rc)
		return rc;
	ended = account_close_all(call.txn, user_id);
	admin_note(r, &call,
		   &(struct audit_note){ .what = "account.sign_out", .user_id = user_id });
	reply_json(r, json_pack("{s:I}", "tokens", (json_int_t)ended));
	return 0;
}

static int post_erase(struct req *r)
{
	const struct identity_call call = call_of(r);
	const char *user_id = req_param(r, "userId");
	int rc = account_erase(&call, user_id, &r->err);

	if (rc == 0)
		admin_note(r, &call,
			   &(struct audit_note){ .what = "account.erase", .user_id = user_id });
	return rc;
}

#define ACCOUNT "/admin/v1/accounts/{userId:user_id}"

const struct route account_admin_routes[] = {
	{ GET, "/admin/v1/accounts", get_accounts, .txn = TXN_READ },
	{ GET, ACCOUNT, get_account, .txn = TXN_READ },
	{ POST, ACCOUNT "/sign-out", post_sign_out, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ POST, ACCOUNT "/erase", post_erase, .txn = TXN_WRITE, .body = "identity/admin_reason" },
	{ 0 },
};
