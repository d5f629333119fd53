#include "homeserver/ingest/birth.h"

#include "homeserver/event/event_build.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/select.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/ingest.h"
#include "homeserver/ingest/redaction.h"
#include "homeserver/ingest/turn_state.h"
#include "homeserver/room/rooms.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/keys/own_keys.h"

#define PREV_MAX       10 /* newest events that one follows */
#define STRICT_MAX     ((INT64_C(1) << 53) - 1) /* of strict JSON's integers */
#define ROOM_ID_RANDOM 18

static struct event_draft draft_of(const struct hs_call *call, const struct event_wish *wish)
{
	return (struct event_draft){
		.server = own_keys_server_name(call->hs->keys),
		.type = mx_slice(wish->type),
		.sender = mx_slice(wish->sender),
		.state_key = mx_slice(wish->state_key),
		.redacts = mx_slice(wish->redacts),
		.content = wish->content,
		.origin_server_ts = wish->origin_server_ts ? wish->origin_server_ts : call->now_ms,
	};
}

static int sign(const struct hs_call *call, struct event_draft *draft, struct event *ret_event,
		struct mx_error *err)
{
	struct own_ring *ring = own_keys_ring(call->hs->keys);
	int rc;

	draft->key = own_ring_signer(ring);
	rc = event_build(draft, call->mem, ret_event, err);
	own_ring_unref(ring);
	return rc;
}

/* ---- a room's first */

/* Spec: client-server API, "m.room.create". The caller owns it. */
static json_t *create_content(const struct room_birth *birth)
{
	json_t *content = json_copy((json_t *)birth->create.content);

	json_object_set_new(content, "room_version", json_string(birth->version->id));
	if (birth->version->creator_in_content)
		json_object_set_new(content, "creator", json_string(birth->create.sender));
	return content;
}

static struct mx_slice new_room_id(const struct hs_call *call)
{
	char opaque[ROOM_ID_RANDOM + 1];

	mx_random_token(opaque, ROOM_ID_RANDOM);
	return mx_slice(
		mx_arena_strf(call->mem, "!%s:%s", opaque, own_keys_server_name(call->hs->keys)));
}

int birth_create(const struct hs_call *call, const struct room_birth *birth,
		 struct room_head *ret_head, const struct event **ret_create, struct mx_error *err)
{
	json_auto_t *content = create_content(birth);
	struct event_draft draft = draft_of(call, &birth->create);
	struct event *create = mx_arena_alloc(call->mem, sizeof(*create));
	int rc;

	draft.version = birth->version;
	draft.content = content;
	draft.state_key = MX_SLICE("");
	draft.depth = 1;
	draft.origin_server_ts = rooms_moment(call->hs->rooms, draft.origin_server_ts);
	if (!birth->version->create_is_room_id)
		draft.room_id = new_room_id(call);
	rc = sign(call, &draft, create, err);
	if (rc)
		return rc;
	*ret_create = create;
	*ret_head = (struct room_head){ .version = birth->version,
					.id = create->room_id,
					.next_event = 1,
					.next_state = 1,
					.next_slot = 1,
					.next_member_slot = 1,
					.next_node = 1,
					.first_rseq = 1 };
	return 0;
}

int birth_begin(struct room_turn *turn, const struct event *create, const struct event_wish *wish,
		struct mx_error *err)
{
	const struct ingest_source source = { .local = true,
					      .device = wish->device,
					      .txn_id = wish->txn_id };
	const struct stored_event *stored;

	return ingest_apply(turn, create, &source, &stored, err);
}

/* ---- the others */

struct cited {
	struct event_reference references[SELECTED_MAX];
	uint32_t numbers[SELECTED_MAX];
	size_t len;
};

static struct auth_subject subject_of(const struct room_turn *turn, const struct event_wish *wish)
{
	struct auth_subject subject = {
		.version = turn->head.version,
		.type = mx_slice(wish->type),
		.sender = mx_slice(wish->sender),
		.state_key = mx_slice(wish->state_key),
	};
	const json_t *invite;

	if (!streq(wish->type, TYPE_MEMBER))
		return subject;
	invite = jobj(wish->content, "third_party_invite");
	subject.membership = jslice(wish->content, "membership");
	subject.authorised_via = jslice(wish->content, "join_authorised_via_users_server");
	if (invite && jobj(invite, "signed"))
		subject.invite_token = jslice(jobj(invite, "signed"), "token");
	return subject;
}

