#include "homeserver/timeline/send.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/guests.h"
#include "homeserver/room/event_db.h"
#include "homeserver/timeline/content_check.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define ANNOTATIONS_LOOKED_AT 1000 /* of one event: the newest */

/* ---- what is looked at before the turn, so that nobody waits for it */

struct look {
	struct hs_call call; /* with a view */
	const struct message *message;
	uint32_t room;
	struct mx_slice redacted_sender, redacted_type; /* of a redaction's target */
	struct mx_error *err;
};

static bool is_same_annotation(const struct look *look, const struct relation_row *row,
			       const char *key)
{
	struct stored_event event;

	return mx_slice_is(row->sender, look->message->request.user) &&
	       mx_slice_is(row->event_type, look->message->type) && mx_slice_is(row->key, key) &&
	       event_db_load(&look->call, look->room, row->event, &event) == 0 &&
	       !event.header.redacted_by && !(event.header.flags & EVENT_HIDDEN);
}

/* Spec: "Avoiding duplicate annotations". */
static int check_annotation(struct look *look, const struct content_relation *relation)
{
	const struct timeline_range newest = {
		.after = INT64_MIN,
		.before = INT64_MAX,
		.limit = ANNOTATIONS_LOOKED_AT,
		.reverse = true,
	};
	struct relation_list list;
	int rc = relation_db_list(&look->call, look->room, mx_slice(relation->event_id),
				  mx_slice(relation->type), &newest, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++)
		if (is_same_annotation(look, &list.items[i], relation->key))
			return mx_fail(look->err, MX_DUPLICATE_ANNOTATION,
				       "You have already sent this annotation");
	return rc;
}

/* Spec: "Threading", validation of m.thread relationships: no threads from what is in one. */
static int check_thread(struct look *look, const struct content_relation *relation)
{
	struct stored_event root;
	uint32_t relates_to;
	int rc = event_db_load_id(&look->call, look->room, mx_slice(relation->event_id), &root);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	relates_to = mx_json_member(&root.event.doc, root.event.content, "m.relates_to");
	if (relates_to && mx_json_member(&root.event.doc, relates_to, "rel_type"))
		return mx_fail(look->err, MX_BAD_RELATION,
			       "A thread cannot start from an event with a relation");
	return 0;
}

/* Whether it may be redacted the turn says. */
static int check_target(struct look *look)
{
	struct stored_event target;
	int rc = event_db_load_id(&look->call, look->room, mx_slice(look->message->redacts),
				  &target);

	if (rc == -MX_NOT_FOUND || (rc == 0 && (target.header.flags & EVENT_HIDDEN)))
		return mx_fail(look->err, MX_NOT_FOUND, "There is no such event in this room");
	if (rc)
		return rc;
	look->redacted_sender = target.event.sender;
	look->redacted_type = target.event.type;
	return 0;
}

static int look_around(struct look *look)
{
	const struct content_relation relation = content_relation_of(look->message->content);

	if (look->message->redacts)
		return check_target(look);
	if (streq(relation.type, "m.annotation"))
		return check_annotation(look, &relation);
	if (streq(relation.type, "m.thread"))
		return check_thread(look, &relation);
	return 0;
}

/* What was sent before is no duplicate of itself. */
static int look_in_view(struct look *look, const char **ret_event_id)
{
	int rc = client_txn_db_find(&look->call, &look->message->request, ret_event_id);

	if (rc != -MX_NOT_FOUND)
		return rc;
	rc = room_db_find(&look->call, mx_slice(look->message->request.room_id), &look->room);
	/* The turn says what is to be said of a room that is not here. */
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	return look_around(look);
}

static int look_first(struct look *look, const char **ret_event_id)
{
	int rc;

	if (!look->message->redacts && !content_relation_of(look->message->content).type)
		return 0;
	look->call.view = store_view_begin(look->call.hs->store);
	rc = look_in_view(look, ret_event_id);
	store_view_end(look->call.view);
	return rc;
}

/* ---- the turn */

/* Spec: "Account suspension": one's own events only. */
static int check_suspended(struct room_turn *turn, const struct look *look)
{
	const char *user = look->message->request.user;

	if (!look->message->redacts || mx_slice_is(look->redacted_sender, user))
		return 0;
	return account_flags(turn_call(turn), mx_slice(user)) & ACCOUNT_SUSPENDED
		       ? -MX_USER_SUSPENDED
		       : 0;
}

/* Where the room's version wants to have it. Spec: "Redactions", PUT …/send. */
static json_t *content_of(const struct message *message, const struct room_version *version)
{
	json_t *content;

	if (!message->redacts)
		return json_incref((json_t *)message->content);
	content = json_copy((json_t *)message->content);
	json_object_del(content, "redacts");
	if (version->redacts_in_content)
		json_object_set_new(content, "redacts", json_string(message->redacts));
	return content;
}

static int send_in_turn(struct room_turn *turn, const struct look *look, const char **ret_event_id)
{
	const struct message *message = look->message;
	const struct client_txn *request = &message->request;
	json_auto_t *content = content_of(message, turn_head(turn)->version);
	const struct event_wish wish = {
		.type = message->type,
		.sender = request->user,
		.content = content,
		.redacts = message->redacts,
		.device = request->device,
		.txn_id = request->id,
	};
	const struct event *event;
	int rc = check_suspended(turn, look);

	if (rc == 0)
		rc = turn_send(turn, &wish, &event, look->err);
	/* Spec: "Guest Access": "if the m.room.guest_access event is changed". */
	if (rc == 0 && mx_slice_is(look->redacted_type, TYPE_GUEST_ACCESS))
		rc = guests_put_out(turn, look->err);
	if (rc)
		return rc;
	*ret_event_id = mx_arena_slice(look->call.mem, event->id).ptr;
	client_txn_db_put(turn_call(turn), request, *ret_event_id);
	return 0;
}

int send_message(const struct hs_call *call, const struct message *message,
		 struct room_turn **ret_turn, const char **ret_event_id, struct mx_error *err)
{
	struct look look = { .call = *call, .message = message, .err = err };
	const char *known = NULL;
	int rc = content_check(message->content, err);

	*ret_turn = NULL;
	if (rc == 0)
		rc = look_first(&look, &known);
	if (rc || known) {
		*ret_event_id = known;
		return rc;
	}
	rc = turn_begin_inside(call, message->request.room_id, ret_turn, err);
	if (rc)
		return rc;
	rc = client_txn_db_find(turn_call(*ret_turn), &message->request, ret_event_id);
	if (rc != -MX_NOT_FOUND)
		return rc;
	return send_in_turn(*ret_turn, &look, ret_event_id);
}
