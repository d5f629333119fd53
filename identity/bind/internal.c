#include "identity/bind/internal.h"

#include "identity/account/authenticate.h"
#include "identity/budget_kinds.h"
#include "identity/identity.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/crypto/sha256.h"
#include "shared/daemon/files.h"
#include "shared/http/request.h"

#include <sodium.h>

#define TOKEN_MAX 1024

struct internal {
	pthread_rwlock_t lock;
	uint8_t hash[MX_SHA256_LEN]; /* of the token; under lock */
};

static int hash_token(const char *path, char *token, uint8_t ret_hash[MX_SHA256_LEN],
		      struct mx_error *err)
{
	size_t len = strcspn(token, " \t\r\n");

	if (len < INTERNAL_TOKEN_MIN)
		return mx_fail(err, MX_BAD_CONFIG,
			       "internal.token_file: the token in %s has less than %d characters",
			       path, INTERNAL_TOKEN_MIN);
	mx_sha256(mx_slice_of(token, len), ret_hash);
	return 0;
}

static int load(const char *path, uint8_t ret_hash[MX_SHA256_LEN], struct mx_error *err)
{
	char *token;
	size_t len;
	int rc;

	if (file_read(path, TOKEN_MAX, &token, &len, NULL))
		return mx_fail(err, MX_BAD_CONFIG, "internal.token_file: %s cannot be read", path);
	rc = hash_token(path, token, ret_hash, err);
	sodium_memzero(token, len);
	mx_free(token);
	return rc;
}

int internal_new(const char *token_file, struct internal **ret_internal, struct mx_error *err)
{
	struct internal *internal;
	uint8_t hash[MX_SHA256_LEN];
	int rc;

	*ret_internal = NULL;
	if (!token_file)
		return 0;
	rc = load(token_file, hash, err);
	if (rc)
		return rc;
	internal = mx_calloc(1, sizeof(*internal));
	mx_rwlock_init(&internal->lock);
	memcpy(internal->hash, hash, sizeof(hash));
	*ret_internal = internal;
	return 0;
}

int internal_reload(struct internal *internal, const char *token_file, struct mx_error *err)
{
	uint8_t hash[MX_SHA256_LEN];
	int rc = load(token_file, hash, err);

	if (rc)
		return rc;
	pthread_rwlock_wrlock(&internal->lock);
	memcpy(internal->hash, hash, sizeof(hash));
	pthread_rwlock_unlock(&internal->lock);
	return 0;
}

void internal_free(struct internal *internal)
{
	if (!internal)
		return;
	pthread_rwlock_destroy(&internal->lock);
	mx_free(internal);
}

static bool is_token(struct internal *internal, const char *token)
{
	uint8_t hash[MX_SHA256_LEN];
	bool same;

	mx_sha256(mx_slice(token), hash);
	pthread_rwlock_rdlock(&internal->lock);
	same = sodium_memcmp(hash, internal->hash, sizeof(hash)) == 0;
	pthread_rwlock_unlock(&internal->lock);
	return same;
}

/* A transaction that is run again has paid. */
static int pay(struct req *r)
{
	const struct identity *identity = r->app;
	int64_t retry_ms = 0;
	int rc;

	if (r->run > 0)
		return 0;
	rc = budgets_take(identity->budgets, BUDGET_INTERNAL, "", 1, &retry_ms, &r->err);
	r->err.retry_after_ms = retry_ms;
	return rc;
}

int internal_check(struct req *r)
{
	const struct identity *identity = r->app;
	const char *token = bearer_token(r);

	if (!identity->internal || !token || !is_token(identity->internal, token))
		return mx_fail(&r->err, MX_UNAUTHORIZED, "That is not the token");
	return pay(r);
}
