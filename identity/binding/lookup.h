/*
 * Look-up by hash. A pepper lives for a week; the next one's table of hashes is built in the
 * background, then both count for a day: nobody's look-up fails because of the change.
 * Spec: identity service API, "Association lookup".
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/threepid/threepid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct binding;
struct identity_call;
struct mx_error;
struct mx_metrics;
struct pepper;
struct store;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table lookup_table, pepper_table;

#define PEPPER_MAX           128
#define LOOKUP_HASH_LEN      32
#define LOOKUP_ADDRESSES_MAX 10000

struct pepper_conf {
	struct store *store;
	int64_t life_ms; /* 0 = 7 days; < 0 = for ever */
	int64_t overlap_ms; /* 0 = 1 day */
	bool hashes_only; /* the algorithm "none" is refused */
	size_t memory_bytes; /* for all hashes, about 60 a binding and pepper: many times as fast
			      * as the store; 0 = none */
	struct mx_metrics *metrics;
};

/* Reads the peppers, makes the first. */
int pepper_new(const struct pepper_conf *conf, struct pepper **ret_pepper, struct mx_error *err);
void pepper_free(struct pepper *pepper);
/* Other life_ms, overlap_ms and hashes_only. */
void pepper_set(struct pepper *pepper, const struct pepper_conf *conf);
/* Runs until stopped: rotation and the building of hashes, throttled. */
void pepper_start(struct pepper *pepper);
void pepper_stop(struct pepper *pepper);
/* Begins a rotation now: for operators. -MX_CONFLICT while one is under way. */
int pepper_rotate(struct pepper *pepper, struct mx_error *err);
/* Takes another service's pepper over as the current one, before the store has any binding. */
int pepper_import(struct pepper *pepper, const char *text, struct mx_error *err);
/* Whether that would work now. */
bool pepper_may_import(struct pepper *pepper);
/* Whether a look-up may name this pepper. */
bool pepper_knows(struct pepper *pepper, const char *text);

void pepper_current(struct pepper *pepper, char ret_text[PEPPER_MAX + 1]);
bool pepper_allows_none(struct pepper *pepper);

/* Keeps the hashes of all live peppers in step with a binding; a tombstone removes. The peppers
 * are read in the transaction: one that is born meanwhile makes it a conflict. Part of
 * binding_put(). */
void lookup_update(struct store_txn *txn, const struct binding *binding);

struct lookup_request {
	const json_t *addresses; /* strings as sent */
	const char *algorithm, *pepper;
	const char *asker; /* whose budget pays */
};

/*
 * The answer's `mappings` of the addresses, owned by the caller; by call->view. algorithm:
 * "sha256" or "none". -MX_INVALID_PEPPER (its error object names algorithm and lookup_pepper),
 * -MX_INVALID_PARAM, -MX_TOO_MANY. Takes from the account's look-up budget. Takes as long for
 * misses as for hits.
 */
int lookup_addresses(const struct identity_call *call, const struct lookup_request *request,
		     json_t **ret_mappings, struct mx_error *err);
