#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/log_setup.h"
#include "shared/daemon/notify.h"
#include "shared/daemon/state.h"

static const char *const fixed_keys[] = {
	"listen", "tls", "admin", "data_directory", "cache_mb", "sandbox", "http", "outbound", NULL,
};

static void name_unchanged(const char *const *keys, const struct conf *old, const struct conf *new)
{
	for (; keys && *keys; keys++)
		if (!conf_same(old, new, *keys))
			mx_log(MX_LOG_WARN, "a changed key waits for a restart", "key", *keys,
			       NULL);
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
	if (old != daemon->first_conf)
		conf_free(old);
}

/* The certificate goes first: it can fail, and the swap cannot. */
static int reload_locked(struct daemon *daemon, struct mx_error *err)
{
	mx_str_auto warnings = { 0 };
	struct conf *new;
	int rc = conf_load(daemon->app, conf_path(daemon->conf), &new, &warnings, err);

	if (rc)
		return rc;
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
