#include "homeserver/ingest/ingest.h"

#include "homeserver/ingest/steps.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

static int (*const steps[])(struct ingest *in) = {
	step_known, /* it is new */
	step_cited, /* its auth_events are here, and may be cited */
	step_allowed_by_cited, /* they allow it */
	step_before, /* the state before it, out of those after its prev_events */
	step_allowed_before, /* that allows it */
	step_allowed_now, /* so does the room's state as it is, or it fails softly */
	step_number, /* from here on it is the room's */
	step_after, /* the state with it; what the room is now */
	step_timeline,
	step_members,
	step_redaction,
	step_relation,
	step_store,
};

static struct mx_slice text_of(const char *text)
{
	return text ? mx_slice(text) : MX_SLICE("");
}

int ingest_apply(struct room_turn *turn, const struct event *event,
		 const struct ingest_source *source, const struct stored_event **ret_event,
		 struct mx_error *err)
{
	struct ingest *in = mx_arena_calloc(turn->call.mem, 1, sizeof(*in));
	int rc = 0;

	in->turn = turn;
	in->event = event;
	in->source = source;
	in->err = err;
	in->was = turn->head.state;
	in->stored.room = turn->room->number;
	in->stored.event = *event;
	in->stored.header.received_ms = turn->call.now_ms;
	in->stored.header.device = text_of(source->device);
	in->stored.header.txn_id = text_of(source->txn_id);
	for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = steps[i](in);
	if (rc)
		return rc;
	turn->events++;
	*ret_event = &in->stored;
	return 0;
}
