#include "shared/daemon/admin.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/tls.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/state.h"
#include "shared/http/request.h"
#include "shared/http/route.h"
#include "shared/json/json.h"

#include <unistd.h>

#define PROMETHEUS_TEXT    "text/plain; version=0.0.4; charset=utf-8"
#define BACKUP_DEADLINE_MS (6 * MX_HOUR_MS)

/* The process's one daemon: r->app belongs to the app's own handlers. */
static struct daemon *served;

/* "localhost:8448", "127.0.0.1", "[::1]:80": a name that a page's DNS could not have chosen. */
static bool is_local_host(const char *host)
{
	static const char *const names[] = { "localhost", "127.", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *rest = host + strlen(names[i]);

		if (!mx_starts_with(host, names[i]))
			continue;
		if (i == 1)
			return strspn(rest, "0123456789.:") == strlen(rest);
		return rest[0] == '\0' || rest[0] == ':';
	}
	return false;
}

int admin_guard(struct req *r)
{
	const char *host = req_header(r, "Host");

	if (req_header(r, "Origin") || (host && !is_local_host(host)))
		return mx_fail(&r->err, MX_FORBIDDEN, "Web pages may not use the admin listener");
	r->user = "admin";
	return 0;
}

/* ---- health and metrics */

static int get_live(struct req *r)
{
	reply_json(r, json_pack("{s:b}", "live", 1));
	return 0;
}

static int get_ready(struct req *r)
{
	bool ready;
	json_t *report = health_report(served, &ready);

	if (!ready) {
		r->err_fields = report;
		return mx_fail(&r->err, MX_BUSY, "The daemon is not ready");
	}
	reply_json(r, report);
	return 0;
}

static int get_metrics(struct req *r)
{
	struct mx_str page = { 0 };
	size_t len;

	mx_metrics_write(served->metrics, &page);
	len = page.len;
	reply_owned(r, PROMETHEUS_TEXT, mx_str_steal(&page), len);
	return 0;
}

/* ---- asking and telling the daemon */

static json_t *sandbox_report(const struct daemon *daemon)
{
	return json_pack("{s:b, s:i}", "seccomp", daemon->seccomp, "landlock_abi",
			 daemon->landlock);
}

static int get_status(struct req *r)
{
	bool ready;
	json_t *status = health_report(served, &ready);
	mx_autofree char *path = NULL;

	pthread_mutex_lock(&served->reload_lock);
	path = mx_strdup(conf_path(served->conf));
	pthread_mutex_unlock(&served->reload_lock);
	json_object_update_new(
		status, json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:o}", "name", served->app->name,
				  "version", TRINITY_VERSION, "pid", (int)getpid(), "started_ms",
				  (json_int_t)served->started_ms, "uptime_ms",
				  (json_int_t)(mx_mono_ms() - served->started_mono_ms),
				  "configuration", path, "sandbox", sandbox_report(served)));
	if (served->tls)
		json_object_set_new(status, "certificate_expires_ms",
				    json_integer(mx_tls_expires_ms(served->tls)));
	reply_json(r, status);
	return 0;
}

static int post_reload(struct req *r)
{
	return daemon_reload(served, &r->err);
}

static int post_backup(struct req *r)
{
	return backup_take(served, jstr(r->body, "to"), jstr(r->body, "destination"), &r->err);
}

static const struct route common_rows[] = {
	{ GET, "/health/live", get_live, .lane = LANE_IO },
	{ GET, "/health/ready", get_ready },
	{ GET, "/metrics", get_metrics },
	{ GET, "/admin/v1/status", get_status, .auth = AUTH_USER },
	{ POST, "/admin/v1/reload", post_reload, .auth = AUTH_USER },
	{ POST, "/admin/v1/backup", post_backup, .auth = AUTH_USER, .body = "admin/backup",
	  .deadline_ms = BACKUP_DEADLINE_MS },
	{ 0 },
};

/* ---- the tables */

static size_t row_count(const struct route *rows)
{
	size_t count = 0;

	while (rows[count].path)
		count++;
	return count;
}

static const struct route *guarded(struct mx_arena *mem, const struct route *rows)
{
	size_t len = row_count(rows);
	struct route *copy = mx_arena_calloc(mem, len + 1, sizeof(*copy));

	memcpy(copy, rows, len * sizeof(*copy));
	for (size_t i = 0; i < len; i++)
		if (copy[i].auth == AUTH_NONE)
			copy[i].auth = AUTH_USER;
	return copy;
}

const struct route *const *admin_routes(struct daemon *daemon)
{
	const struct route *const *app = daemon->app->admin_routes;
	size_t len = 0;
	const struct route **tables;

	while (app && app[len])
		len++;
	tables = mx_arena_calloc(daemon->mem, len + 2, sizeof(*tables));
	tables[0] = common_rows;
	for (size_t i = 0; i < len; i++)
		tables[i + 1] = guarded(daemon->mem, app[i]);
	served = daemon;
	return tables;
}
