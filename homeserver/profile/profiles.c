/* The thread that tells rooms of new names and avatars. */
#include "homeserver/hs.h"
#include "homeserver/profile/profile.h"
#include "homeserver/profile/profile_db.h"
#include "homeserver/profile/profile_rooms.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/thread.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define RETRY_US (30 * 1000 * 1000)

struct profiles {
	struct hs *hs;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool work; /* under the lock */
	_Atomic bool stopping;
};

static bool wait_for_work(struct profiles *profiles, bool failed)
{
	const struct timespec until = mx_after_us(RETRY_US);
	bool stopping;

	pthread_mutex_lock(&profiles->lock);
	while (!profiles->work && !profiles->stopping) {
		if (!failed)
			pthread_cond_wait(&profiles->woken, &profiles->lock);
		else if (pthread_cond_timedwait(&profiles->woken, &profiles->lock, &until))
			break;
	}
	profiles->work = false;
	stopping = profiles->stopping;
	pthread_mutex_unlock(&profiles->lock);
	return !stopping;
}

static void *run(void *ctx)
{
	struct profiles *profiles = ctx;
	int rc = 0;

	mx_thread_yields();
	while (wait_for_work(profiles, rc != 0)) {
		rc = profile_rooms_tell(profiles->hs, &profiles->stopping);
		if (rc && !profiles->stopping)
			mx_log(MX_LOG_WARN,
			       "rooms were not told of new profiles; tried again in a while",
			       "reason", mx_errc((enum mx_code) - rc)->text, NULL);
	}
	return NULL;
}

/* On the committer's thread. */
static void on_change(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct profiles *profiles = ctx;

	(void)key;
	if (!value.ptr)
		return;
	pthread_mutex_lock(&profiles->lock);
	profiles->work = true;
	pthread_cond_signal(&profiles->woken);
	pthread_mutex_unlock(&profiles->lock);
}

struct profiles *profiles_start(struct hs *hs)
{
	struct profiles *profiles = mx_calloc(1, sizeof(*profiles));

	profiles->hs = hs;
	profiles->work = true; /* what the last run left */
	pthread_mutex_init(&profiles->lock, NULL);
	mx_cond_init(&profiles->woken);
	store_watch(hs->store, &profile_change_table, on_change, profiles);
	profiles->thread = mx_thread_start("profiles", run, profiles);
	return profiles;
}

void profiles_stop(struct profiles *profiles)
{
	if (!profiles)
		return;
	store_watch(profiles->hs->store, &profile_change_table, NULL, NULL);
	pthread_mutex_lock(&profiles->lock);
	profiles->stopping = true;
	pthread_cond_signal(&profiles->woken);
	pthread_mutex_unlock(&profiles->lock);
	pthread_join(profiles->thread, NULL);
	pthread_cond_destroy(&profiles->woken);
	pthread_mutex_destroy(&profiles->lock);
	mx_free(profiles);
}
