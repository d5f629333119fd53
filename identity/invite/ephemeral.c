#include "identity/invite/ephemeral.h"

#include "identity/identity.h"
#include "identity/invite/invite_db.h"
#include "identity/invite/invite_rules.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The id that clients and rooms know from other services. */
#define KEY_ID "ed25519:0"

/* 44 characters with padding; some more do no harm. */
#define KEY_TEXT_MAX 64

static char *url_safe(struct mx_arena *mem, const char *base64)
{
	char *text = mx_arena_strdup(mem, base64);

	for (char *at = text; *at; at++) {
		if (*at == '+')
			*at = '-';
		else if (*at == '/')
			*at = '_';
	}
	return text;
}

void ephemeral_make(struct mx_arena *mem, uint8_t ret_public[32], const char **ret_private)
{
	struct mx_signing_key *key = mx_signing_key_generate();
	char *seed = sodium_malloc(44);

	if (!seed)
		abort();
	mx_signing_key_seed_base64(key, seed);
	memcpy(ret_public, mx_signing_key_public(key), MX_ED25519_PUBLIC_LEN);
	*ret_private = url_safe(mem, seed);
	sodium_free(seed);
	mx_signing_key_free(key);
}

bool ephemeral_decode(const char *text, uint8_t ret_bytes[32])
{
	char copy[KEY_TEXT_MAX];
	size_t len = strlen(text);
	bool good;

	if (len >= sizeof(copy))
		return false;
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] == ' ' ? '+' : text[i];
	good = mx_base64_decode_exact(mx_slice_of(copy, len), ret_bytes, 32);
	sodium_memzero(copy, sizeof(copy));
	return good;
}

/* Used, it has done what it was for, and whoever reads the mail later gets nothing by it. */
static bool still_counts(const struct identity_call *call, const char *token)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	struct invite invite;

	if (invite_db_get(call, token, &invite) != 0)
		return false;
	return invite.state == INVITE_BOUND || (invite.state == INVITE_PENDING &&
						!invite_is_expired(&rules, &invite, call->now_ms));
}

bool ephemeral_is_valid(const struct identity_call *call, const char *text)
{
	uint8_t public_key[32];
	const char *token;

	if (!ephemeral_decode(text, public_key) || ephemeral_db_get(call, public_key, &token) != 0)
		return false;
	return !*token || still_counts(call, token);
}

int ephemeral_import(const struct identity_call *call, const uint8_t public_key[32],
		     bool *ret_added)
{
	const char *token;
	int rc = ephemeral_db_get(call, public_key, &token);

	*ret_added = rc == -MX_NOT_FOUND;
	if (rc != -MX_NOT_FOUND)
		return rc;
	ephemeral_db_put(call->txn, public_key, "");
	return 0;
}

/* ---- signing */

/* An imported invite does not know its key: any that came without an invite may be it. */
static bool is_key_of(const struct identity_call *call, const struct invite *invite,
		      const uint8_t public_key[32])
{
	static const uint8_t unknown[32];
	const char *token;

	if (memcmp(invite->ephemeral_public, unknown, sizeof(unknown)) != 0)
		return memcmp(invite->ephemeral_public, public_key, 32) == 0;
	return ephemeral_db_get(call, public_key, &token) == 0 && !*token;
}

static struct mx_signing_key *read_key(const char *private_key)
{
	struct mx_signing_key *key = NULL;
	uint8_t seed[32];

	if (ephemeral_decode(private_key, seed))
		key = mx_signing_key_new(KEY_ID, seed);
	sodium_memzero(seed, sizeof(seed));
	return key;
}

static int find_invite(const struct identity_call *call, const char *token,
		       struct invite *ret_invite, struct mx_error *err)
{
	struct invite_rules rules = invite_rules_of(call->identity);
	struct invite invite;
	int rc = invite_db_get(call, token, &invite);

	if (rc != 0 && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || invite.state == INVITE_WITHDRAWN ||
	    invite_is_expired(&rules, &invite, call->now_ms))
		return mx_fail(err, MX_UNRECOGNIZED, "There is no invite with this token");
	*ret_invite = invite;
	return 0;
}

static int sign_with(const struct identity_call *call, const struct mx_signing_key *key,
		     json_t *object, struct mx_error *err)
{
	return mx_sign_json(object, invite_rules_of(call->identity).server_name, key, err);
}

int invite_sign(const struct identity_call *call, const struct invite_signing *signing,
		json_t **ret_signed, struct mx_error *err)
{
	struct mx_signing_key *key;
	struct invite invite;
	json_auto_t *object = NULL;
	int rc = find_invite(call, signing->token, &invite, err);

	if (rc)
		return rc;
	key = read_key(signing->private_key);
	/* Otherwise anybody could have our name put under a signature by a key of his own. */
	if (!key || !is_key_of(call, &invite, mx_signing_key_public(key))) {
		mx_signing_key_free(key);
		return mx_fail(err, MX_INVALID_PARAM, "The private key is not this invite's");
	}
	object = json_pack("{s:s, s:s, s:s}", "mxid", signing->user_id, "sender", invite.sender,
			   "token", invite.token);
	rc = sign_with(call, key, object, err);
	mx_signing_key_free(key);
	if (rc == 0)
		*ret_signed = mx_steal(&object);
	return rc;
}
