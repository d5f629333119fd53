/* The admin listener: who is who. */
#include "identity/admin/admin.h"
#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static json_t *threepid_json(const struct threepid *threepid)
{
	return json_pack("{s:s, s:s}", "medium", threepid->medium, "address", threepid->address);
}

static json_t *binding_json(const struct binding *binding)
{
	json_t *json = threepid_json(&binding->threepid);

	json_object_update_new(
		json,
		json_pack("{s:s?, s:I, s:s, s:b, s:o}", "user_id", binding->user_id, "ts",
			  (json_int_t)binding->ts_ms, "origin", binding->origin, "ours",
			  binding->ours, "association",
			  json_loadb(binding->signed_json.ptr, binding->signed_json.len, 0, NULL)));
	return json;
}

/* user_id null: it was bound once. */
static int show_address(struct req *r, const struct threepid *threepid)
{
	const struct identity_call call = call_of(r);
	struct binding binding;
	int rc = binding_load(&call, threepid, &binding);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "Nobody ever bound this address");
	if (rc == 0)
		reply_json(r, binding_json(&binding));
	return rc;
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
	json_t *addresses, *answer;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = binding_of_user(&call, user_id, &page, &list);
	if (rc)
		return rc;
	addresses = json_array();
	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(addresses, threepid_json(&list.items[i]));
	answer = json_pack("{s:s, s:o}", "user_id", user_id, "addresses", addresses);
	admin_put_next(answer, list.next);
	reply_json(r, answer);
	return 0;
}

#define PEOPLE "/admin/v1/people"

const struct route person_admin_routes[] = {
	{ GET, PEOPLE "/address/{medium}/{address}", get_address, .txn = TXN_READ },
	{ GET, PEOPLE "/hash/{hash}", get_hash, .txn = TXN_READ },
	{ GET, PEOPLE "/user/{userId:user_id}", get_user, .txn = TXN_READ },
	{ 0 },
};
