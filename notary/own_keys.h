/* The notary's own keys: its published key object and the countersignature on every entry.
 * Spec: server-server API, "Publishing Keys". */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdint.h>

struct key_history;
struct key_object;
struct mx_error;
struct mx_str;
struct own_keys;
struct reply_body;

struct own_keys_conf {
	const char *server_name;
	const char *signing_file; /* all its keys are published, sign and countersign; its old
				     ones are published as old */
	const char *countersign_file; /* keys that only countersign, for askers who pinned them;
					 NULL = none */
	int64_t validity_ms; /* how far ahead valid_until_ts lies */
};

/* Reads the files; a signing file that is not there is made with a fresh key. Thread-safe. */
int own_keys_new(const struct own_keys_conf *conf, struct own_keys **ret_own, struct mx_error *err);
void own_keys_free(struct own_keys *own);

/* Reads the files again; on failure the old keys stay. */
int own_keys_reload(struct own_keys *own, struct mx_error *err);

/* Countersigns a checked object with every key: the `seal` of key_history_conf. */
int own_keys_seal(void *own, const struct key_object *object, struct mx_str *out,
		  struct mx_error *err);
/* Names the set of keys that seal; changes when they do. Borrowed until the next reload: only for
 * the thread that reloads. */
struct mx_slice own_keys_seal_id(const struct own_keys *own);

/* The published object, ready to send; a reference for the caller. Never blocks for long. */
struct reply_body *own_keys_reply(struct own_keys *own);

/* Makes the object anew if about half of its validity is over or the history does not have
 * it yet, and records it there. valid_until_ts never goes backwards. Not on an I/O thread. */
int own_keys_refresh(struct own_keys *own, struct key_history *history, struct mx_error *err);

/* Until when the published object is valid. */
int64_t own_keys_valid_until_ms(struct own_keys *own);

/* For people: [{"id":…,"public_key":…,"fingerprint":…,"role":"signing"|"countersigning"|"old",
 * "expired_ts":…}]. The caller owns it. */
json_t *own_keys_list(struct own_keys *own);
const char *own_keys_server_name(const struct own_keys *own);
