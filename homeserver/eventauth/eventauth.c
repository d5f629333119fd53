#include "homeserver/eventauth/eventauth.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/rule.h"
#include "homeserver/eventauth/select.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

/* ---- what the rules share */

int rule_reject(const struct auth_check *check, const char *why)
{
	return mx_fail(check->err, MX_FORBIDDEN, "%s", why);
}

const struct event *rule_state(const struct auth_check *check, const char *type,
			       struct mx_slice state_key)
{
	return check->state->find(check->state->ctx, type, state_key);
}

struct mx_slice rule_membership(const struct auth_check *check, struct mx_slice user_id)
{
	const struct event *member = rule_state(check, TYPE_MEMBER, user_id);

	return member ? event_membership(member) : (struct mx_slice){ 0 };
}

/* ---- the state */

static int load_levels(struct auth_check *check)
{
	const struct event *stated = rule_state(check, TYPE_POWER_LEVELS, MX_SLICE(""));
	int rc;

	check->levels.version = check->event->version;
	check->levels.creators = room_creators_of(check->create, check->mem);
	if (!stated)
		return 0;
	rc = power_levels_parse(stated, check->mem, &check->stated, check->err);
	check->levels.stated = &check->stated;
	return rc;
}

static int load_state(struct auth_check *check)
{
	int rc;

	check->create = rule_state(check, TYPE_CREATE, MX_SLICE(""));
	if (!check->create)
		return rule_reject(check, "The room has no create event");
	rc = load_levels(check);
	if (rc)
		return rc;
	check->sender_level = level_of_user(&check->levels, check->event->sender);
	check->sender_membership = rule_membership(check, check->event->sender);
	return 0;
}

/* ---- rules of all events */

static bool is_federated(const struct event *create)
{
	uint32_t node = mx_json_member(&create->doc, create->content, "m.federate");

	return !node || mx_json_type(&create->doc, node) != MX_JSON_FALSE;
}

static int check_server(const struct auth_check *check)
{
	if (mx_slice_eq(check->event->sender_server, check->create->sender_server) ||
	    is_federated(check->create))
		return 0;
	return rule_reject(check, "The room is not federated");
}

/* Where the room is named by its create event, that is the one which counts. */
static int check_room(const struct auth_check *check)
{
	if (mx_slice_eq(check->event->room_id, check->create->room_id))
		return 0;
	return rule_reject(check, "The event is of another room");
}

/* Spec: room version 1, 4. */
static int check_aliases(const struct auth_check *check)
{
	if (!event_is_state(check->event))
		return rule_reject(check, "Aliases are state");
	if (!mx_slice_eq(check->event->state_key, check->event->sender_server))
		return rule_reject(check, "The aliases are another server's");
	return 0;
}

static int check_sending(const struct auth_check *check)
{
	const struct event *event = check->event;
	int64_t needed = level_to_send(&check->levels, event->type, event_is_state(event));

	if (mx_slice_is(event->type, TYPE_THIRD_PARTY_INVITE)) {
		if (check->sender_level >= level_of(&check->levels, LEVEL_INVITE))
			return 0;
		return rule_reject(check, "The sender may not invite");
	}
	if (needed > check->sender_level)
		return rule_reject(check, "The sender's level is too low for such an event");
	if (event_is_state(event) && event->state_key.len && event->state_key.ptr[0] == '@' &&
	    !mx_slice_eq(event->state_key, event->sender))
		return rule_reject(check, "State that is named by a user is that user's");
	return 0;
}

/* Spec: room version 1, 11: by the servers of the two ids. */
static int check_redaction(const struct auth_check *check)
{
	const struct event *event = check->event;
	struct mx_id own, redacted;

	if (check->sender_level >= level_of(&check->levels, LEVEL_REDACT))
		return 0;
	if (event->redacts.ptr && mx_event_id_parse(event->redacts, &redacted) &&
	    mx_event_id_parse(event->id, &own) && mx_slice_eq(own.server, redacted.server))
		return 0;
	return rule_reject(check, "The sender may not redact the event");
}

static int check_by_type(struct auth_check *check)
{
	const struct event *event = check->event;
	int rc;

	if (event->version->aliases_rule && mx_slice_is(event->type, TYPE_ALIASES))
		return check_aliases(check);
	if (mx_slice_is(event->type, TYPE_MEMBER))
		return rule_member(check);
	if (!mx_slice_is(check->sender_membership, "join"))
		return rule_reject(check, "The sender is not in the room");
	rc = check_sending(check);
	if (rc == 0 && mx_slice_is(event->type, TYPE_POWER_LEVELS))
		rc = rule_power_levels(check);
	if (rc == 0 && event->version->redaction_rule && mx_slice_is(event->type, TYPE_REDACTION))
		rc = check_redaction(check);
	return rc;
}

int eventauth_check(const struct event *event, const struct auth_state *state, struct mx_arena *mem,
		    struct mx_error *err)
{
	struct auth_check check = { .event = event, .state = state, .mem = mem, .err = err };
	int rc;

	if (mx_slice_is(event->type, TYPE_CREATE))
		return rule_create(&check);
	rc = load_state(&check);
	if (rc == 0)
		rc = check_room(&check);
	if (rc == 0)
		rc = check_server(&check);
	return rc ? rc : check_by_type(&check);
}

/* ---- what an event cites */

static bool is_cited_before(const struct cited_event *cited, size_t at)
{
	const struct event *event = cited[at].event;

	for (size_t i = 0; i < at; i++)
		if (mx_slice_eq(cited[i].event->type, event->type) &&
		    mx_slice_eq(cited[i].event->state_key, event->state_key))
			return true;
	return false;
}

static int check_one_cited(const struct event *event, const struct selection *selection,
			   const struct cited_event *cited, struct mx_error *err)
{
	if (!selection_has(selection, cited->event))
		return mx_fail(err, MX_FORBIDDEN, "The event cites what does not matter to it");
	if (cited->rejected)
		return mx_fail(err, MX_FORBIDDEN, "The event cites one that was rejected");
	if (!mx_slice_eq(cited->event->room_id, event->room_id))
		return mx_fail(err, MX_FORBIDDEN, "The event cites one of another room");
	return 0;
}

int eventauth_check_cited(const struct event *event, const struct cited_event *cited, size_t len,
			  struct mx_arena *mem, struct mx_error *err)
{
	const struct auth_subject subject = auth_subject_of(event, mem);
	bool has_create = event->version->create_is_room_id ||
			  mx_slice_is(event->type, TYPE_CREATE);
	struct selection selection;

	auth_select(&subject, &selection);
	for (size_t i = 0; i < len; i++) {
		int rc = check_one_cited(event, &selection, &cited[i], err);

		if (rc)
			return rc;
		if (is_cited_before(cited, i))
			return mx_fail(err, MX_FORBIDDEN, "The event cites two of one kind");
		has_create = has_create || event_is(cited[i].event, TYPE_CREATE, MX_SLICE(""));
	}
	return has_create ? 0 : mx_fail(err, MX_FORBIDDEN, "The event cites no create event");
}
