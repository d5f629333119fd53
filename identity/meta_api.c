/* Spec: identity service API, "API versions", "Status check". */
#include "identity/routes.h"
#include "shared/http/request.h"

#include <jansson.h>

#define OLDEST_MINOR 1
#define NEWEST_MINOR 19

static int get_versions(struct req *r)
{
	json_t *versions = json_pack("[s, s, s, s]", "r0.1.0", "r0.2.0", "r0.2.1", "r0.3.0");

	for (int minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++)
		json_array_append_new(versions, json_sprintf("v1.%d", minor));
	reply_json(r, json_pack("{s:o}", "versions", versions));
	return 0;
}

/* Clients probe the base that a homeserver's well-known names, with or without a slash. */
static int get_ping(struct req *r)
{
	(void)r;
	return 0;
}

#define BASE .lane = LANE_IO, .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "identity/empty"

const struct route meta_routes[] = {
	{ GET, "/_matrix/identity/versions", get_versions, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "identity/versions.reply" },
	{ GET, IDENTITY_V1, get_ping, BASE },
	{ GET, IDENTITY_V2, get_ping, BASE },
	{ 0 },
};
