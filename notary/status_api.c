#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "notary/overview.h"
#include "notary/routes.h"
#include "notary/status_page.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

#define WORST_SHOWN 10

static int get_status(struct req *r)
{
	const struct notary *notary = r->app;
	json_auto_t *overview = NULL;
	struct mx_str page = { 0 };
	mx_str_auto policy = { 0 };

	if (!*notary->conf->status_page)
		return mx_fail(&r->err, MX_UNRECOGNIZED, "There is no status page here");
	overview = overview_json(r->app, WORST_SHOWN);
	status_page_write(overview, &page);
	reply_owned(r, "text/html; charset=utf-8", page.ptr, page.len);
	status_page_policy(&policy);
	reply_header(r, "Content-Security-Policy", policy.ptr);
	reply_header(r, "Referrer-Policy", "no-referrer");
	return 0;
}

const struct route status_routes[] = {
	{ GET, "/", get_status, .limit = LIMIT_READ },
	{ 0 },
};
