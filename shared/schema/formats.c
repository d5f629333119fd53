#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/schema/rule.h"

static bool is_user_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_user_id_parse(text, false, &id);
}

static bool is_room_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_room_id_parse(text, &id);
}

static bool is_event_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_event_id_parse(text, &id);
}

static bool is_alias(struct mx_slice text)
{
	struct mx_id id;

	return mx_alias_parse(text, &id);
}

static bool is_key_id(struct mx_slice text)
{
	struct mx_key_id id;

	return mx_key_id_parse(text, &id);
}

static bool is_base64(struct mx_slice text)
{
	mx_autofree char *bytes = mx_alloc(text.len + 1);
	size_t len;

	return mx_base64_decode(text, bytes, text.len, &len);
}

const struct mx_schema_format *mx_schema_format_find(const char *name)
{
	static const struct mx_schema_format formats[] = {
		{ "mx-user-id", is_user_id },
		{ "mx-room-id", is_room_id },
		{ "mx-event-id", is_event_id },
		{ "mx-alias", is_alias },
		{ "mx-server-name", mx_server_name_valid },
		{ "mx-key-id", is_key_id },
		{ "mx-base64", is_base64 },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (streq(formats[i].name, name))
			return &formats[i];
	return NULL;
}
