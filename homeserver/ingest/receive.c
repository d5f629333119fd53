#include "homeserver/ingest/receive.h"

#include "homeserver/call.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/event_sign.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/ingest.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/room_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/store/store.h"

#define COMMITS_MAX 3

/* The event that was sent lies at the bottom, on it what it waits for, and so on. */
struct receiving {
	const struct hs_call *call;
	const char *room_id;
	uint32_t room;
	const struct room_version *version;
	const struct ingest_network *network;
	struct event waiting[RECEIVE_FETCHED_MAX + 1];
	size_t len, fetched;
	struct mx_error *err;
};

static int find_room(struct receiving *r)
{
	struct hs_call call = *r->call;
	struct room_head head;
	int rc;

	call.view = store_view_begin(call.hs->store);
	rc = room_db_find(&call, mx_slice(r->room_id), &r->room);
	if (rc == 0)
		rc = room_db_head(&call, r->room, &head);
	store_view_end(call.view);
	if (rc)
		return mx_fail(r->err, (enum mx_code) - rc, "The room is not here");
	r->version = head.version;
	return 0;
}

/* ---- what is checked of an event by itself */

struct arrival {
	struct mx_slice json;
	struct mx_slice wanted; /* the id that was asked for; ptr NULL: it came by itself */
	struct event event;
};

static int check_format(const struct receiving *r, struct arrival *a)
{
	return event_parse(r->version, a->json, r->call->mem, &a->event, r->err);
}

static int check_names(const struct receiving *r, struct arrival *a)
{
	if (!mx_slice_is(a->event.room_id, r->room_id))
		return mx_fail(r->err, MX_FORBIDDEN, "The event is another room's");
	if (a->wanted.ptr && !mx_slice_eq(a->event.id, a->wanted))
		return mx_fail(r->err, MX_FORBIDDEN, "The event is not the one that was asked for");
	return 0;
}

static int check_signatures(const struct receiving *r, struct arrival *a)
{
	struct event_signers signers;

	event_signers_of(&a->event, r->call->mem, &signers);
	return r->network->check_signatures(r->network->ctx, &a->event, &signers, r->err);
}

/* Whose content is not what was signed is taken without it. */
static int check_content(const struct receiving *r, struct arrival *a)
{
	const struct event whole = a->event;

	return event_hash_matches(&whole) ? 0 : event_left(&whole, r->call->mem, &a->event);
}

static int (*const checks[])(const struct receiving *r, struct arrival *a) = {
	check_format, /* it is an event of the room's version, small enough */
	check_names, /* of this room, and the one that is looked for */
	check_signatures, /* its senders have signed it */
	check_content, /* or it loses what they have not signed */
};

static int push(struct receiving *r, struct mx_slice json, struct mx_slice wanted)
{
	struct arrival arrival = { .json = json, .wanted = wanted };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		rc = checks[i](r, &arrival);
	if (rc == 0)
		r->waiting[r->len++] = arrival.event;
	return rc;
}

/* ---- what it cites */

/* 0: ret_id is the first that is not here, or has no ptr. */
static int find_missing(const struct hs_call *call, const struct mx_slice *ids, size_t len,
			struct mx_slice *ret_id)
{
	uint32_t room, number;

	for (size_t i = 0; i < len && !ret_id->ptr; i++) {
		int rc = event_db_find(call, ids[i], &room, &number);

		if (rc && rc != -MX_NOT_FOUND)
			return rc;
		if (rc)
			*ret_id = ids[i];
	}
	return 0;
}

static int missing_of(const struct receiving *r, const struct event *event, struct mx_slice *ret_id)
{
	struct hs_call call = *r->call;
	int rc;

	*ret_id = (struct mx_slice){ 0 };
	call.view = store_view_begin(call.hs->store);
	rc = find_missing(&call, event->auth_events, event->auth_events_len, ret_id);
	if (rc == 0)
		rc = find_missing(&call, event->prev_events, event->prev_events_len, ret_id);
	store_view_end(call.view);
	return rc;
}

static int fetch(struct receiving *r, struct mx_slice id)
{
	struct mx_slice json;
	int rc;

	for (size_t i = 0; i < r->len; i++)
		if (mx_slice_eq(r->waiting[i].id, id))
			return mx_fail(r->err, MX_FORBIDDEN, "The event is cited in a circle");
	if (r->fetched++ == RECEIVE_FETCHED_MAX)
		return mx_fail(r->err, MX_NOT_FOUND, "More than %d events are missing",
			       RECEIVE_FETCHED_MAX);
	rc = r->network->fetch(r->network->ctx, r->room_id, id, r->call->mem, &json, r->err);
	return rc ? rc : push(r, json, id);
}

/* ---- its turn */

static int apply_once(const struct receiving *r, const struct event *event)
{
	const struct ingest_source source = { .local = false };
	const struct stored_event *stored;
	struct room_turn *turn;
	int rc = turn_begin(r->call, r->room_id, &turn, r->err);

	if (rc)
		return rc;
	rc = ingest_apply(turn, event, &source, &stored, r->err);
	if (rc == 0)
		return turn_commit(turn, r->err);
	turn_abort(turn);
	return rc;
}

static bool is_here(const struct receiving *r, const struct event *event)
{
	struct hs_call call = *r->call;
	uint32_t room, number;
	int rc;

	call.view = store_view_begin(call.hs->store);
	rc = event_db_find(&call, event->id, &room, &number);
	store_view_end(call.view);
	return rc == 0;
}

/* A conflict may be that of a commit: then it is not here, and comes again. */
static int apply(const struct receiving *r, const struct event *event)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; i < COMMITS_MAX && rc == -MX_CONFLICT; i++) {
		if (is_here(r, event))
			return mx_fail(r->err, MX_CONFLICT, "The event is here already");
		rc = apply_once(r, event);
	}
	return rc;
}

static int go_on(struct receiving *r)
{
	struct event *top = &r->waiting[r->len - 1];
	struct mx_slice missing;
	int rc = missing_of(r, top, &missing);

	if (rc == 0 && missing.ptr)
		return fetch(r, missing);
	if (rc == 0)
		rc = apply(r, top);
	r->len--;
	/* What was fetched may have come by itself meanwhile. */
	return rc == -MX_CONFLICT && r->len > 0 ? 0 : rc;
}

int ingest_receive(const struct hs_call *call, const char *room_id, struct mx_slice json,
		   const struct ingest_network *network, struct mx_error *err)
{
	struct receiving *r = mx_arena_calloc(call->mem, 1, sizeof(*r));
	int rc;

	r->call = call;
	r->room_id = room_id;
	r->network = network;
	r->err = err;
	rc = find_room(r);
	if (rc == 0)
		rc = push(r, json, (struct mx_slice){ 0 });
	while (rc == 0 && r->len > 0)
		rc = go_on(r);
	return rc;
}
