/* Locks: ring->lock, around the list of recent questions only. */
#include "shared/keys/key_ring.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_notary.h"
#include "shared/keys/key_wait.h"

#include <pthread.h>

/* A key id made up by a peer makes us ask the notaries once in this long, not for each request. */
#define ASKED_MS  (60 * MX_SECOND_MS)
#define ASKED_MAX 10000
#define WAIT_MS   (20 * MX_SECOND_MS) /* more than a fetch and its recording take */

struct key_ring {
	struct key_ring_conf conf;
	pthread_mutex_t lock;
	struct mx_lru *asked; /* (server, key id) → nothing, for a while */
};

/* What is looked for. */
struct wanted {
	struct mx_slice server, key_id;
	int64_t at_ms;
	bool for_request;
};

struct key_ring *key_ring_new(const struct key_ring_conf *conf)
{
	struct key_ring *ring = mx_calloc(1, sizeof(*ring));

	ring->conf = *conf;
	pthread_mutex_init(&ring->lock, NULL);
	ring->asked = mx_lru_new(ASKED_MAX, ASKED_MS, NULL);
	return ring;
}

void key_ring_free(struct key_ring *ring)
{
	if (!ring)
		return;
	mx_lru_free(ring->asked);
	pthread_mutex_destroy(&ring->lock);
	mx_free(ring);
}

/* ---- what we know */

/* Spec: server-server API, "Retrieving server keys": old keys count for events up to their
 * expiry and for no request. */
static bool is_usable(const struct key_found *found, const struct wanted *wanted)
{
	if (key_is_compromised(found->public_key) || (found->expired && wanted->for_request))
		return false;
	return wanted->at_ms <= found->valid_until_ts;
}

/* 0, or -MX_MOVE_NET if what we have does not do. */
static int look(struct key_ring *ring, const struct wanted *wanted, uint8_t ret_public_key[32],
		struct mx_error *err)
{
	struct key_found found;
	struct key_entry *entry;
	bool usable;
	int rc = key_history_load(ring->conf.history, wanted->server, &entry, err);

	if (rc)
		return rc;
	usable = key_entry_find(entry, wanted->key_id, &found) && is_usable(&found, wanted);
	key_entry_unref(entry);
	if (!usable)
		return -MX_MOVE_NET;
	memcpy(ret_public_key, found.public_key, sizeof(found.public_key));
	return 0;
}

int key_ring_peek(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
		  int64_t at_ms, bool for_request, uint8_t ret_public_key[32], struct mx_error *err)
{
	const struct wanted wanted = { server, key_id, at_ms, for_request };

	return look(ring, &wanted, ret_public_key, err);
}

/* ---- whom to ask */

/* True if the origin had its say: then a key that is still missing does not exist. */
static bool ask_origin(struct key_ring *ring, struct mx_slice server)
{
	struct key_fetch_state state;
	int rc = key_wait_fetch(ring->conf.fetcher, server, WAIT_MS);

	switch (-rc) {
	case 0:
	case MX_CONFLICT:
	case MX_BAD_SIGNATURE: return true;
	case MX_BACKED_OFF:
		/* Asked so often lately that it must wait, and it answered. */
		return key_fetch_state(ring->conf.fetcher, server, &state) && state.last_rc == 0;
	default: return false;
	}
}

static bool was_asked(struct key_ring *ring, const struct wanted *wanted)
{
	mx_str_auto question = { 0 };
	bool asked;

	mx_str_add_slice(&question, wanted->server);
	mx_str_add_char(&question, '\0');
	mx_str_add_slice(&question, wanted->key_id);
	pthread_mutex_lock(&ring->lock);
	asked = mx_lru_find(ring->asked, mx_str_slice(&question)) != NULL;
	if (!asked)
		mx_lru_put(ring->asked, mx_str_slice(&question), ring, 1);
	pthread_mutex_unlock(&ring->lock);
	return asked;
}

/* One after the other until one of them brings it: 0 or -MX_MOVE_NET as look(). */
static int ask_notaries(struct key_ring *ring, const struct wanted *wanted, bool *answered,
			uint8_t ret_public_key[32], struct mx_error *err)
{
	int rc = -MX_MOVE_NET;

	if (ring->conf.notaries_len == 0 || was_asked(ring, wanted))
		return rc;
	for (unsigned i = 0; rc == -MX_MOVE_NET && i < ring->conf.notaries_len; i++) {
		const struct key_question question = {
			.net = ring->conf.net,
			.history = ring->conf.history,
			.notary = &ring->conf.notaries[i],
			.server = wanted->server,
			.key_id = wanted->key_id,
			.minimum_valid_until_ts = wanted->at_ms,
		};

		if (!key_notary_ask(&question))
			continue;
		*answered = true;
		rc = look(ring, wanted, ret_public_key, err);
	}
	return rc;
}

int key_ring_find(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
		  int64_t at_ms, bool for_request, uint8_t ret_public_key[32], struct mx_error *err)
{
	const struct wanted wanted = { server, key_id, at_ms, for_request };
	int rc = look(ring, &wanted, ret_public_key, err);
	bool answered;

	if (rc != -MX_MOVE_NET)
		return rc;
	answered = ask_origin(ring, server);
	rc = look(ring, &wanted, ret_public_key, err);
	if (rc == -MX_MOVE_NET)
		rc = ask_notaries(ring, &wanted, &answered, ret_public_key, err);
	if (rc != -MX_MOVE_NET)
		return rc;
	if (answered)
		return mx_fail(err, MX_NOT_FOUND, "%.*s has no key %.*s for that time",
			       MX_SLICE_ARG(server), MX_SLICE_ARG(key_id));
	return mx_fail(err, MX_REMOTE_FAILED, "The keys of %.*s could not be had",
		       MX_SLICE_ARG(server));
}
