#include "identity/long_term_keys.h"

#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/rand.h"
#include "shared/core/thread.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/sign_json.h"

#include <sodium.h>

#define KEY_TEXT_MAX 64 /* padded base64 of 32 bytes has 44 characters */

typedef uint8_t public_key[MX_ED25519_PUBLIC_LEN];

struct long_term_keys {
	pthread_rwlock_t lock; /* everything below changes with a reload */
	char *server_name;
	struct mx_keyring ring;
	public_key *revoked;
	size_t revoked_len;
};

/* ---- reading */

static int make_file(const char *path, struct mx_error *err)
{
	uint8_t seed[MX_ED25519_SEED_LEN];
	struct mx_keyring fresh = { 0 };
	int rc;

	mx_random_bytes(seed, sizeof(seed));
	mx_keyring_add(&fresh, mx_signing_key_new(LONG_TERM_FIRST_ID, seed));
	sodium_memzero(seed, sizeof(seed));
	rc = mx_keyfile_save(path, &fresh, err);
	mx_keyring_done(&fresh);
	if (rc == 0)
		mx_log(MX_LOG_INFO, "made a new signing key", "file", path, "key",
		       LONG_TERM_FIRST_ID, NULL);
	return rc;
}

static int load_ring(const char *path, struct mx_keyring *ring, struct mx_error *err)
{
	int rc = mx_keyfile_load(path, ring, err);

	if (rc == 0 && ring->len == 0)
		return mx_fail(err, MX_BAD_KEY, "%s has no key that signs", path);
	return rc;
}

static size_t count_texts(const char *const *texts)
{
	size_t len = 0;

	while (texts && texts[len])
		len++;
	return len;
}

static int load_revoked(struct long_term_keys *keys, const char *const *revoked,
			struct mx_error *err)
{
	size_t len = count_texts(revoked);

	keys->revoked = mx_calloc(len + 1, sizeof(*keys->revoked));
	for (size_t i = 0; i < len; i++)
		if (!mx_base64_decode_exact(mx_slice(revoked[i]), keys->revoked[i],
					    sizeof(keys->revoked[i])))
			return mx_fail(err, MX_BAD_CONFIG, "%s is no public key", revoked[i]);
	keys->revoked_len = len;
	return 0;
}

static bool is_revoked(const struct long_term_keys *keys, const uint8_t *key)
{
	for (size_t i = 0; i < keys->revoked_len; i++)
		if (memcmp(keys->revoked[i], key, sizeof(keys->revoked[i])) == 0)
			return true;
	return false;
}

static int load(struct long_term_keys *keys, const struct long_term_conf *conf,
		struct mx_error *err)
{
	int rc = load_ring(conf->file, &keys->ring, err);

	if (rc == 0)
		rc = load_revoked(keys, conf->revoked, err);
	if (rc)
		return rc;
	keys->server_name = mx_strdup(conf->server_name);
	if (is_revoked(keys, mx_signing_key_public(keys->ring.keys[0])))
		return mx_fail(err, MX_BAD_CONFIG, "%s, which signs, is revoked",
			       mx_signing_key_id(keys->ring.keys[0]));
	return 0;
}

/* ---- life */

static void unload(struct long_term_keys *keys)
{
	mx_keyring_done(&keys->ring);
	mx_free(keys->revoked);
	mx_free(keys->server_name);
}

int long_term_keys_new(const struct long_term_conf *conf, struct long_term_keys **ret_keys,
		       struct mx_error *err)
{
	struct long_term_keys *keys = mx_calloc(1, sizeof(*keys));
	int rc;

	mx_rwlock_init(&keys->lock);
	rc = load(keys, conf, err);
	if (rc == -MX_NOT_FOUND) {
		rc = make_file(conf->file, err);
		if (rc == 0)
			rc = load(keys, conf, err);
	}
	if (rc) {
		long_term_keys_free(keys);
		return rc;
	}
	*ret_keys = keys;
	return 0;
}

