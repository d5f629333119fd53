/*
 * A small identity service that stores invites, for programs with the line
 * wrap: message_mail listed_or_bound threepid_parse
 * It is id.example.org, signs with the seed of the specification's examples as ed25519:0, and
 * lets a sender invite INVITE_FIXTURE_BUDGET times.
 */
#pragma once

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "shared/outbox/outbox.h"

#define INVITE_FIXTURE_BUDGET 3
#define INVITE_FIXTURE_MS     INT64_C(1700000000000)

struct invite_fixture {
	struct identity identity;
	struct identity_conf conf; /* change it as you like */
	struct identity_call call; /* a transaction of now */
	const char *bound_user; /* whose every address is; NULL = nobody's */
	struct mx_error err;
	char *directory;

	/* of the last mail */
	unsigned mails;
	char to[256];
	json_t *values; /* name → value */
};

/* setup and teardown of a test whose state it is. */
int invite_fixture_setup(void **state);
int invite_fixture_teardown(void **state);

#define invite_test(function) \
	cmocka_unit_test_setup_teardown(function, invite_fixture_setup, invite_fixture_teardown)

/* Commits the transaction, which must succeed, and begins another one. */
void invite_fixture_commit(struct invite_fixture *fixture);
/* Forgets what the transaction did and begins another one. */
void invite_fixture_abort(struct invite_fixture *fixture);

/* An invite of address to !room:example.com by @bob:example.com, with more members of the body as
 * JSON text, or NULL. */
int invite_fixture_invite(struct invite_fixture *fixture, const char *address, const char *more,
			  struct invite_answer *ret_answer);

/* A value of the last mail; "" if it is not there. */
const char *invite_fixture_value(const struct invite_fixture *fixture, const char *name);

/* Binds the address to the user, with a signed association as a bind makes it. */
void invite_fixture_bind(struct invite_fixture *fixture, const char *address, const char *user_id);

/* How many rows the tables of invites have. */
size_t invite_fixture_rows(struct invite_fixture *fixture);
