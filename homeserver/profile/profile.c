#include "homeserver/profile/profile.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/people_search.h"
#include "homeserver/profile/profile_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

#include <string.h>

#define DISPLAYNAME    "displayname"
#define AVATAR_URL     "avatar_url"
#define AVATAR_URL_MAX 1000 /* bytes */

/* ---- what may be a field */

/* What member events carry too. */
static bool is_shown_in_rooms(const char *key)
{
	return streq(key, DISPLAYNAME) || streq(key, AVATAR_URL);
}

/* Spec: appendices, "Common Namespaced Identifier Grammar". */
static bool is_namespaced(const char *key)
{
	if (*key < 'a' || *key > 'z' || !strchr(key, '.'))
		return false;
	return key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

static int check_key(const char *key, struct mx_error *err)
{
	if (strlen(key) > PROFILE_KEY_MAX)
		return mx_fail(err, MX_KEY_TOO_LARGE, "The name of a field has at most %d bytes",
			       PROFILE_KEY_MAX);
	if (!is_shown_in_rooms(key) && !is_namespaced(key))
		return mx_fail(err, MX_INVALID_PARAM, "This is no name of a profile field");
	return 0;
}

static int check_displayname(const json_t *value, struct mx_error *err)
{
	const struct mx_slice name = { json_string_value(value), json_string_length(value) };

	if (mx_utf8_count(name) > PROFILE_NAME_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A display name has at most %d characters",
			       PROFILE_NAME_MAX);
	return 0;
}

/* Spec: content repository, "Security considerations": nothing else is in a media id. */
static bool is_media_id(const char *id)
{
	return *id && id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_-")] == '\0';
}

/* Spec: "Matrix Content (mxc://) URIs". */
static bool is_mxc(const char *url)
{
	const char *server = mx_starts_with(url, "mxc://") ? url + strlen("mxc://") : "";
	const char *media = strchr(server, '/');

	return media && is_media_id(media + 1) &&
	       mx_server_name_valid(mx_slice_of(server, (size_t)(media - server)));
}

static int check_avatar(const json_t *value, struct mx_error *err)
{
	const char *url = json_string_value(value);

	if (*url && (strlen(url) > AVATAR_URL_MAX || !is_mxc(url)))
		return mx_fail(err, MX_INVALID_PARAM, "An avatar is an mxc:// URI");
	return 0;
}

static int check_value(const char *key, const json_t *value, struct mx_error *err)
{
	if (!is_shown_in_rooms(key) && !streq(key, "m.tz"))
		return 0;
	if (!json_is_string(value))
		return mx_fail(err, MX_BAD_JSON, "%s must be a string", key);
	if (streq(key, DISPLAYNAME))
		return check_displayname(value, err);
	return streq(key, AVATAR_URL) ? check_avatar(value, err) : 0;
}

/* As JSON: {"key":value,…} */
static size_t size_of(const struct profile_fields *fields, const char *without)
{
	size_t size = strlen("{}");

	for (size_t i = 0; i < fields->len; i++)
		if (!mx_slice_is(fields->items[i].key, without))
			size += fields->items[i].key.len + fields->items[i].value.len +
				strlen("\"\":,");
	return size;
}

static int check_size(const struct hs_call *call, const char *user_id, const char *key,
		      struct mx_slice value, struct mx_error *err)
{
	struct profile_fields fields;
	int rc = profile_db_list(call, user_id, &fields);

	if (rc == 0 &&
	    size_of(&fields, key) + strlen(key) + strlen("\"\":") + value.len >= PROFILE_BYTES_MAX)
		return mx_fail(err, MX_PROFILE_TOO_LARGE, "A profile has less than %d bytes",
			       PROFILE_BYTES_MAX);
	return rc;
}

/* ---- changing */

static int was_changed(const struct hs_call *call, const char *user_id, const char *key)
{
	int rc;

	if (!is_shown_in_rooms(key))
		return 0;
	rc = people_update(call, user_id);
	return rc ? rc : profile_change_db_put(call, user_id);
}

static int field_remove(const struct hs_call *call, const char *user_id, const char *key)
{
	struct mx_slice old;
	int rc = profile_db_load(call, user_id, key, &old);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	profile_db_delete(call->txn, user_id, key);
	return was_changed(call, user_id, key);
}

static int field_put(const struct hs_call *call, const char *user_id, const char *key,
		     const json_t *value, struct mx_error *err)
{
	mx_autofree char *text = mx_json_text(value);
	struct mx_slice old;
	int rc = profile_db_load(call, user_id, key, &old);

	if (rc == 0 && mx_slice_is(old, text))
		return 0;
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	rc = check_size(call, user_id, key, mx_slice(text), err);
	if (rc)
		return rc;
	profile_db_put(call->txn, user_id, key, mx_slice(text));
	return was_changed(call, user_id, key);
}

/* Old clients remove a name or an avatar by setting an empty one. */
static bool is_removal(const char *key, const json_t *value)
{
	return !value ||
	       (is_shown_in_rooms(key) && json_is_string(value) && !json_string_length(value));
}

int profile_set(const struct hs_call *call, const char *user_id, const char *key,
		const json_t *value, struct mx_error *err)
{
	int rc = check_key(key, err);

	if (rc)
		return rc;
	if (is_removal(key, value))
		return field_remove(call, user_id, key);
	rc = check_value(key, value, err);
	return rc ? rc : field_put(call, user_id, key, value, err);
}

int profile_new(const struct hs_call *call, const char *user_id)
{
	const struct hs_conf *conf = conf_of(call->hs);
	mx_str_auto name = { 0 };
	struct mx_id id;

	if (conf->profiles.new_displayname == CONF_NEW_DISPLAYNAME_LOCALPART &&
	    mx_user_id_parse(mx_slice(user_id), false, &id)) {
		mx_canonical_string(&name, id.localpart);
		profile_db_put(call->txn, user_id, DISPLAYNAME, mx_str_slice(&name));
	}
	return people_update(call, user_id);
}

int profile_erase(const struct hs_call *call, const char *user_id)
{
	struct profile_fields fields;
	int rc = profile_db_list(call, user_id, &fields);

	if (rc)
		return rc;
	people_db_delete(call->txn, user_id);
	for (size_t i = 0; i < fields.len; i++)
		profile_db_delete(call->txn, user_id, fields.items[i].key.ptr);
	return profile_change_db_put(call, user_id);
}

/* ---- asking */

bool profile_is_locked(const struct hs *hs, const char *key)
{
	const struct hs_conf *conf = conf_of(hs);

	for (unsigned i = 0; i < conf->profiles.locked_count; i++)
		if (streq(conf->profiles.locked[i], key))
			return true;
	return false;
}

static json_t *parse(const struct hs_call *call, struct mx_slice text)
{
	json_t *json = NULL;

	mx_json_parse(text, &mx_json_default_limits, call->mem, &json, NULL);
	return json;
}

static void add_fields(const struct hs_call *call, const struct profile_fields *fields,
		       json_t *profile)
{
	for (size_t i = 0; i < fields->len; i++)
		json_object_set_new(profile, fields->items[i].key.ptr,
				    parse(call, fields->items[i].value));
}

int profile_load(const struct hs_call *call, const char *user_id, json_t **ret_profile)
{
	struct profile_fields fields;
	int rc = profile_db_list(call, user_id, &fields);

	if (rc)
		return rc;
	if (fields.len == 0 && !account_exists(call, mx_slice(user_id)))
		return -MX_NOT_FOUND;
	*ret_profile = json_object();
	add_fields(call, &fields, *ret_profile);
	return 0;
}

int profile_text(const struct hs_call *call, const char *user_id, const char *key,
		 const char **ret_text)
{
	struct mx_slice value;
	struct mx_json_doc doc;
	int rc = profile_db_load(call, user_id, key, &value);

	*ret_text = NULL;
	if (rc == 0 && mx_json_scan(value, &mx_json_default_limits, call->mem, &doc, NULL) == 0 &&
	    mx_json_type(&doc, 0) == MX_JSON_STRING)
		*ret_text = mx_arena_slice(call->mem, mx_json_string(&doc, 0, call->mem)).ptr;
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

static int fill(const struct hs_call *call, const char *user_id, const char *key, json_t *content)
{
	const char *text;
	int rc;

	if (json_object_get(content, key))
		return 0;
	rc = profile_text(call, user_id, key, &text);
	if (rc == 0 && text)
		json_object_set_new(content, key, json_string(text));
	return rc;
}

int profile_fill(const struct hs_call *call, const char *user_id, json_t *content)
{
	int rc = fill(call, user_id, DISPLAYNAME, content);

	return rc ? rc : fill(call, user_id, AVATAR_URL, content);
}
