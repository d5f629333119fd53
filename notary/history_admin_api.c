/* The admin listener: the whole history, import and export. */
#include "notary/exchange.h"
#include "notary/inspect.h"
#include "notary/notary.h"
#include "notary/overview.h"
#include "notary/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/keys/key_history.h"

#define WORST_SHOWN      50
#define LIST_SERVERS     1000
#define CONFLICTS_LISTED 1000
#define AUDIT_LISTED     1000
#define IMPORT_BODY_MAX  (16u * 1024 * 1024)

static struct mx_slice query_after(struct req *r)
{
	const char *after = req_query(r, "after");

	return mx_slice(after ? after : "");
}

static int get_overview(struct req *r)
{
	reply_json(r, overview_json(r->app, WORST_SHOWN));
	return 0;
}

static int get_servers(struct req *r)
{
	const struct notary *notary = r->app;
	struct mx_slice *names;
	json_t *list;
	size_t len;
	int rc = key_history_servers(notary->history, query_after(r), LIST_SERVERS, r->mem, &names,
				     &len, &r->err);

	if (rc)
		return rc;
	list = json_array();
	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, json_stringn(names[i].ptr, names[i].len));
	reply_json(r, json_pack("{s:o}", "servers", list));
	return 0;
}

static int get_conflicts(struct req *r)
{
	const struct notary *notary = r->app;
	struct key_conflict *conflicts;
	json_t *list;
	size_t len;
	int rc = key_history_conflicts(notary->history, mx_slice(""), CONFLICTS_LISTED, r->mem,
				       &conflicts, &len, &r->err);

	if (rc)
		return rc;
	list = json_array();
	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, inspect_conflict(&conflicts[i]));
	reply_json(r, json_pack("{s:o}", "conflicts", list));
	return 0;
}

static json_t *audit_json(const struct key_audit *row)
{
	return json_pack("{s:I, s:s%, s:s%, s:s%}", "at_ts", (json_int_t)row->at_ms, "what",
			 row->what.ptr, row->what.len, "server", row->server.ptr, row->server.len,
			 "reason", row->reason.ptr, row->reason.len);
}

static int get_audit(struct req *r)
{
	const struct notary *notary = r->app;
	struct key_audit *rows;
	json_t *list;
	size_t len;
	int rc = key_history_audit(notary->history, AUDIT_LISTED, r->mem, &rows, &len, &r->err);

	if (rc)
		return rc;
	list = json_array();
	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, audit_json(&rows[i]));
	reply_json(r, json_pack("{s:o}", "audit", list));
	return 0;
}

static int post_import(struct req *r)
{
	json_t *report;
	int rc = exchange_import(r->app, jarr(r->body, "objects"),
				 jstr_or(r->body, "source", "import"), &report, &r->err);

	if (rc == 0)
		reply_json(r, report);
	return rc;
}

static int get_export(struct req *r)
{
	json_t *page;
	int rc = exchange_export(r->app, query_after(r), &page, &r->err);

	if (rc == 0)
		reply_json(r, page);
	return rc;
}

const struct route history_admin_routes[] = {
	{ GET, "/admin/v1/overview", get_overview },
	{ GET, "/admin/v1/servers", get_servers },
	{ GET, "/admin/v1/conflicts", get_conflicts },
	{ GET, "/admin/v1/audit", get_audit },
	{ POST, "/admin/v1/import", post_import, .body = "notary/import",
	  .body_max = IMPORT_BODY_MAX },
	{ GET, "/admin/v1/export", get_export },
	{ 0 },
};
