/* A key history over a store in memory, and a clock that stands still. */
#pragma once

#include "shared/keys/key_history.h"
#include "tests/support/key_fixture.h"
#include "tests/support/store_fixture.h"

#define DAY_ZERO INT64_C(1700000000000)

struct history_fixture {
	struct store *store;
	struct key_history *history;
	struct mx_arena *mem;
	int64_t now_ms; /* what the faked clocks say */
	const char *seal_id; /* sealed bytes are "SEAL_ID " and the object's */
	unsigned seals; /* how often something was sealed */
	size_t cache_bytes;
	struct mx_metrics *metrics;
};

/* Setup and teardown of tests whose state is a struct history_fixture. */
int history_fixture_setup(void **state);
int history_fixture_teardown(void **state);
#define history_test(function) \
	cmocka_unit_test_setup_teardown(function, history_fixture_setup, history_fixture_teardown)

/* Moves both clocks. */
void history_fixture_pass(struct history_fixture *fixture, int64_t ms);

/* Ends the history and makes a new one over the same store, with today's seal_id. */
void history_fixture_restart(struct history_fixture *fixture);

/* Records what `made` says, from "origin" unless told otherwise. It must not fail. */
struct key_recorded history_fixture_record(struct history_fixture *fixture,
					   const struct made_object *made);
int history_fixture_record_from(struct history_fixture *fixture, const struct made_object *made,
				const char *source, struct key_recorded *ret_recorded);

/* The entry, from memory or the store; unref it. */
struct key_entry *history_fixture_load(struct history_fixture *fixture, const char *server);

/* The value of a metric line such as `test_key_conflicts`, -1 if there is none. */
int64_t history_fixture_metric(struct history_fixture *fixture, const char *line);

/* What most tests begin with: a.example and its key ed25519:1, valid for a day. */
extern const struct made_object history_first;

/* a.example again: a new key, and ed25519:1 with other bytes than before. */
extern const struct made_object history_reused;

/* The same but for the end of its validity. */
struct made_object history_renewed(const struct made_object *made, int64_t by_ms);
