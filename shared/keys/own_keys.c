#include "shared/keys/own_keys.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/crypto/sign_json.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"
#include "shared/keys/key_history.h"

#include <pthread.h>
#include <stdatomic.h>

/* The object is renewed so long before half of its validity is over: that may be as little as the
 * hour that the specification asks for, and the renewal may come late. */
#define RENEW_EARLY_MS MX_MINUTE_MS

/* The file's keys at one moment; shared by reference count, immutable. */
struct own_ring {
	_Atomic int refs;
	struct mx_keyring keys;
};

struct own_keys {
	char *server_name, *signing_file;
	int64_t validity_ms;
	pthread_mutex_t lock; /* everything below */
	struct own_ring *ring;
	struct reply_body *reply;
	int64_t valid_until_ms;
	bool recorded; /* the object is in the history */
};

/* ---- the ring */

void own_ring_unref(struct own_ring *ring)
{
	if (!ring || atomic_fetch_sub(&ring->refs, 1) != 1)
		return;
	mx_keyring_done(&ring->keys);
	mx_free(ring);
}

struct own_ring *own_keys_ring(struct own_keys *own)
{
	struct own_ring *ring;

	pthread_mutex_lock(&own->lock);
	ring = own->ring;
	atomic_fetch_add(&ring->refs, 1);
	pthread_mutex_unlock(&own->lock);
	return ring;
}

const struct mx_keyring *own_ring_keys(const struct own_ring *ring)
{
	return &ring->keys;
}

const struct mx_signing_key *own_ring_signer(const struct own_ring *ring)
{
	return ring->keys.keys[0];
}

static int create_signing_file(const char *path, struct mx_error *err)
{
	struct mx_keyring fresh = { 0 };
	int rc;

	mx_keyring_add(&fresh, mx_signing_key_generate());
	rc = mx_keyfile_save(path, &fresh, err);
	if (rc == 0)
		mx_log(MX_LOG_INFO, "made a new signing key", "file", path, "key",
		       mx_signing_key_id(fresh.keys[0]), NULL);
	mx_keyring_done(&fresh);
	return rc;
}

int own_keys_load(const struct own_keys *own, struct own_ring **ret_ring, struct mx_error *err)
{
	struct own_ring *ring = mx_calloc(1, sizeof(*ring));
	int rc = mx_keyfile_load(own->signing_file, &ring->keys, err);

	ring->refs = 1;
	if (rc == 0 && ring->keys.len == 0)
		rc = mx_fail(err, MX_BAD_KEY, "%s has no key that signs", own->signing_file);
	if (rc) {
		own_ring_unref(ring);
		return rc;
	}
	*ret_ring = ring;
	return 0;
}

/* ---- the published object */

static json_t *base64_json(const uint8_t *bytes, size_t len)
{
	mx_str_auto text = { 0 };

	mx_base64_add(&text, bytes, len);
	return json_string(text.ptr);
}

static json_t *verify_keys_new(const struct mx_keyring *ring)
{
	json_t *keys = json_object();

	for (size_t i = 0; i < ring->len; i++)
		json_object_set_new(keys, mx_signing_key_id(ring->keys[i]),
				    json_pack("{s:o}", "key",
					      base64_json(mx_signing_key_public(ring->keys[i]),
							  MX_ED25519_PUBLIC_LEN)));
	return keys;
}

static bool is_signing(const struct mx_keyring *ring, const char *id)
{
	for (size_t i = 0; i < ring->len; i++)
		if (streq(mx_signing_key_id(ring->keys[i]), id))
			return true;
	return false;
}

/* No id may stand in both maps. */
static json_t *old_keys_new(const struct mx_keyring *ring)
{
	json_t *keys = json_object();

	for (size_t i = 0; i < ring->old_len; i++) {
		const struct mx_old_key *old = &ring->old[i];

		if (is_signing(ring, old->id))
			continue;
		json_object_set_new(keys, old->id,
				    json_pack("{s:o, s:I}", "key",
					      base64_json(old->public_key, sizeof(old->public_key)),
					      "expired_ts", (json_int_t)old->expired_ts));
	}
	return keys;
}

