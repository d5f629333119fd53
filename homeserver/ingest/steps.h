/* The steps of ingest.c; each is 0, or ends it. */
#pragma once

#include "homeserver/ingest/ingest.h"
#include "homeserver/ingest/turn_state.h"

struct ingest {
	struct room_turn *turn;
	const struct event *event;
	const struct ingest_source *source;
	struct stored_event stored; /* what becomes of it */
	uint32_t cited[EVENT_AUTH_MAX]; /* state numbers of its auth_events */
	size_t cited_len;
	uint32_t prev[EVENT_PREV_MAX]; /* numbers of its prev_events */
	struct room_state prev_after[EVENT_PREV_MAX];
	size_t prev_len;
	struct room_state was; /* the room's state until now */
	struct mx_error *err;
};

/* Neither rejected nor failed softly: it becomes part of the room. */
static inline bool ingest_is_accepted(const struct ingest *in)
{
	return (in->stored.header.flags & EVENT_HIDDEN) == 0;
}

/* step_auth.c */
int step_known(struct ingest *in);
int step_cited(struct ingest *in);
int step_allowed_by_cited(struct ingest *in);
int step_allowed_before(struct ingest *in);
int step_allowed_now(struct ingest *in);

/* step_state.c */
int step_before(struct ingest *in);
int step_number(struct ingest *in);
int step_after(struct ingest *in);

/* step_rows.c */
int step_timeline(struct ingest *in);
int step_members(struct ingest *in);
int step_relation(struct ingest *in);
int step_store(struct ingest *in);

/* redaction.c */
int step_redaction(struct ingest *in);
