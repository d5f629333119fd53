/* A key fetcher over a history in memory and a network that the test plays: for programs with the
 * line wrap: net_start net_fetch. */
#pragma once

#include "shared/keys/key_fetch.h"
#include "tests/support/history_fixture.h"
#include "tests/support/net_mock.h"

#include <semaphore.h>

struct fetch_fixture {
	struct history_fixture *history;
	struct key_fetcher *fetcher;
	sem_t ended;
	_Atomic int last_rc;
	_Atomic unsigned calls; /* of fetch_fixture_ended() */
};

/* Setup and teardown of tests whose state is a struct fetch_fixture. */
int fetch_fixture_setup(void **state);
int fetch_fixture_teardown(void **state);
#define fetch_test(function) \
	cmocka_unit_test_setup_teardown(function, fetch_fixture_setup, fetch_fixture_teardown)

/* a.example with its key ed25519:1, valid for a day. */
extern const struct made_object fetch_fixture_object;

/* A fetcher in which any.example needs the signature of one of its keys only. */
void fetch_fixture_open(struct fetch_fixture *fixture);

/* For key_fetch(): keeps the result, wakes fetch_fixture_wait(). */
void fetch_fixture_ended(void *ctx, int rc);
int fetch_fixture_wait(struct fetch_fixture *fixture);

/* 200 with what `made` says. */
struct net_mock_answer fetch_fixture_answer(struct fetch_fixture *fixture,
					    const struct made_object *made);

/* Asks `server`, plays the answer; the result. -MX_BACKED_OFF if nobody was asked. */
int fetch_fixture_fetch(struct fetch_fixture *fixture, const char *server,
			const struct net_mock_answer *answer);

/* Fails the test if anything is known of the server. */
void fetch_fixture_knows_nothing(struct fetch_fixture *fixture, const char *server);
