/* Spec: server-server API, "Publishing Keys" and "Server implementation". */
#include "notary/notary.h"
#include "notary/routes.h"
#include "shared/http/request.h"
#include "shared/keys/own_keys.h"

/* The key id that old clients append has had no meaning since v1.6. */
static int get_own_keys(struct req *r)
{
	const struct notary *notary = r->app;
	struct reply_body *keys = own_keys_reply(notary->own);

	reply_shared(r, keys);
	reply_body_unref(keys);
	return 0;
}

static int get_version(struct req *r)
{
	reply_json(r, json_pack("{s:{s:s, s:s}}", "server", "name", "Trinity notary", "version",
				TRINITY_VERSION));
	return 0;
}

#define OWN_KEYS "/_matrix/key/v2/server"

const struct route server_routes[] = {
	{ GET, OWN_KEYS, get_own_keys, .limit = LIMIT_READ, .lane = LANE_IO,
	  .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "server_keys.reply" },
	{ GET, OWN_KEYS "/{keyId}", get_own_keys, .limit = LIMIT_READ, .lane = LANE_IO,
	  .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "server_keys.reply" },
	{ GET, "/_matrix/federation/v1/version", get_version, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS, .reply = "server_version.reply" },
	{ 0 },
};
