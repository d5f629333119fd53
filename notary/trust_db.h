/* Records of the operator's decisions: table `trust`, a row a server. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRUST_PINS_MAX 16

struct mx_arena;
struct mx_error;
struct store;

struct trust_pin {
	struct mx_slice key_id;
	uint8_t public_key[32];
};

struct trust_decision {
	bool denied;
	int64_t since_ms;
	struct mx_slice reason;
	struct trust_pin pins[TRUST_PINS_MAX];
	size_t pins_len;
};

/* A decision that says nothing removes the row. */
int trust_db_put(struct store *store, struct mx_slice server, const struct trust_decision *decision,
		 struct mx_error *err);

/* Calls visit for every row; slices are borrowed for the call. */
int trust_db_each(struct store *store,
		  void (*visit)(void *ctx, struct mx_slice server,
				const struct trust_decision *decision),
		  void *ctx, struct mx_error *err);
