/*
 * The parts of an identity service that know who is who: an in-memory store, a pepper, and
 * id.example.org's key, as the vectors of signed associations have it.
 *
 *	static void somebody_is_found(void **state) { struct binding_fixture *f = *state; … }
 *	const struct CMUnitTest tests[] = { binding_test(somebody_is_found) };
 */
#pragma once

#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "tests/support/store_fixture.h"

#define BINDING_FIXTURE_NOW INT64_C(1700000000000)

struct binding_fixture {
	struct identity identity;
	struct identity_conf conf;
	struct identity_call call; /* with a transaction or a view; see below */
	char *directory;
};

#define binding_test(function) \
	cmocka_unit_test_setup_teardown(function, binding_fixture_setup, binding_fixture_teardown)

/* The clock stands at BINDING_FIXTURE_NOW; f->call has a transaction. */
int binding_fixture_setup(void **state);
int binding_fixture_teardown(void **state);

/* Ends what f->call has, a transaction by a commit that must succeed; then gives it a new
 * transaction, or a view. */
void binding_fixture_write(struct binding_fixture *f);
void binding_fixture_read(struct binding_fixture *f);

/* Both clocks and f->call, from now on. */
void binding_fixture_at(struct binding_fixture *f, int64_t now_ms);

/* Binds (user NULL: unbinds) and commits; f->call has a new transaction then. */
void binding_fixture_bind(struct binding_fixture *f, const char *address, const char *user_id);
