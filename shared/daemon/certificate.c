#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/crypto/tls.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/state.h"

#include <sys/stat.h>

static uint64_t stamp_of(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return 0;
	return (uint64_t)status.st_mtim.tv_sec * 1000000007 + (uint64_t)status.st_mtim.tv_nsec +
	       status.st_ino * 31 + (uint64_t)status.st_size;
}

static uint64_t stamp_both(struct daemon *daemon)
{
	const struct daemon_conf *values = conf_values(daemon->first_conf);

	return stamp_of(values->tls.certificate) ^ stamp_of(values->tls.key) << 1;
}

static bool wants_tls(const struct daemon_conf *values)
{
	for (unsigned i = 0; i < values->listen_count; i++)
		if (values->listen[i].tls)
			return true;
	return false;
}

int certificate_load(struct daemon *daemon, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	int rc;

	if (!wants_tls(values))
		return 0;
	daemon->tls_stamp = stamp_both(daemon);
	rc = mx_tls_load(values->tls.certificate, values->tls.key, &daemon->tls, err);
	if (rc == 0)
		mx_tls_serve(daemon->tls);
	return rc;
}

int certificate_reload(struct daemon *daemon, struct mx_error *err)
{
	if (!daemon->tls)
		return 0;
	daemon->tls_stamp = stamp_both(daemon);
	return mx_tls_reload(daemon->tls, err);
}

static void watch_locked(struct daemon *daemon)
{
	uint64_t before = daemon->tls_stamp, now = stamp_both(daemon);
	struct mx_error err = { 0 };
	int rc;

	daemon->tls_stamp = now;
	if (before == now)
		return;
	rc = certificate_reload(daemon, &err);
	/* Between the writing of one file and the other they do not fit. */
	if (rc)
		mx_log(MX_LOG_WARN, "the new certificate is not taken, the old one stays", "why",
		       mx_error_text(&err, rc), NULL);
	else
		mx_log(MX_LOG_INFO, "a new certificate is in use", NULL);
}

void certificate_watch(struct daemon *daemon)
{
	if (!daemon->tls)
		return;
	pthread_mutex_lock(&daemon->reload_lock);
	watch_locked(daemon);
	pthread_mutex_unlock(&daemon->reload_lock);
}

void certificate_free(struct daemon *daemon)
{
	mx_tls_free(daemon->tls);
	daemon->tls = NULL;
}
