/*
 * People who sync: hs_fixture.h with rooms, a stream, and what else /sync reads; clients that ask
 * and remember; lines that make things happen.
 */
#pragma once

#include "homeserver/sync/sync.h"
#include "tests/support/hs_fixture.h"

struct event_wish;

#define ANN "@ann:" HS_FIXTURE_SERVER
#define BEA "@bea:" HS_FIXTURE_SERVER
#define CAL "@cal:" HS_FIXTURE_SERVER

#define sync_test(function) \
	cmocka_unit_test_setup_teardown(function, sync_fixture_setup, sync_fixture_teardown)

/* The state is a struct hs_fixture. */
int sync_fixture_setup(void **state);
int sync_fixture_teardown(void **state);

/* ---- happenings; each is durable when it returns */

/* A room of that version ("12" if NULL) and history visibility (NULL: none is set), which its maker
 * joined and everybody may. Its id is in call.mem. */
struct room_plan {
	const char *maker, *version, *visibility;
};
const char *plan_room(struct hs_fixture *f, const struct room_plan *plan);
const char *make_room(struct hs_fixture *f, const char *maker);
/* The event's id, in call.mem. Takes the content. */
const char *send_event(struct hs_fixture *f, const char *room_id, const char *sender,
		       const char *type, json_t *content);
/* The same, with an empty state key. */
const char *set_state(struct hs_fixture *f, const char *room_id, const char *sender,
		      const char *type, json_t *content);
/* -MX_FORBIDDEN and such are returned. */
int try_event(struct hs_fixture *f, const char *room_id, const struct event_wish *wish,
	      const char **ret_event_id);
const char *say(struct hs_fixture *f, const char *room_id, const char *sender, const char *body);
const char *name_room(struct hs_fixture *f, const char *room_id, const char *sender,
		      const char *name);
/* "join", "leave", "invite", "ban", "knock" */
const char *become(struct hs_fixture *f, const char *room_id, const char *sender, const char *user,
		   const char *membership);
void keep_data(struct hs_fixture *f, const char *user, const char *room_id, const char *type,
	       const char *content);

/* ---- clients */

struct client {
	const char *user, *device;
	const char *filter; /* JSON, or NULL */
	enum sync_state state;
	bool full_state;
	struct sync_token since; /* { 0 }: from the beginning */
	bool news; /* of the last answer */
};

/* The answer, the caller's; the client goes on from there. */
json_t *client_sync(struct hs_fixture *f, struct client *client);
/* The same, without looking at it. */
void client_skip(struct hs_fixture *f, struct client *client);
/* The answer to a new client of the user. */
json_t *first_sync(struct hs_fixture *f, const char *user);

/* "join" of that room, or NULL. */
json_t *room_of(const json_t *answer, const char *kind, const char *room_id);
/* events of a member of a room's part; an empty array without one. */
json_t *events_of(const json_t *room, const char *member);
/* "one,two": bodies of messages, types of other events, with their state keys after a '/'. */
char *events_text(const json_t *room, const char *member);
void assert_events(const json_t *room, const char *member, const char *text);
/* A joined room's `state` and `timeline`. */
void assert_joined(const json_t *answer, const char *room_id, const char *state,
		   const char *timeline);
bool is_limited(const json_t *answer, const char *kind, const char *room_id);
void assert_says_nothing(const json_t *answer);
