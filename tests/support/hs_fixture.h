/*
 * A homeserver's records: an in-memory store with all its tables, here.example's signing key, and a
 * clock that stands still.
 *
 *	static void somebody_is_found(void **state) { struct hs_fixture *f = *state; … }
 *	const struct CMUnitTest tests[] = { hs_test(somebody_is_found) };
 */
#pragma once

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "tests/support/store_fixture.h"

#include <jansson.h>

struct event;
struct room_turn;

#define HS_FIXTURE_NOW    INT64_C(1700000000000)
#define HS_FIXTURE_SERVER "here.example"

struct hs_fixture {
	struct hs hs;
	struct hs_conf conf;
	struct hs_call call; /* with a transaction or a view; see below */
	char *directory; /* the key's; for other files too */
};

#define hs_test(function) \
	cmocka_unit_test_setup_teardown(function, hs_fixture_setup, hs_fixture_teardown)

/* The clock stands at HS_FIXTURE_NOW; f->call has a transaction. */
int hs_fixture_setup(void **state);
int hs_fixture_teardown(void **state);

/* Ends what f->call has, a transaction by a commit that must succeed; then gives it a new
 * transaction, or a view. */
void hs_fixture_write(struct hs_fixture *f);
void hs_fixture_read(struct hs_fixture *f);

/* Both clocks and f->call, from now on. */
void hs_fixture_at(struct hs_fixture *f, int64_t now_ms);

/*
 * An event of no room in particular, signed by here.example, in call.mem: {"version" ("12"),
 * "room" ("!room:here.example"), "type" ("m.room.message"), "key" (of state), "sender"
 * ("@ann:here.example"), "content" ({}), "redacts", "depth" (1), "ts"}. Takes the line.
 */
struct event hs_fixture_event(struct hs_fixture *f, json_t *line);

/* turn_send(), by that sender; key NULL: it is no state. Takes the content. */
int hs_fixture_send(struct room_turn *turn, const char *sender, const char *type, const char *key,
		    json_t *content);
