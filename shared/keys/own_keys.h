/* A server's own keys and the key object that it publishes.
 * Spec: server-server API, "Publishing Keys". */
#pragma once

#include "shared/crypto/keyfile.h"

#include <jansson.h>
#include <stdint.h>

struct key_history;
struct mx_error;
struct own_keys;
struct own_ring;
struct reply_body;

struct own_keys_conf {
	const char *server_name;
	const char *signing_file; /* all its keys are published and sign the object; its old
				     ones are published as old */
	int64_t validity_ms; /* how far ahead valid_until_ts lies */
};

/* Reads the file; one that is not there is made with a fresh key. Thread-safe. */
int own_keys_new(const struct own_keys_conf *conf, struct own_keys **ret_own, struct mx_error *err);
void own_keys_free(struct own_keys *own);
const char *own_keys_server_name(const struct own_keys *own);

/* ---- signing */

/* The keys of this moment; a reference for the caller. They stay the same until it is given back,
 * whatever is rotated meanwhile. */
struct own_ring *own_keys_ring(struct own_keys *own);
void own_ring_unref(struct own_ring *ring); /* NULL is taken */
/* All keys of the file. */
const struct mx_keyring *own_ring_keys(const struct own_ring *ring);
/* What signs events and requests: the file's first key. */
const struct mx_signing_key *own_ring_signer(const struct own_ring *ring);

/* ---- publishing */

/* The object, ready to send; a reference for the caller. Never blocks for long. */
struct reply_body *own_keys_reply(struct own_keys *own);

/* Whether about half of the object's validity is over, or the history (NULL: there is none) does
 * not have it yet. */
bool own_keys_is_due(struct own_keys *own, const struct key_history *history);

/* Makes the object anew if it is due, and records it in the history, if there is one.
 * valid_until_ts never goes backwards. Not on an I/O thread. */
int own_keys_refresh(struct own_keys *own, struct key_history *history, struct mx_error *err);

/* Until when the published object is valid. */
int64_t own_keys_valid_until_ms(struct own_keys *own);

/* ---- another file */

/* Reads the file again and takes it over; on failure the old keys stay. */
int own_keys_reload(struct own_keys *own, struct mx_error *err);

/* The two halves of a reload, for who wants to look at the keys before. The reference is the
 * caller's. */
int own_keys_load(const struct own_keys *own, struct own_ring **ret_ring, struct mx_error *err);
int own_keys_adopt(struct own_keys *own, struct own_ring *ring, struct mx_error *err);

/* ---- for people */

/* [{"id":…,"public_key":…,"fingerprint":…,"role":"signing"|"old","expired_ts":…}]. The caller owns
 * it. */
json_t *own_keys_list(struct own_keys *own);
json_t *own_key_json(const char *id, const uint8_t *public_key, const char *role,
		     int64_t expired_ts);
