#include "shared/id/mxid.h"

#include "shared/core/utf8.h"
#include "shared/id/server_name.h"

/* Splits behind the sigil at the first ':'; server.ptr is NULL if there is none. */
static bool split(struct mx_slice id, char sigil, struct mx_id *ret_parts)
{
	const char *colon;
	struct mx_slice rest;

	if (!id.len || id.len > MX_ID_MAX || id.ptr[0] != sigil)
		return false;
	rest = mx_slice_of(id.ptr + 1, id.len - 1);
	colon = memchr(rest.ptr, ':', rest.len);
	*ret_parts = (struct mx_id){ .localpart = rest };
	if (!colon)
		return true;
	ret_parts->localpart.len = (size_t)(colon - rest.ptr);
	ret_parts->server = mx_slice_of(colon + 1, rest.len - ret_parts->localpart.len - 1);
	return true;
}

/* Spec: appendices, "Historical User IDs", and the same for opaque parts of other ids. */
static bool is_historical(struct mx_slice localpart)
{
	return !memchr(localpart.ptr, '\0', localpart.len) && mx_utf8_valid(localpart);
}

static bool is_strict_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._=-/+", c));
}

static bool is_strict(struct mx_slice localpart)
{
	for (size_t i = 0; i < localpart.len; i++)
		if (!is_strict_char(localpart.ptr[i]))
			return false;
	return localpart.len > 0;
}

bool mx_user_id_parse(struct mx_slice id, bool strict, struct mx_id *ret_id)
{
	struct mx_id parts;

	if (!split(id, '@', &parts) || !mx_server_name_valid(parts.server))
		return false;
	if (strict ? !is_strict(parts.localpart) : !is_historical(parts.localpart))
		return false;
	*ret_id = parts;
	return true;
}

/* Ids of rooms and events: newer room versions have no server in them. */
static bool opaque_id_parse(struct mx_slice id, char sigil, struct mx_id *ret_id)
{
	struct mx_id parts;

	if (!split(id, sigil, &parts) || !parts.localpart.len || !is_historical(parts.localpart))
		return false;
	if (parts.server.ptr && !mx_server_name_valid(parts.server))
		return false;
	*ret_id = parts;
	return true;
}

bool mx_room_id_parse(struct mx_slice id, struct mx_id *ret_id)
{
	return opaque_id_parse(id, '!', ret_id);
}

bool mx_event_id_parse(struct mx_slice id, struct mx_id *ret_id)
{
	return opaque_id_parse(id, '$', ret_id);
}

bool mx_alias_parse(struct mx_slice id, struct mx_id *ret_id)
{
	struct mx_id parts;

	if (!opaque_id_parse(id, '#', &parts) || !parts.server.ptr)
		return false;
	*ret_id = parts;
	return true;
}

bool mx_key_id_parse(struct mx_slice id, struct mx_key_id *ret_id)
{
	const char *colon = id.len ? memchr(id.ptr, ':', id.len) : NULL;
	size_t len;

	if (!colon || id.len > MX_ID_MAX || colon == id.ptr || colon + 1 == id.ptr + id.len)
		return false;
	len = (size_t)(colon - id.ptr);
	ret_id->algorithm = mx_slice_of(id.ptr, len);
	ret_id->version = mx_slice_of(colon + 1, id.len - len - 1);
	return true;
}

bool mx_key_id_is_strict(const struct mx_key_id *id)
{
	for (size_t i = 0; i < id->version.len; i++) {
		char c = id->version.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      c == '_'))
			return false;
	}
	return true;
}
