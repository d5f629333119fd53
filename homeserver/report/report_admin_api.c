/* The admin listener: what users reported. */
#include "homeserver/call.h"
#include "homeserver/report/report_db.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"

static json_t *report_json(const struct report *report)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "id", report->id, "reporter",
				 report->reporter, "reason", report->reason, "received_ms",
				 (json_int_t)report->received_ms);
	const struct {
		const char *key, *value;
	} about[] = {
		{ "room_id", report->room_id },
		{ "event_id", report->event_id },
		{ "user_id", report->user_id },
	};

	for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
		if (*about[i].value)
			json_object_set_new(json, about[i].key, json_string(about[i].value));
	if (report->has_score)
		json_object_set_new(json, "score", json_integer(report->score));
	return json;
}

static int list_reports(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct report_page found;
	json_t *items;
	struct page page;
	int rc = admin_page(r, &page);

	if (rc == 0)
		rc = report_db_list(&call, &page, &found);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < found.len; i++)
		json_array_append_new(items, report_json(&found.items[i]));
	admin_reply_page(r, json_pack("{s:o}", "reports", items), found.next);
	return 0;
}

static int delete_report(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct report report;
	int rc = report_db_load(&call, req_param(r, "id"), &report);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no report with this id");
	if (rc == 0)
		report_db_delete(&call, report.id);
	return rc;
}

const struct route report_admin_routes[] = {
	{ GET, ADMIN_V1 "/reports", list_reports, .txn = TXN_READ },
	{ DELETE, ADMIN_V1 "/reports/{id}", delete_report, .txn = TXN_WRITE },
	{ 0 },
};
