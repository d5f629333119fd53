/*
 * Accounts made by whoever knows a secret of a file: the protocol that Synapse's tools speak,
 * on the admin listener. Off unless there is a file.
 */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct mx_error;
struct shared_secret;

#define SHARED_SECRET_MIN   16 /* characters */
#define SHARED_SECRET_NONCE 32

/* *ret_secret NULL, and 0, without a file. -MX_BAD_CONFIG for one that cannot be read, or whose
 * secret is too short. */
int shared_secret_new(const char *file, struct shared_secret **ret_secret, struct mx_error *err);
void shared_secret_free(struct shared_secret *secret);

/* A number that is good for one attempt within a minute. */
void shared_secret_nonce(struct shared_secret *secret, char ret_nonce[SHARED_SECRET_NONCE + 1]);
/* Uses it up. False if it is none of ours, or too old. */
bool shared_secret_take(struct shared_secret *secret, const char *nonce);

/* Whether mac is HMAC-SHA1 of the parts, NULs between them, in hexadecimal. */
bool shared_secret_proves(const struct shared_secret *secret, const char *const *parts,
			  const char *mac);
