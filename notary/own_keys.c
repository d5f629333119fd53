#include "notary/own_keys.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/sha256.h"
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

/* The files' keys at one moment; shared by reference count, immutable. */
struct ring {
	_Atomic int refs;
	struct mx_keyring signing, countersigning;
	const struct mx_signing_key **all;
	size_t all_len;
	uint8_t seal_id[8];
};

struct own_keys {
	char *server_name, *signing_file, *countersign_file;
	int64_t validity_ms;
	pthread_mutex_t lock; /* everything below */
	struct ring *ring;
	struct reply_body *reply;
	int64_t valid_until_ms;
	bool recorded; /* the object is in the history */
};

/* ---- the ring */

static void ring_unref(struct ring *ring)
{
	if (!ring || atomic_fetch_sub(&ring->refs, 1) != 1)
		return;
	mx_keyring_done(&ring->signing);
	mx_keyring_done(&ring->countersigning);
	mx_free(ring->all);
	mx_free(ring);
}

static struct ring *ring_ref(struct own_keys *own)
{
	struct ring *ring;

	pthread_mutex_lock(&own->lock);
	ring = own->ring;
	atomic_fetch_add(&ring->refs, 1);
	pthread_mutex_unlock(&own->lock);
	return ring;
}

/* Digest of all ids and public halves: other keys, other seal. */
static void ring_name(struct ring *ring)
{
	uint8_t digest[MX_SHA256_LEN];
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < ring->all_len; i++) {
		mx_str_add_text(&text, mx_signing_key_id(ring->all[i]));
		mx_str_add(&text, mx_signing_key_public(ring->all[i]), MX_ED25519_PUBLIC_LEN);
	}
	mx_sha256(mx_str_slice(&text), digest);
	memcpy(ring->seal_id, digest, sizeof(ring->seal_id));
}

/* 1 for a key that is in both files, as after a rotation that was cut short: it signs once. One
 * signature under an id must not hide another's. */
static int is_listed(const struct ring *ring, const struct mx_signing_key *key,
		     struct mx_error *err)
{
	for (size_t i = 0; i < ring->all_len; i++) {
		if (!streq(mx_signing_key_id(ring->all[i]), mx_signing_key_id(key)))
			continue;
		if (memcmp(mx_signing_key_public(ring->all[i]), mx_signing_key_public(key),
			   MX_ED25519_PUBLIC_LEN))
			return mx_fail(err, MX_BAD_KEY,
				       "%s is in both key files, with other bytes in each",
				       mx_signing_key_id(key));
		return 1;
	}
	return 0;
}