static int object_bytes(const struct own_keys *own, const struct own_ring *ring,
			int64_t valid_until_ms, struct mx_str *out, struct mx_error *err)
{
	json_auto_t *object = json_pack("{s:s, s:I, s:o, s:o}", "server_name", own->server_name,
					"valid_until_ts", (json_int_t)valid_until_ms, "verify_keys",
					verify_keys_new(&ring->keys), "old_verify_keys",
					old_keys_new(&ring->keys));

	for (size_t i = 0; i < ring->keys.len; i++) {
		int rc = mx_sign_json(object, own->server_name, ring->keys.keys[i], err);

		if (rc)
			return rc;
	}
	return mx_canonical_json(object, NULL, out, err);
}

static int record(struct own_keys *own, struct mx_slice bytes, struct key_history *history,
		  struct mx_error *err)
{
	const struct key_source source = { .source = "own" };
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_recorded recorded;
	struct key_object object;
	enum key_refusal refusal = key_object_check(bytes, mx_slice(own->server_name),
						    KEY_POLICY_ALL, mem, &object, err);

	if (refusal != KEY_FINE)
		return -MX_BAD_KEY;
	return key_history_record(history, &object, &source, &recorded, err);
}

/* The new object replaces the old one unless somebody made a later one meanwhile, or one with
 * other keys. */
static void publish(struct own_keys *own, const struct own_ring *ring, struct mx_slice bytes,
		    int64_t valid_until_ms)
{
	struct reply_body *fresh = reply_body_new("application/json", bytes.ptr, bytes.len, true);
	struct reply_body *replaced = fresh;

	pthread_mutex_lock(&own->lock);
	if (ring == own->ring && valid_until_ms >= own->valid_until_ms) {
		replaced = own->reply;
		own->reply = fresh;
		own->valid_until_ms = valid_until_ms;
	}
	pthread_mutex_unlock(&own->lock);
	if (replaced)
		reply_body_unref(replaced);
}

static void set_recorded(struct own_keys *own, const struct own_ring *ring)
{
	pthread_mutex_lock(&own->lock);
	if (ring == own->ring)
		own->recorded = true;
	pthread_mutex_unlock(&own->lock);
}

static int make_object_with(struct own_keys *own, const struct own_ring *ring,
			    struct key_history *history, struct mx_error *err)
{
	int64_t valid_until_ms = mx_now_ms() + own->validity_ms;
	mx_str_auto bytes = { 0 };
	int rc;

	pthread_mutex_lock(&own->lock);
	if (valid_until_ms < own->valid_until_ms)
		valid_until_ms = own->valid_until_ms; /* the clock went back */
	pthread_mutex_unlock(&own->lock);
	rc = object_bytes(own, ring, valid_until_ms, &bytes, err);
	if (rc)
		return rc;
	publish(own, ring, mx_str_slice(&bytes), valid_until_ms);
	if (!history)
		return 0;
	rc = record(own, mx_str_slice(&bytes), history, err);
	if (rc == 0)
		set_recorded(own, ring);
	return rc;
}

static int make_object(struct own_keys *own, struct key_history *history, struct mx_error *err)
{
	struct own_ring *ring = own_keys_ring(own);
	int rc = make_object_with(own, ring, history, err);

	own_ring_unref(ring);
	return rc;
}

/* ---- life */

void own_keys_free(struct own_keys *own)
{
	if (!own)
		return;
	own_ring_unref(own->ring);
	if (own->reply)
		reply_body_unref(own->reply);
	mx_free(own->server_name);
	mx_free(own->signing_file);
	pthread_mutex_destroy(&own->lock);
	mx_free(own);
}

