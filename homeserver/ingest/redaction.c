#include "homeserver/ingest/redaction.h"

#include "homeserver/event/event_relation.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/power_levels.h"
#include "homeserver/ingest/steps.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

/* ---- who may */

static bool has_level(struct room_turn *turn, const struct room_state *state, struct mx_slice user)
{
	const struct stored_event *create = turn_find(turn, state, TYPE_CREATE, MX_SLICE(""));
	const struct stored_event *stated = turn_find(turn, state, TYPE_POWER_LEVELS, MX_SLICE(""));
	struct room_levels levels = { .version = turn->head.version };
	struct power_levels parsed;

	if (!create)
		return false;
	levels.creators = room_creators_of(&create->event, turn->call.mem);
	if (stated && power_levels_parse(&stated->event, turn->call.mem, &parsed, NULL))
		return false;
	levels.stated = stated ? &parsed : NULL;
	return level_of_user(&levels, user) >= level_of(&levels, LEVEL_REDACT);
}

int redaction_may(struct room_turn *turn, const char *sender, const char *event_id,
		  struct mx_error *err)
{
	struct stored_event target;
	int rc = event_db_load_id(turn_read(turn), turn->room->number, mx_slice(event_id), &target);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc == 0 && mx_slice_is(target.event.type, TYPE_CREATE))
		return mx_fail(err, MX_FORBIDDEN, "The create event cannot be redacted");
	if (rc == 0 && mx_slice_is(target.event.sender, sender))
		return 0;
	if (has_level(turn, &turn->head.state, mx_slice(sender)))
		return 0;
	return mx_fail(err, MX_FORBIDDEN, "You may not redact the events of others");
}

/* In older versions the rules asked already. */
static bool holds(struct ingest *in, const struct event *redaction, const struct event *target)
{
	if (mx_slice_is(target->type, TYPE_CREATE))
		return false;
	if (mx_slice_eq(redaction->sender_server, target->sender_server))
		return true;
	return has_level(in->turn, &in->stored.header.before, redaction->sender);
}

/* ---- what they do */

static int mark(struct room_turn *turn, struct stored_event *event, uint32_t redaction)
{
	event->header.redacted_by = redaction;
	return event->header.state_number ? turn_redacted(turn, event) : 0;
}

/* Spec: "Aggregations of child events": the relationship is lost with the child. */
static void unrelate(struct room_turn *turn, const struct stored_event *target)
{
	struct event_relation relation;

	if (event_relation_of(&target->event, turn->call.mem, &relation))
		relation_db_remove(turn->call.txn, target->room, relation.parent_id, relation.type,
				   target->header.rseq);
}

static int redact_target(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct stored_event target;
	int rc = event_db_load_id(turn_read(turn), in->stored.room, in->event->redacts, &target);

	if (rc == -MX_NOT_FOUND) {
		redaction_db_wait(turn->call.txn, in->stored.room, in->event->redacts,
				  in->stored.header.number);
		return 0;
	}
	if (rc || target.header.redacted_by || !holds(in, in->event, &target.event))
		return rc;
	unrelate(turn, &target);
	rc = mark(turn, &target, in->stored.header.number);
	event_db_put(turn->call.txn, &target);
	return rc;
}

/* One that came first waits for its event. */
static int redact_self(struct ingest *in)
{
	struct room_turn *turn = in->turn;
	struct stored_event redaction;
	uint32_t number;
	int rc;

	if (in->source->local) /* nobody knew its id */
		return 0;
	rc = redaction_db_waiting(turn_read(turn), in->stored.room, in->event->id, &number);
	if (rc == 0)
		rc = event_db_load(turn_read(turn), in->stored.room, number, &redaction);
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	return holds(in, &redaction.event, in->event) ? mark(turn, &in->stored, number) : 0;
}

int step_redaction(struct ingest *in)
{
	int rc = redact_self(in);

	if (rc || !ingest_is_accepted(in) || !in->event->redacts.ptr ||
	    in->event->redacts.len > EVENT_TEXT_MAX)
		return rc;
	return redact_target(in);
}
