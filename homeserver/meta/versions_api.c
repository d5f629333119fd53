/* Spec: client-server API, "API versions". */
#include "homeserver/routes.h"
#include "shared/http/request.h"

#include <jansson.h>

#define OLDEST_MINOR 1
#define NEWEST_MINOR 19

/* What clients ask for by the name that a proposal had before the versions above had it, and what
 * is there. Whatever is not named is not there. */
static const char *const proposals[] = {
	"org.matrix.msc2285.stable", /* private read receipts */
	"org.matrix.msc3771", /* receipts of threads */
	"org.matrix.msc3827.stable", /* kinds of rooms in the public directory */
	"org.matrix.msc3916.stable", /* media with authentication */
	"org.matrix.msc3981", /* relations of relations */
	"uk.tcpip.msc4133", /* fields of profiles */
	"uk.tcpip.msc4133.stable",
};

/* The client-server API's own versions, before the specification had one for all. Old clients look
 * for them, and use the paths of then: see hs_aliases. */
static const char *const numbered_before[] = { "r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1" };

static json_t *proposals_new(void)
{
	json_t *features = json_object();

	for (size_t i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++)
		json_object_set_new(features, proposals[i], json_true());
	return features;
}

static int get_versions(struct req *r)
{
	json_t *versions = json_array();

	for (size_t i = 0; i < sizeof(numbered_before) / sizeof(numbered_before[0]); i++)
		json_array_append_new(versions, json_string(numbered_before[i]));
	for (int minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++)
		json_array_append_new(versions, json_sprintf("v1.%d", minor));
	reply_json(r, json_pack("{s:o, s:o}", "versions", versions, "unstable_features",
				proposals_new()));
	return 0;
}

const struct route versions_routes[] = {
	{ GET, "/_matrix/client/versions", get_versions, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/versions.reply" },
	{ 0 },
};
