#include "shared/http/param.h"

#include "shared/http/request.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"

static int check_server_name(struct req *r, const char *value)
{
	if (!mx_server_name_valid(mx_slice(value)))
		return mx_fail(&r->err, MX_INVALID_PARAM, "Not a valid server name");
	return 0;
}

static int check_user_id(struct req *r, const char *value)
{
	struct mx_id id;

	if (!mx_user_id_parse(mx_slice(value), false, &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "Not a valid user id");
	return 0;
}

static int check_room_id(struct req *r, const char *value)
{
	struct mx_id id;

	if (!mx_room_id_parse(mx_slice(value), &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "Not a valid room id");
	return 0;
}

static int check_event_id(struct req *r, const char *value)
{
	struct mx_id id;

	if (!mx_event_id_parse(mx_slice(value), &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "Not a valid event id");
	return 0;
}

static int check_key_id(struct req *r, const char *value)
{
	struct mx_key_id id;

	if (!mx_key_id_parse(mx_slice(value), &id))
		return mx_fail(&r->err, MX_INVALID_PARAM, "Not a valid key id");
	return 0;
}

static const struct param_type built_in[] = {
	{ "server_name", check_server_name }, { "user_id", check_user_id },
	{ "room_id", check_room_id },         { "event_id", check_event_id },
	{ "key_id", check_key_id },           { 0 },
};

static const struct param_type *find_in(const struct param_type *types, struct mx_slice name)
{
	for (; types && types->name; types++)
		if (mx_slice_is(name, types->name))
			return types;
	return NULL;
}

const struct param_type *param_type_find(const struct param_type *types, struct mx_slice name)
{
	const struct param_type *type = find_in(types, name);

	return type ? type : find_in(built_in, name);
}