static void cite(struct room_turn *turn, const struct event_wish *wish, struct cited *ret_cited)
{
	const struct auth_subject subject = subject_of(turn, wish);
	struct selection selection;

	ret_cited->len = 0;
	auth_select(&subject, &selection);
	for (size_t i = 0; i < selection.len; i++) {
		const struct stored_event *stored = turn_find(turn, &turn->head.state,
							      selection.keys[i].type,
							      selection.keys[i].state_key);
		struct event_reference *reference = &ret_cited->references[ret_cited->len];

		if (!stored)
			continue;
		reference->id = stored->event.id;
		if (turn->head.version->hashed_references)
			event_reference_hash(&stored->event, reference->hash);
		ret_cited->numbers[ret_cited->len++] = stored->header.state_number;
	}
}

/* The newest ones, if there are many. */
static size_t follow(const struct room_turn *turn, struct event_reference ret_prev[PREV_MAX])
{
	size_t all = turn->head.extremities_len, len = all < PREV_MAX ? all : PREV_MAX;

	for (size_t i = 0; i < len; i++) {
		const struct room_extremity *extremity = &turn->extremities[all - len + i];

		ret_prev[i].id = extremity->id;
		memcpy(ret_prev[i].hash, extremity->hash, sizeof(extremity->hash));
	}
	return len;
}

/* Spec: server-server API, "PDUs": as deep as the version's JSON can say. */
static int64_t next_depth(const struct room_head *head)
{
	int64_t most = head->version->strict_json ? STRICT_MAX : INT64_MAX;

	return head->depth < most ? head->depth + 1 : most;
}

static int build(struct room_turn *turn, const struct event_wish *wish, const struct cited *cited,
		 struct event *ret_event, struct mx_error *err)
{
	struct event_reference prev[PREV_MAX];
	struct event_draft draft = draft_of(&turn->call, wish);

	draft.version = turn->head.version;
	draft.room_id = turn->head.id;
	draft.depth = next_depth(&turn->head);
	draft.prev_events = prev;
	draft.prev_events_len = follow(turn, prev);
	draft.auth_events = cited->references;
	draft.auth_events_len = cited->len;
	return sign(&turn->call, &draft, ret_event, err);
}

/* What it redacts is said in the event or in its content, by version; the wish says it once. */
static json_t *content_of(const struct room_turn *turn, const struct event_wish *wish)
{
	json_t *content;

	if (!wish->redacts || !turn->head.version->redacts_in_content)
		return json_incref((json_t *)wish->content);
	content = json_copy((json_t *)wish->content);
	json_object_set_new(content, "redacts", json_string(wish->redacts));
	return content;
}

static const char *redacted_by(const struct room_turn *turn, const struct event_wish *wish)
{
	if (!streq(wish->type, TYPE_REDACTION))
		return NULL;
	if (!wish->redacts && turn->head.version->redacts_in_content)
		return jstr(wish->content, "redacts");
	return wish->redacts;
}

/* Spec: "Size limits". Older rooms take longer names from others, by the letters that they have;
 * what is made here is for everybody. */
static int check_names(const struct event_wish *wish, struct mx_error *err)
{
	if (strlen(wish->type) > EVENT_TEXT_MAX)
		return mx_fail(err, MX_TOO_LARGE, "type is longer than %d bytes", EVENT_TEXT_MAX);
	if (wish->state_key && strlen(wish->state_key) > EVENT_TEXT_MAX)
		return mx_fail(err, MX_TOO_LARGE, "state_key is longer than %d bytes",
			       EVENT_TEXT_MAX);
	return 0;
}

int birth_send(struct room_turn *turn, const struct event_wish *wish,
	       const struct event **ret_event, struct mx_error *err)
{
	json_auto_t *content = content_of(turn, wish);
	const char *redacts = redacted_by(turn, wish);
	struct event *event = mx_arena_alloc(turn->call.mem, sizeof(*event));
	struct event_wish whole = *wish;
	const struct stored_event *stored;
	struct ingest_source source;
	struct cited cited;
	int rc = check_names(wish, err);

	if (rc == 0 && redacts)
		rc = redaction_may(turn, wish->sender, redacts, err);
	if (rc)
		return rc;
	whole.content = content;
	cite(turn, &whole, &cited);
	rc = build(turn, &whole, &cited, event, err);
	if (rc)
		return rc;
	source = (struct ingest_source){ .local = true,
					 .cited = cited.numbers,
					 .cited_len = cited.len,
					 .device = wish->device,
					 .txn_id = wish->txn_id };
	rc = ingest_apply(turn, event, &source, &stored, err);
	if (rc == 0)
		*ret_event = event;
	return rc;
}
