/* Putting one checked object into the store: new version, renewal, repetition or conflict. */
#pragma once

#include "shared/keys/key_history_rows.h"

struct mx_arena;
struct mx_error;
struct store;

#define KEY_CONFLICTS_MAX    64 /* of one server */
#define KEY_SERVER_BYTES_MAX (512u * 1024) /* of its versions' objects */
#define KEY_ID_MAX           255
#define KEY_SEEN_STEP_MS     (60 * INT64_C(60000)) /* last_seen_ms is written once in this */
/* All renewals of a version are kept as long as it has had no more than these, and one per hour
 * since it was first seen: a server that makes a new object for each request cannot fill the
 * disk. Those beyond take the place of the newest without keeping it. */
#define KEY_RENEWALS_FREE 1000

enum key_outcome {
	KEY_OUTCOME_NEW, /* a version that was not there */
	KEY_OUTCOME_RENEWED, /* its version has a newer object now */
	KEY_OUTCOME_KEPT, /* an older object of its version, kept beside it */
	KEY_OUTCOME_REPEATED, /* nothing new but when it was seen */
	KEY_OUTCOME_CONFLICT,
	KEY_OUTCOMES
};

struct key_recording {
	struct store *store;
	const struct key_object *object;
	const struct key_source *source;
	/* Gives the bytes to serve; may be called more than once. */
	int (*seal)(void *ctx, const struct key_object *object, struct mx_str *out,
		    struct mx_error *err);
	void *seal_ctx;
	struct mx_slice seal_id;
	struct mx_arena *mem; /* reset by key_record_commit() */
	struct mx_error *err;

	/* What became of it. */
	enum key_outcome outcome;
	uint64_t number; /* the version */
	int64_t last_seen_ms; /* of it, from now on */
	bool first_version; /* the server had none */
	unsigned new_conflicts;
	struct mx_slice conflict_id; /* the first id in conflict, borrowed from object */
};

/* 0, or what key_history_record() says. Safe beside others that write the same server. */
int key_record_commit(struct key_recording *recording);
