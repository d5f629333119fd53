/* Spec: server-server API, "Querying keys through another server". */
#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "notary/query.h"
#include "notary/routes.h"
#include "notary/warm.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

#define QUERY_BODY_MAX  (1024 * 1024)
#define QUERY_NODES_MAX 200000

static int refuse_many(struct req *r, size_t servers)
{
	const struct notary *notary = r->app;

	if (servers <= notary->conf->query.servers_max)
		return 0;
	return mx_fail(&r->err, MX_TOO_LARGE, "At most %u servers may be asked for at once",
		       notary->conf->query.servers_max);
}

static void keep_query(struct req *r, struct query *query)
{
	r->kept = query;
	r->kept_free = query_free;
}

/* ---- one server */

static int one_server(struct req *r, const char *key_id)
{
	struct query *query;
	int64_t minimum_ms;
	int rc;

	if (r->kept)
		return query_run(r->kept, r);
	rc = req_query_i64(r, "minimum_valid_until_ts", QUERY_NOW, &minimum_ms);
	if (rc)
		return rc;
	query = query_new(r->app, r->client);
	query_add(query, mx_slice(req_param(r, "serverName")), mx_slice(key_id), minimum_ms);
	keep_query(r, query);
	return query_run(query, r);
}

static int get_server(struct req *r)
{
	struct reply_body *warm = NULL;

	if (!r->kept && !strchr(r->target, '?'))
		warm = warm_answer(r->app, mx_slice(req_param(r, "serverName")));
	if (!warm)
		return one_server(r, "");
	reply_shared(r, warm);
	reply_body_unref(warm);
	return 0;
}

static int get_key(struct req *r)
{
	return one_server(r, req_param(r, "keyId"));
}

/* ---- many servers; the schema has checked the shape */

static int64_t minimum_of(const json_t *criteria)
{
	/* null counts as absent */
	return jint(criteria, "minimum_valid_until_ts", QUERY_NOW);
}

/* A name that is none is left out, not refused: homeservers merge the names of many events into
 * one question, and a stranger's bad name must not cost the others their keys. */
static void add_server(struct query *query, const char *server, json_t *keys)
{
	const char *key_id;
	json_t *criteria;

	if (!mx_server_name_valid(mx_slice(server)))
		return;
	if (json_object_size(keys) == 0)
		query_add(query, mx_slice(server), mx_slice(""), QUERY_NOW);
	json_object_foreach (keys, key_id, criteria)
		query_add(query, mx_slice(server), mx_slice(key_id), minimum_of(criteria));
}

static int post_query(struct req *r)
{
	json_t *servers = jobj(r->body, "server_keys"), *keys;
	struct query *query;
	const char *server;
	int rc;

	if (r->kept)
		return query_run(r->kept, r);
	if (!servers)
		return mx_fail(&r->err, MX_INVALID_PARAM, "server_keys is missing");
	rc = refuse_many(r, json_object_size(servers));
	if (rc)
		return rc;
	query = query_new(r->app, r->client);
	json_object_foreach (servers, server, keys)
		add_server(query, server, keys);
	keep_query(r, query);
	return query_run(query, r);
}

#define QUERY "/_matrix/key/v2/query"

const struct route query_routes[] = {
	{ GET, QUERY "/{serverName:server_name}", get_server, .limit = LIMIT_QUERY, .lane = LANE_IO,
	  .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "notary/query.reply" },
	{ GET, QUERY "/{serverName:server_name}/{keyId}", get_key, .limit = LIMIT_QUERY,
	  .lane = LANE_IO, .flags = ROUTE_CORS | ROUTE_SLASH, .reply = "notary/query.reply" },
	{ POST, QUERY, post_query, .limit = LIMIT_QUERY, .lane = LANE_IO, .flags = ROUTE_CORS,
	  .body = "notary/query", .reply = "notary/query.reply", .body_max = QUERY_BODY_MAX,
	  .nodes_max = QUERY_NODES_MAX },
	{ 0 },
};
