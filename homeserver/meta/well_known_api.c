/* What a domain says of its server. Spec: client-server API, "Well-known URIs" and "Policy
 * Servers"; server-server API, "Server discovery". */
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

#include <jansson.h>

static const struct hs_conf *conf_of_req(const struct req *r)
{
	return conf_of(r->app);
}

static int get_client(struct req *r)
{
	const struct hs_conf *conf = conf_of_req(r);
	json_t *found = json_pack("{s:{s:s}}", "m.homeserver", "base_url", conf->public_base_url);

	if (conf->well_known.identity_server)
		json_object_set_new(
			found, "m.identity_server",
			json_pack("{s:s}", "base_url", conf->well_known.identity_server));
	reply_json(r, found);
	return 0;
}

static int get_server(struct req *r)
{
	const struct hs_conf *conf = conf_of_req(r);

	if (!conf->well_known.server)
		return mx_fail(&r->err, MX_NOT_FOUND, "Servers reach this one by its name");
	reply_json(r, json_pack("{s:s}", "m.server", conf->well_known.server));
	return 0;
}

static json_t *contacts_new(const struct hs_conf *conf)
{
	json_t *contacts = json_array();

	for (unsigned i = 0; i < conf->well_known.contacts_count; i++)
		json_array_append_new(
			contacts,
			json_pack("{s:s, s:s*, s:s*}", "role", conf->well_known.contacts[i].role,
				  "matrix_id", conf->well_known.contacts[i].matrix_id,
				  "email_address", conf->well_known.contacts[i].email_address));
	return contacts;
}

static int get_support(struct req *r)
{
	const struct hs_conf *conf = conf_of_req(r);
	json_t *support;

	if (conf->well_known.contacts_count == 0 && !conf->well_known.support_page)
		return mx_fail(&r->err, MX_NOT_FOUND, "Nobody is named here");
	support = json_pack("{s:s*}", "support_page", conf->well_known.support_page);
	if (conf->well_known.contacts_count)
		json_object_set_new(support, "contacts", contacts_new(conf));
	reply_json(r, support);
	return 0;
}

static int get_policy_server(struct req *r)
{
	const struct hs_conf *conf = conf_of_req(r);

	if (!conf->well_known.policy_key)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no policy server here");
	reply_json(r,
		   json_pack("{s:{s:s}}", "public_keys", "ed25519", conf->well_known.policy_key));
	return 0;
}

#define WELL_KNOWN "/.well-known/matrix"

const struct route well_known_routes[] = {
	{ GET, WELL_KNOWN "/client", get_client, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/well_known_client.reply" },
	{ GET, WELL_KNOWN "/server", get_server, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/well_known_server.reply" },
	{ GET, WELL_KNOWN "/support", get_support, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/well_known_support.reply" },
	{ GET, WELL_KNOWN "/policy_server", get_policy_server, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .reply = "client/well_known_policy.reply" },
	{ 0 },
};
