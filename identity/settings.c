#include "identity/settings.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/long_term_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/http/route.h"

void identity_limits(struct daemon *daemon, const struct identity_conf *conf)
{
	struct http_limit limits[LIMIT_COUNT] = { 0 };

	for (int class = LIMIT_NONE + 1; class < LIMIT_COUNT; class ++) {
		limits[class].per_second = conf->limits.requests.per_second;
		limits[class].burst = conf->limits.requests.burst;
	}
	limits[LIMIT_REGISTER].per_second = (double)conf->limits.registers.per_day * MX_SECOND_MS /
					    MX_DAY_MS;
	limits[LIMIT_REGISTER].burst = conf->limits.registers.burst;
	daemon_limits(daemon, limits);
}

/* Borrows conf's texts; mx_free() the array. */
static const char **revoked_of(const struct identity_conf *conf)
{
	const char **list = mx_calloc(conf->keys.revoked_count + 1u, sizeof(*list));

	for (unsigned i = 0; i < conf->keys.revoked_count; i++)
		list[i] = conf->keys.revoked[i];
	return list;
}

int identity_keys(struct identity *identity, const struct identity_conf *conf, struct mx_error *err)
{
	const char **revoked = revoked_of(conf);
	const struct long_term_conf keys = {
		.server_name = identity->conf->server_name,
		.file = identity->conf->keys.signing_file,
		.revoked = revoked,
	};
	int rc = identity->keys ? long_term_keys_reload(identity->keys, &keys, err)
				: long_term_keys_new(&keys, &identity->keys, err);

	mx_free(revoked);
	return rc;
}
