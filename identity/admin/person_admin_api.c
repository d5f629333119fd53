/* The admin listener: who is who. */
#include "identity/admin/admin.h"
#include "identity/admin/show.h"
#include "identity/bind/bind.h"
#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/identity.h"
#include "identity/message/message.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

/* ---- asking */

static int put_listed(const struct identity_call *call, const struct threepid *threepid,
		      json_t *shown)
{
	struct listed listed;
	int rc = listed_find(call, threepid, &listed);

	if (rc == 0)
		json_object_set_new(shown, "listed", show_listed(&listed));
	return rc;
}

/* user_id null: it was bound once. Without one it never was; another directory may list it. */
static int show_address(struct req *r, const struct threepid *threepid)
{
	const struct identity_call call = call_of(r);
	struct binding binding;
	json_t *shown;
	int rc = binding_load(&call, threepid, &binding), listed;

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	shown = rc == 0 ? show_binding(&binding) : show_threepid(threepid);
	listed = put_listed(&call, threepid, shown);
	if (rc && listed == -MX_NOT_FOUND) {
		json_decref(shown);
		return mx_fail(&r->err, MX_NOT_FOUND, "Nobody ever bound this address");
	}
	reply_json(r, shown);
	if (listed && listed != -MX_NOT_FOUND)
		return listed;
	return show_if_suppressed(&call, threepid, shown);
}

static int get_address(struct req *r)
{
	struct threepid threepid;
	int rc = admin_threepid(r, &threepid);

	return rc ? rc : show_address(r, &threepid);
}

static int get_hash(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct threepid threepid;
	int rc = binding_of_hash(&call, mx_slice(req_param(r, "hash")), &threepid, &r->err);

	return rc ? rc : show_address(r, &threepid);
}

static int get_user(struct req *r)
{
	const struct identity_call call = call_of(r);
	const char *user_id = req_param(r, "userId");
	struct binding_list list;
	json_t *addresses;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = binding_of_user(&call, user_id, &page, &list);
	if (rc)
		return rc;
	addresses = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(addresses, show_threepid(&list.items[i]));
	admin_reply_page(r, json_pack("{s:s, s:o}", "user_id", user_id, "addresses", addresses),
			 list.next);
	return 0;
}

/* ---- changing */

static int put_binding(struct req *r)
{
	const struct identity_call call = call_of(r);
	const char *user_id = jstr(r->body, "user_id");
	struct threepid threepid;
	struct binding binding;
	int rc = admin_threepid(r, &threepid);

	if (rc == 0)
		rc = bind_directly(&call, &threepid, user_id, &binding, &r->err);
	if (rc)
		return rc;
	admin_note(
		r, &call,
		&(struct audit_note){ .what = "bind", .threepid = &threepid, .user_id = user_id });
	reply_json(r, show_binding(&binding));
	return 0;
}

static int post_unbind(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct letter_style style = message_style_of(r->app, r);
	struct threepid threepid;
	struct binding binding;
	int rc = admin_threepid(r, &threepid);

	if (rc)
		return rc;
	rc = binding_find(&call, &threepid, &binding);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "The address is bound to nobody");
	if (rc == 0)
		rc = unbind(&call, &threepid, binding.user_id, &style, &r->err);
	if (rc)
		return rc;
	admin_note(r, &call,
		   &(struct audit_note){
			   .what = "unbind", .threepid = &threepid, .user_id = binding.user_id });
	reply_json(r, json_pack("{s:s}", "user_id", binding.user_id));
	return 0;
}

#define PEOPLE  "/admin/v1/people"
#define ADDRESS PEOPLE "/address/{medium}/{address}"

const struct route person_admin_routes[] = {
	{ GET, ADDRESS, get_address, .txn = TXN_READ },
	{ PUT, ADDRESS, put_binding, .txn = TXN_WRITE, .body = "identity/admin_bind" },
	{ POST, ADDRESS "/unbind", post_unbind, .txn = TXN_WRITE, .body = "identity/admin_reason" },
	{ GET, PEOPLE "/hash/{hash}", get_hash, .txn = TXN_READ },
	{ GET, PEOPLE "/user/{userId:user_id}", get_user, .txn = TXN_READ },
	{ 0 },
};
