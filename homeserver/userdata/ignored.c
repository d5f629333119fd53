#include "homeserver/userdata/ignored.h"

#include "homeserver/call.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/scan.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
	return mx_slice_cmp(*(const struct mx_slice *)a, *(const struct mx_slice *)b);
}

/* Spec: "m.ignored_user_list": {"ignored_users": {"@someone:example.org": {}}} */
static void read_list(struct mx_slice content, struct mx_arena *mem, struct ignored *ignored)
{
	struct mx_json_doc doc;
	struct mx_slice *users;
	uint32_t list;

	if (mx_json_scan(content, &mx_json_default_limits, mem, &doc, NULL))
		return;
	list = mx_json_member(&doc, 0, "ignored_users");
	if (list == 0 || mx_json_type(&doc, list) != MX_JSON_OBJECT)
		return;
	users = mx_arena_calloc(mem, doc.nodes[list].count + 1, sizeof(*users));
	for (uint32_t key = mx_json_first(&doc, list); key < mx_json_end(&doc, list);
	     key = mx_json_next(&doc, mx_json_next(&doc, key)))
		users[ignored->len++] = mx_json_string(&doc, key, mem);
	qsort(users, ignored->len, sizeof(*users), by_bytes);
	ignored->users = users;
}

int ignored_load(const struct hs_call *call, const char *user_id, struct ignored *ret_ignored)
{
	const struct account_data_key key = {
		.user_id = user_id,
		.type = "m.ignored_user_list",
	};
	struct mx_slice content;
	int rc = account_data_load(call, &key, &content);

	*ret_ignored = (struct ignored){ 0 };
	if (rc == 0)
		read_list(content, call->mem, ret_ignored);
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

bool ignored_has(const struct ignored *ignored, struct mx_slice user_id)
{
	return ignored->len &&
	       bsearch(&user_id, ignored->users, ignored->len, sizeof(*ignored->users), by_bytes);
}
