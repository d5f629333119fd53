/* Spec: server-server API, "Publishing Keys" and "Server implementation". */
#include "homeserver/hs.h"
#include "homeserver/routes.h"
#include "shared/http/request.h"
#include "shared/keys/own_keys.h"

/* Made anew when somebody asks and half of its validity is over. The key id that old clients append
 * has had no meaning since v1.6. */
static int get_server_keys(struct req *r)
{
	struct hs *hs = r->app;
	struct reply_body *keys;

	if (own_keys_is_due(hs->keys, NULL)) {
		int rc = r->lane == LANE_IO ? -MX_MOVE_WORK
					    : own_keys_refresh(hs->keys, NULL, &r->err);

		if (rc)
			return rc;
	}
	keys = own_keys_reply(hs->keys);
	reply_shared(r, keys);
	reply_body_unref(keys);
	return 0;
}

static int get_server_version(struct req *r)
{
	reply_json(r, json_pack("{s:{s:s, s:s}}", "server", "name", "Trinity", "version",
				TRINITY_VERSION));
	return 0;
}

#define OWN_KEYS "/_matrix/key/v2/server"

const struct route server_keys_routes[] = {
	{ GET, OWN_KEYS, get_server_keys, .limit = LIMIT_READ, .lane = LANE_IO,
	  .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "server_keys.reply" },
	{ GET, OWN_KEYS "/{keyId}", get_server_keys, .limit = LIMIT_READ, .lane = LANE_IO,
	  .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "server_keys.reply" },
	{ GET, "/_matrix/federation/v1/version", get_server_version, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS, .reply = "server_version.reply" },
	{ 0 },
};
