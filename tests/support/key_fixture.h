/* Key objects of servers that tests make up, really signed. */
#pragma once

#include "shared/keys/key_object.h"

struct made_key {
	const char *id; /* "ed25519:1" */
	uint8_t seed; /* another seed, another key */
	int64_t expired_ts; /* > 0: among the old keys */
	bool silent; /* does not sign */
};

/* Keys that most get along with. */
#define MADE_KEY_1                           \
	{                                    \
		.id = "ed25519:1", .seed = 1 \
	}
#define MADE_KEY_2                           \
	{                                    \
		.id = "ed25519:2", .seed = 2 \
	}

struct made_object {
	const char *server;
	int64_t valid_until_ts;
	struct made_key keys[4]; /* up to the first without an id */
	const char *note; /* one more signed member; NULL = none */
	const char *unsigned_json; /* the member `unsigned`; NULL = none */
};

/* The canonical text, in mem. */
struct mx_slice key_fixture_text(const struct made_object *made, struct mx_arena *mem);

/* The same, checked: it must be fine, with all keys' signatures or (if one is silent) any. */
struct key_object key_fixture_object(const struct made_object *made, struct mx_arena *mem);

void key_fixture_public(uint8_t seed, uint8_t ret_public_key[32]);

/* The text with one more signature, of another server. */
struct mx_slice key_fixture_countersigned(struct mx_slice text, const char *by,
					  const struct made_key *key, struct mx_arena *mem);
