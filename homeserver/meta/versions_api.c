/* Spec: client-server API, "API versions". */
#include "homeserver/routes.h"
#include "shared/http/request.h"

#include <jansson.h>

#define OLDEST_MINOR 1
#define NEWEST_MINOR 19

static int get_versions(struct req *r)
{
	json_t *versions = json_array();

	for (int minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++)
		json_array_append_new(versions, json_sprintf("v1.%d", minor));
	reply_json(r, json_pack("{s:o}", "versions", versions));
	return 0;
}

const struct route versions_routes[] = {
	{ GET, "/_matrix/client/versions", get_versions, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/versions.reply" },
	{ 0 },
};
