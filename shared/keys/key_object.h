/* A server's published key object, checked. Spec: server-server API, "Publishing Keys". */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct mx_metrics;

#define KEY_OBJECT_MAX  (64u * 1024) /* bytes of one answer */
#define KEY_OBJECT_KEYS 64 /* verify and old keys together */
#define KEY_TRUST_MS    (7 * INT64_C(86400000)) /* valid_until_ts counts at most this far ahead */

/* Why an object is refused; also the `reason` label of metrics. */
enum key_refusal {
	KEY_FINE,
	KEY_NOT_JSON, /* also floats, exponents, duplicate names, over the limits */
	KEY_WRONG_SERVER, /* server_name is not exactly the name that was asked */
	KEY_BAD_SHAPE, /* members missing or of the wrong type */
	KEY_BAD_KEY, /* a key that is not 32 good bytes, or an old one without expired_ts */
	KEY_UNSIGNED, /* no signature by a listed key, or (policy all) not by every one */
	KEY_BAD_SIGNATURE, /* a listed key's signature is there and wrong */
	KEY_COMPROMISED, /* every usable key is on the list of compromised keys */
	KEY_REFUSALS
};

const char *key_refusal_name(enum key_refusal refusal); /* "wrong_server" */

struct key_entry_key {
	struct mx_slice id; /* "ed25519:a_1" */
	uint8_t public_key[32];
	int64_t expired_ts; /* 0: a verify key */
	bool strict_id; /* version within [A-Za-z0-9_] */
	bool compromised;
};

struct key_object {
	struct mx_slice server;
	struct mx_slice bytes; /* canonical, with all signatures that came */
	int64_t valid_until_ts;
	struct key_entry_key *keys; /* ed25519 only: other algorithms are kept in bytes */
	size_t keys_len;
	struct mx_json_doc doc; /* of bytes */
	struct mx_slice signed_bytes; /* what the signatures cover */
};

enum key_policy { KEY_POLICY_ALL, KEY_POLICY_ANY }; /* which verify keys must have signed */

/*
 * Checks what `server` is said to have published. KEY_FINE and the object (in mem), or the
 * reason; err has the details for the operator. Past valid_until_ts is fine: history.
 */
enum key_refusal key_object_check(struct mx_slice text, struct mx_slice server,
				  enum key_policy policy, struct mx_arena *mem,
				  struct key_object *ret_object, struct mx_error *err);

/* The shipped list of keys whose secret half is known; compares bytes. */
bool key_is_compromised(const uint8_t public_key[32]);
