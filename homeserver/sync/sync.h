/*
 * One answer of /sync: everything that happened to a user between two positions, or, from nothing,
 * all there is. Sections append JSON to one buffer; positions are compared, no log is replayed.
 * Spec: client-server API, "Syncing". See README.md.
 */
#pragma once

#include "homeserver/timeline/sync_token.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/ignored.h"
#include "shared/core/vec.h"

#include <stdbool.h>

struct event;
struct event_filter;
struct filter;
struct hs_call;
struct mx_str;
struct stored_event;
struct visibility;

#define SYNC_TIMELINE_DEFAULT 10 /* events of a room */
#define SYNC_TIMELINE_MAX     100
#define SYNC_SCAN_MAX         1000 /* entries of a timeline that are looked at for those */

/* Which state a client asks for, and what it calls it. */
enum sync_state {
	SYNC_STATE_BEFORE, /* the timeline: `state` */
	SYNC_STATE_AFTER, /* `state_after` */
	SYNC_STATE_AFTER_UNSTABLE, /* the same, under its name before it was in the specification */
};

/* What a client asks for. */
struct sync_ask {
	const char *user_id, *device;
	const struct filter *filter;
	bool initial; /* without `since`, or with one that this server cannot have given */
	bool full_state;
	enum sync_state state;
	struct sync_token since; /* { 0 } if initial */
	struct sync_token acknowledged; /* what the client has surely got */
};

struct sync {
	const struct hs_call *call; /* with a view */
	const struct sync_ask *ask;
	struct sync_token now;
	struct ignored ignored;
	struct account_data_list account_data; /* what changed, by rooms */
	/* Rooms that the user joined since, and users who joined theirs: they may have been there
	 * before, and the client has not been told. */
	struct mx_vec(uint32_t) new_rooms;
	struct mx_vec(struct mx_slice) newcomers; /* in call->mem */
	struct mx_str *out;
	bool news; /* something happened that is worth an answer before the time is over */
};

/* Appends the answer. ret_now: where it ends, its next_batch; ret_news: whether there is anything
 * in it. */
int sync_write(const struct hs_call *call, const struct sync_ask *ask, struct mx_str *out,
	       struct sync_token *ret_now, bool *ret_news);

/* ---- for sections */

/* Appends an event as the client wants it; with the visibility of its room as one of a timeline,
 * with NULL as one of the state. */
void sync_event(struct sync *sync, const struct hs_call *call, const struct stored_event *event,
		struct visibility *visibility);
/* What a message says that the user ignores; state is never ignored. */
bool sync_ignores(const struct sync *sync, const struct event *event);

/* Appends items of a list of events. */
void sync_account_data(struct sync *sync, const struct event_filter *filter,
		       const struct account_data_list *list);

/* Members of the answer; each sets sync->news if it has any. */
int section_rooms(struct sync *sync);
int section_presence(struct sync *sync);
int section_account_data(struct sync *sync);
int section_devices(struct sync *sync);