int own_keys_new(const struct own_keys_conf *conf, struct own_keys **ret_own, struct mx_error *err)
{
	struct own_keys *own = mx_calloc(1, sizeof(*own));
	int rc;

	pthread_mutex_init(&own->lock, NULL);
	own->server_name = mx_strdup(conf->server_name);
	own->signing_file = mx_strdup(conf->signing_file);
	own->validity_ms = conf->validity_ms;
	rc = own_keys_load(own, &own->ring, err);
	if (rc == -MX_NOT_FOUND && (rc = create_signing_file(own->signing_file, err)) == 0)
		rc = own_keys_load(own, &own->ring, err);
	if (rc == 0)
		rc = make_object(own, NULL, err);
	if (rc) {
		own_keys_free(own);
		return rc;
	}
	*ret_own = own;
	return 0;
}

int own_keys_adopt(struct own_keys *own, struct own_ring *ring, struct mx_error *err)
{
	struct own_ring *replaced;

	atomic_fetch_add(&ring->refs, 1);
	pthread_mutex_lock(&own->lock);
	replaced = own->ring;
	own->ring = ring;
	own->recorded = false;
	pthread_mutex_unlock(&own->lock);
	own_ring_unref(replaced);
	return make_object(own, NULL, err);
}

int own_keys_reload(struct own_keys *own, struct mx_error *err)
{
	struct own_ring *fresh;
	int rc = own_keys_load(own, &fresh, err);

	if (rc)
		return rc;
	rc = own_keys_adopt(own, fresh, err);
	own_ring_unref(fresh);
	return rc;
}

/* ---- use */

const char *own_keys_server_name(const struct own_keys *own)
{
	return own->server_name;
}

struct reply_body *own_keys_reply(struct own_keys *own)
{
	struct reply_body *reply;

	pthread_mutex_lock(&own->lock);
	reply = reply_body_ref(own->reply);
	pthread_mutex_unlock(&own->lock);
	return reply;
}

bool own_keys_is_due(struct own_keys *own, const struct key_history *history)
{
	bool due;

	pthread_mutex_lock(&own->lock);
	due = (history && !own->recorded) ||
	      own->valid_until_ms - mx_now_ms() < own->validity_ms / 2 + RENEW_EARLY_MS;
	pthread_mutex_unlock(&own->lock);
	return due;
}

int own_keys_refresh(struct own_keys *own, struct key_history *history, struct mx_error *err)
{
	return own_keys_is_due(own, history) ? make_object(own, history, err) : 0;
}

int64_t own_keys_valid_until_ms(struct own_keys *own)
{
	int64_t valid_until_ms;

	pthread_mutex_lock(&own->lock);
	valid_until_ms = own->valid_until_ms;
	pthread_mutex_unlock(&own->lock);
	return valid_until_ms;
}

json_t *own_key_json(const char *id, const uint8_t *public_key, const char *role,
		     int64_t expired_ts)
{
	mx_str_auto fingerprint = { 0 };
	json_t *key;

	mx_ed25519_fingerprint(public_key, &fingerprint);
	key = json_pack("{s:s, s:o, s:s, s:s}", "id", id, "public_key",
			base64_json(public_key, MX_ED25519_PUBLIC_LEN), "fingerprint",
			fingerprint.ptr, "role", role);
	if (expired_ts)
		json_object_set_new(key, "expired_ts", json_integer(expired_ts));
	return key;
}

json_t *own_keys_list(struct own_keys *own)
{
	struct own_ring *ring = own_keys_ring(own);
	const struct mx_keyring *keys = &ring->keys;
	json_t *list = json_array();

	for (size_t i = 0; i < keys->len; i++)
		json_array_append_new(list, own_key_json(mx_signing_key_id(keys->keys[i]),
							 mx_signing_key_public(keys->keys[i]),
							 "signing", 0));
	for (size_t i = 0; i < keys->old_len; i++)
		json_array_append_new(list, own_key_json(keys->old[i].id, keys->old[i].public_key,
							 "old", keys->old[i].expired_ts));
	own_ring_unref(ring);
	return list;
}
