#include "homeserver/media/media_wait.h"

#include "homeserver/media/media.h"
#include "shared/core/alloc.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

#include <pthread.h>

struct media_wait {
	struct media_waits *waits;
	char *id;
	struct req_wake *wake;
	struct media_wait *next, *prev;
};

struct media_waits {
	pthread_mutex_t lock;
	struct mx_map first; /* id → struct media_wait */
};

struct media_waits *media_waits_new(void)
{
	struct media_waits *waits = mx_calloc(1, sizeof(*waits));

	pthread_mutex_init(&waits->lock, NULL);
	return waits;
}

void media_waits_free(struct media_waits *waits)
{
	if (!waits)
		return;
	mx_map_done(&waits->first, NULL);
	pthread_mutex_destroy(&waits->lock);
	mx_free(waits);
}

struct media_wait *media_waits_add(struct media_waits *waits, const char *id, struct req_wake *wake)
{
	struct media_wait *wait = mx_calloc(1, sizeof(*wait));

	wait->waits = waits;
	wait->id = mx_strdup(id);
	wait->wake = req_wake_ref(wake);
	pthread_mutex_lock(&waits->lock);
	wait->next = mx_map_put(&waits->first, mx_slice(id), wait);
	if (wait->next)
		wait->next->prev = wait;
	pthread_mutex_unlock(&waits->lock);
	return wait;
}

static void take_out(struct media_wait *wait)
{
	struct mx_map *first = &wait->waits->first;

	if (wait->next)
		wait->next->prev = wait->prev;
	if (wait->prev)
		wait->prev->next = wait->next;
	else if (wait->next)
		mx_map_put(first, mx_slice(wait->id), wait->next);
	else
		mx_map_remove(first, mx_slice(wait->id));
}

void media_wait_end(void *ctx)
{
	struct media_wait *wait = ctx;

	if (!wait)
		return;
	pthread_mutex_lock(&wait->waits->lock);
	take_out(wait);
	pthread_mutex_unlock(&wait->waits->lock);
	req_wake_unref(wait->wake);
	mx_free(wait->id);
	mx_free(wait);
}

void media_waits_wake(struct media_waits *waits, const char *id)
{
	pthread_mutex_lock(&waits->lock);
	for (struct media_wait *wait = mx_map_find(&waits->first, mx_slice(id)); wait;
	     wait = wait->next)
		req_wake(wait->wake);
	pthread_mutex_unlock(&waits->lock);
}
