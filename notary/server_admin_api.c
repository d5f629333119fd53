/* The admin listener: one server at a time. */
#include "notary/inspect.h"
#include "notary/notary.h"
#include "notary/refresh.h"
#include "notary/routes.h"
#include "notary/trust.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/net/discover.h"

#include <stdatomic.h>

#define REFETCH_WAIT_MS 20000
#define TRACE_WAIT_MS   15000

static struct mx_slice server_of(const struct req *r)
{
	return mx_slice(req_param(r, "serverName"));
}

static int get_server(struct req *r)
{
	json_t *shown;
	int rc = inspect_server(r->app, server_of(r), &shown, &r->err);

	if (rc == 0)
		reply_json(r, shown);
	return rc;
}

/* ---- fetch it now, and say what came of it */

struct refetch {
	_Atomic int refs;
	_Atomic int rc;
	_Atomic bool done;
	struct req_wake *wake;
};

static void refetch_unref(void *ptr)
{
	struct refetch *refetch = ptr;

	if (atomic_fetch_sub(&refetch->refs, 1) != 1)
		return;
	req_wake_unref(refetch->wake);
	mx_free(refetch);
}

static void refetched(void *ctx, int rc)
{
	struct refetch *refetch = ctx;

	refetch->rc = rc;
	refetch->done = true;
	req_wake(refetch->wake);
	refetch_unref(refetch);
}

static int refetch_start(struct req *r)
{
	const struct notary *notary = r->app;
	struct refetch *refetch = mx_calloc(1, sizeof(*refetch));

	refetch->refs = 2;
	refetch->wake = req_wake_new(r, REFETCH_WAIT_MS);
	r->kept = refetch;
	r->kept_free = refetch_unref;
	key_fetch(notary->fetcher, server_of(r), true, refetched, refetch);
	return -MX_PARK;
}

static int post_refetch(struct req *r)
{
	struct refetch *refetch = r->kept;
	json_t *shown;
	int rc;

	if (!refetch)
		return refetch_start(r);
	rc = inspect_server(r->app, server_of(r), &shown, &r->err);
	if (rc)
		return rc;
	json_object_set_new(shown, "result",
			    json_string(refetch->done ? mx_errc((enum mx_code) - refetch->rc)->name
						      : "STILL_UNDER_WAY"));
	reply_json(r, shown);
	return 0;
}

/* Discovery step by step: what a federation tester shows. */
static int post_verify(struct req *r)
{
	const struct notary *notary = r->app;

	reply_json(r, net_discover_trace(notary->net, req_param(r, "serverName"), TRACE_WAIT_MS));
	return 0;
}

/* ---- decisions; entries in memory know nothing of them, so they are emptied */

static int decided(struct req *r, const char *what, int rc)
{
	const struct notary *notary = r->app;

	if (rc)
		return rc;
	key_history_forget(notary->history);
	return key_history_note(notary->history, what, server_of(r), jstr_or(r->body, "reason", ""),
				&r->err);
}

static int put_deny(struct req *r)
{
	const struct notary *notary = r->app;

	return decided(r, "deny",
		       trust_deny(notary->trust, server_of(r), jstr(r->body, "reason"), &r->err));
}

static int delete_deny(struct req *r)
{
	const struct notary *notary = r->app;

	return decided(r, "undeny", trust_undeny(notary->trust, server_of(r), &r->err));
}

static int put_pin(struct req *r)
{
	const struct notary *notary = r->app;
	uint8_t public_key[32];

	if (!mx_base64_decode_exact(jslice(r->body, "public_key"), public_key, sizeof(public_key)))
		return mx_fail(&r->err, MX_INVALID_PARAM, "public_key is not 32 bytes of base64");
	return decided(r, "pin",
		       trust_pin(notary->trust, server_of(r), jslice(r->body, "key_id"), public_key,
				 jstr(r->body, "reason"), &r->err));
}

static int delete_pin(struct req *r)
{
	const struct notary *notary = r->app;

	return decided(r, "unpin", trust_unpin(notary->trust, server_of(r), &r->err));
}

static int post_purge(struct req *r)
{
	const struct notary *notary = r->app;
	size_t removed;
	int rc = key_history_purge(notary->history, server_of(r),
				   (uint64_t)jint(r->body, "number", 0), jstr(r->body, "reason"),
				   &removed, &r->err);

	if (rc)
		return rc;
	if (removed == 0)
		return mx_fail(&r->err, MX_NOT_FOUND, "No such keys are stored of that server");
	reply_json(r, json_pack("{s:I}", "removed", (json_int_t)removed));
	return 0;
}

static int post_prefetch(struct req *r)
{
	const struct notary *notary = r->app;

	return refresh_prefetch(notary->refresh, server_of(r), &r->err);
}

static int delete_prefetch(struct req *r)
{
	const struct notary *notary = r->app;

	return refresh_release(notary->refresh, server_of(r), &r->err);
}

#define SERVER "/admin/v1/servers/{serverName:server_name}"

const struct route server_admin_routes[] = {
	{ GET, SERVER, get_server },
	{ POST, SERVER "/refetch", post_refetch },
	{ POST, SERVER "/verify", post_verify, .lane = LANE_NET },
	{ PUT, SERVER "/deny", put_deny, .body = "notary/deny" },
	{ DELETE, SERVER "/deny", delete_deny },
	{ PUT, SERVER "/pin", put_pin, .body = "notary/pin" },
	{ DELETE, SERVER "/pin", delete_pin },
	{ POST, SERVER "/purge", post_purge, .body = "notary/purge" },
	{ POST, SERVER "/prefetch", post_prefetch },
	{ DELETE, SERVER "/prefetch", delete_prefetch },
	{ 0 },
};