static int ring_collect(struct ring *ring, struct mx_error *err)
{
	const struct mx_keyring *const files[] = { &ring->signing, &ring->countersigning };
	int rc = 0;

	ring->all = mx_calloc(ring->signing.len + ring->countersigning.len, sizeof(*ring->all));
	for (size_t file = 0; file < 2; file++)
		for (size_t i = 0; rc >= 0 && i < files[file]->len; i++) {
			rc = is_listed(ring, files[file]->keys[i], err);
			if (rc == 0)
				ring->all[ring->all_len++] = files[file]->keys[i];
		}
	ring_name(ring);
	return rc < 0 ? rc : 0;
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

static int load_ring(const struct own_keys *own, struct ring *ring, struct mx_error *err)
{
	int rc = mx_keyfile_load(own->signing_file, &ring->signing, err);

	if (rc)
		return rc;
	if (ring->signing.len == 0)
		return mx_fail(err, MX_BAD_KEY, "%s has no key that signs", own->signing_file);
	if (!own->countersign_file)
		return 0;
	rc = mx_keyfile_load(own->countersign_file, &ring->countersigning, err);
	return rc == -MX_NOT_FOUND ? 0 : rc; /* it comes with the first rotation */
}

static int ring_new(const struct own_keys *own, struct ring **ret_ring, struct mx_error *err)
{
	struct ring *ring = mx_calloc(1, sizeof(*ring));
	int rc;

	ring->refs = 1;
	rc = load_ring(own, ring, err);
	if (rc == 0)
		rc = ring_collect(ring, err);
	if (rc) {
		ring_unref(ring);
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

static int object_bytes(const struct own_keys *own, const struct ring *ring, int64_t valid_until_ms,
			struct mx_str *out, struct mx_error *err)
{
	json_auto_t *object = json_pack("{s:s, s:I, s:o, s:o}", "server_name", own->server_name,
					"valid_until_ts", (json_int_t)valid_until_ms, "verify_keys",
					verify_keys_new(&ring->signing), "old_verify_keys",
					old_keys_new(&ring->signing));

	for (size_t i = 0; i < ring->signing.len; i++) {
		int rc = mx_sign_json(object, own->server_name, ring->signing.keys[i], err);

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
static void publish(struct own_keys *own, const struct ring *ring, struct mx_slice bytes,
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

static void set_recorded(struct own_keys *own, const struct ring *ring)
{
	pthread_mutex_lock(&own->lock);
	if (ring == own->ring)
		own->recorded = true;
	pthread_mutex_unlock(&own->lock);
}

static int make_object_with(struct own_keys *own, const struct ring *ring,
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
	struct ring *ring = ring_ref(own);
	int rc = make_object_with(own, ring, history, err);

	ring_unref(ring);
	return rc;
}

/* ---- public */

void own_keys_free(struct own_keys *own)
{
	if (!own)
		return;
	ring_unref(own->ring);
	if (own->reply)
		reply_body_unref(own->reply);
	mx_free(own->server_name);
	mx_free(own->signing_file);
	mx_free(own->countersign_file);
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
	own->countersign_file = conf->countersign_file ? mx_strdup(conf->countersign_file) : NULL;
	own->validity_ms = conf->validity_ms;
	rc = ring_new(own, &own->ring, err);
	if (rc == -MX_NOT_FOUND && (rc = create_signing_file(own->signing_file, err)) == 0)
		rc = ring_new(own, &own->ring, err);
	if (rc == 0)
		rc = make_object(own, NULL, err);
	if (rc) {
		own_keys_free(own);
		return rc;
	}
	*ret_own = own;
	return 0;
}

int own_keys_reload(struct own_keys *own, struct mx_error *err)
{
	struct ring *fresh, *replaced;
	int rc = ring_new(own, &fresh, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&own->lock);
	replaced = own->ring;
	own->ring = fresh;
	own->recorded = false;
	pthread_mutex_unlock(&own->lock);
	ring_unref(replaced);
	return make_object(own, NULL, err);
}

int own_keys_seal(void *ctx, const struct key_object *object, struct mx_str *out,
		  struct mx_error *err)
{
	struct own_keys *own = ctx;
	struct ring *ring = ring_ref(own);
	int rc = mx_countersign(&object->doc, object->signed_bytes, own->server_name, ring->all,
				ring->all_len, out, err);

	ring_unref(ring);
	return rc;
}

struct mx_slice own_keys_seal_id(const struct own_keys *own)
{
	return mx_slice_of(own->ring->seal_id, sizeof(own->ring->seal_id));
}

struct reply_body *own_keys_reply(struct own_keys *own)
{
	struct reply_body *reply;

	pthread_mutex_lock(&own->lock);
	reply = reply_body_ref(own->reply);
	pthread_mutex_unlock(&own->lock);
	return reply;
}

int own_keys_refresh(struct own_keys *own, struct key_history *history, struct mx_error *err)
{
	bool due;

	pthread_mutex_lock(&own->lock);
	due = !own->recorded ||
	      own->valid_until_ms - mx_now_ms() < own->validity_ms / 2 + RENEW_EARLY_MS;
	pthread_mutex_unlock(&own->lock);
	return due ? make_object(own, history, err) : 0;
}

static json_t *key_json(const char *id, const uint8_t *public_key, const char *role,
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

static void list_keys(json_t *list, const struct mx_keyring *ring, const char *role)
{
	for (size_t i = 0; i < ring->len; i++)
		json_array_append_new(list,
				      key_json(mx_signing_key_id(ring->keys[i]),
					       mx_signing_key_public(ring->keys[i]), role, 0));
}

/* An old key that still countersigns is one key: it is listed once. */
static void list_old(json_t *list, const struct mx_old_key *old)
{
	json_t *key;
	size_t i;

	json_array_foreach (list, i, key)
		if (streq(jstr(key, "id"), old->id)) {
			json_object_set_new(key, "expired_ts", json_integer(old->expired_ts));
			return;
		}
	json_array_append_new(list, key_json(old->id, old->public_key, "old", old->expired_ts));
}

json_t *own_keys_list(struct own_keys *own)
{
	struct ring *ring = ring_ref(own);
	json_t *list = json_array();

	list_keys(list, &ring->signing, "signing");
	list_keys(list, &ring->countersigning, "countersigning");
	for (size_t i = 0; i < ring->signing.old_len; i++)
		list_old(list, &ring->signing.old[i]);
	ring_unref(ring);
	return list;
}

int64_t own_keys_valid_until_ms(struct own_keys *own)
{
	int64_t valid_until_ms;

	pthread_mutex_lock(&own->lock);
	valid_until_ms = own->valid_until_ms;
	pthread_mutex_unlock(&own->lock);
	return valid_until_ms;
}

const char *own_keys_server_name(const struct own_keys *own)
{
	return own->server_name;
}
