#include "homeserver/account/shared_secret.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/sha1.h"
#include "shared/daemon/files.h"

#include <pthread.h>
#include <sodium.h>

#define SECRET_MAX 1024
#define NONCES_MAX 1000

struct shared_secret {
	char *text;
	pthread_mutex_t lock;
	struct mx_lru *nonces; /* under the lock; no values, only that they are there */
};

static int load(const char *file, char **ret_text, struct mx_error *err)
{
	char *text;
	size_t len;

	if (file_read(file, SECRET_MAX, &text, &len, NULL))
		return mx_fail(err, MX_BAD_CONFIG,
			       "registration.shared_secret_file: %s cannot be read", file);
	text[strcspn(text, " \t\r\n")] = '\0';
	if (strlen(text) < SHARED_SECRET_MIN) {
		sodium_memzero(text, len);
		mx_free(text);
		return mx_fail(err, MX_BAD_CONFIG,
			       "registration.shared_secret_file: the secret in %s has less than %d "
			       "characters",
			       file, SHARED_SECRET_MIN);
	}
	*ret_text = text;
	return 0;
}

int shared_secret_new(const char *file, struct shared_secret **ret_secret, struct mx_error *err)
{
	struct shared_secret *secret;
	char *text;
	int rc;

	*ret_secret = NULL;
	if (!file)
		return 0;
	rc = load(file, &text, err);
	if (rc)
		return rc;
	secret = mx_calloc(1, sizeof(*secret));
	secret->text = text;
	secret->nonces = mx_lru_new(NONCES_MAX, MX_MINUTE_MS, mx_free);
	pthread_mutex_init(&secret->lock, NULL);
	*ret_secret = secret;
	return 0;
}

void shared_secret_free(struct shared_secret *secret)
{
	if (!secret)
		return;
	sodium_memzero(secret->text, strlen(secret->text));
	mx_free(secret->text);
	mx_lru_free(secret->nonces);
	pthread_mutex_destroy(&secret->lock);
	mx_free(secret);
}

void shared_secret_nonce(struct shared_secret *secret, char ret_nonce[SHARED_SECRET_NONCE + 1])
{
	mx_random_token(ret_nonce, SHARED_SECRET_NONCE);
	pthread_mutex_lock(&secret->lock);
	mx_lru_put(secret->nonces, mx_slice(ret_nonce), mx_strdup(""), 1);
	pthread_mutex_unlock(&secret->lock);
}

bool shared_secret_take(struct shared_secret *secret, const char *nonce)
{
	bool found;

	pthread_mutex_lock(&secret->lock);
	found = mx_lru_find(secret->nonces, mx_slice(nonce)) != NULL;
	mx_lru_remove(secret->nonces, mx_slice(nonce));
	pthread_mutex_unlock(&secret->lock);
	return found;
}

bool shared_secret_proves(const struct shared_secret *secret, const char *const *parts,
			  const char *mac)
{
	uint8_t digest[MX_SHA1_LEN], given[MX_SHA1_LEN];
	mx_str_auto text = { 0 };
	size_t len;

	for (size_t i = 0; parts[i]; i++) {
		if (i > 0)
			mx_str_add_char(&text, '\0');
		mx_str_add_text(&text, parts[i]);
	}
	mx_hmac_sha1(mx_slice(secret->text), mx_str_slice(&text), digest);
	sodium_memzero(text.ptr, text.len);
	if (sodium_hex2bin(given, sizeof(given), mac, strlen(mac), NULL, &len, NULL) ||
	    len != sizeof(given))
		return false;
	return sodium_memcmp(digest, given, sizeof(given)) == 0;
}