int long_term_keys_reload(struct long_term_keys *keys, const struct long_term_conf *conf,
			  struct mx_error *err)
{
	struct long_term_keys fresh = { 0 }, before;
	int rc = load(&fresh, conf, err);

	if (rc) {
		unload(&fresh);
		return rc;
	}
	pthread_rwlock_wrlock(&keys->lock);
	before = *keys;
	keys->server_name = fresh.server_name;
	keys->ring = fresh.ring;
	keys->revoked = fresh.revoked;
	keys->revoked_len = fresh.revoked_len;
	pthread_rwlock_unlock(&keys->lock);
	unload(&before);
	return 0;
}

void long_term_keys_free(struct long_term_keys *keys)
{
	if (!keys)
		return;
	unload(keys);
	pthread_rwlock_destroy(&keys->lock);
	mx_free(keys);
}

/* ---- using */

static void write_base64(const uint8_t *key, char ret_base64[44])
{
	mx_str_auto text = { 0 };

	mx_base64_add(&text, key, MX_ED25519_PUBLIC_LEN);
	memcpy(ret_base64, text.ptr, text.len + 1);
}

int long_term_sign(struct long_term_keys *keys, json_t *object, struct mx_error *err)
{
	int rc;

	pthread_rwlock_rdlock(&keys->lock);
	rc = mx_sign_json(object, keys->server_name, keys->ring.keys[0], err);
	pthread_rwlock_unlock(&keys->lock);
	return rc;
}

void long_term_public(struct long_term_keys *keys, char ret_base64[44], char ret_id[64])
{
	pthread_rwlock_rdlock(&keys->lock);
	write_base64(mx_signing_key_public(keys->ring.keys[0]), ret_base64);
	snprintf(ret_id, 64, "%s", mx_signing_key_id(keys->ring.keys[0]));
	pthread_rwlock_unlock(&keys->lock);
}

static const uint8_t *find_by_id(const struct mx_keyring *ring, const char *id)
{
	for (size_t i = 0; i < ring->len; i++)
		if (streq(mx_signing_key_id(ring->keys[i]), id))
			return mx_signing_key_public(ring->keys[i]);
	for (size_t i = 0; i < ring->old_len; i++)
		if (streq(ring->old[i].id, id))
			return ring->old[i].public_key;
	return NULL;
}

bool long_term_find(struct long_term_keys *keys, const char *key_id, char ret_base64[44])
{
	const uint8_t *key;
	bool found;

	pthread_rwlock_rdlock(&keys->lock);
	key = find_by_id(&keys->ring, key_id);
	found = key && !is_revoked(keys, key);
	if (found)
		write_base64(key, ret_base64);
	pthread_rwlock_unlock(&keys->lock);
	return found;
}

static bool has_public(const struct mx_keyring *ring, const uint8_t *key)
{
	for (size_t i = 0; i < ring->len; i++)
		if (memcmp(mx_signing_key_public(ring->keys[i]), key, MX_ED25519_PUBLIC_LEN) == 0)
			return true;
	for (size_t i = 0; i < ring->old_len; i++)
		if (memcmp(ring->old[i].public_key, key, MX_ED25519_PUBLIC_LEN) == 0)
			return true;
	return false;
}

/* A '+' that was not encoded in a query may have become a blank on its way. */
static bool read_key(const char *text, public_key ret_key)
{
	char copy[KEY_TEXT_MAX + 1];
	size_t len = strlen(text);

	if (len > KEY_TEXT_MAX)
		return false;
	memcpy(copy, text, len + 1);
	for (char *at = copy; *at; at++)
		if (*at == ' ')
			*at = '+';
	return mx_base64_decode_exact(mx_slice_of(copy, len), ret_key, MX_ED25519_PUBLIC_LEN);
}

bool long_term_is_valid(struct long_term_keys *keys, const char *text)
{
	public_key key;
	bool valid;

	if (!read_key(text, key))
		return false;
	pthread_rwlock_rdlock(&keys->lock);
	valid = has_public(&keys->ring, key) && !is_revoked(keys, key);
	pthread_rwlock_unlock(&keys->lock);
	return valid;
}
