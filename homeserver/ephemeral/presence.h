/* Who is there. Lives in memory only, in a table of bounded size: who was away longest is forgotten
 * first. Spec: client-server API, "Presence". Locks: its own, a leaf. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct presence;

#define PRESENCE_STATUS_MAX 1024 /* bytes of a status message */

enum presence_state { PRESENCE_OFFLINE, PRESENCE_UNAVAILABLE, PRESENCE_ONLINE };

/* False for a name that is none of "online", "unavailable", "offline". */
bool presence_state_parse(const char *name, enum presence_state *ret_state);
const char *presence_state_name(enum presence_state state);

/* Where presence is off by configuration everybody is offline, and nothing below has an effect. */
struct presence *presence_start(struct hs *hs);
/* NULL does nothing. */
void presence_stop(struct presence *presence);

/* A /sync of the user begins or goes on, with its set_presence. It holds until poll_ms from now,
 * and a while for the next one; offline changes nothing but does not keep the user online. */
void presence_syncing(const struct hs_call *call, const char *user_id, enum presence_state state,
		      int64_t poll_ms);
/* The user did something: sent a message, typed, read. */
void presence_active(const struct hs_call *call, const char *user_id);

/* The user says so. status: NULL for none. */
void presence_set(const struct hs_call *call, const char *user_id, enum presence_state state,
		  const char *status);

/* Of one user, as the viewer may see it; in call->mem. -MX_FORBIDDEN for who shares no room. Who
 * was never there is offline. */
struct presence_status {
	enum presence_state state;
	bool currently_active;
	int64_t last_active_ago; /* ms; -1: never */
	const char *status; /* or NULL */
};
int presence_load(const struct hs_call *call, const char *viewer, const char *user_id,
		  struct presence_status *ret_status);

/* Whose presence is asked for. */
struct presence_ask {
	const char *viewer;
	/* Users whose presence changed after this tick of stream.h; 0: all who are not offline. */
	uint64_t after;
	/* Besides, whoever is there of those whom the viewer only now shares a room with. */
	const uint32_t *rooms; /* their members */
	const struct mx_slice *users;
	size_t rooms_len, users_len;
};

/* Of users whom the viewer may see: those of shared rooms, and the viewer. As m.presence events,
 * complete JSON objects in call->mem, in the order of the changes. */
struct presence_events {
	struct mx_slice *items;
	size_t len;
};
int presence_events(const struct hs_call *call, const struct presence_ask *ask,
		    struct presence_events *ret_events);

/* Turns what is over into what it is now; when it wants to be called next. For its thread, and
 * tests. */
int64_t presence_run(void *presence, int64_t mono_ms);
