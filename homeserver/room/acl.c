#include "homeserver/room/acl.h"

#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/core/str.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

#define ENTRIES_MAX 10000 /* of a list that are looked at */

static void add_lower(struct mx_str *out, struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		mx_str_add_char(out, (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
	}
}

static bool matches(const json_t *list, struct mx_slice host)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		mx_str_auto pattern = { 0 };

		if (i == ENTRIES_MAX)
			break;
		add_lower(&pattern, mx_slice_of(json_string_value(item), json_string_length(item)));
		if (json_is_string(item) && mx_glob_match(mx_str_slice(&pattern), host))
			return true;
	}
	return false;
}

bool acl_allows(const json_t *content, struct mx_slice server)
{
	const json_t *literals = json_object_get(content, "allow_ip_literals");
	struct mx_server_name name;
	mx_str_auto host = { 0 };

	if (!mx_server_name_parse(server, &name))
		return false;
	if (name.kind != MX_HOST_DNS && json_is_false(literals))
		return false;
	/* An IPv6 literal is matched with its brackets, as it is written. */
	if (name.kind == MX_HOST_IPV6)
		mx_str_add_char(&host, '[');
	add_lower(&host, name.host);
	if (name.kind == MX_HOST_IPV6)
		mx_str_add_char(&host, ']');
	if (matches(json_object_get(content, "deny"), mx_str_slice(&host)))
		return false;
	return matches(json_object_get(content, "allow"), mx_str_slice(&host));
}

static int check_list(const json_t *content, const char *key, struct mx_error *err)
{
	const json_t *list = json_object_get(content, key), *item;
	size_t i;

	if (list && !json_is_array(list))
		return mx_fail(err, MX_BAD_JSON, "%s must be a list", key);
	json_array_foreach (list, i, item)
		if (!json_is_string(item))
			return mx_fail(err, MX_BAD_JSON, "%s must be a list of strings", key);
	return 0;
}

int acl_check(const json_t *content, const char *own, struct mx_error *err)
{
	const json_t *literals = json_object_get(content, "allow_ip_literals");
	int rc = check_list(content, "allow", err);

	if (rc == 0)
		rc = check_list(content, "deny", err);
	if (rc == 0 && literals && !json_is_boolean(literals))
		return mx_fail(err, MX_BAD_JSON, "allow_ip_literals must be true or false");
	if (rc == 0 && !acl_allows(content, mx_slice(own)))
		return mx_fail(err, MX_BAD_JSON, "This would shut this server out of the room");
	return rc;
}
