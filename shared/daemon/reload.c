#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/log_setup.h"
#include "shared/daemon/notify.h"
#include "shared/daemon/state.h"

static const char *const fixed_keys[] = {
	"listen", "tls", "admin", "data_directory", "cache_mb", "sandbox", "http", "outbound", NULL,
};

void daemon_part_stays(const char *part, const struct mx_error *err)
{
	mx_log(MX_LOG_ERROR, "a part of the configuration does not load, the old one stays", "part",
	       part, "why", err->text, NULL);
}

void daemon_key_waits(const char *key)
{
	mx_log(MX_LOG_WARN, "a changed key waits for a restart", "key", key, NULL);
}

static void name_unchanged(const char *const *keys, const struct conf *old, const struct conf *new)
{
	for (; keys && *keys; keys++)
		if (!conf_same(old, new, *keys))
			daemon_key_waits(*keys);
}

/* No request and nothing that is sent takes an hour. */
static void free_retired(struct daemon *daemon, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < daemon->retired.len; i++) {
		const struct retired_conf *retired = &daemon->retired.items[i];

		if (retired->since_ms + MX_HOUR_MS > now_ms)
			daemon->retired.items[kept++] = *retired;
		else
			conf_free(retired->conf);
	}
	daemon->retired.len = kept;
}

static void retire(struct daemon *daemon, struct conf *conf)
{
	int64_t now_ms = mx_mono_ms();

	free_retired(daemon, now_ms);
	if (conf != daemon->first_conf)
		mx_vec_push(&daemon->retired, ((struct retired_conf){ conf, now_ms }));
}

static void swap(struct daemon *daemon, struct conf *new)
{
	struct conf *old = daemon->conf;

	name_unchanged(fixed_keys, daemon->first_conf, new);
	name_unchanged(daemon->app->fixed_keys, daemon->first_conf, new);
	log_setup_by(conf_values(new));
	if (daemon->app->reload)
		daemon->app->reload(daemon->ctx, conf_values(new));
	daemon->conf = new;
	retire(daemon, old);
}

/* Files and certificate go first: they can fail, and the swap cannot. */
static int reload_locked(struct daemon *daemon, struct mx_error *err)
{
	mx_str_auto warnings = { 0 };
	struct conf *new;
	int rc = conf_load(daemon->app, conf_path(daemon->conf), &new, &warnings, err);

	if (rc)
		return rc;
	rc = conf_check_files(daemon->app, new, err);
	if (rc == 0)
		rc = certificate_reload(daemon, err);
	if (rc) {
		conf_free(new);
		return rc;
	}
	log_warnings(&warnings);
	swap(daemon, new);
	mx_log(MX_LOG_INFO, "the configuration is reloaded", NULL);
	return 0;
}

int daemon_reload(struct daemon *daemon, struct mx_error *err)
{
	int rc;

	if (daemon->phase != PHASE_READY)
		return mx_fail(err, MX_BUSY, "The daemon is starting or stopping");
	pthread_mutex_lock(&daemon->reload_lock);
	notify_reloading();
	rc = reload_locked(daemon, err);
	notify_send("READY=1");
	pthread_mutex_unlock(&daemon->reload_lock);
	return rc;
}
