/* A notary without listeners and threads of its own: a store in memory, a clock that stands still,
 * a network that is played. For programs with the line wrap: net_start net_fetch. */
#pragma once

#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "shared/keys/key_history.h"
#include "tests/support/key_fixture.h"
#include "tests/support/net_mock.h"
#include "tests/support/store_fixture.h"

#define NOTARY_NOW  INT64_C(1700000000000)
#define NOTARY_NAME "notary.example"

/* What a.example says for an hour, and then for a day, of a key ed25519:1 and then ed25519:2. */
extern const struct made_object notary_first, notary_second;

struct notary_fixture {
	struct notary notary;
	struct notary_conf conf;
	struct mx_arena *mem;
	char *directory; /* of its key files */
	int64_t now_ms;
};

/* Setup and teardown of tests whose state is a struct notary_fixture. */
int notary_fixture_setup(void **state);
int notary_fixture_teardown(void **state);
#define notary_test(function) \
	cmocka_unit_test_setup_teardown(function, notary_fixture_setup, notary_fixture_teardown)

/* Moves both clocks. */
void notary_fixture_pass(struct notary_fixture *f, int64_t ms);

/* Ends refresh and begins it anew over the same store. */
void notary_fixture_restart_refresh(struct notary_fixture *f);

/* Records what `made` says as if it had been fetched. It must not fail. */
void notary_fixture_record(struct notary_fixture *f, const struct made_object *made);

/* Answers the waiting fetch of the object's server, and waits until it is recorded. */
void notary_fixture_reply(struct notary_fixture *f, const struct made_object *made);

/* The waiting fetch fails. */
void notary_fixture_fail(struct notary_fixture *f, const char *server);

/* Returns when every answer is recorded and told. */
void notary_fixture_settle(struct notary_fixture *f);

/* A file in the fixture's directory; owned by the fixture. */
const char *notary_fixture_file(struct notary_fixture *f, const char *name, const char *text);

/* The entry of a server; unref it. */
struct key_entry *notary_fixture_load(struct notary_fixture *f, const char *server);
