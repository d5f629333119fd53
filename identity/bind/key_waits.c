#include "identity/bind/key_waits.h"

#include "identity/budget_kinds.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <pthread.h>
#include <stdio.h>

/* Of the lane's threads: half for all, an eighth for one network. */
#define SHARE_OF_ALL     2
#define SHARE_OF_NETWORK 8

#define PREFIX_LEN 64

struct key_waits {
	pthread_mutex_t lock;
	unsigned len, per_network;
	char (*networks)[PREFIX_LEN]; /* "": the place is free */
};

static unsigned share(unsigned threads, unsigned part)
{
	return threads > part ? threads / part : 1;
}

struct key_waits *key_waits_new(unsigned threads)
{
	struct key_waits *waits = mx_calloc(1, sizeof(*waits));

	pthread_mutex_init(&waits->lock, NULL);
	waits->len = share(threads, SHARE_OF_ALL);
	waits->per_network = share(threads, SHARE_OF_NETWORK);
	waits->networks = mx_calloc(waits->len, sizeof(*waits->networks));
	return waits;
}

void key_waits_free(struct key_waits *waits)
{
	if (!waits)
		return;
	mx_free(waits->networks);
	pthread_mutex_destroy(&waits->lock);
	mx_free(waits);
}

/* The lock is held. waits->len if there is no place for this network. */
static unsigned find_place(const struct key_waits *waits, const char *network)
{
	unsigned place = waits->len, of_network = 0;

	for (unsigned i = 0; i < waits->len; i++) {
		if (!*waits->networks[i])
			place = i;
		else
			of_network += streq(waits->networks[i], network);
	}
	return of_network < waits->per_network ? place : waits->len;
}

int key_waits_enter(struct key_waits *waits, const char *client, unsigned *ret_place,
		    struct mx_error *err)
{
	char network[PREFIX_LEN];
	unsigned place;

	budgets_prefix(client, network);
	pthread_mutex_lock(&waits->lock);
	place = find_place(waits, network);
	if (place < waits->len)
		snprintf(waits->networks[place], PREFIX_LEN, "%s", network);
	pthread_mutex_unlock(&waits->lock);
	if (place < waits->len) {
		*ret_place = place;
		return 0;
	}
	if (err)
		err->retry_after_ms = MX_SECOND_MS;
	return mx_fail(err, MX_LIMIT_EXCEEDED, "Too many requests wait for keys of homeservers");
}

void key_waits_leave(struct key_waits *waits, unsigned place)
{
	pthread_mutex_lock(&waits->lock);
	*waits->networks[place] = '\0';
	pthread_mutex_unlock(&waits->lock);
}
