#include "homeserver/hs.h"

#include "homeserver/account/accounts.h"
#include "homeserver/ephemeral/people.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media.h"
#include "homeserver/message/messages.h"
#include "homeserver/meta/admin_contact.h"
#include "homeserver/open.h"
#include "homeserver/room/rooms.h"
#include "homeserver/routes.h"
#include "homeserver/stream/stream.h"
#include "homeserver/sync/lazy_members.h"
#include "homeserver/upkeep.h"
#include "homeserver/userdata/filters.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/daemon/chores.h"
#include "shared/daemon/daemon.h"
#include "shared/keys/own_keys.h"

#include <stdatomic.h>

static struct http_limit limit_of(const struct rate_conf *rate)
{
	return (struct http_limit){ .per_second = rate->per_minute / 60.0, .burst = rate->burst };
}

static void hs_limits(struct daemon *daemon, const struct hs_conf *conf)
{
	struct http_limit limits[LIMIT_COUNT] = { 0 };

	for (int class = LIMIT_NONE + 1; class < LIMIT_COUNT; class ++) {
		limits[class].per_second = conf->limits.requests.per_second;
		limits[class].burst = conf->limits.requests.burst;
	}
	limits[LIMIT_LOGIN] = limit_of(&conf->limits.logins);
	limits[LIMIT_REGISTER] = limit_of(&conf->limits.registrations);
	limits[LIMIT_MEDIA] = limit_of(&conf->limits.media_uploads);
	daemon_limits(daemon, limits);
}

int hs_start(struct daemon *daemon, const void *conf, void **ret_hs, struct mx_error *err)
{
	struct hs *hs = mx_calloc(1, sizeof(*hs));
	int rc;

	hs->conf = conf;
	hs->daemon = daemon;
	hs->metrics = daemon_metrics(daemon);
	hs->started_ms = mx_now_ms();
	hs_limits(daemon, conf);
	daemon_contact(daemon, admin_contact);
	rc = hs_open(hs, err);
	if (rc) {
		hs_stop(hs);
		return rc;
	}
	hs->chores = chores_start(hs, upkeep_chores, upkeep_chores_len);
	*ret_hs = hs;
	return 0;
}

void hs_stop(void *ctx)
{
	struct hs *hs = ctx;

	chores_stop(hs->chores);
	people_close(hs);
	stream_close(hs->stream);
	messages_stop(hs);
	rooms_free(hs->rooms);
	stream_free(hs->stream);
	accounts_close(hs);
	filters_free(hs->filters);
	lazy_members_free(hs->lazy_members);
	messages_free(hs);
	media_free(hs->media);
	own_keys_free(hs->keys);
	mx_free(hs);
}

static void reload_keys(struct hs *hs)
{
	struct mx_error err = { 0 };

	if (own_keys_reload(hs->keys, &err))
		mx_log(MX_LOG_ERROR, "the key file does not load, the old keys go on signing",
		       "why", err.text, NULL);
}

void hs_reload(void *ctx, const void *conf)
{
	struct hs *hs = ctx;

	reload_keys(hs);
	messages_reload(hs, conf);
	hs_limits(hs->daemon, conf);
	accounts_reload(hs, conf);
	atomic_store(&hs->newest, conf);
}

const struct hs_conf *conf_of(const struct hs *hs)
{
	const struct hs_conf *newest = atomic_load(&hs->newest);

	return newest ? newest : hs->conf;
}
