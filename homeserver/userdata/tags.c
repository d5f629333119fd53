#include "homeserver/userdata/tags.h"

#include "homeserver/call.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#define TYPE_TAG "m.tag"

/* The content of a type, or NULL. */
static int load(const struct hs_call *call, const struct account_data_key *key,
		json_t **ret_content)
{
	struct mx_slice text;
	int rc = account_data_load(call, key, &text);

	*ret_content = NULL;
	if (rc == 0)
		mx_json_parse(text, &mx_json_default_limits, call->mem, ret_content, NULL);
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

int tags_load(const struct hs_call *call, const char *user_id, uint32_t room, json_t **ret_content)
{
	const struct account_data_key key = { user_id, room, TYPE_TAG };
	json_t *content;
	int rc = load(call, &key, &content);

	if (rc)
		return rc;
	if (!json_is_object(content)) {
		json_decref(content);
		content = json_object();
	}
	if (!jobj(content, "tags"))
		json_object_set_new(content, "tags", json_object());
	*ret_content = content;
	return 0;
}

static int store(const struct hs_call *call, const struct account_data_key *key,
		 const json_t *content, struct mx_error *err)
{
	mx_autofree char *text = mx_json_text(content);

	return account_data_put(call, key, mx_slice(text), err);
}

/* Spec: "a number between 0 and 1". */
static int check_order(const json_t *tag, struct mx_error *err)
{
	const json_t *order = json_object_get(tag, "order");

	if (!order)
		return 0;
	if (!json_is_number(order) || !(json_number_value(order) >= 0) ||
	    !(json_number_value(order) <= 1))
		return mx_fail(err, MX_INVALID_PARAM, "order must be a number from 0 to 1");
	return 0;
}

static int check_tag(const char *tag, const json_t *content, struct mx_error *err)
{
	size_t len = strlen(tag);

	if (len == 0 || len > TAG_NAME_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A tag has 1 to %d bytes", TAG_NAME_MAX);
	return check_order(content, err);
}

int tags_put(const struct hs_call *call, const struct tag_key *key, json_t *tag,
	     struct mx_error *err)
{
	const struct account_data_key data = { key->user_id, key->room, TYPE_TAG };
	json_auto_t *content = NULL;
	int rc = check_tag(key->tag, tag, err);

	if (rc == 0)
		rc = tags_load(call, key->user_id, key->room, &content);
	if (rc)
		return rc;
	json_object_set(jobj(content, "tags"), key->tag, tag);
	if (json_object_size(jobj(content, "tags")) > TAGS_MAX)
		return mx_fail(err, MX_TOO_MANY, "A room may have %d tags", TAGS_MAX);
	return store(call, &data, content, err);
}

int tags_remove(const struct hs_call *call, const struct tag_key *key, struct mx_error *err)
{
	const struct account_data_key data = { key->user_id, key->room, TYPE_TAG };
	json_auto_t *content = NULL;
	int rc = tags_load(call, key->user_id, key->room, &content);

	if (rc || json_object_del(jobj(content, "tags"), key->tag))
		return rc;
	return store(call, &data, content, err);
}
