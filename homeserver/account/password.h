/*
 * Passwords as Argon2id hashes, computed by threads of their own: so many at once, and so many
 * waiting, that memory and time are bounded. A request waits without a thread.
 */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct mx_error;
struct mx_metrics;
struct password_conf;
struct passwords;
struct req;

#define PASSWORD_MAX      512 /* bytes */
#define PASSWORD_HASH_MAX 128 /* with NUL; libsodium's text form */

struct passwords *passwords_new(const struct password_conf *conf, struct mx_metrics *metrics);
/* For hashes that are made from now on. */
void passwords_set(struct passwords *passwords, const struct password_conf *conf);
/* When no request is under way. NULL does nothing. */
void passwords_free(struct passwords *passwords);

/* -MX_WEAK_PASSWORD; -MX_INVALID_PARAM past PASSWORD_MAX. */
int password_check_new(struct req *r, const char *password);

/*
 * Of a request that keeps what it keeps by kept.h. -MX_PARK until it is computed: to be returned,
 * the handler is run again; what was computed for the request is not computed twice.
 * -MX_LIMIT_EXCEEDED if too many wait. Results are in r->mem.
 */
int password_hash(struct req *r, const char *password, const char **ret_hash);

struct password_verdict {
	bool right;
	const char *better; /* right, but the hash is of other costs than new ones: a new one */
};

/* hash NULL: wrong, after the time that a real one takes. */
int password_verify(struct req *r, const char *password, const char *hash,
		    struct password_verdict *ret_verdict);

/* What was computed for the request so far. */
void password_forget(struct req *r);
