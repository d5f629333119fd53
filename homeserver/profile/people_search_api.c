/* Spec: client-server API, "User Directory". */
#include "homeserver/call.h"
#include "homeserver/profile/people_search.h"
#include "homeserver/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static void set_text(json_t *json, const char *key, struct mx_slice text)
{
	if (text.len)
		json_object_set_new(json, key, json_stringn(text.ptr, text.len));
}

static json_t *results_of(const struct people_found *found)
{
	json_t *results = json_array();

	for (size_t i = 0; i < found->len; i++) {
		const struct person_row *person = &found->items[i];
		json_t *json = json_object();

		set_text(json, "user_id", person->user_id);
		set_text(json, "display_name", person->displayname);
		set_text(json, "avatar_url", person->avatar_url);
		json_array_append_new(results, json);
	}
	return results;
}

static int post_search(struct req *r)
{
	const struct hs_call call = call_of(r);
	int64_t limit = jint(r->body, "limit", PEOPLE_SEARCH_DEFAULT);
	const struct people_search search = {
		.viewer = r->user,
		.term = jslice(r->body, "search_term"),
		.limit = limit > PEOPLE_SEARCH_MAX ? PEOPLE_SEARCH_MAX : (size_t)limit,
	};
	struct people_found found;
	int rc = people_search(&call, &search, &found);

	if (rc == 0)
		reply_json(r, json_pack("{s:o, s:b}", "results", results_of(&found), "limited",
					found.limited));
	return rc;
}

const struct route people_search_routes[] = {
	{ POST, CLIENT_V3 "/user_directory/search", post_search, .auth = AUTH_USER,
	  .limit = LIMIT_QUERY, .txn = TXN_READ, .flags = ROUTE_CORS | ROUTE_SUSPENDED,
	  .body = "client/user_search", .reply = "client/user_search.reply" },
	{ 0 },
};
