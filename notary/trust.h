/* Which servers the notary vouches for: allow and deny globs of the configuration, and what the
 * operator denied or pinned while it ran. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_version;
struct mx_error;
struct store;
struct store_table;
struct trust;

extern const struct store_table trust_table;

struct trust_lists {
	char **allow, **deny, **one_signature; /* globs; no allow at all = everybody */
	size_t allow_len, deny_len, one_signature_len;
};

/* Copies the lists, reads the operator's decisions from the store. Thread-safe. */
int trust_new(struct store *store, const struct trust_lists *lists, struct trust **ret_trust,
	      struct mx_error *err);
void trust_free(struct trust *trust);
void trust_set_lists(struct trust *trust, const struct trust_lists *lists);

/* May this server be fetched and served? */
bool trust_allows(struct trust *trust, struct mx_slice server);

/* Does one good signature suffice for it? */
bool trust_one_signature(struct trust *trust, struct mx_slice server);

/* A version of a pinned server is served only if one of its pinned keys is among the version's
 * verify keys. Servers without pins: always. */
bool trust_fits_pins(struct trust *trust, struct mx_slice server,
		     const struct key_version *version);

/* The operator's decisions, durable when they return 0. reason: for the next operator. */
int trust_deny(struct trust *trust, struct mx_slice server, const char *reason,
	       struct mx_error *err);
int trust_pin(struct trust *trust, struct mx_slice server, struct mx_slice key_id,
	      const uint8_t public_key[32], const char *reason, struct mx_error *err);
/* Takes back a denial, or all pins; -MX_NOT_FOUND if there is none. */
int trust_undeny(struct trust *trust, struct mx_slice server, struct mx_error *err);
int trust_unpin(struct trust *trust, struct mx_slice server, struct mx_error *err);

/* {"denied":bool,"pins":[{"key_id":…,"public_key":…}],"reason":…,"since_ts":…}, or NULL if the
 * operator said nothing of this server. The caller owns it. */
json_t *trust_show(struct trust *trust, struct mx_slice server);
size_t trust_count(struct trust *trust); /* servers with decisions */
