/* Who may see which event: the only place where that is decided.
 * Spec: client-server API, "m.room.history_visibility". */
#pragma once

#include "homeserver/room/event_db.h"
#include "homeserver/room/membership.h"
#include "homeserver/room/state_reader.h"

#include <stdbool.h>

struct visibility {
	struct state_reader *reader;
	struct mx_slice user_id;
	enum membership now;
	/* Of what arrived before that, the user was a member later, or is now (INT64_MAX); the
	 * room's state then. INT64_MIN: never was one. */
	int64_t joined_until;
	struct room_state left_with;
	/* What was read last, and where: most events follow each other in one state. */
	struct {
		bool known;
		uint32_t root; /* of the members */
		enum membership membership;
	} member;
	struct {
		bool known;
		uint32_t root; /* of the others */
		unsigned history;
	} history;
	/* Of somebody who was erased: the same as joined_until, as it was then. */
	struct {
		int64_t since_ms; /* 0: not known yet */
		int64_t joined_until;
	} erased;
};

/* -MX_FORBIDDEN if the user may see nothing at all of the room: neither a member, nor was one (and
 * did not forget it), nor is it world-readable. -MX_STORE. The reader and the id stay. */
int visibility_init(struct visibility *visibility, struct state_reader *reader,
		    struct mx_slice user_id, struct mx_error *err);
/* Hidden events (EVENT_HIDDEN) are nobody's, and so is what cannot be decided. */
bool visibility_allows(struct visibility *visibility, const struct stored_event *event);

/* Of an event that may be seen, whose sender wished to be forgotten then: whether the user knew it
 * before, or it makes the room what it is for everybody; else they are shown what a redaction
 * leaves. Spec: client-server API, "Account deactivation", `erase`.
 * Needs the reader and the id only: visibility_init() may have failed. */
bool visibility_keeps(struct visibility *visibility, const struct stored_event *event,
		      int64_t since_ms);

/* What the user was in that state; MEMBERSHIP_NONE also if that cannot be read. */
enum membership visibility_membership(struct visibility *visibility,
				      const struct room_state *state);

/* Whether that state lets everybody read. */
bool visibility_is_open(struct visibility *visibility, const struct room_state *state);

/* The room's state as the user may know it: as it is, or for who is no member any more as it was
 * when they ceased to be one. `now` is the room's. */
struct room_state visibility_state(const struct visibility *visibility,
				   const struct room_state *now);
